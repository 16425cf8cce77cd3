"""What a run directory holds of money, as matrices: what is counted x replications.

Reads the merged tables and nothing else, so an old run can be asked again. Decides no statistic.
Money int fen; the columns of every matrix are the replications in ascending order.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from scenarios.words import BEARERS, CATEGORIES, GUARANTEES, REGIONS
from sim.experiment.files import RunError, read_table, readable
from sim.experiment.rundir import REPLICATIONS, SCENARIO, RunDirectory

Ints = npt.NDArray[np.int64]

MEASURES: Final = ("gross", "recovered", "net")
NO_REGION: Final = "none"
# By what the money can be told apart: its table, and the order of its words.
GROUPS: Final[dict[str, tuple[str, Sequence[str]]]] = {
    "guarantee": ("payouts", GUARANTEES),
    "category": ("payouts", CATEGORIES),
    "lunar_day": ("payouts", ()),
    "region": ("payouts_by_region", (*REGIONS, NO_REGION)),
    "bearer": ("payouts_by_region", BEARERS),
}


@dataclass(frozen=True, slots=True)
class Matrix:
    """`fen[k, r]` of key k in replication r."""

    keys: tuple[str, ...]
    fen: Ints


class Seasons:
    """The replications of one run."""

    def __init__(self, run: Path) -> None:
        self.path = run
        self._directory = RunDirectory(run)
        self.manifest: dict[str, Any] = self._directory.manifest()
        metrics = self.table(REPLICATIONS)
        with readable(run / SCENARIO):
            self.scenario: dict[str, Any] = tomllib.loads((run / SCENARIO).read_text("utf-8"))
        self.replications = metrics["replication"].unique().sort()
        self.count = self.replications.len()
        self._metrics = metrics

    def table(self, name: str) -> pl.DataFrame:
        """A merged table. Raises RunError where the run has none."""
        file = self._directory.table(name)
        if not file.exists():
            hint = "go on with --resume first, or run it again with this version"
            raise RunError(f"{self.path} has no {file.name}: {hint}")
        return read_table(file)

    def metric(self, name: str) -> npt.NDArray[np.float64]:
        """One metric by replication. Raises RunError where the run has none."""
        rows = self._metrics.filter(pl.col("metric") == name).sort("replication")
        if rows.height != self.count:
            raise RunError(f"{self.path} has no metric {name}: run it again with this version")
        return rows["value"].to_numpy()

    @property
    def days(self) -> tuple[int, ...]:
        """The lunar days of the run."""
        return tuple(range(self.manifest["first_day"], self.manifest["last_day"] + 1))

    def total(self, measure: str) -> Ints:
        """gross, recovered or net by replication; shape (replications,)."""
        return np.asarray(self.by("lunar_day", measure).fen.sum(axis=0), dtype=np.int64)

    def by(self, group: str, measure: str) -> Matrix:
        """gross, recovered or net by guarantee, category, day, region or bearer."""
        name, words = GROUPS[group]
        table = self.table(name)
        if group == "region":
            table = table.with_columns(pl.col("region").cast(pl.String).fill_null(NO_REGION))
        keys = tuple(words) or tuple(str(day) for day in self.days)
        there = set(table[group].unique().cast(pl.String))
        found = tuple(key for key in keys if key in there)
        return Matrix(found, self.pivot(table, group, found, f"{measure}_fen"))

    def pivot(self, table: pl.DataFrame, group: str, keys: Sequence[str], column: str) -> Ints:
        """Sums of a column by the words of a key and replication; shape (keys, replications)."""
        summed = table.group_by(pl.col(group).cast(pl.String), "replication").agg(
            pl.col(column).sum()
        )
        matrix: Ints = np.zeros((len(keys), self.count), dtype=np.int64)
        row = {key: number for number, key in enumerate(keys)}
        place = {replication: number for number, replication in enumerate(self.replications)}
        for key, replication, amount in summed.iter_rows():
            if key in row:
                matrix[row[key], place[replication]] = amount
        return matrix

    def paths(self, column: str) -> Ints:
        """paid_fen or recovered_fen by tick; shape (ticks, replications)."""
        table = self.table("cash").sort("replication", "interval_start_s")
        return table[column].to_numpy().reshape(self.count, -1).T.astype(np.int64)
