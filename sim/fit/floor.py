"""One day's floor, walked: who is answered when, with staff that comes and goes.

Contacts stand in lines; a team of agents serves some of the lines, and takes whoever has come first
once credits are taken off the time of arrival. Decides the same as the support pool
(sim/support/pool.py) for one team and one line without redials, in a tenth of its time: nothing but
answers looks at the lines, so who lost patience is only found out at the head of a line
(tests/test_floor.py holds the two to each other). At one instant ends come before arrivals, and a
contact whose patience ends then is still answered. Seconds.
"""

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
    """[times, teams]"""
    pace_ratio: Floats
    serves: NDArray[np.bool_]
    """[teams, lines]"""


@dataclass(frozen=True, slots=True)
class Callers:
    """Contacts in order of arrival."""

    arrived_s: Floats
    patience_s: Floats
    handle_s: Floats
    line: NDArray[np.int64]
    credit_s: Floats
    """A line is served as if one had come so much earlier."""


def answered_at(callers: Callers, staff: Staff, *, until_s: float) -> Floats:
    """When each contact is answered, NaN if it is not; all arrive before `until_s`."""
    n, changes_count = len(callers.arrived_s), len(staff.from_s)
    answered_s = np.full(n, np.nan)
    moments = np.concatenate([staff.from_s, callers.arrived_s, [until_s]])
    order = np.argsort(moments, kind="stable")
    changes = np.diff(staff.agents_count, axis=0, prepend=0).tolist()
    paces, work_s = staff.pace_ratio.tolist(), callers.handle_s.tolist()
    ends_s = (callers.arrived_s + callers.patience_s).tolist()
    rank_s = (callers.arrived_s - callers.credit_s).tolist()
    line_of = callers.line.tolist()
    teams_count, lines_count = staff.serves.shape
    lines: list[list[tuple[float, int]]] = [[] for _ in range(lines_count)]
    served = [[lines[i] for i in np.flatnonzero(row)] for row in staff.serves]
    # Who can do least takes first, so that the others stay free for what only they can do.
    narrow = np.argsort(staff.serves.sum(axis=1), kind="stable")
    able = [[int(t) for t in narrow if staff.serves[t, i]] for i in range(lines_count)]
    busy: list[tuple[float, int]] = []
    free, pace = [0] * teams_count, 1.0

    def take(team: int, now_s: float) -> None:
        """The free agents of a team take from their lines."""
        while free[team] > 0:
            best: list[tuple[float, int]] | None = None
            for line in served[team]:
                while line and ends_s[line[0][1]] < now_s:
                    heappop(line)
                if line and (best is None or line[0] < best[0]):
                    best = line
            if best is None:
                return
            answer(heappop(best)[1], team, now_s)

    def answer(row: int, team: int, now_s: float) -> None:
        free[team] -= 1
        answered_s[row] = now_s
        heappush(busy, (now_s + work_s[row] * pace, team))

    for now_s, event in zip(moments[order].tolist(), order.tolist(), strict=True):
        while busy and busy[0][0] <= now_s:
            then_s, team = heappop(busy)
            free[team] += 1
            take(team, then_s)
        if event < changes_count:
            pace = paces[event]
            for team, change in enumerate(changes[event]):
                free[team] += change
                take(team, now_s)
        elif event < changes_count + n:
            row = event - changes_count
            team = next((t for t in able[line_of[row]] if free[t] > 0), -1)
            if team >= 0:
                answer(row, team, now_s)
            else:
                heappush(lines[line_of[row]], (rank_s[row], row))
    return answered_s
