"""Time integrals of counts over intervals: queue lengths and busy slots from starts and ends.

Decides one thing: for spans [start, end) in groups, the integral over each interval of the number
of spans open. Exact bookkeeping instead of a running sum over the horizon: spans open at an
interval's start count in full, those that start or end inside it by what is left of it. Seconds.
"""

import numpy as np
from numpy.typing import NDArray

from sim.support.cases import Floats


def open_integral(
    *,
    group: NDArray[np.integer],
    groups_count: int,
    start_s: Floats,
    end_s: Floats,
    interval_s: float,
    intervals_count: int,
) -> Floats:
    """Integral of the number of open spans, shape (intervals, groups); ends may be infinite."""
    shape = (intervals_count + 1, groups_count)
    horizon_s = interval_s * intervals_count
    end_s = np.minimum(end_s, horizon_s)

    def by_cell(at_s: Floats) -> tuple[Floats, Floats]:
        """Number of moments in each cell, and the sum of what is left of the interval at each."""
        interval = (at_s / interval_s).astype(np.int64)
        cell = interval * groups_count + group
        left_s = (interval + 1) * interval_s - at_s
        size = shape[0] * groups_count
        return (
            np.bincount(cell, minlength=size).reshape(shape).astype(np.float64),
            np.bincount(cell, weights=left_s, minlength=size).reshape(shape).astype(np.float64),
        )

    started, started_left_s = by_cell(start_s)
    ended, ended_left_s = by_cell(end_s)
    open_before = np.vstack([np.zeros(groups_count), np.cumsum(started - ended, axis=0)[:-1]])
    integral: Floats = open_before * interval_s + started_left_s - ended_left_s
    return integral[:-1]
