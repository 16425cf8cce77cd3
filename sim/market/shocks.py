"""Shocks as fields over time: each multiplier as an array by tick, category and region.

Shocks that overlap multiply; API trouble takes the worst of them. Decides nothing by itself.
"""

from dataclasses import dataclass

import numpy as np

from scenarios.scenario import Scenario
from scenarios.words import CATEGORIES, REGIONS
from sim.columns import Floats


@dataclass(frozen=True, slots=True)
class ShockField:
    """Multipliers; shape (ticks, categories, regions) unless said otherwise."""

    orders_multiple: Floats
    closure_multiple: Floats
    no_show_multiple: Floats
    oversell_multiple: Floats
    contact_multiple: Floats
    attendance_multiple: Floats
    """Shape (days,)."""
    api_failed_ratio: Floats
    """Shape (ticks,); the normal failures included."""
    api_added_latency_s: Floats
    """Shape (ticks,); above the normal latency (s)."""


def shock_field(scenario: Scenario) -> ShockField:
    """Compile the scenario's shocks."""
    horizon = scenario.horizon
    ticks = horizon.days_count * horizon.ticks_per_day
    shape = (ticks, len(CATEGORIES), len(REGIONS))
    fields = {
        name: np.ones(shape)
        for name in (
            "orders_multiple",
            "closure_multiple",
            "no_show_multiple",
            "oversell_multiple",
            "contact_multiple",
        )
    }
    attendance = np.ones(horizon.days_count)
    failed = np.full(ticks, scenario.api.failed_ratio)
    latency = np.zeros(ticks)
    day = np.arange(ticks) // horizon.ticks_per_day + horizon.start_day
    hour = (np.arange(ticks) % horizon.ticks_per_day) * horizon.tick_s / 3600.0
    for shock in scenario.shocks.values():
        when = np.isin(day, shock.lunar_days) & (hour >= shock.start_h) & (hour < shock.end_h)
        of_category = np.isin(CATEGORIES, shock.categories or CATEGORIES)
        of_region = np.isin(REGIONS, shock.regions or REGIONS)
        cells = np.ix_(when, of_category, of_region)
        for name, field in fields.items():
            field[cells] *= getattr(shock, name)
        days = np.array(shock.lunar_days) - horizon.start_day
        attendance[days[(days >= 0) & (days < horizon.days_count)]] *= shock.attendance_multiple
        failed[when] = np.maximum(failed[when], shock.api_failed_ratio)
        latency[when] = np.maximum(latency[when], shock.api_latency_s)
    return ShockField(
        **fields,
        attendance_multiple=attendance,
        api_failed_ratio=failed,
        api_added_latency_s=latency,
    )
