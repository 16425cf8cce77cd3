"""Columns: a table as a dict of equally long NumPy arrays, and what is done with it."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Columns: TypeAlias = dict[str, NDArray[Any]]
Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]


def stack(parts: Sequence[Columns]) -> Columns:
    """All rows of the parts, in order. The parts have the same columns; at least one part."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def pick(table: Columns, rows: NDArray[Any] | slice) -> Columns:
    """The rows given by a mask, an index array or a slice."""
    if isinstance(rows, np.ndarray) and rows.dtype == np.bool_:
        # Counted once instead of once a column.
        rows = np.flatnonzero(rows)
    if isinstance(rows, slice):
        return {name: values[rows] for name, values in table.items()}
    return {name: values.take(rows, axis=0) for name, values in table.items()}


def distinct(values: NDArray[Any]) -> NDArray[Any]:
    """The values that occur, ascending: `np.unique`, which hashes, a good many times faster."""
    ordered = np.sort(values)
    is_new = np.ones(ordered.size, dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=is_new[1:])
    return ordered[is_new]


class Agenda:
    """Rows waiting for their time: added in any order, taken in time order.

    `time` names the column (s) by which rows are ordered; ties keep the order in which they came.
    """

    def __init__(self, time: str) -> None:
        self._time = time
        self._rows: Columns | None = None
        self._taken_count = 0

    def add(self, *batches: Columns) -> None:
        """Put rows on the agenda."""
        waiting = [] if self._rows is None else [pick(self._rows, slice(self._taken_count, None))]
        parts = [*waiting, *batches]
        order = np.argsort(np.concatenate([part[self._time] for part in parts]), kind="stable")
        # Column by column, so that only one of them exists twice at a time.
        self._rows = {
            name: np.concatenate([part[name] for part in parts]).take(order, axis=0)
            for name in parts[0]
        }
        self._taken_count = 0

    def take_before(self, until_s: float) -> Columns:
        """Remove and return the rows with a time below `until_s`. Needs one `add` before."""
        assert self._rows is not None, "take_before without a single add"
        start = self._taken_count
        stop = int(np.searchsorted(self._rows[self._time], until_s, side="left"))
        self._taken_count = max(start, stop)
        return pick(self._rows, slice(start, self._taken_count))
