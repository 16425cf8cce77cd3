"""One figure over replications: mean, deviation, quantile or expected shortfall, with its interval.

Decides which statistics are said, how, and from how many replications on. Quantiles: linear
interpolation between order statistics (Hyndman and Fan, The American Statistician 50, 1996,
definition 7), intervals from order statistics (sim/experiment/confidence.py). TVaR at level p is
the expected shortfall of Acerbi and Tasche (Journal of Banking and Finance 26, 2002): the mean of
the worst 1 - p of the replications, the one on the border counted in part; its interval is
Student-t with the variance of Manistre and Hancock (North American Actuarial Journal 9, 2005) and
as many degrees of freedom as there are replications in the tail, less one. Few replications in the
tail put it slightly low (4 % at 72, 0.5 % at 400 replications and level 0.95), and its interval
covers 91-95 % there, not 95 %.

A quantile is withheld until the largest observation is an upper 95 % bound for it (59 replications
for P95, 299 for P99), its interval until both ends exist (72 and 368).
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from sim.experiment.confidence import (
    CONFIDENCE,
    TAIL,
    quantile_bound,
    quantile_interval,
    student,
)

Floats = npt.NDArray[np.float64]

QUANTILES: Final = {"p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99}
SHORTFALLS: Final = {"tvar95": 0.95, "tvar99": 0.99}
STATISTICS: Final = ("mean", "sd", *QUANTILES, *SHORTFALLS)
ONE_REPLICATION: Final = "an interval needs 2 replications, there is 1"


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its 95 % interval; None where it is withheld, `withheld` says why."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    withheld: str | None = None


def count_for_bound(level: float) -> int:
    """Replications from which the largest is an upper 95 % bound of the quantile."""
    return math.ceil(math.log(1.0 - CONFIDENCE) / math.log(level))


def count_for_interval(level: float) -> int:
    """Replications from which both ends of the equal-tailed 95 % interval exist."""
    return math.ceil(math.log(TAIL) / math.log(max(level, 1.0 - level)))


def figure(values: npt.ArrayLike, statistic: str) -> Figure:
    """One of STATISTICS of a sample of replications."""
    sample = np.asarray(values, dtype=np.float64)
    if statistic == "mean":
        return mean(sample)
    if statistic == "sd":
        known = sample.size > 1
        spread = float(sample.std(ddof=1)) if known else None
        return Figure(spread, None, None, sample.size, None if known else ONE_REPLICATION)
    if statistic in QUANTILES:
        return quantile(sample, QUANTILES[statistic])
    return shortfall(sample, SHORTFALLS[statistic])


def figures(values: npt.ArrayLike) -> dict[str, Figure]:
    """All STATISTICS of a sample."""
    return {statistic: figure(values, statistic) for statistic in STATISTICS}


def mean(sample: Floats) -> Figure:
    """The mean with its Student-t interval."""
    one = student(sample)
    if sample.size < 2:
        return Figure(one.mean, None, None, one.n, ONE_REPLICATION)
    return Figure(one.mean, one.low, one.high, one.n)


def quantile(sample: Floats, level: float) -> Figure:
    """A quantile with its interval from order statistics, or as much of it as can be said."""
    needed = count_for_bound(level)
    if sample.size < needed:
        return Figure(None, None, None, sample.size, _too_few(level, sample.size))
    ordered = np.sort(sample)
    value = float(np.quantile(ordered, level))
    ends = quantile_interval(ordered, level)
    if ends is not None:
        return Figure(value, min(ends[0], value), max(ends[1], value), sample.size)
    bound = quantile_bound(ordered, level, CONFIDENCE)
    assert bound is not None
    reason = (
        f"the lower end needs {count_for_interval(level)} replications, there are {sample.size}: "
        "the upper end is a one-sided 95 % bound"
    )
    return Figure(value, None, max(bound, value), sample.size, reason)


def shortfall(sample: Floats, level: float) -> Figure:
    """TVaR with its interval."""
    count = sample.size
    if count < count_for_bound(level):
        return Figure(None, None, None, count, _too_few(level, count))
    weights = tail_weights(sample, level)
    value = float(weights @ sample)
    share = count * (1.0 - level)
    if count < count_for_interval(level):
        reason = f"an interval needs {count_for_interval(level)} replications, there are {count}"
        return Figure(value, None, None, count, reason)
    inside = float(weights @ (sample - value) ** 2) * share / (share - 1.0)
    gap = value - float(np.quantile(sample, level))
    deviation = math.sqrt((inside + level * gap**2) / share)
    half = float(stdtrit(share - 1.0, 1.0 - TAIL)) * deviation
    # The shortfall is never below the quantile, so a bound of the one is a bound of the other.
    least = quantile(sample, level).low
    assert least is not None
    return Figure(value, max(value - half, min(least, value)), value + half, count)


def tail_weights(sample: Floats, level: float) -> Floats:
    """Weights of the replications in the mean of the worst 1 - level; they add up to 1.

    Of equal replications the earlier one counts first.
    """
    share = sample.size * (1.0 - level)
    order = np.argsort(-sample, kind="stable")
    weights = np.zeros(sample.size)
    weights[order] = np.clip(share - np.arange(sample.size), 0.0, 1.0)
    return np.asarray(weights / weights.sum())


def _too_few(level: float, count: int) -> str:
    percent = f"{100.0 * level:g} %"
    return (
        f"the {percent} level needs {count_for_bound(level)} replications for an upper bound and "
        f"{count_for_interval(level)} for an interval, there are {count}"
    )
