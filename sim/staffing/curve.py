"""From proven plans to answers: the fewest heads, the price of the last one, and the curve.

Every figure is paired over the same replications. The price of the last agent is the wage that
separates two headcounts, per contact that was not abandoned for it.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sim.experiment.confidence import Estimate, band_rows, student
from sim.staffing.proof import Proven, saved_ratio
from sim.staffing.trial import METRICS


@dataclass(frozen=True, slots=True)
class Answers:
    """What a planner asks for."""

    heads_count: int
    enough: bool
    probability: Estimate
    good_intervals_ratio: float
    fewest: tuple[int | None, int | None]
    """The largest headcount tried that is not enough, the smallest that is; null if none was."""
    last_agent: tuple[Estimate, Estimate] | None
    """Wages (fen) and abandoned contacts between the two headcounts around the one asked for."""
    saved: dict[str, float]
    """Times fewer replications through common random numbers, by metric."""


def answers(proven: Sequence[Proven], heads_count: int) -> Answers:
    """Answers about a headcount from the plans that were proven, that one among them."""
    ordered = sorted(proven, key=lambda one: one.plan.heads_count)
    mine = next(one for one in ordered if one.plan.heads_count == heads_count)
    failed = [one.plan.heads_count for one in ordered if not one.enough]
    held = [one.plan.heads_count for one in ordered if one.enough]
    smallest = min(held, default=None)
    below = [count for count in failed if smallest is None or count < smallest]
    last, saved = None, {}
    if len(ordered) > 1:
        place = max(ordered.index(mine), 1)
        a, b = ordered[place - 1].trial.metrics, ordered[place].trial.metrics
        last = (
            student(b["wage_fen"] - a["wage_fen"]),
            student(a["contacts_abandoned_count"] - b["contacts_abandoned_count"]),
        )
        saved = {name: saved_ratio(a[name], b[name]) for name in METRICS}
    return Answers(
        heads_count=heads_count,
        enough=mine.enough,
        probability=mine.good,
        good_intervals_ratio=mine.good_intervals_ratio,
        fewest=(max(below, default=None), smallest),
        last_agent=last,
        saved=saved,
    )


def curve(proven: Sequence[Proven]) -> list[dict[str, Any]]:
    """Rows of the table staff_curve, by headcount and metric."""
    rows: list[dict[str, Any]] = []
    for one in sorted(proven, key=lambda each: each.plan.heads_count):
        for name in METRICS:
            values = one.trial.metrics[name]
            estimate = student(values)
            low, high = band_rows(np.asarray(values, dtype=float)[None, :])
            rows.append(
                {
                    "heads_count": one.plan.heads_count,
                    "metric": name,
                    **asdict(estimate),
                    "band_low": float(low[0]),
                    "band_high": float(high[0]),
                }
            )
    return rows
