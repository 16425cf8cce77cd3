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
CASES_NATIONAL_COUNT: Final = 1 << 20
_CASE_RECORD: Final = np.dtype(
    [
        ("arrived_s", np.float64),
        ("patience_s", np.float64, ATTEMPT_COLUMNS),
        ("redial_delay_s", np.float64, ATTEMPT_COLUMNS),
        ("handle_s", np.float64, ATTEMPT_COLUMNS),
        ("reconnect_delay_s", np.float64, ATTEMPT_COLUMNS),
        ("escalation_delay_s", np.float64),
        ("escalation_handle_s", np.float64),
        ("attempt", np.int32),  # the last one so far
        ("queue", np.int8),
        ("priority", np.int8),
        ("topic", np.int8),
    ],
    align=True,
)


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

    `records` has the columns of Cases side by side, so that all of a case lies together; like
    `case_id` it has room behind the last row.
    """

    def __init__(self) -> None:
        self.rows_count = 0
        # Memory that has not been written yet is only an address, so a roomy start costs nothing.
        self.case_id = np.empty(CASES_NATIONAL_COUNT, dtype=np.int64)
        self.records: NDArray[Any] = np.empty(CASES_NATIONAL_COUNT, dtype=_CASE_RECORD)

    def add(self, cases: Cases) -> None:
        """Keeps the cases."""
        start, end = self.rows_count, self.rows_count + len(cases)
        while end > len(self.records):
            self.case_id = doubled(self.case_id)
            self.records = doubled(self.records)
        self.case_id[start:end] = cases.case_id
        for name in _CASE_RECORD.names or ():
            if name != "attempt":
                self.records[name][start:end] = getattr(cases, name)
        self.rows_count = end


def doubled(table: NDArray[Any]) -> NDArray[Any]:
    """The same rows, with as much room again behind them."""
    return np.concatenate([table, np.empty_like(table)])
