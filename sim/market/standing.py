"""A store's standing with the platform: violation points and delisting.

Points are given once for each (store, kind, day) with an established violation; at
`delisting_points_count` the store is taken off the platform from the next day on. Violations are
established from evidence (the order, the photo, the patrol), whether or not the consumer got
through to a person: how many agents answer must not change who sells tomorrow.
"""

from dataclasses import dataclass

import numpy as np

from scenarios.scenario import Scenario
from scenarios.words import INCIDENT_TYPES
from sim.columns import Ints, distinct
from sim.market.fleet import Fleet

FOOD_SAFETY = INCIDENT_TYPES.index("food_safety")


@dataclass(frozen=True, slots=True)
class StandingDay:
    """Outcome of a day's violations, by store."""

    pointed_stores: Ints
    """Store of each award of points."""
    points: Ints
    """Points of each award."""
    delisted_stores: Ints


def close_day(
    scenario: Scenario, fleet: Fleet, *, stores: Ints, kinds: Ints, caught_stores: Ints
) -> StandingDay:
    """Award the points of a day's established violations and delist; changes the fleet.

    `stores` and `kinds` name each established violation from claims, `caught_stores` those of the
    patrol and of valid reports.
    """
    width = len(INCIDENT_TYPES)
    keys = np.concatenate((stores * width + kinds, caught_stores * width + FOOD_SAFETY))
    once = distinct(keys)
    pointed = once // width
    points = np.array(scenario.merchants.points.row(), dtype=np.int64)[once % width]
    np.add.at(fleet.points, pointed, points.astype(np.int32))
    fleet.caught[caught_stores] = True
    delisted = np.empty(0, dtype=np.int64)
    if scenario.loops.penalties_deter:
        reached = distinct(pointed)
        over = fleet.points[reached] >= scenario.merchants.delisting_points_count
        delisted = reached[over & fleet.listed[reached]]
        fleet.listed[delisted] = False
    return StandingDay(pointed_stores=pointed, points=points, delisted_stores=delisted)
