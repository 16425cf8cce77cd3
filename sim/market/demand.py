"""Expected orders due by tick, category and region.

orders(t, c, r) = base_c x multiple x day_multiplier_c(d) x profile_c(h) x share_r x G_d G_cd G_h
G_ch x (1 + bursts) x shocks, with independent gamma factors G of mean 1: the Poisson counts drawn
around it are over-dispersed as real counts are (variance/mean 4-20). The counts themselves are
drawn where they are split into orders that go wrong and orders that do not (thinning).
"""

from dataclasses import dataclass

import numpy as np

from scenarios.model import FIRST_OFFSET_D
from scenarios.scenario import Scenario
from scenarios.words import CATEGORIES
from sim.columns import Floats
from sim.market.shocks import ShockField
from sim.streams import Streams

HOURS_PER_DAY = 24


@dataclass(frozen=True, slots=True)
class Demand:
    """`orders` has shape (ticks, categories, regions): expected orders given the gamma factors."""

    orders: Floats
    burst_orders: Floats
    """Of those, from bursts; same shape."""


def gamma_factor(rng: np.random.Generator, cv: float, shape: tuple[int, ...]) -> Floats:
    """Gamma variates with mean 1 and the given CV; exactly 1 for CV 0."""
    if cv == 0.0:
        return np.ones(shape)
    return rng.standard_gamma(cv**-2, shape) * cv**2


def regular_orders(scenario: Scenario) -> Floats:
    """Expected orders without gamma factors, bursts and shocks; shape (days, 24, categories)."""
    demand, horizon = scenario.demand, scenario.horizon
    days = np.arange(horizon.start_day, horizon.last_day + 1) - FIRST_OFFSET_D
    base = np.array(demand.orders_per_day.row()) * np.array(demand.category_multiple.row())
    by_day = np.array(demand.day_multiplier.row()).T[days] * base * demand.orders_multiple
    profile = np.array(demand.hour_profile.row()).T
    return np.asarray(by_day[:, None, :] * (profile / profile.sum(axis=0))[None])


def burst_ratio(scenario: Scenario) -> Floats:
    """Orders added by bursts relative to regular ones; shape (ticks, categories)."""
    horizon = scenario.horizon
    ticks = horizon.days_count * horizon.ticks_per_day
    day = np.arange(ticks) // horizon.ticks_per_day + horizon.start_day
    hour = (np.arange(ticks) % horizon.ticks_per_day) * horizon.tick_s / 3600.0
    added = np.zeros((ticks, len(CATEGORIES)))
    for burst in scenario.demand.bursts.values():
        when = np.isin(day, burst.lunar_days)
        when &= (hour >= burst.start_h) & (hour < burst.start_h + burst.duration_h)
        added[when, CATEGORIES.index(burst.category)] += burst.added_ratio
    return added


def draw_demand(scenario: Scenario, shocks: ShockField, streams: Streams) -> Demand:
    """Draw the gamma factors of one replication and multiply everything out."""
    demand, horizon = scenario.demand, scenario.horizon
    days, width = horizon.days_count, len(CATEGORIES)
    day_level = gamma_factor(streams.rng("demand.day"), demand.common_day_cv, (days, 1)) * (
        gamma_factor(streams.rng("demand.day.category"), demand.category_day_cv, (days, width))
    )
    hours = (days, HOURS_PER_DAY)
    hour_level = gamma_factor(
        streams.rng("demand.hour"), demand.common_hour_cv, (*hours, 1)
    ) * gamma_factor(
        streams.rng("demand.hour.category"), demand.category_hour_cv, (*hours, width)
    )
    hourly = regular_orders(scenario) * day_level[:, None, :] * hour_level
    ticks_per_hour = horizon.ticks_per_day // HOURS_PER_DAY
    by_tick = np.repeat(
        hourly.reshape(days * HOURS_PER_DAY, width) / ticks_per_hour, ticks_per_hour, axis=0
    )
    spread = np.array(scenario.regions.row()) * shocks.orders_multiple
    added = burst_ratio(scenario)
    return Demand(
        orders=(by_tick * (1.0 + added))[:, :, None] * spread,
        burst_orders=(by_tick * added)[:, :, None] * spread,
    )
