"""A consumer's whole dealing with the support floor, drawn at birth.

Decides the columns that describe a case: when it comes, to which queue, how long each attempt
waits, how long each answer takes, and when it comes back. Draws nothing itself (sim/consumers
does) and queues nothing (sim/support/pool.py does). Times in seconds, on a grid of 2^-30 s: below
2^21 s (24 days) sums and differences of such times are exact in double precision, so that a time
on SimPy's calendar and the same time in a column are equal to the last bit.
"""

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

# Room for the cases of ten national days without a copy.
_ROWS_NATIONAL_COUNT: Final = 1 << 20
_PER_CASE: Final = (np.float64,)
_PER_ATTEMPT: Final = (np.float64, ATTEMPT_COLUMNS)
_FILED: Final[dict[str, tuple[Any, ...]]] = {
    "case_id": (np.int64,),
    "place": (np.int16,),
    "patience_s": _PER_ATTEMPT,
    "redial_delay_s": _PER_ATTEMPT,
    "handle_s": _PER_ATTEMPT,
    "reconnect_delay_s": _PER_ATTEMPT,
    "escalation_delay_s": _PER_CASE,
    "escalation_handle_s": _PER_CASE,
}


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
            if not getattr(self, name).min(initial=np.inf) >= 0.0:
                raise ValueError(f"column {name} must not be negative")
        return replace(self, **{name: on_grid(getattr(self, name)) for name in times})


class CaseFile:
    """All cases offered so far, found by their row: the position in the order of offering.

    Its columns are those of Cases, with `place` (line x topics + topic, as the pool counts) for
    queue, priority and topic together; they have room behind the last row.
    """

    case_id: NDArray[np.int64]
    place: NDArray[np.int16]
    patience_s: Floats
    redial_delay_s: Floats
    handle_s: Floats
    reconnect_delay_s: Floats
    escalation_delay_s: Floats
    escalation_handle_s: Floats

    def __init__(self) -> None:
        self._rows_count = 0
        self._capacity_count = _ROWS_NATIONAL_COUNT
        # Memory that has not been written yet is only an address, so a roomy start costs nothing.
        for name, (dtype, *shape) in _FILED.items():
            setattr(self, name, np.empty((self._capacity_count, *shape), dtype=dtype))

    def add(self, cases: Cases, place: NDArray[np.int64]) -> int:
        """Keeps the cases and returns the row of the first."""
        start, end = self._rows_count, self._rows_count + len(cases)
        while end > self._capacity_count:
            self._capacity_count *= 2
            for name in _FILED:
                kept = getattr(self, name)
                setattr(self, name, np.concatenate([kept, np.empty_like(kept)]))
        for name in _FILED:
            getattr(self, name)[start:end] = place if name == "place" else getattr(cases, name)
        self._rows_count = end
        return start
