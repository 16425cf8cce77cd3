"""Whose error is smaller, and whether that could be chance: the model against a rival, day by day.

Decides what chance alone does (`by_chance`), and the difference of two errors (the model's less the
rival's; below zero the model is nearer) with its interval from days drawn again with replacement,
for figures over everything and for mean errors of hours. Days are the units, since hours of one day
share its load. Source: paired bootstrap, Efron and Tibshirani, An Introduction to the Bootstrap
(1993), 16.
"""

from typing import Final

import numpy as np

from sim.experiment.confidence import TAIL
from sim.fit.hours import Hours, Outcome
from sim.fit.likelihood import Floats
from sim.fit.replay import DAY_S

DRAWS: Final = 4000


def nearer(
    hours: Hours, observed: Outcome, ours: Outcome, rival: Outcome, rng: np.random.Generator
) -> dict[str, dict[str, float]]:
    """By figure: difference of absolute errors, its 95 % interval, and the number of days."""
    days, place = np.unique(np.floor_divide(hours.start_s, DAY_S), return_inverse=True)
    n = len(days)
    drawn = rng.multinomial(n, np.full(n, 1.0 / n), DRAWS).astype(np.float64)
    weights = np.concatenate([np.ones((1, n)), drawn])  # the days as they were come first

    def by_day(values: Floats) -> Floats:
        return weights @ np.bincount(place, values, n)

    found = {}
    for name, part in (("abandoned_ratio", "abandoned"), ("mean_wait_s", "wait_s")):
        truth, said, theirs = (
            by_day(getattr(one, part)) / np.maximum(by_day(one.offered), 1.0)
            for one in (observed, ours, rival)
        )
        found[name] = _interval(np.abs(said - truth) - np.abs(theirs - truth), n)
        truth, said, theirs = (getattr(one, name) for one in (observed, ours, rival))
        less = np.where(hours.used, np.abs(said - truth) - np.abs(theirs - truth), 0.0)
        count = np.maximum(by_day(hours.used.astype(np.float64)), 1.0)
        found[f"mae_{name}_hourly"] = _interval(by_day(less) / count, n)
    return found


def by_chance(hours: Hours, simulated: Outcome) -> dict[str, float]:
    """By figure: how far a replication lies from the mean of the others. Where the model is right,
    the days that happened lie as far: an error of that size tells nothing against it."""
    found, total = {}, simulated.total()
    for name in ("abandoned_ratio", "mean_wait_s"):
        found[name] = _apart(getattr(total, name))
        found[f"mae_{name}_hourly"] = _apart(getattr(simulated, name)[:, hours.used])
    return found


def _apart(drawn: Floats) -> float:
    """Mean distance of each replication (first axis) from the mean of the others."""
    n = len(drawn)
    return float(np.abs(drawn - drawn.mean(axis=0)).mean()) * n / max(n - 1, 1)


def _interval(values: Floats, n: int) -> dict[str, float]:
    low, high = np.quantile(values[1:], (TAIL, 1.0 - TAIL)) if n > 1 else (np.nan, np.nan)
    return {"mean": float(values[0]), "low": float(low), "high": float(high), "n": n}
