"""Closures of a day: who is closed, and who of them says so.

A store is closed on day d if threshold < closed_ratio x wave(d): each store closes for a run of
days, longer for low thresholds. Of the closed, a compliant store stays silent with the calibrated
ratio q, a speculator with min(1, odds x q). A declared closure takes the store out of the day's
orders; an undeclared one goes on taking them.
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
    declared = np.zeros(fleet.listed.size, dtype=np.bool_)
    undeclared = np.zeros_like(declared)
    for category, (closed_ratio, silent_ratio) in enumerate(
        zip(opening.closed_ratio.row(), scenario.solved.undeclared_ratio.row(), strict=True)
    ):
        rows = fleet.rows(category)
        odds = opening.undeclared_odds
        bar = np.where(
            fleet.speculator[rows],
            np.float32(min(1.0, odds.speculator * silent_ratio)),
            np.float32(min(1.0, odds.compliant * silent_ratio)),
        )
        closed = fleet.threshold[rows] < np.float32(min(1.0, closed_ratio * wave))
        silent = fleet.candour[rows] < bar
        declared[rows] = closed & ~silent
        undeclared[rows] = closed & silent
    return Closures(declared=declared, undeclared=undeclared)
