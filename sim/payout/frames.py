"""Rows into the typed tables of the dictionary, and those into files: Parquet and CSV, whole.

Decides nothing about figures. Columns and their order are those of scenarios/payout_tables.py.
"""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from sim.experiment.files import RunError, replacing
from sim.experiment.frames import schema
from sim.payout.statistics import Figure


def frame(table: str, rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """The table of these rows; every row has every column."""
    wanted = schema(table)
    found = list(rows)
    for row in found:
        assert row.keys() == set(wanted), f"table {table}: {set(wanted) ^ row.keys()}"
    columns = {name: [row[name] for row in found] for name in wanted}
    return pl.DataFrame(columns, schema=wanted, strict=True)


def known(value: float) -> float | None:
    """What a table holds of a figure: nothing where it does not exist."""
    return value if math.isfinite(value) else None


def cells(figure: Figure) -> dict[str, Any]:
    """The columns that every figure has."""
    return {
        "value_fen": figure.value,
        "low_fen": figure.low,
        "high_fen": figure.high,
        "n": figure.n,
        "withheld": figure.withheld,
    }


def write(folder: Path, tables: Mapping[str, pl.DataFrame]) -> None:
    """Replace each table's two files, each in one step. Raises RunError where that fails."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        for suffix, save in (("parquet", table.write_parquet), ("csv", table.write_csv)):
            file = folder / f"{name}.{suffix}"
            try:
                with replacing(file) as unfinished:
                    save(unfinished)
            except OSError as error:
                why = error.strerror or error
                raise RunError(f"{file} cannot be written: {why}") from None
