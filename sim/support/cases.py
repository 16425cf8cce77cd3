"""A consumer's whole dealing with the support floor, drawn at birth.

Decides the columns that describe a case: when it comes, to which queue, how long each attempt
waits, how long each answer takes, and when it comes back. Draws nothing itself (sim/consumers
does) and queues nothing (sim/support/pool.py does). Times in seconds, on a grid of 2^-30 s: below
2^21 s (24 days) sums and differences of such times are exact in double precision, so that a time
on SimPy's calendar and the same time in a column are equal to the last bit.
"""

from bisect import bisect_right
from dataclasses import dataclass, fields, replace
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FloatOrFloats = TypeVar("FloatOrFloats", float, Floats)

HORIZON_LIMIT_S: Final = 2.0**21
# Adding and subtracting 1.5 x 2^22 leaves 30 bits behind the point of anything between +-2^21.
GRID_MAGIC: Final = 1.5 * 2.0**22
ATTEMPT_COLUMNS: Final = 3


def on_grid(time_s: FloatOrFloats) -> FloatOrFloats:
    """The nearest time on the grid; infinity stays, and so do orders and ties of on-grid times."""
    return (time_s + GRID_MAGIC) - GRID_MAGIC


@dataclass(frozen=True, slots=True)
class Cases:
    """Cases in order of arrival; [n, 3] goes by number of attempt, abandonment or answer."""

    case_id: NDArray[np.int64]
    arrived_s: Floats  # non-decreasing
    queue: NDArray[np.int8]  # skill x 2 + channel
    priority: NDArray[np.int8]  # 0 urgent, 1 incident, 2 inquiry
    topic: NDArray[np.int8]  # position in words.TOPICS
    patience_s: Floats  # [n, 3] of the j-th attempt; the last column serves all later ones
    redial_delay_s: Floats  # [n, 3] after the j-th abandonment; inf, and beyond the last = gives up
    handle_s: Floats  # [n, 3] slot time of the j-th answer
    reconnect_delay_s: Floats  # [n, 3] after the j-th answer; inf = resolved; last: inf
    escalation_delay_s: Floats  # after giving up; inf = no escalation
    escalation_handle_s: Floats  # slot time of the specialist who takes the escalation up

    def __len__(self) -> int:
        return len(self.case_id)

    def checked(self) -> "Cases":
        """The same cases with times on the grid. Raises ValueError where columns contradict."""
        n = len(self)
        for field in fields(self):
            values = getattr(self, field.name)
            if values.shape not in ((n,), (n, ATTEMPT_COLUMNS)):
                raise ValueError(f"column {field.name} has shape {values.shape} for {n} cases")
        if not np.all(np.isinf(self.reconnect_delay_s[:, -1])):
            raise ValueError("the last column of reconnect_delay_s must be infinite")
        if np.any(np.diff(self.arrived_s) < 0.0):
            raise ValueError("cases must be sorted by arrived_s")
        times = (
            "arrived_s",
            "patience_s",
            "redial_delay_s",
            "reconnect_delay_s",
            "escalation_delay_s",
        )
        for name in (*times, "handle_s", "escalation_handle_s"):
            if not np.all(getattr(self, name) >= 0.0):
                raise ValueError(f"column {name} must not be negative")
        return replace(self, **{name: on_grid(getattr(self, name)) for name in times})


class CaseFile:
    """All cases offered so far, found by their row: the position in the order of offering."""

    def __init__(self) -> None:
        self._chunks: list[Cases] = []
        self._starts: list[int] = []
        self._rows_count = 0
        self._case_id = np.zeros(1024, dtype=np.int64)  # doubles when full

    def add(self, cases: Cases) -> int:
        """Keeps the cases and returns the row of the first."""
        start = self._rows_count
        self._chunks.append(cases)
        self._starts.append(start)
        self._rows_count += len(cases)
        while self._rows_count > len(self._case_id):
            self._case_id = np.concatenate([self._case_id, np.zeros_like(self._case_id)])
        self._case_id[start : self._rows_count] = cases.case_id
        return start

    def find(self, row: int) -> tuple[Cases, int]:
        """The chunk that holds a row, and the position in it."""
        chunk = bisect_right(self._starts, row) - 1
        return self._chunks[chunk], row - self._starts[chunk]

    def case_id(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The ids of the cases at some rows."""
        return self._case_id.take(rows)

    def gather(
        self, column: str, rows: NDArray[np.int64], tries: NDArray[np.int64] | None = None
    ) -> NDArray[Any]:
        """A column's values at some rows, of [n, 3] columns at the position `tries`; reads only the
        chunks between the outermost ones."""
        if len(rows) == 0:
            return np.zeros(0, dtype=np.int64)
        low = bisect_right(self._starts, int(rows.min())) - 1
        high = bisect_right(self._starts, int(rows.max()))
        values = np.concatenate([getattr(chunk, column) for chunk in self._chunks[low:high]])
        places = rows - self._starts[low]
        if tries is not None:
            places = places * ATTEMPT_COLUMNS + tries
        taken: NDArray[Any] = values.take(places)
        return taken
