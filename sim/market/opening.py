"""Closures of a day: who is closed, and who of them says so.

A store is closed on day d if threshold < closed_ratio x wave(d): each store closes for a run of days,
longer for low thresholds. Of the closed, a compliant store stays silent with the calibrated ratio q, a
speculator with min(1, odds x q). A declared closure takes the store out of the day's orders; an
undeclared one goes on taking them.
"""

from dataclasses import dataclass

import numpy as np

from scenarios.model import FIRST_OFFSET_D
from scenarios.scenario import Scenario
from sim.columns import Bools
from sim.market.fleet import Fleet


@dataclass(frozen=True, slots=True)
class Closures:
    """Masks over all stores."""

    declared: Bools
    undeclared: Bools


def closures(scenario: Scenario, fleet: Fleet, *, lunar_day: int) -> Closures:
    """The closures of a lunar day."""
    opening = scenario.opening
    wave = opening.wave[lunar_day - FIRST_OFFSET_D] * opening.closure_multiple
    closed_ratio = np.minimum(1.0, np.array(opening.closed_ratio.row()) * wave)
    silent_ratio = np.array(scenario.solved.undeclared_ratio.row())
    odds = opening.undeclared_odds
    by_type = np.minimum(1.0, np.outer((odds.compliant, odds.speculator), silent_ratio))
    closed = fleet.threshold < closed_ratio.astype(np.float32)[fleet.category]
    silent = fleet.candour < by_type[fleet.speculator.astype(np.int8), fleet.category]
    return Closures(declared=closed & ~silent, undeclared=closed & silent)
