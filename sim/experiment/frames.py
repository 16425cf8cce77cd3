"""From the model's NumPy columns to typed polars frames, as scenarios/tables.py describes them.

Codes become words, -1 and NaN become null where the dictionary's text says that null can occur,
and a column that is missing, unknown, too short or out of its type's range is an error here and
not a wrong file later. Everything is done by column: a national replication has millions of rows.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl

from scenarios.payout_tables import columns_of
from scenarios.tables import TABLES, VOCABULARIES, Column

ENUM_PREFIX = "enum:"


class TableError(ValueError):
    """A replication's table does not match the dictionary."""


def dtype_of(column: Column) -> pl.DataType:
    """The polars type of a column of the dictionary."""
    if column.dtype.startswith(ENUM_PREFIX):
        return pl.Enum(VOCABULARIES[column.dtype.removeprefix(ENUM_PREFIX)])
    dtype: pl.DataType = getattr(pl, column.dtype)()
    return dtype


def schema(table: str) -> pl.Schema:
    """Names and types of a table, in the order of its files."""
    return pl.Schema({column.name: dtype_of(column) for column in columns_of(table)})


def nullable(column: Column) -> bool:
    """Whether the dictionary says, in the column's meaning, that null can occur."""
    return "null" in column.meaning


def to_frame(table: str, columns: Mapping[str, np.ndarray], *, replication: int) -> pl.DataFrame:
    """One replication's rows of `table`; the column `replication` is written here.

    Raises TableError when names, lengths, nulls or ranges do not fit the dictionary.
    """
    wanted = [column for column in TABLES[table] if column.name != "replication"]
    given = {name for name in columns if name != "replication"}
    if given != (names := {column.name for column in wanted}):
        missing, unknown = sorted(names - given), sorted(given - names)
        raise TableError(f"table {table}: missing columns {missing}, unknown columns {unknown}")
    lengths = {name: len(columns[name]) for name in sorted(given)}
    if len(set(lengths.values())) > 1:
        raise TableError(f"table {table}: columns differ in length: {lengths}")
    count = next(iter(lengths.values()))
    frame = pl.DataFrame(
        {
            "replication": pl.Series(np.full(count, replication, dtype=np.int32)),
            **{column.name: _series(table, column, columns[column.name]) for column in wanted},
        }
    )
    return frame.select(list(schema(table)))


def _series(table: str, column: Column, values: np.ndarray) -> pl.Series:
    where = f"table {table}, column {column.name}"
    try:
        series = _typed(column, np.asarray(values))
    except (pl.exceptions.PolarsError, TypeError, OverflowError) as error:
        raise TableError(f"{where}: cannot be read as {column.dtype}: {error}") from error
    if series.null_count() and not nullable(column):
        raise TableError(f"{where}: {series.null_count()} values are null, none may be")
    return series.alias(column.name)


def _typed(column: Column, values: np.ndarray) -> pl.Series:
    target = dtype_of(column)
    if isinstance(target, pl.Enum):
        codes = pl.Series(values.astype(np.int64))
        last = len(target.categories) - 1
        if not codes.is_between(-1, last).all():
            raise TypeError(f"codes run outside -1..{last}")
        # Null first: an Enum's own codes are unsigned and have no place for -1.
        return codes.set(codes < 0, None).cast(pl.UInt8).cat.to(target)
    if target == pl.String():
        words = pl.Series(values.tolist(), dtype=pl.String)
        return words.set(words == "", None)
    series = pl.Series(values)
    if target == pl.Float64():
        return series.cast(target).fill_nan(None)
    if target.is_integer() and nullable(column):
        series = series.set(series == -1, None)
    return series.cast(target)
