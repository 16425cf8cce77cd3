"""The agenda: claims that fall due later, handed out in the order of their times.

Decides the order only (time, then order of entry). Times in seconds. A calendar queue with one
bucket a day: what is due today is kept sorted, what is due later waits unsorted until its day
comes.
"""

from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from sim.money.columns import starts_of_runs

Times = npt.NDArray[np.float64]
Ids = npt.NDArray[np.intp]

_DAY_S: Final = 86400.0


class Agenda:
    """What falls due when; `take` never goes back in time."""

    def __init__(self) -> None:
        self._day = 0
        self._today_s: Times = np.empty(0)
        self._today_ids: Ids = np.empty(0, dtype=np.intp)
        self._later: dict[int, list[tuple[Times, Ids]]] = {}

    def waiting(self) -> Ids:
        """Everything not yet taken, in no particular order."""
        later = [ids for parts in self._later.values() for _, ids in parts]
        return np.concatenate([self._today_ids, *later])

    def add(self, due_s: Times, ids: Ids) -> None:
        """Notes claims; times in the past are taken as due at once."""
        if ids.size == 0:
            return
        days = np.maximum(due_s // _DAY_S, self._day).astype(np.int64)
        order = np.argsort(days, kind="stable")
        due_s, ids, days = due_s[order], ids[order], days[order]
        starts = starts_of_runs(days).tolist()
        for start, end in pairwise([*starts, days.size]):
            part = (due_s[start:end], ids[start:end])
            self._later.setdefault(int(days[start]), []).append(part)
        self._open(self._day)

    def take(self, until_s: float) -> tuple[Times, Ids]:
        """Everything due before `until_s` that has not been taken, in order of time."""
        taken = [self._pop(until_s)]
        while self._later and min(self._later) * _DAY_S < until_s:
            self._day = min(self._later)
            self._open(self._day)
            taken.append(self._pop(until_s))
        return np.concatenate([t for t, _ in taken]), np.concatenate([i for _, i in taken])

    def _pop(self, until_s: float) -> tuple[Times, Ids]:
        count = int(np.searchsorted(self._today_s, until_s, side="left"))
        popped = self._today_s[:count], self._today_ids[:count]
        self._today_s, self._today_ids = self._today_s[count:], self._today_ids[count:]
        return popped

    def _open(self, day: int) -> None:
        parts = self._later.pop(day, None)
        if parts is None:
            return
        due_s = np.concatenate([self._today_s, *(t for t, _ in parts)])
        ids = np.concatenate([self._today_ids, *(i for _, i in parts)])
        order = np.argsort(due_s, kind="stable")
        self._today_s, self._today_ids = due_s[order], ids[order]
