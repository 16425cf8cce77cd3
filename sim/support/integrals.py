"""Time integrals of counts over intervals: queue lengths and busy slots from starts and ends.

Decides one thing: for spans [start, end) in groups, the integral over each interval of the number
of spans open. Exact bookkeeping instead of a running sum over the horizon: spans open at an
interval's start count in full, those that start or end inside it by what is left of it. Seconds.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.compiled import compiled
from sim.support.cases import Floats


def open_integral(
    *,
    group: NDArray[np.integer[Any]],
    groups_count: int,
    start_s: Floats,
    end_s: Floats,
    interval_s: float,
    intervals_count: int,
) -> Floats:
    """Integral of the number of open spans, shape (intervals, groups); ends may be infinite.

    Raises ValueError where a span starts outside the intervals.
    """
    shape = (intervals_count + 1, groups_count)
    horizon_s = interval_s * intervals_count
    if not (start_s.min(initial=0.0) >= 0.0 and start_s.max(initial=0.0) < horizon_s + interval_s):
        raise ValueError(f"spans must start from 0 s on and not after {horizon_s} s")
    groups = group.astype(np.int64)
    started, started_left_s = by_cell(start_s, groups, interval_s, shape)
    ended, ended_left_s = by_cell(np.minimum(end_s, horizon_s), groups, interval_s, shape)
    open_before = np.vstack([np.zeros(groups_count), np.cumsum(started - ended, axis=0)[:-1]])
    integral: Floats = open_before * interval_s + started_left_s - ended_left_s
    return integral[:-1]


@compiled
def by_cell(
    at_s: Floats, group: NDArray[np.int64], interval_s: float, shape: tuple[int, int]
) -> tuple[Floats, Floats]:
    """Number of moments by interval and group, and the sum of what is left of the interval."""
    count, left_s = np.zeros(shape), np.zeros(shape)
    for i in range(len(at_s)):
        interval = int(at_s[i] / interval_s)
        count[interval, group[i]] += 1.0
        left_s[interval, group[i]] += (interval + 1) * interval_s - at_s[i]
    return count, left_s
