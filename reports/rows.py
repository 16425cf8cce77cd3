"""Rows of the tables beside a run (payouts, a staffing plan): numbers with their addresses.

An address reads `table[key=value,...]`, the field stands beside it, as in reports/cells.py. Selects
and never computes; money stays fen until it is printed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from markupsafe import Markup

from reports import style
from reports.cells import Number, between


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table and where it stands."""

    source: str
    values: Mapping[str, Any]

    def __getitem__(self, field: str) -> Any:
        return self.values[field]

    def number(self, field: str, form: str) -> Number:
        """A field in its printed form; a dash where it is null."""
        return Number(self.source, field, form, self.values[field])

    def range(self, low: str, high: str, form: str) -> Markup:
        """Two fields as a range; a dash alone where one is null."""
        form = style.form_in_range(form)
        return between(self.number(low, form), self.number(high, form))

    def with_interval(self, field: str, low: str, high: str, form: str) -> Markup:
        """A field with its 95 % confidence interval below it."""
        return Markup('{} <span class="interval">{}</span>').format(
            self.number(field, form), self.range(low, high, form)
        )


def rows(table: str, frame: pl.DataFrame, keys: Sequence[str]) -> Iterator[Row]:
    """The rows of a frame, addressed by the columns `keys`; keys that are null are left out."""
    for values in frame.iter_rows(named=True):
        given = ",".join(f"{key}={values[key]}" for key in keys if values[key] is not None)
        yield Row(f"{table}[{given}]" if given else table, values)
