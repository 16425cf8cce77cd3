"""Main effects: the mean outcome along a factor, over everything else that moves.

Decides the steps (nine along a range, or the levels) and whose mean it is: along a range the part
of the expansion that is the factor's own, so that the other factors' luck at a step is no part of
it; at a level the mean of its points. Intervals are those of the distance to the overall mean.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from sim.columns import Floats
from sim.experiment.confidence import TAIL, student_rows
from sim.study.expansion import Expansion, polynomials
from sim.study.factors import Factor
from sim.study.shares import Fit

STEPS: Final = np.linspace(0.0, 1.0, 9)


@dataclass(frozen=True, slots=True)
class Step:
    """The mean outcome where a factor is set to `value`; low and high may be NaN."""

    value: float
    mean: float
    low: float
    high: float


def along_range(
    factor: Factor, number: int, expansion: Expansion, fit: Fit
) -> Iterator[Step]:
    """The factor's own part of the expansion, whose fit is known; `number` is the factor's place
    among the ranges."""
    centre = float(expansion.coefficients[0].mean())
    own = [k for k, term in enumerate(fit.terms) if term == (number,)]
    degrees = [expansion.terms[k + 1][0][1] for k in own]
    curves = np.zeros((len(STEPS), len(fit.draws)))
    mean = np.zeros(len(STEPS))
    if own:
        basis = polynomials(STEPS, max(degrees))[:, [degree - 1 for degree in degrees]]
        mean = basis @ fit.mean[own]
        curves = basis @ fit.draws[:, own].T
    for place, middle, drawn in zip(STEPS, mean, curves, strict=True):
        low, high = (np.nan, np.nan)
        if curves.shape[1] > 1:
            low, high = np.quantile(drawn, (TAIL, 1.0 - TAIL))
        value = factor.value(float(place))
        yield Step(value, *(float(centre + one) for one in (middle, low, high)))


def at_levels(levels: Floats, values: Floats) -> Iterator[Step]:
    """Means at each level, by points; values by (points, replications). Paired over replications:
    every level meets the same seasons."""
    overall = values.mean(axis=0)
    for level in np.unique(levels):
        apart = values[levels == level].mean(axis=0) - overall
        found = student_rows(apart[None, :])
        centre = float(overall.mean())
        ends = (centre + float(one[0]) for one in (found.mean, found.low, found.high))
        yield Step(float(level), *ends)
