"""A linear program as it is put together: groups of columns, groups of rows, entries.

Every column and every row may have a slot, the half hour that it belongs to, so that a part of the
horizon can be solved on its own (sim/staffing/rolling.py).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp

from sim.columns import Bools, Floats, Ints

NO_SLOT: Final = -1
Numbers = Floats | Ints | float


@dataclass(frozen=True, slots=True)
class Linear:
    """Minimise costs @ x with lower <= matrix @ x <= upper and 0 <= x <= bounds."""

    costs: Floats
    bounds: Floats
    whole: Bools
    """By column: whether it takes whole numbers only."""
    slot: Ints
    """By column; NO_SLOT for what belongs to no half hour."""
    team: Ints
    """By column; -1 for what belongs to no team."""
    matrix: sp.csr_matrix
    lower: Floats
    upper: Floats
    row_slot: Ints


class Matrix:
    """Collects columns, rows and entries; `linear` puts them together."""

    def __init__(self) -> None:
        self._columns: list[tuple[Numbers, Numbers, bool, Numbers, int, int]] = []
        self._rows: list[tuple[Numbers, Numbers, Numbers, int]] = []
        self._entries: list[tuple[Ints, Ints, Floats]] = []
        self._columns_count = self._rows_count = 0

    def columns(
        self,
        count: int,
        cost: Numbers = 0.0,
        *,
        whole: bool = False,
        slot: Numbers = NO_SLOT,
        team: int = -1,
    ) -> Ints:
        """The numbers of so many new columns."""
        self._columns.append((cost, np.inf, whole, slot, team, count))
        self._columns_count += count
        return np.arange(self._columns_count - count, self._columns_count)

    def rows(self, count: int, lower: Numbers, upper: Numbers, slot: Numbers = NO_SLOT) -> Ints:
        """The numbers of so many new rows."""
        self._rows.append((lower, upper, slot, count))
        self._rows_count += count
        return np.arange(self._rows_count - count, self._rows_count)

    def put(self, rows: Ints, columns: Ints, value: Numbers) -> None:
        """Entries; rows, columns and value are broadcast against each other."""
        at, of, worth = np.broadcast_arrays(rows, columns, np.asarray(value, dtype=np.float64))
        self._entries.append((at.ravel(), of.ravel(), worth.ravel()))

    def linear(self) -> Linear:
        """Everything together. Entries at the same place add up."""
        costs, bounds, whole, slot, team = (
            np.concatenate([np.broadcast_to(np.asarray(one[i]), one[-1]) for one in self._columns])
            for i in range(5)
        )
        lower, upper, row_slot = (
            np.concatenate([np.broadcast_to(np.asarray(one[i]), one[-1]) for one in self._rows])
            for i in range(3)
        )
        rows, columns, values = (np.concatenate(part) for part in zip(*self._entries, strict=True))
        shape = (self._rows_count, self._columns_count)
        return Linear(
            costs=costs.astype(np.float64),
            bounds=bounds.astype(np.float64),
            whole=whole.astype(np.bool_),
            slot=slot.astype(np.int64),
            team=team.astype(np.int64),
            matrix=sp.csr_matrix((values, (rows, columns)), shape=shape),
            lower=lower.astype(np.float64),
            upper=upper.astype(np.float64),
            row_slot=row_slot.astype(np.int64),
        )
