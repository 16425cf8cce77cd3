"""One day's floor, walked: who is answered when, FIFO, with staff that comes and goes.

Decides the same as the support pool (sim/support/pool.py) for one team and one line without
redials, in a tenth of its time: nothing but answers looks at the line, so who lost patience is only
found out when the head of the line is reached (tests/test_floor.py holds the two to each other).
At one instant ends come before arrivals, and a contact whose patience ends then is still answered.
Seconds.
"""

from collections import deque
from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from sim.fit.likelihood import Floats


@dataclass(frozen=True, slots=True)
class Staff:
    """Agents present from each time until the next, and the pace (a multiple of handle times) of
    answers that begin then; times rise."""

    from_s: Floats
    agents_count: NDArray[np.int64]
    pace_ratio: Floats


def answered_at(
    arrived_s: Floats, patience_s: Floats, handle_s: Floats, staff: Staff, *, until_s: float
) -> Floats:
    """When each contact is answered, NaN if it is not; arrivals rise, before `until_s`."""
    n, answered_s = len(arrived_s), np.full(len(arrived_s), np.nan)
    order = np.argsort(np.concatenate([staff.from_s, arrived_s, [until_s]]), kind="stable")
    times = np.concatenate([staff.from_s, arrived_s, [until_s]])[order].tolist()
    changes = np.diff(staff.agents_count, prepend=0).tolist()
    paces, changes_count = staff.pace_ratio.tolist(), len(staff.from_s)
    ends_s, work_s = (arrived_s + patience_s).tolist(), handle_s.tolist()
    busy_until: list[float] = []
    line: deque[int] = deque()
    free, pace = 0, 1.0
    for now_s, event in zip(times, order.tolist(), strict=True):
        while busy_until and busy_until[0] <= now_s:
            then_s = heappop(busy_until)
            free += 1
            while free > 0 and line:
                row = line.popleft()
                if ends_s[row] >= then_s:
                    free -= 1
                    answered_s[row] = then_s
                    heappush(busy_until, then_s + work_s[row] * pace)
        if event < changes_count:
            free += changes[event]
            pace = paces[event]
            while free > 0 and line:
                row = line.popleft()
                if ends_s[row] >= now_s:
                    free -= 1
                    answered_s[row] = now_s
                    heappush(busy_until, now_s + work_s[row] * pace)
        elif event < changes_count + n:
            row = event - changes_count
            if free > 0:
                free -= 1
                answered_s[row] = now_s
                heappush(busy_until, now_s + work_s[row] * pace)
            else:
                line.append(row)
    return answered_s
