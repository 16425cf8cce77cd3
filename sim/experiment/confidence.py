"""Intervals around what replications give: Student-t, binomial shares, quantile bands and ranks.

Rows are things estimated, columns are replications; NaN marks a replication in which the thing
did not exist (no contact offered, pot never exhausted) and is left out of that row's n. All
intervals are 95 %. Sources: Student-t interval, A. M. Law, Simulation Modeling
and Analysis (5th ed.), 4.5; Clopper and Pearson, Biometrika 26 (1934); ranks
around a quantile by the binomial law, David and Nagaraja, Order Statistics (3rd ed.), 7.1;
quantiles by linear interpolation, Hyndman and Fan, The American Statistician 50 (1996),
definition 7; interpolation between ranks, Nyblom, Statistics and Probability Letters 14 (1992).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr, betaincinv, stdtrit

CONFIDENCE: Final = 0.95
TAIL: Final = (1.0 - CONFIDENCE) / 2.0
BAND: Final = (0.05, 0.95)


@dataclass(frozen=True, slots=True)
class Rows:
    """Estimates of many things at once; low and high are NaN where n is below 2."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n: np.ndarray


@dataclass(frozen=True, slots=True)
class Estimate:
    """Mean and 95 % interval of one thing; NaN where it cannot be said."""

    mean: float
    low: float
    high: float
    n: int

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2.0


def student_rows(values: np.ndarray) -> Rows:
    """Mean over replications with a Student-t interval, row by row."""
    n, mean, deviation = _moments(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        half = np.where(n > 1, stdtrit(n - 1.0, 1.0 - TAIL) * deviation / np.sqrt(n), np.nan)
    return Rows(mean=mean, low=mean - half, high=mean + half, n=n)


def share_rows(values: np.ndarray) -> Rows:
    """Share of replications (values 0 or 1) with the interval of Clopper and Pearson."""
    n, mean, _ = _moments(values)
    hits = np.nansum(values, axis=1)
    with np.errstate(invalid="ignore"):
        low = np.where(hits > 0, betaincinv(np.maximum(hits, 1.0), n - hits + 1.0, TAIL), 0.0)
        high = np.where(
            hits < n, betaincinv(hits + 1.0, np.maximum(n - hits, 1.0), 1.0 - TAIL), 1.0
        )
    enough = n > 1
    return Rows(mean, np.where(enough, low, np.nan), np.where(enough, high, np.nan), n)


def band_rows(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The 5 % and the 95 % quantile over replications, row by row; NaN where a row is empty."""
    ordered = np.sort(values, axis=1)  # NaN goes last, so the first n of a row are its values
    n = np.sum(~np.isnan(values), axis=1)
    rows = np.arange(len(values))
    ends = []
    for level in BAND:
        place = level * np.maximum(n - 1, 0)
        below = np.floor(place).astype(np.int64)
        above = np.minimum(below + 1, np.maximum(n - 1, 0))
        left = ordered[rows, below]
        ends.append(left + (place - below) * (ordered[rows, above] - left))
    return ends[0], ends[1]


def student(values: ArrayLike) -> Estimate:
    """Mean and Student-t interval of one sample."""
    return _single(student_rows(np.asarray(values, dtype=np.float64)[None, :]))


def share(values: ArrayLike) -> Estimate:
    """Share and Clopper-Pearson interval of one sample of zeros and ones."""
    return _single(share_rows(np.asarray(values, dtype=np.float64)[None, :]))


def quantile_ranks(count: int, level: float) -> tuple[int, int, float] | None:
    """Ranks (from 1) of the two observations around the `level` quantile, and their true coverage.

    Equal tails: at most 2.5 % below the lower and above the upper one. None when `count` is too
    small for such a pair to exist.
    """
    below = bdtr(np.arange(count + 1, dtype=np.float64), count, level)  # P(successes <= k)
    lower = int(np.searchsorted(below, TAIL, side="right"))
    upper = int(np.searchsorted(below, 1.0 - TAIL, side="left")) + 1
    if lower < 1 or upper > count:
        return None
    return lower, upper, float(below[upper - 1] - below[lower - 1])


def quantile_bound(ordered: np.ndarray, level: float, confidence: float) -> float | None:
    """Upper one-sided bound of the `level` quantile, from observations in ascending order.

    Between the two ranks whose coverages enclose `confidence`, weighted so that the coverage of
    the bound itself is close to it for any law (Nyblom, 1992). None when even the largest
    observation covers less: at 0.95, below 59 observations for the 95 % and 299 for the 99 %
    quantile.
    """
    count = ordered.size
    covers = bdtr(np.arange(count, dtype=np.float64), count, level)  # by rank, from 1
    above = int(np.searchsorted(covers, confidence, side="left")) + 1
    if above > count:
        return None
    if above == 1 or covers[above - 1] == confidence:
        return float(ordered[above - 1])
    rank = above - 1
    gap = (covers[above - 1] - confidence) / (confidence - covers[rank - 1])
    weight = 1.0 / (1.0 + rank * (1.0 - level) * gap / ((count - rank) * level))
    return float((1.0 - weight) * ordered[rank - 1] + weight * ordered[above - 1])


def quantile_interval(ordered: np.ndarray, level: float) -> tuple[float, float] | None:
    """Equal-tailed 95 % interval of the `level` quantile; None where no pair of ranks has it.

    It lies inside the pair of `quantile_ranks`, which covers more than 95 % wherever observations
    are few.
    """
    if quantile_ranks(ordered.size, level) is None:
        return None
    high = quantile_bound(ordered, level, 1.0 - TAIL)
    low = quantile_bound(-ordered[::-1], 1.0 - level, 1.0 - TAIL)
    assert low is not None
    assert high is not None
    return -low, high


def _moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Count, mean and standard deviation (n - 1) of every row, NaN left out."""
    there = ~np.isnan(values)
    n = there.sum(axis=1).astype(np.int64)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(there, values, 0.0).sum(axis=1) / np.where(n > 0, n, np.nan)
        square = np.where(there, values - mean[:, None], 0.0) ** 2
        deviation = np.sqrt(square.sum(axis=1) / np.where(n > 1, n - 1, np.nan))
    return n, mean, deviation


def _single(rows: Rows) -> Estimate:
    return Estimate(float(rows.mean[0]), float(rows.low[0]), float(rows.high[0]), int(rows.n[0]))
