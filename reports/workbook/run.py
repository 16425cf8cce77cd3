"""What the workbook reads of a run directory, and whether it is complete enough for one.

Decides nothing; computes nothing. Raises RunError with what is missing and what to do.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import polars as pl

from reports import files
from reports.cells import Book
from reports.clock import Clock
from scenarios.guarantees import Guarantees
from sim.experiment.files import RunError
from sim.experiment.rundir import ESTIMATES, SUMMARY, RunDirectory

ROWS: Final = ("claims", "incidents", "ledger")


@dataclass(frozen=True)
class Run:
    """A run directory, read when asked."""

    path: Path

    @classmethod
    def opened(cls, path: Path) -> "Run":
        """The run at this path, if it is one and finished. Raises RunError."""
        directory = RunDirectory(path)
        directory.manifest()
        files = (path / SUMMARY, directory.table(ESTIMATES), directory.table("payouts"))
        missing = [file.name for file in files if not file.exists()]
        if missing:
            raise RunError(
                f"{path} is not finished: it has no {', '.join(missing)}; go on with --resume"
            )
        return cls(path)

    @cached_property
    def book(self) -> Book:
        """Manifest, summary, scenario and estimates."""
        return Book(self.path)

    @property
    def manifest(self) -> dict[str, Any]:
        return self.book.manifest

    @property
    def scenario(self) -> dict[str, Any]:
        return self.book.scenario

    @cached_property
    def clock(self) -> Clock:
        """The lunar clock."""
        return Clock.of(self.scenario)

    @cached_property
    def guarantees(self) -> Guarantees:
        """The terms in force."""
        return Guarantees.model_validate(self.scenario["guarantees"], strict=False)

    @cached_property
    def payouts(self) -> pl.DataFrame:
        """Payouts by replication, day, guarantee and category."""
        return self.scan("payouts").sort("replication", maintain_order=True).collect()

    @cached_property
    def replications_count(self) -> int:
        return self.payouts["replication"].n_unique()

    @property
    def has_rows(self) -> bool:
        """Whether single claims were kept."""
        return all(self.has(name) for name in ROWS)

    def has(self, table: str) -> bool:
        return RunDirectory(self.path).table(table).exists()

    def scan(self, table: str) -> pl.LazyFrame:
        """A table as it stands."""
        return files.scan(RunDirectory(self.path), table)

    def rows(self, table: str) -> pl.LazyFrame:
        """Rows of single things, of the replication that keeps them."""
        return files.kept_rows(RunDirectory(self.path), table)
