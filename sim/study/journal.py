"""What is finished of a study: a line a season in one growing file, then one Parquet table.

A season of a point is a few dozen numbers, so forty thousand of them are one file and not as many
folders. A season whose line was cut off is simulated again. Merging sorts all rows by point,
replication and metric, replaces the table in one step and removes the lines last, so the table has
the same bytes however often a study was stopped.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from sim.experiment.files import read_table, readable, replacing
from sim.experiment.frames import schema
from sim.experiment.rundir import PARTS
from sim.payout.frames import known
from sim.study.lines import Lines, Writer

TRIALS: Final = "study_trials"
LINES: Final = "trials.jsonl"
KEYS: Final = ("point", "replication", "metric")


@dataclass(frozen=True, slots=True)
class Journal:
    """The seasons of one study's folder; holds no state beside the path."""

    folder: Path

    @property
    def table(self) -> Path:
        return self.folder / f"{TRIALS}.parquet"

    @property
    def lines(self) -> Lines:
        return Lines(self.folder / PARTS / LINES)

    def finished(self) -> set[tuple[int, int]]:
        """(point, replication) of every season that is there."""
        found: set[tuple[int, int]] = set()
        if self.table.exists():
            with readable(self.table):
                # Scanned, because the other columns of a large study need not be in memory.
                rows = pl.scan_parquet(self.table).select("point", "replication").unique()
                found.update(rows.collect().iter_rows())
        with readable(self.lines.path):
            found.update((line["point"], line["replication"]) for line in self.lines.read())
        return found

    def open(self) -> Writer:
        """To add seasons, each a `season_line`."""
        return self.lines.open()

    def merge(self) -> None:
        """Move the lines into the table."""
        with readable(self.lines.path):
            rows = [
                (line["point"], line["replication"], metric, value, unit)
                for line in self.lines.read()
                for metric, (value, unit) in line["metrics"].items()
            ]
            new = pl.DataFrame(rows, schema=schema(TRIALS), orient="row")
        there = [read_table(self.table)] if self.table.exists() else []
        table = pl.concat([*there, new]).unique(KEYS, keep="first").sort(KEYS).rechunk()
        with replacing(self.table) as unfinished:
            table.write_parquet(unfinished)
        shutil.rmtree(self.lines.path.parent, ignore_errors=True)


def season_line(
    point: int, replication: int, metrics: Mapping[str, tuple[float, str]]
) -> dict[str, Any]:
    """A season as a line of the journal. A value that does not exist (NaN) becomes null."""
    told = {name: (known(value), unit) for name, (value, unit) in metrics.items()}
    return {"point": point, "replication": replication, "metrics": told}
