"""Growing columns: tables that are only ever appended to, kept as NumPy arrays.

Decides nothing about money; gives the ledger and the claims book cheap appends and narrow memory.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]

_EXACT_BELOW: Final = 2.0**53


def starts_of_runs(ordered: Array) -> npt.NDArray[np.intp]:
    """Positions at which an ordered column takes a new value, the first row among them."""
    is_start = np.ones(ordered.size, dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=is_start[1:])
    return np.flatnonzero(is_start)


def sums_by(
    code: npt.NDArray[np.integer], amount_fen: npt.NDArray[np.int64], *, codes_count: int
) -> npt.NDArray[np.int64]:
    """Exact sums of amounts by code: floats carry integers below 2**53 exactly, as asserted."""
    sums = np.bincount(code, weights=amount_fen, minlength=codes_count)
    assert sums.max(initial=0.0) < _EXACT_BELOW
    return sums.astype(np.int64)


class GrowingColumns:
    """Named columns of equal length; capacity doubles, so an append costs a copy of its rows."""

    def __init__(self, dtypes: Mapping[str, npt.DTypeLike], *, capacity_count: int) -> None:
        # Memory that has not been written yet is only an address, so a roomy start costs nothing.
        self._data: dict[str, Array] = {
            name: np.empty(capacity_count, dtype=dtype) for name, dtype in dtypes.items()
        }
        self._capacity_count = capacity_count
        self.rows_count = 0

    def append(self, rows_count: int, values: Mapping[str, Any]) -> None:
        """Adds rows; every column must be given, as an array of that length or as one value."""
        assert values.keys() == self._data.keys()
        end = self.rows_count + rows_count
        if end > self._capacity_count:
            self._grow(end)
        for name, value in values.items():
            self._data[name][self.rows_count : end] = value
        self.rows_count = end

    def _grow(self, needed_count: int) -> None:
        self._capacity_count = max(needed_count, self._capacity_count * 2)
        for name, old in self._data.items():
            grown = np.empty(self._capacity_count, dtype=old.dtype)
            grown[: self.rows_count] = old[: self.rows_count]
            self._data[name] = grown

    def view(self, name: str) -> Array:
        """The column so far, read-only: what is written stays as it is."""
        column = self._data[name][: self.rows_count]
        column.flags.writeable = False
        return column

    def take(self, name: str, rows: npt.NDArray[np.intp]) -> Array:
        """Some rows of a column, as a copy."""
        return self._data[name].take(rows)

    def writable(self, name: str) -> Array:
        """The column so far, for the owner of a column that is filled in later."""
        return self._data[name][: self.rows_count]
