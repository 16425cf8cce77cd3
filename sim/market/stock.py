"""Rooms: a hotel sells more than it has while it oversells on purpose and its listing lags.

Bookings B ~ Poisson(expected orders of the store); allotment c = headroom x normal bookings x a
lognormal spread between hotels; accepted beyond it: min((B - c)+, floor(oversell x c) + L) with L ~
Poisson(orders during the listing lag). What comes after is turned away. The incident ratio
therefore rises faster than demand.
"""

from dataclasses import dataclass

import numpy as np

from scenarios.calibration import allotment
from scenarios.scenario import Scenario
from scenarios.words import CATEGORIES
from sim.columns import Bools, Floats, Ints
from sim.market.fleet import Fleet
from sim.streams import Streams

HOTEL = CATEGORIES.index("hotel")


@dataclass(frozen=True, slots=True)
class RoomDay:
    """Counts for each hotel, in the order of the fleet's hotel rows."""

    oversold_count: Ints
    turned_away_count: Ints
    stock_out: Bools


def room_day(
    scenario: Scenario,
    fleet: Fleet,
    streams: Streams,
    *,
    lunar_day: int,
    bookings_mean: Floats,
    oversell_multiple: Floats,
) -> RoomDay:
    """One day of bookings.

    `bookings_mean` (expected orders of each hotel) and `oversell_multiple` (shocks, by hotel) have
    one entry for each hotel row.
    """
    stock = scenario.stock
    rows = fleet.rows(HOTEL)
    normal = scenario.demand.orders_per_day.hotel * fleet.weight[rows]
    spread = np.exp(
        stock.allotment_sigma_ratio * streams.rng("store.allotment").standard_normal(normal.size)
    )
    rooms = allotment(scenario.solved.allotment_headroom_ratio, normal * spread)
    ratio = np.where(
        fleet.speculator[rows], stock.oversell_ratio.speculator, stock.oversell_ratio.compliant
    )
    beyond = np.floor(ratio * stock.oversell_multiple * oversell_multiple * rooms)
    booked = streams.rng(f"stock.bookings/d{lunar_day:+d}").poisson(bookings_mean)
    lagging = streams.rng(f"stock.lag/d{lunar_day:+d}").poisson(
        bookings_mean * stock.listing_lag_s / 86400.0
    )
    excess = np.maximum(booked - rooms, 0.0).astype(np.int64)
    oversold = np.minimum(excess, beyond.astype(np.int64) + lagging)
    return RoomDay(
        oversold_count=oversold,
        turned_away_count=excess - oversold,
        stock_out=excess > 0,
    )
