"""The approximate answer: what a scenario leads to, in well under a second and without a draw.

`approximate` puts the expected flows (flows.py), the floor (floor.py) and the money (money.py)
together and gives the measures the names and units of the simulation's metrics. It is an
approximation: how far it lies from the simulation is measured by benchmarks/bench_whatif.py and
held by tests/test_whatif.py. Levels of a day: gamma quantiles of the spread that contacts have.
"""

from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
from scipy.stats import gamma

from scenarios.scenario import Scenario
from scenarios.words import CHANNELS, GUARANTEES, SKILLS, TOPICS
from sim.columns import Floats
from sim.consumers.contacts import INQUIRY, TopicHabits, topic_habits
from sim.market.shocks import shock_field
from sim.money.pots import REVIEW_POLICY, PotBook
from sim.streams import Streams
from sim.support.layout import Layout
from sim.support.roster import Roster, sessions_by_team
from sim.whatif.floor import PHONE, Crowd, Work, crowd
from sim.whatif.flows import Flows, expected_flows
from sim.whatif.money import (
    Dues,
    Payouts,
    claimants,
    day_sums,
    dry,
    expected_dues,
    expected_payouts,
)

# Quantiles of the day's level, each with the same weight.
LEVEL_QUANTILES: Final = (np.arange(7) + 0.5) / 7.0
Measure = tuple[float, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a scenario leads to, approximately; days are those that count."""

    measures: dict[str, Measure]
    """Value and unit, by the metric's name in the simulation."""
    first_day: int
    """Lunar day of the first row of the arrays."""
    service_level: Floats
    """Answered within the threshold / offered; shape (days, 24, channels); NaN without contacts."""
    offered_per_h: Floats
    """Shape (days, 24, channels)."""
    load_agents: Floats
    """Agents that contacts would keep busy if nobody waited; shape (days, 24, channels)."""
    agents: Floats
    """Productive agents there; shape (days, 24, channels)."""
    held_ratio: Floats
    """Chance that a day meets every target; shape (days,)."""
    payout_fen: dict[str, float]
    """Gross payout by guarantee."""
    exhausted_ratio: dict[str, float]
    """Chance that the pot runs dry, by guarantee."""


class _Middle:
    """In the place of a generator: every draw is its median, so that a roster is the usual one."""

    def random(self) -> float:
        return 0.5

    def standard_normal(self) -> float:
        return 0.0


class _Usual(Streams):
    """Streams without chance."""

    def rng(self, name: str) -> np.random.Generator:
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


def approximate(scenario: Scenario) -> Answer:
    """The approximate answer for the days of the horizon."""
    flows = expected_flows(scenario)
    habits = [topic_habits(scenario, topic) for topic in range(len(TOPICS))]
    contacts = np.concatenate(
        [flows.by_person.sum(axis=1), flows.inquiries.sum(axis=1, keepdims=True)], axis=1
    )
    levels = _levels(scenario, flows)
    dues = expected_dues(
        scenario,
        claimants(scenario, flows.by_self, flows.by_person, flows.others),
        escalated_ratio=0.0,
    )
    roster = usual_roster(scenario)
    work = _work(scenario, habits, contacts, levels, dues, roster)
    walked = crowd(scenario, work)
    heard, escalated = _heard(scenario, walked)
    dues = expected_dues(
        scenario,
        claimants(scenario, flows.by_self, flows.by_person * heard, flows.others),
        escalated_ratio=escalated,
    )
    return _answer(scenario, flows, work, walked, roster, expected_payouts(scenario, dues))


def _levels(scenario: Scenario, flows: Flows) -> Floats:
    """Equally likely levels of a day, as contacts feel them."""
    demand = scenario.demand
    by_category = flows.by_person.sum(axis=(0, 2)) + flows.inquiries.sum(axis=0)
    share = by_category / max(float(by_category.sum()), 1e-300)
    cv2 = demand.common_day_cv**2 + demand.category_day_cv**2 * float((share**2).sum())
    if cv2 == 0.0:
        return np.ones(LEVEL_QUANTILES.size)
    found = gamma.ppf(LEVEL_QUANTILES, 1.0 / cv2, scale=cv2)
    return np.asarray(found / found.mean())


def _work(
    scenario: Scenario,
    habits: list[TopicHabits],
    contacts: Floats,
    levels: Floats,
    dues: Dues,
    roster: Roster,
) -> Work:
    """Arrivals and handle times by channel, for each level of the day."""
    support, horizon, demand = scenario.support, scenario.horizon, scenario.demand
    phone = np.array([one.phone_ratio for one in habits])
    by_channel = np.stack([contacts * phone, contacts * (1.0 - phone)], axis=1)
    base_s = np.array(
        [
            [one.handle_phone_s for one in habits],
            [one.handle_im_s / support.im.efficiency_ratio for one in habits],
        ]
    )
    multiple = _surcharge(scenario, habits, dues, contacts, levels)
    total = np.maximum(by_channel.sum(axis=2), 1e-300)
    handle_s = np.einsum("tck,ck,tkl->tcl", by_channel / total[:, :, None], base_s, multiple)
    teams = [one for _, one in sorted(support.teams.items())]
    of_channel = np.array([[t.channel == channel for t in teams] for channel in CHANNELS])
    slots = roster.slots @ of_channel.T
    # A learning team is slower on average; teams differ only by their share of the heads.
    handle_s *= (roster.pace.mean(axis=1))[:, None, None]
    with_incident = by_channel[:, :, :INQUIRY].sum(axis=2) / total
    specialist = base_s[PHONE, :INQUIRY] @ (
        contacts[:, :INQUIRY].sum(axis=0) / max(float(contacts[:, :INQUIRY].sum()), 1e-300)
    )
    return Work(
        fresh_per_s=by_channel.sum(axis=2)[:, :, None] * levels / horizon.tick_s,
        incident_ratio=with_incident,
        handle_s=handle_s,
        escalated_s=float(specialist) * scenario.consumers.returns.escalation_handle_multiple,
        slots=slots.astype(np.float64),
        hour_cv=float(np.hypot(demand.common_hour_cv, demand.category_hour_cv * 0.6)),
    )


def _surcharge(
    scenario: Scenario,
    habits: list[TopicHabits],
    dues: Dues,
    contacts: Floats,
    levels: Floats,
) -> Floats:
    """Handle time relative to normal by (tick, topic, level): manual review, a slow API."""
    ticks, topics = contacts.shape
    latency_s = shock_field(scenario).api_added_latency_s * scenario.loops.api_failover
    handle_s = np.maximum(np.array([one.handle_phone_s for one in habits]), 1e-9)
    waits_s = latency_s * scenario.api.calls_per_contact_count
    multiple = np.ones((ticks, topics, levels.size)) + (waits_s[:, None] / handle_s)[:, :, None]
    if scenario.loops.exhausted_pot_review:
        reviewed = PotBook(scenario.pots).policy == REVIEW_POLICY
        exhausted = dry(scenario, dues, levels) * reviewed[None, :, None]
        table = scenario.guarantees.table()
        for topic in range(topics - 1):
            rows = table.row[topic]
            promised = rows[rows >= 0]
            if promised.size:
                mine = np.bincount(table.guarantee[promised], minlength=len(GUARANTEES))
                touched = np.einsum("tgl,g->tl", exhausted, mine / mine.sum())
                multiple[:, topic] *= 1.0 + (scenario.pots.review_handle_multiple - 1.0) * touched
    return multiple


def _heard(scenario: Scenario, walked: Crowd) -> tuple[float, float]:
    """(share of human claims that are decided at all, share of all claims settled escalated)."""
    returns = scenario.consumers.returns
    fresh = float((walked.offered - walked.redials - walked.reconnects - walked.escalations).sum())
    lost = float(walked.given_up.sum()) / max(fresh, 1e-300)
    escalated = lost * (returns.escalation_ratio if scenario.loops.abandonment_returns else 0.0)
    silent = (lost - escalated) * (1.0 - returns.fallback_ratio)
    return 1.0 - silent, escalated


def _answer(
    scenario: Scenario,
    flows: Flows,
    work: Work,
    walked: Crowd,
    roster: Roster,
    payouts: Payouts,
) -> Answer:
    horizon, targets = scenario.horizon, scenario.support.targets
    first = horizon.warm_up_days * horizon.ticks_per_day

    def counted(flow: Floats) -> float:
        return float(flow[first:].sum())

    def mean(flow: Floats) -> float:
        """Sum over ticks and channels, mean over levels."""
        return counted(flow) / flow.shape[-1]

    def level_of(channel: int) -> float:
        return mean(walked.in_time[:, [channel]]) / max(mean(walked.offered[:, [channel]]), 1e-9)

    sessions = np.array([1.0, scenario.support.im.sessions_per_agent_count])
    hours = (horizon.days_count - horizon.warm_up_days, 24, -1, len(CHANNELS))
    offered, in_time = walked.offered[first:], walked.in_time[first:]
    by_day = (hours[0], -1, len(CHANNELS), offered.shape[-1])
    day_offered, day_in_time = (x.reshape(by_day).sum(axis=1) for x in (offered, in_time))
    day_lost = walked.abandoned[first:].reshape(by_day).sum(axis=1)
    wanted = np.array([targets.phone.service_level_ratio, targets.im.service_level_ratio])
    level = day_in_time / np.maximum(day_offered, 1e-9)
    lost = day_lost.sum(axis=1) / np.maximum(day_offered.sum(axis=1), 1e-9)
    held = _held(level - wanted[:, None], targets.abandoned_ratio - lost)
    hour_offered, hour_in_time = (
        x.mean(axis=-1).reshape(hours).sum(axis=2) for x in (offered, in_time)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        service_level = np.where(hour_offered > 0.0, hour_in_time / hour_offered, np.nan)
    load = work.fresh_per_s.mean(axis=-1) * work.handle_s.mean(axis=-1) / sessions
    agents = work.slots / sessions
    gross, back = float(payouts.gross_fen.sum()), float(payouts.recovered_fen.sum())
    measures: dict[str, Measure] = {
        "orders_count": (counted(flows.orders), "orders"),
        "incidents_count": (counted(flows.incidents), "incidents"),
        "alerts_count": (
            counted(flows.alerts) / (1.0 - scenario.monitoring.false_alarm_ratio),
            "alerts",
        ),
        "contacts_offered_count": (mean(walked.offered), "contacts"),
        "contacts_abandoned_count": (mean(walked.abandoned), "contacts"),
        "abandoned_ratio": (
            mean(walked.abandoned) / max(mean(walked.offered), 1e-9),
            "ratio",
        ),
        "service_level_phone_ratio": (level_of(PHONE), "ratio"),
        "service_level_im_ratio": (level_of(1 - PHONE), "ratio"),
        "occupancy_ratio": (
            float((walked.busy.mean(axis=-1) / sessions)[first:].sum())
            / max(float(agents[first:].sum()), 1e-9),
            "ratio",
        ),
        "redials_count": (mean(walked.redials), "contacts"),
        "reconnects_count": (mean(walked.reconnects), "contacts"),
        "escalations_count": (mean(walked.escalations), "contacts"),
        "enough_probability_ratio": (float(held.prod()), "ratio"),
        "payout_gross_fen": (gross, "fen"),
        "payout_recovered_fen": (back, "fen"),
        "payout_net_fen": (gross - back, "fen"),
        "wage_fen": (float(roster.wage_fen[first:].sum()), "fen"),
        "pots_exhausted_ratio": (float(payouts.exhausted_ratio.mean()), "ratio"),
    }
    return Answer(
        measures=measures,
        first_day=horizon.first_day,
        service_level=service_level,
        offered_per_h=hour_offered,
        load_agents=load[first:].reshape(hours).mean(axis=2),
        agents=agents[first:].reshape(hours).mean(axis=2),
        held_ratio=held,
        payout_fen=dict(zip(GUARANTEES, payouts.gross_fen.tolist(), strict=True)),
        exhausted_ratio=dict(zip(GUARANTEES, payouts.exhausted_ratio.tolist(), strict=True)),
    )


def _held(level_margin: Floats, lost_margin: Floats) -> Floats:
    """Chance that a day keeps all targets: the level of the day at which the first one breaks.

    Margins by (days, channels, levels) and (days, levels), falling with the level; between two
    quantiles of the level the margin is taken as straight.
    """
    margin = np.minimum(level_margin.min(axis=1), lost_margin)
    held = []
    for row in margin:
        if row[0] < 0.0 or row[-1] >= 0.0:
            held.append(float(row[0] >= 0.0))
            continue
        last = int(np.flatnonzero(row >= 0.0)[-1])
        part = row[last] / (row[last] - row[last + 1])
        held.append(float(LEVEL_QUANTILES[last] + part * np.diff(LEVEL_QUANTILES)[0]))
    return np.array(held)


def changes(baseline: Answer, answer: Answer) -> dict[str, float]:
    """What the answer has more of than the baseline, by measure."""
    return {
        name: value - baseline.measures[name][0] for name, (value, _) in answer.measures.items()
    }
