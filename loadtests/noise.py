"""How far a percentile lies from what another replay of the same trace would show.

Decides the interval of a percentile and of the difference of two. Requests that are close in time
meet the same queue, so that their times are not independent: how much the share of requests below a
value varies is taken from blocks of time and their neighbours, a block a second and at least
BLOCKS_COUNT_MIN, and never less than the binomial; the share's interval, read off the ordered
times, is the percentile's (R. S. Woodruff, JASA 47, 1952). The difference of two replays joins
their intervals (R. G. Newcombe, Statistics in Medicine 17, 1998). What lasts longer than a block,
or happens once, is not seen.
"""

from dataclasses import dataclass
from math import hypot, sqrt
from typing import Final

import numpy as np
import polars as pl
from scipy.special import stdtrit

from loadtests.latency import NS_PER_MS, quantile
from scenarios.load import PERCENTILES, TIMES

# The same as in sim/experiment/confidence.py, which this floor may not import.
CONFIDENCE: Final = 0.95
BLOCKS_COUNT_MIN: Final = 20
_NS_PER_S: Final = 10**9


@dataclass(frozen=True, slots=True)
class Interval:
    """A percentile and the ends of its interval, in ms; an end that the requests are too few for
    is the shortest or longest time there is."""

    low_ms: float
    value_ms: float
    high_ms: float

    def minus(self, other: "Interval") -> tuple[float, float]:
        """The interval of this percentile less that of an independent replay (ms)."""
        difference_ms = self.value_ms - other.value_ms
        down_ms = hypot(self.value_ms - self.low_ms, other.high_ms - other.value_ms)
        up_ms = hypot(self.high_ms - self.value_ms, other.value_ms - other.low_ms)
        return difference_ms - down_ms, difference_ms + up_ms


def intervals(rows: pl.DataFrame) -> dict[str, Interval]:
    """Of each percentile of response and service time but the maximum, by the figure's name; empty
    if nothing was sent."""
    sent = rows.filter(pl.col("response_ns").is_not_null())
    if not sent.height:
        return {}
    intended_ns = sent["intended_ns"].to_numpy()
    return {
        f"{name}_{time}_ms": interval(sent[f"{time}_ns"].to_numpy() / NS_PER_MS, intended_ns, ratio)
        for time in TIMES
        for name, ratio in PERCENTILES.items()
        if ratio < 1.0
    }


def interval(values_ms: np.ndarray, intended_ns: np.ndarray, ratio: float) -> Interval:
    """Of one percentile of these values, each sent at its time; there is at least one value."""
    count = values_ms.size
    ordered_ms = np.sort(values_ms)
    value_ms = _at(ordered_ms, ratio)
    span_ns = int(intended_ns.max()) + 1
    blocks_count = max(BLOCKS_COUNT_MIN, span_ns // _NS_PER_S)
    block = intended_ns * blocks_count // span_ns
    sizes = np.bincount(block, minlength=blocks_count)
    below = np.bincount(block, weights=values_ms <= value_ms, minlength=blocks_count)
    # Variance of a ratio of sums over blocks (W. G. Cochran, Sampling Techniques, 1977, 2.11).
    strays = below - ratio * sizes
    # Neighbours, too: a burst does not begin where a block does (Hansen and Hodrick, 1980, lag 1).
    squares = float(np.sum(strays**2) + 2.0 * np.sum(strays[1:] * strays[:-1]))
    between = blocks_count / (blocks_count - 1) * squares / count**2
    error_ratio = sqrt(max(between, ratio * (1.0 - ratio) / count))
    half_ratio = float(stdtrit(blocks_count - 1, 0.5 + CONFIDENCE / 2.0)) * error_ratio
    # Rounded outwards by a rank: the percentile itself is one.
    low_ms = _at(ordered_ms, ratio - half_ratio - 1.0 / count)
    return Interval(low_ms, value_ms, _at(ordered_ms, ratio + half_ratio + 1.0 / count))


def _at(ordered_ms: np.ndarray, ratio: float) -> float:
    value_ms = quantile(ordered_ms, min(max(ratio, 0.0), 1.0))
    assert value_ms is not None
    return value_ms
