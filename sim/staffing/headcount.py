"""The smallest headcount that is enough, with an interval, from plans of several headcounts.

Between two headcounts tried, the share of intervals that hold at the stated risk is taken as a
straight line, and as never falling with more heads; the answer is where it reaches 95 %. The
interval is a bootstrap over replications: they are drawn again with repetition, the same ones for
all headcounts (they are paired), and the middle 95 % of the answers is given. A season drawn twice
fails intervals that it alone missed, which no season of a new proof would do: draws are put back,
headcount by headcount, by how far they lie below what was seen on average. The interval says how
far the answer hangs on these seasons; how good the rosters themselves are is the program's gap.
Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), 8.6, 10.3 and 13.3.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np

from sim.columns import Floats
from sim.staffing.proof import GOOD_INTERVALS_RATIO, Proven

DRAWS_COUNT: Final = 500
TAILS: Final = (0.025, 0.975)


@dataclass(frozen=True, slots=True)
class Smallest:
    """Null where no headcount tried is enough, or where all are."""

    heads_count: int | None
    low_count: int | None
    """Lower end of the interval; null below the smallest headcount tried."""
    high_count: int | None
    """Upper end; null above the largest one."""
    fails_count: int | None
    """The largest headcount tried that is not enough."""
    holds_count: int | None
    """The smallest headcount tried from which on all are enough."""


def smallest(proven: Sequence[Proven]) -> Smallest:
    """The smallest headcount that is enough."""
    ordered = sorted(proven, key=lambda one: one.plan.heads_count)
    counts = [one.plan.heads_count for one in ordered]
    failed = [count for count, one in zip(counts, ordered, strict=True) if not one.enough]
    fails = max(failed, default=None)
    holds = min((count for count in counts if fails is None or count > fails), default=None)
    everyone = np.arange(len(ordered[0].held))
    rng = np.random.default_rng(len(everyone))
    draws = rng.choice(everyone, size=(DRAWS_COUNT, len(everyone)))
    seen = np.array([one.good_intervals_ratio for one in ordered])
    drawn = np.array([[one.good_ratio(draw) for one in ordered] for draw in draws])
    put_back = drawn - drawn.mean(axis=0) + seen
    found = np.array([_crossing(ratios, counts) for ratios in put_back])
    low, high = np.quantile(found, TAILS, method="inverted_cdf")
    here = _crossing(seen, counts)
    return Smallest(
        heads_count=_whole(here),
        low_count=_whole(low),
        high_count=_whole(high),
        fails_count=fails,
        holds_count=holds,
    )


def _crossing(good_ratios: Floats, counts: Sequence[int]) -> float:
    """Headcount at which enough intervals hold; -inf or inf beyond the headcounts tried."""
    ratios: Floats = np.maximum.accumulate(good_ratios)
    if ratios[0] >= GOOD_INTERVALS_RATIO:
        return -np.inf
    if ratios[-1] < GOOD_INTERVALS_RATIO:
        return np.inf
    place = int(np.argmax(ratios >= GOOD_INTERVALS_RATIO))
    below, above = ratios[place - 1 : place + 1]
    share = (GOOD_INTERVALS_RATIO - below) / (above - below)
    return float(counts[place - 1] + share * (counts[place] - counts[place - 1]))


def _whole(count: float) -> int | None:
    return ceil(count - 1e-9) if np.isfinite(count) else None
