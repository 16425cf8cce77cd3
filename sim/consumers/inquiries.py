"""Plain questions that reach a person: a Poisson count a day and category, by the contact profile.

Intensity = inquiries per order x expected orders of the day (gamma day factor included) x profile,
with the late hours of 除夕 partly moved to the afternoon, times the levers and shocks on contacts.
"""

import numpy as np

from scenarios.scenario import Scenario
from scenarios.words import CATEGORIES
from sim.columns import Columns, Floats, stack
from sim.consumers.contacts import INQUIRY, draw_contacts, topic_habits
from sim.market.demand import Demand
from sim.market.shocks import ShockField
from sim.streams import Streams, poisson_count

NEW_YEARS_EVE = -1


def contact_profile(scenario: Scenario, lunar_day: int) -> Floats:
    """Share of the day's inquiries by hour; shape (24,), sums to 1."""
    inquiries = scenario.consumers.inquiries
    profile = np.array(inquiries.hour_profile)
    profile = profile / profile.sum()
    if lunar_day == NEW_YEARS_EVE:
        moved = profile[18:] * inquiries.eve_shift_ratio
        profile[18:] -= moved
        profile[11:18] += moved.sum() / 7.0
    return np.asarray(profile)


def inquiries_day(
    scenario: Scenario, streams: Streams, *, demand: Demand, shocks: ShockField, lunar_day: int
) -> Columns:
    """The consumers who ask on a day: contact columns and `category`."""
    horizon = scenario.horizon
    first = (lunar_day - horizon.start_day) * horizon.ticks_per_day
    ticks = slice(first, first + horizon.ticks_per_day)
    per_hour = horizon.ticks_per_day // 24
    profile = np.repeat(contact_profile(scenario, lunar_day) / per_hour, per_hour)
    habits = topic_habits(scenario, INQUIRY)
    parts = []
    for category, name in enumerate(CATEGORIES):
        orders = demand.orders[ticks, category, :]
        share = orders.sum(axis=0) / max(float(orders.sum()), 1e-300)
        urge = shocks.contact_multiple[ticks, category, :] @ share
        ratio = scenario.consumers.inquiries.ratio.row()[category]
        intensity = (
            float(orders.sum()) * ratio * scenario.consumers.contact_multiple * profile * urge
        )
        block = f"d{lunar_day:+d}/{name}/inquiry"
        mean = float(intensity.sum())
        count = poisson_count(streams.rng(f"inquiry.count/{block}").random(), mean)
        cum = np.cumsum(intensity)
        target = streams.rng(f"inquiry.time/{block}").random(count) * cum[-1]
        tick = np.minimum(np.searchsorted(cum, target, side="right"), cum.size - 1)
        width = np.maximum(np.diff(cum, prepend=0.0)[tick], 1e-300)
        within = np.clip(1.0 - (cum[tick] - target) / width, 0.0, 1.0)
        arrived_s = (first + tick + within) * horizon.tick_s
        contacts = draw_contacts(
            scenario, streams, habits, block=block, arrived_s=arrived_s, comes=np.arange(count)
        )
        del contacts["fallback_delay_s"]
        contacts["category"] = np.full(count, category, dtype=np.int8)
        parts.append(contacts)
    return stack(parts)
