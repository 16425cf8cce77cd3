"""The tables of a run as polars frames, read when they are asked for."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from scenarios.tables import TABLES
from sim.experiment.files import read_table
from sim.experiment.rundir import RunDirectory


class RunTables(Mapping[str, pl.DataFrame]):
    """Table name -> frame, for the tables that the run has.

    Names, columns, units and meanings: scenarios/tables.py. `claims`, `contacts`, `incidents` and
    `ledger` hold the rows of the first replications only; `estimates` every figure with its
    interval.
    """

    def __init__(self, path: Path) -> None:
        self._directory = RunDirectory(path)

    def __getitem__(self, name: str) -> pl.DataFrame:
        if name not in self:
            raise KeyError(f"{name}: the run has the tables {', '.join(self)}")
        return read_table(self._directory.table(name))

    def __iter__(self) -> Iterator[str]:
        return (name for name in TABLES if self._directory.table(name).exists())

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return name in TABLES and self._directory.table(str(name)).exists()
