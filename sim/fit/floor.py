"""One day's floor, walked: who is answered when, with staff that comes and goes.

Contacts stand in lines; a team of agents serves some of the lines, and takes whoever has come first
once credits are taken off the time of arrival. How long a contact waits at most depends on its
place in its queue (sim/fit/leaving.py). Where it does not, decides the same as the support pool
(sim/support/pool.py) for one team and one line without redials, in a tenth of its time: a line is
only looked at by answers, so who lost patience is found out at its head (tests/test_floor.py holds
the two to each other). At one instant ends come before arrivals, and a contact whose patience ends
then is still answered. Seconds.
"""

from dataclasses import dataclass
from heapq import heappop, heappush
from math import inf, isnan, nan

import numpy as np
from numpy.typing import NDArray

from sim.fit.leaving import PATIENCE, Leaving, LeavingLaw
from sim.fit.likelihood import Floats

Line = list[tuple[float, int]]


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
    hazard: Floats
    """Of leaving, that each contact bears until it leaves."""
    handle_s: Floats
    line: NDArray[np.int64]
    credit_s: Floats
    """A line is served as if one had come so much earlier."""
    queue: NDArray[np.int64]
    """Of the law's: who waits in the same one is in line before whoever comes."""
    leaving: LeavingLaw = PATIENCE


@dataclass(frozen=True, slots=True)
class Walked:
    """What became of each contact."""

    answered_s: Floats
    """NaN if it is not answered."""
    leaves_s: Floats
    """When its patience ends."""


def walked(callers: Callers, staff: Staff, *, until_s: float) -> Walked:
    """The whole day; all arrive before `until_s`."""
    n, changes_count = len(callers.arrived_s), len(staff.from_s)
    answered_s = [nan] * n
    moments = np.concatenate([staff.from_s, callers.arrived_s, [until_s]])
    order = np.argsort(moments, kind="stable")
    changes = np.diff(staff.agents_count, axis=0, prepend=0).tolist()
    paces, work_s = staff.pace_ratio.tolist(), callers.handle_s.tolist()
    rank_s = (callers.arrived_s - callers.credit_s).tolist()
    line_of, ends_s = callers.line.tolist(), [inf] * n
    lines: list[Line] = [[] for _ in staff.serves[0]]
    served = [[lines[i] for i in np.flatnonzero(row)] for row in staff.serves]
    able = _able(staff.serves)
    busy: list[tuple[float, int]] = []
    free, pace = [0] * len(served), 1.0
    crowd = Crowd(callers, answered_s)

    def take(team: int, now_s: float) -> None:
        """The free agents of a team take from their lines."""
        while free[team] > 0:
            best: Line | None = None
            for line in served[team]:
                while line and ends_s[line[0][1]] < now_s:
                    heappop(line)
                if line and (best is None or line[0] < best[0]):
                    best = line
            if best is None:
                return
            row = heappop(best)[1]
            crowd.answered(row)
            answer(row, team, now_s)

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
            ends_s[row] = now_s + crowd.patience_s(row, now_s)
            team = next((t for t in able[line_of[row]] if free[t] > 0), -1)
            if team >= 0:
                answer(row, team, now_s)
            else:
                heappush(lines[line_of[row]], (rank_s[row], row))
                crowd.join(row, ends_s[row])
    return Walked(np.array(answered_s), np.array(ends_s))


def _able(serves: NDArray[np.bool_]) -> list[list[int]]:
    """Teams by line. Who can do least takes first, so that the others stay free for what only they
    can do."""
    narrow = np.argsort(serves.sum(axis=1), kind="stable")
    return [[int(t) for t in narrow if serves[t, i]] for i in range(serves.shape[1])]


class Crowd:
    """How many wait in each queue, and how long who comes will wait at most."""

    def __init__(self, callers: Callers, answered_s: list[float]) -> None:
        self._hazard, self._queue = callers.hazard.tolist(), callers.queue.tolist()
        self._law, self._answered_s = Leaving(callers.leaving), answered_s
        self._count = [0] * len(callers.leaving.queues)
        self._leaving: list[tuple[float, int]] = []

    def patience_s(self, row: int, now_s: float) -> float:
        """Of one who comes now, behind all of its queue whose patience has not ended."""
        while self._leaving and self._leaving[0][0] < now_s:
            gone = heappop(self._leaving)[1]
            self._count[self._queue[gone]] -= isnan(self._answered_s[gone])
        queue = self._queue[row]
        return self._law.patience_s(self._hazard[row], queue, self._count[queue] + 1)

    def join(self, row: int, leaves_s: float) -> None:
        """One more, until it is answered or leaves."""
        self._count[self._queue[row]] += 1
        heappush(self._leaving, (leaves_s, row))

    def answered(self, row: int) -> None:
        """One less."""
        self._count[self._queue[row]] -= 1
