"""What the floor is given: the usual roster, arrivals and handle times at each level of a day.

Decides levels (equally likely gamma quantiles of the spread that contacts have) and what lengthens
a contact: new hires, a slow API, and manual review from the time on at which a pot runs dry.
"""

from typing import Final, cast

import numpy as np
from scipy.stats import gamma

from scenarios.scenario import Scenario
from scenarios.words import CHANNELS, GUARANTEES, TOPICS
from sim.columns import Floats
from sim.consumers.contacts import INQUIRY, PHONE, TopicHabits, topic_habits
from sim.market.shocks import shock_field
from sim.money.pots import REVIEW_POLICY, PotBook
from sim.streams import Streams
from sim.support.layout import QUEUES_COUNT, Layout
from sim.support.roster import Roster
from sim.whatif.floor import Work
from sim.whatif.flows import Flows
from sim.whatif.money import Dues, dry

# Quantiles of the day's level, each with the same weight.
LEVEL_QUANTILES: Final = (np.arange(7) + 0.5) / 7.0
# What is left of the categories' own hourly spread in the sum of their contacts, about: the root of
# the sum of their squared shares.
OWN_SPREAD_KEPT_RATIO: Final = 0.6


class _Middle:
    """In the place of a generator: every draw is its median, so that a roster is the usual one."""

    def random(self) -> float:
        return 0.5

    def standard_normal(self) -> float:
        return 0.0


class _Usual(Streams):
    """Streams without chance."""

    def rng(self, name: str) -> np.random.Generator:  # noqa: ARG002, every stream is alike
        return cast(np.random.Generator, _Middle())


def usual_roster(scenario: Scenario) -> Roster:
    """The roster when attendance is as expected."""
    return Roster.draw(
        scenario.support,
        calendar=scenario.calendar,
        horizon=scenario.horizon,
        streams=_Usual(seed=0, replication=0),
        attendance_multiple_by_day=shock_field(scenario).attendance_multiple,
    )


def levels_of(scenario: Scenario, flows: Flows) -> Floats:
    """Equally likely levels of a day, as contacts feel them."""
    demand = scenario.demand
    by_category = flows.by_person.sum(axis=(0, 2)) + flows.inquiries.sum(axis=0)
    share = by_category / max(float(by_category.sum()), 1e-300)
    cv2 = demand.common_day_cv**2 + demand.category_day_cv**2 * float((share**2).sum())
    if cv2 == 0.0:
        return np.ones(LEVEL_QUANTILES.size)
    found = gamma.ppf(LEVEL_QUANTILES, 1.0 / cv2, scale=cv2)
    return np.asarray(found / found.mean())


def work_of(scenario: Scenario, flows: Flows, dues: Dues, roster: Roster) -> Work:
    """Arrivals and handle times by queue, for each level of the day."""
    levels = levels_of(scenario, flows)
    habits = [topic_habits(scenario, topic) for topic in range(len(TOPICS))]
    contacts = np.concatenate(
        [flows.by_person.sum(axis=1), flows.inquiries.sum(axis=1, keepdims=True)], axis=1
    )
    support, horizon, demand = scenario.support, scenario.horizon, scenario.demand
    phone = np.array([one.phone_ratio for one in habits])
    efficiency = support.im.efficiency_ratio
    base_s = np.array([[one.handle_phone_s, one.handle_im_s / efficiency] for one in habits])
    # From (ticks, topics) to queues: each topic has a skill, and a share on each channel.
    goes = np.zeros((len(TOPICS), QUEUES_COUNT))
    takes_s = np.zeros_like(goes)
    for topic, one in enumerate(habits):
        queues = one.skill * len(CHANNELS) + np.arange(len(CHANNELS))
        goes[topic, queues] = (phone[topic], 1.0 - phone[topic])
        takes_s[topic, queues] = base_s[topic]
    by_queue = contacts[:, :, None] * goes
    total = np.maximum(by_queue.sum(axis=1), 1e-300)
    multiple = _surcharge(scenario, habits, dues, levels)
    handle_s = np.einsum("tkq,kq,tkl->tql", by_queue / total[:, None, :], takes_s, multiple)
    # A learning team is slower on average; teams differ only by their share of the heads.
    handle_s *= (roster.pace.mean(axis=1))[:, None, None]
    # A queue without inquiries serves its urgent ones first.
    asked = by_queue[:, INQUIRY] > 0.0
    urgent = by_queue[:, [topic for topic, one in enumerate(habits) if one.urgent]].sum(axis=1)
    incidents = by_queue[:, :INQUIRY].sum(axis=1)
    specialist = base_s[:INQUIRY, PHONE] @ (
        contacts[:, :INQUIRY].sum(axis=0) / max(float(contacts[:, :INQUIRY].sum()), 1e-300)
    )
    return Work(
        fresh_per_s=by_queue.sum(axis=1)[:, :, None] * levels / horizon.tick_s,
        incident_ratio=incidents / total,
        first_ratio=np.where(asked, incidents, urgent) / total,
        handle_s=handle_s,
        escalated_s=float(specialist) * scenario.consumers.returns.escalation_handle_multiple,
        slots=roster.slots.astype(np.float64),
        teams=Layout.of(support).teams,
        hour_cv=float(
            np.hypot(demand.common_hour_cv, demand.category_hour_cv * OWN_SPREAD_KEPT_RATIO)
        ),
    )


def _surcharge(
    scenario: Scenario,
    habits: list[TopicHabits],
    dues: Dues,
    levels: Floats,
) -> Floats:
    """Handle time relative to normal by (tick, topic, level): manual review, a slow API."""
    latency_s = shock_field(scenario).api_added_latency_s * scenario.loops.api_failover
    handle_s = np.maximum(np.array([one.handle_phone_s for one in habits]), 1e-9)
    waits_s = latency_s * scenario.api.calls_per_contact_count
    multiple = 1.0 + (waits_s[:, None] / handle_s)[:, :, None] * np.ones(levels.size)
    if scenario.loops.exhausted_pot_review:
        reviewed = PotBook(scenario.pots).policy == REVIEW_POLICY
        exhausted = dry(scenario, dues, levels) * reviewed[None, :, None]
        table = scenario.guarantees.table()
        for topic in range(INQUIRY):
            rows = table.row[topic]
            promised = rows[rows >= 0]
            if promised.size:
                mine = np.bincount(table.guarantee[promised], minlength=len(GUARANTEES))
                touched = np.einsum("tgl,g->tl", exhausted, mine / mine.sum())
                multiple[:, topic] *= 1.0 + (scenario.pots.review_handle_multiple - 1.0) * touched
    return np.asarray(multiple)
