"""Shares of the variance from an expansion: Sobol' indices with intervals, chance taken out.

What is known of a coefficient has two errors: which seasons were drawn (the scatter of the
coefficient over replications; the same seasons at every point may favour one end of a range) and
which points were (what the terms do not explain). Both make a squared coefficient too large by its
variance, so that is taken off, and a factor without effect has an index around 0 and not above it.
Variance over the points is likewise without chance. Intervals: coefficients are drawn from their
errors (normal over points, Student's t over replications), and the indices' deviations from those
of the fit are laid around the estimate.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from sim.columns import Floats
from sim.experiment.confidence import TAIL
from sim.study.expansion import Expansion, left_out_error

DRAWS_COUNT: Final = 4000
Factors = tuple[int, ...]
"""One factor, or the two of a pair."""


@dataclass(frozen=True, slots=True)
class Share:
    """An index; low and high are NaN where no interval can be said."""

    order: str
    """first, total or pair."""
    factors: Factors
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Fit:
    """The coefficients' means, their variances and draws around them; without the mean term."""

    terms: tuple[Factors, ...]
    """The factors of each term."""
    mean: Floats
    variance: Floats
    draws: Floats
    """Shape (draws, terms); one row alone, the mean, where nothing is known of the errors."""
    drawn_variance: Floats
    """What the draws scatter by; at least `variance`."""
    rest: float
    """Variance that the terms do not explain, without chance."""

    @property
    def total(self) -> float:
        """Variance over the points, without chance."""
        return max(float((self.mean**2 - self.variance).sum()) + self.rest, 0.0)


def fit_of(found: Expansion, seed: int) -> Fit:
    """What an expansion says of its coefficients; the draws depend on `seed` only."""
    mean = found.coefficients.mean(axis=1)
    replications = found.coefficients.shape[1]
    spare = found.spare_count
    residual = found.residuals.mean(axis=1)
    left = float(residual @ residual) / spare if spare > 0 else 0.0
    # Degrees were chosen by these points, so that what is left looks smaller than it is; the error
    # at points left out does not.
    unseen = max(left_out_error(found), left) if spare > 0 else 0.0
    scatter = found.coefficients - mean[:, None]
    of_seasons = np.zeros(len(mean))
    if replications > 1:
        of_seasons = (scatter**2).sum(axis=1) / (replications - 1) / replications
        if spare > 0:
            apart = found.residuals - residual[:, None]
            chance = float((apart**2).sum()) / ((replications - 1) * spare)
            left = max(left - chance / replications, 0.0)
            unseen = max(unseen - chance / replications, 0.0)
    variance = left * np.diag(found.spread) + of_seasons
    rng = np.random.default_rng(seed)
    draws = np.tile(mean, (DRAWS_COUNT, 1))
    if unseen > 0.0:
        root = np.linalg.cholesky(found.spread * unseen)
        draws = draws + rng.standard_normal(draws.shape) @ root.T
    if replications > 1:
        weights = rng.standard_normal((DRAWS_COUNT, replications))
        freedom = replications - 1
        student = np.sqrt(freedom / rng.chisquare(freedom, (DRAWS_COUNT, 1)))
        draws = draws + student * (weights @ scatter.T) / np.sqrt(replications * freedom)
    is_known = replications > 1 or spare > 0
    return Fit(
        terms=tuple(tuple(factor for factor, _ in term) for term in found.terms[1:]),
        mean=mean[1:],
        variance=variance[1:],
        draws=draws[:, 1:] if is_known else mean[None, 1:],
        drawn_variance=(unseen * np.diag(found.spread) + of_seasons)[1:],
        rest=left,
    )


def shares(fit: Fit, factors_count: int) -> Iterator[Share]:
    """First-order and total indices of every factor, and the index of every pair that was fitted.

    Nothing where the outcome does not vary beyond chance, or where the points bear no term: that
    factors explain nothing is then not known, and no interval around 0 could be said.
    """
    if fit.total <= 0.0 or not fit.terms:
        return
    for factor in range(factors_count):
        yield _share(fit, "first", (factor,), [term == (factor,) for term in fit.terms])
    for factor in range(factors_count):
        yield _share(fit, "total", (factor,), [factor in term for term in fit.terms])
    for pair in sorted({term for term in fit.terms if len(term) == 2}):
        yield _share(fit, "pair", pair, [term == pair for term in fit.terms])


def _share(fit: Fit, order: str, factors: Factors, chosen: list[bool]) -> Share:
    own = np.array(chosen, dtype=np.bool_)
    value = float((fit.mean**2 - fit.variance)[own].sum()) / fit.total
    if len(fit.draws) < 2:
        return Share(order, factors, _inside(value), np.nan, np.nan)
    squares = fit.draws**2 - fit.drawn_variance
    drawn = squares[:, own].sum(axis=1)
    totals = squares.sum(axis=1) + fit.rest
    around = float((fit.mean**2)[own].sum()) / (float((fit.mean**2).sum()) + fit.rest)
    apart = drawn / np.maximum(totals, 1e-300) - around
    low, high = np.quantile(apart, (TAIL, 1.0 - TAIL))
    return Share(order, factors, _inside(value), _inside(value + low), _inside(value + high))


def _inside(share: float) -> float:
    """An index lies between 0 and 1; its estimate may fall short by its error."""
    return min(max(share, 0.0), 1.0)
