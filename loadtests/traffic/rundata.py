"""A run directory as files: its scenario and the tables of the replication that kept its rows.

Decides nothing about traffic. The dictionary of columns is scenarios/tables.py; only what stands
there is read, so that the simulation and the load test share nothing but files.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import polars as pl

from loadtests.trace import TraceError
from scenarios.loader import load
from scenarios.problems import ScenarioProblems
from scenarios.scenario import Scenario
from scenarios.tables import TABLES

MANIFEST: Final = "manifest.json"
ROWS: Final = ("contacts", "incidents", "claims")
DAYS: Final = ("alerts", "merchants_daily", "demand")


@dataclass(frozen=True)
class RunData:
    """One run; everything is read when it is asked for."""

    path: Path

    @cached_property
    def scenario(self) -> Scenario:
        """The scenario that was simulated, as resolved."""
        try:
            return load(str(self.path / "scenario.toml"))
        except ScenarioProblems as error:
            raise TraceError(str(error)) from None

    @cached_property
    def fingerprint(self) -> str:
        return str(json.loads((self.path / MANIFEST).read_text(encoding="utf-8"))["fingerprint"])

    def table(self, name: str) -> pl.LazyFrame:
        """A table's rows of the first replication that kept rows."""
        return pl.scan_parquet(self.path / f"{name}.parquet").filter(
            pl.col("replication") == self._replication
        )

    @cached_property
    def _replication(self) -> int:
        numbers = pl.scan_parquet(self.path / "contacts.parquet").select(
            pl.col("replication").min()
        )
        number = numbers.collect().item()
        if number is None:
            raise TraceError(f"{self.path} has no contacts: there is no traffic in it")
        return int(number)


def open_run(path: Path) -> RunData:
    """The run of a directory. Raises TraceError naming everything that is missing."""
    if not (path / MANIFEST).is_file():
        raise TraceError(f"{path} is not a run directory: it has no {MANIFEST}")
    wrong = []
    for name in (*ROWS, *DAYS):
        file = path / f"{name}.parquet"
        if not file.is_file():
            wrong.append(f"{file} is missing: `springpeak run` writes it")
            continue
        there = pl.read_parquet_schema(file)
        lacking = [column.name for column in TABLES[name] if column.name not in there]
        if lacking:
            wrong.append(f"{file} lacks {', '.join(lacking)}: it is from another version")
    if wrong:
        raise TraceError("\n".join(wrong))
    return RunData(path)
