"""What the floor's rules work on: every team, line, entry and attempt as a record of an array.

Decides how the state lies in memory and grows; the rules themselves stand in kernel.py. Times in
seconds.
"""

from collections.abc import Sequence
from math import inf
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.support.attempts import ATTEMPT_RECORD
from sim.support.cases import CaseFile, doubled
from sim.support.kernel import (
    ATTEMPTS,
    BEGUN,
    COUNTS,
    ENDED,
    ENTRIES,
    ESCALATED,
    MOST_PER_EVENT,
    NOBODY,
    OFFERED,
)
from sim.support.layout import Layout

_ENTRY: Final = np.dtype([("at_s", np.float64), ("tag", np.int64)])
_TEAM: Final = np.dtype(
    [
        ("free", np.int64),  # slots; negative while more contacts are in hand than slots left
        ("first", np.int64),  # queue
        ("reserve", np.int64),  # slots that a further queue leaves free
    ]
)
_LINE: Final = np.dtype(
    [
        ("queue", np.int64),
        ("waiting", np.int64),
        # A chain of attempts by `behind`; who has lost patience stays in it until passed over.
        ("head", np.int64),
        ("tail", np.int64),
    ]
)
_ATTEMPTS_COUNT: Final = 1 << 21
_ENTRIES_COUNT: Final = 1 << 17


class State:
    """The arrays of one floor. `attempts` is in order of arrival, `ended` (see kernel.py) by what
    the case did next; `routes` and `preferences` are those of Layout, filled up with -1."""

    def __init__(self, layout: Layout) -> None:
        self.cases = CaseFile()
        self.attempts: NDArray[Any] = np.empty(_ATTEMPTS_COUNT, dtype=ATTEMPT_RECORD)
        self.agenda: NDArray[Any] = np.empty(_ENTRIES_COUNT, dtype=_ENTRY)
        self.ended = np.empty((ESCALATED + 1, _ENTRIES_COUNT), dtype=np.int32)
        self.counts = np.zeros(COUNTS, dtype=np.int64)
        self.teams: NDArray[Any] = np.zeros(len(layout.teams), dtype=_TEAM)
        self.teams["first"] = [team.first for team in layout.teams]
        self.lines: NDArray[Any] = np.zeros(layout.lines_count, dtype=_LINE)
        self.lines["queue"] = np.arange(layout.lines_count) % layout.queues_count
        self.lines["head"] = NOBODY
        self.routes = _table(layout.routes)
        self.preferences = _table(layout.preferences)
        self.factors = np.ones((len(layout.teams), layout.topics_count))

    def grow(self) -> None:
        """Doubles whatever has no room for one more event."""
        if self.counts[ATTEMPTS] == len(self.attempts):
            self.attempts = doubled(self.attempts)
        if self.counts[ENTRIES] + MOST_PER_EVENT > len(self.agenda):
            self.agenda = doubled(self.agenda)
        if self.counts[ENDED:].max() == self.ended.shape[1]:
            self.ended = np.concatenate([self.ended, np.empty_like(self.ended)], axis=1)

    def next_s(self) -> float:
        """When something happens next; infinite if never."""
        at_s = float(self.agenda["at_s"][0]) if self.counts[ENTRIES] else inf
        begun = self.counts[BEGUN]
        if begun < self.counts[OFFERED]:
            at_s = min(at_s, float(self.cases.records["arrived_s"][begun]))
        return at_s

    def take_ended(self, what: int) -> NDArray[np.int32]:
        """Attempts that ended so since the last call, in order of time."""
        found = self.ended[what, : self.counts[ENDED + what]].copy()
        self.counts[ENDED + what] = 0
        return found


def _table(rows: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    width = max(map(len, rows), default=0)
    return np.array([[*row, *[NOBODY] * (width - len(row))] for row in rows], dtype=np.int64)
