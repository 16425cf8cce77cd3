"""What is finished of a study: a line a season in one growing file, then one Parquet table.

A season of a point is a few dozen numbers, so forty thousand of them are one file and not as many
folders. A line is written whole and at once; what stops a study can only cut the last one, which is
then simulated again. Merging sorts all rows by point, replication and metric, replaces the table in
one step and removes the lines last, so the table has the same bytes however often a study was
stopped.
"""

import json
import math
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TextIO

import polars as pl

from sim.experiment.frames import schema
from sim.experiment.rundir import PARTS, UNFINISHED

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
    def lines(self) -> Path:
        return self.folder / PARTS / LINES

    def finished(self) -> set[tuple[int, int]]:
        """(point, replication) of every season that is there."""
        found: set[tuple[int, int]] = set()
        if self.table.exists():
            rows = pl.scan_parquet(self.table).select("point", "replication").unique().collect()
            found.update(rows.iter_rows())
        found.update((line["point"], line["replication"]) for line in self._read())
        return found

    def open(self) -> "Writer":
        """To add seasons. A line that was cut off is taken away."""
        self.lines.parent.mkdir(parents=True, exist_ok=True)
        if self.lines.exists():
            text = self.lines.read_bytes()
            whole = text.rfind(b"\n") + 1
            if whole < len(text):
                with self.lines.open("r+b") as file:
                    file.truncate(whole)
        return Writer(self.lines.open("a", encoding="utf-8"))

    def merge(self) -> None:
        """Move the lines into the table."""
        rows = [
            (line["point"], line["replication"], metric, value, unit)
            for line in self._read()
            for metric, (value, unit) in line["metrics"].items()
        ]
        new = pl.DataFrame(rows, schema=schema(TRIALS), orient="row")
        there = [pl.read_parquet(self.table)] if self.table.exists() else []
        table = pl.concat([*there, new]).unique(KEYS, keep="first").sort(KEYS).rechunk()
        unfinished = self.table.with_name(f"{self.table.name}{UNFINISHED}")
        table.write_parquet(unfinished)
        unfinished.replace(self.table)
        shutil.rmtree(self.lines.parent, ignore_errors=True)

    def _read(self) -> Iterator[dict[str, Any]]:
        if not self.lines.exists():
            return
        with self.lines.open(encoding="utf-8") as file:
            for line in file:
                if line.endswith("\n"):
                    yield json.loads(line)


class Writer:
    """Appends seasons; each is there once `add` returns."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def __enter__(self) -> "Writer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(
        self, point: int, replication: int, metrics: Mapping[str, tuple[float, str]]
    ) -> None:
        """Write one season. A value that does not exist (NaN) becomes null."""
        told = {
            name: (value if math.isfinite(value) else None, unit)
            for name, (value, unit) in metrics.items()
        }
        line = {"point": point, "replication": replication, "metrics": told}
        self._file.write(f"{json.dumps(line, separators=(',', ':'))}\n")
        self._file.flush()
