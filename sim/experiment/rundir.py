"""The run directory: who may write into it, parts of finished replications, and the merged tables.

Each finished replication is a folder `parts/<replication>/`, put there by one rename; merging
moves its rows into one file a table, each replaced by one rename, and removes the parts last. So
whatever stops a run, the directory holds whole replications only, and the next run goes on from
there. A part always wins over the same replication in a merged file: it is only there while
merging is not done.
"""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from scenarios.held import HeldError, held
from scenarios.tables import TABLES
from sim.experiment.files import UNFINISHED, RunError, read_json, read_table, replacing
from sim.experiment.frames import schema

MANIFEST: Final = "manifest.json"
SUMMARY: Final = "summary.json"
SCENARIO: Final = "scenario.toml"
PARTS: Final = "parts"
# Tables with a row for every single thing: kept for the first replications only.
ROW_TABLES: Final = ("contacts", "incidents", "ledger", "claims")
# Merged last: a replication that stands in it stands in every other table.
REPLICATIONS: Final = "replications"
# Computed from the merged tables, never written by a replication.
ESTIMATES: Final = "estimates"
MERGED: Final = (*(t for t in TABLES if t not in (REPLICATIONS, ESTIMATES)), REPLICATIONS)


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """Paths and rules of one run directory; holds no state beside the path."""

    path: Path

    def table(self, name: str) -> Path:
        return self.path / f"{name}.parquet"

    def part(self, replication: int) -> Path:
        return self.path / PARTS / str(replication)

    def claim(self, *, identity: Mapping[str, Any], resume: bool) -> bool:
        """Take the directory for the run with this identity; True if it is new.

        Raises RunError, and changes nothing, when something else is in it.
        """
        if self.path.exists() and not self.path.is_dir():
            raise RunError(f"{self.path} is a file, not a directory: choose another --out")
        if not self.path.exists() or not any(self.path.iterdir()):
            try:
                (self.path / PARTS).mkdir(parents=True)
            except OSError as error:
                raise RunError(f"{self.path} cannot be written: {error.strerror}") from None
            return True
        if not resume:
            raise RunError(f"{self.path} is not empty: go on with --resume or choose another --out")
        check_identity(self.path, self.manifest(), identity)
        with self.held():
            (self.path / PARTS).mkdir(exist_ok=True)
            shutil.rmtree(self.path / f"{PARTS}{UNFINISHED}", ignore_errors=True)
            for unfinished in (self.path / PARTS).glob(f"*{UNFINISHED}*"):
                shutil.rmtree(unfinished)
        return False

    @contextmanager
    def taken(self, *, identity: Mapping[str, Any], resume: bool) -> Iterator[bool]:
        """In here the directory is claimed, and nobody else works in it; True if it is new."""
        fresh = self.claim(identity=identity, resume=resume)
        with self.held():
            yield fresh

    @contextmanager
    def held(self) -> Iterator[None]:
        """In here no other process works in the directory. Raises RunError where one does."""
        try:
            with held(self.path):
                yield
        except HeldError as error:
            raise RunError(f"{error}, or choose another --out") from None

    def manifest(self) -> dict[str, Any]:
        """What the run says about itself. Raises RunError when there is none."""
        file = self.path / MANIFEST
        if not file.exists():
            raise RunError(f"{self.path} is not a run directory: it has no {MANIFEST}")
        return read_json(file)

    def write_text(self, name: str, text: str) -> None:
        """Write or replace a small file in one step."""
        with replacing(self.path / name) as unfinished:
            unfinished.write_text(text, encoding="utf-8")

    def write_part(
        self,
        replication: int,
        frames: Iterable[tuple[str, pl.DataFrame]],
        *,
        notes: Mapping[str, str],
    ) -> None:
        """Put one replication's tables and notes (file name: text) in place in one step.

        Called in worker processes.
        """
        with self._placed(replication) as folder:
            for name, frame in frames:
                frame.write_parquet(folder / f"{name}.parquet")
            for name, text in notes.items():
                (folder / name).write_text(text, encoding="utf-8")

    def part_files(self, replication: int) -> dict[str, bytes]:
        """A part's files by name, to travel to another directory."""
        return {file.name: file.read_bytes() for file in sorted(self.part(replication).iterdir())}

    def put_part(self, replication: int, files: Mapping[str, bytes]) -> None:
        """Put the files of a part that was written in another directory in place in one step."""
        with self._placed(replication) as folder:
            for name, content in files.items():
                (folder / name).write_bytes(content)

    @contextmanager
    def _placed(self, replication: int) -> Iterator[Path]:
        """A folder to fill, which then becomes the replication's part by one rename."""
        unfinished = self.path / PARTS / f"{replication}{UNFINISHED}-{os.getpid()}"
        unfinished.mkdir(parents=True)
        yield unfinished
        unfinished.rename(self.part(replication))

    def parts(self) -> list[int]:
        """Replications that are finished and not merged yet, in order."""
        names = (entry.name for entry in (self.path / PARTS).glob("*"))
        return sorted(int(name) for name in names if name.isdecimal())

    def merged(self) -> list[int]:
        """Replications that stand in the merged tables, in order."""
        file = self.table(REPLICATIONS)
        if not file.exists():
            return []
        return read_table(file)["replication"].unique().sort().to_list()

    def metrics(self) -> dict[int, dict[str, float]]:
        """Metric values of every finished replication, merged or not."""
        parts = self.parts()
        files = [self.part(r) / f"{REPLICATIONS}.parquet" for r in parts]
        if (merged := self.table(REPLICATIONS)).exists():
            files.append(merged)
        values: dict[int, dict[str, float]] = {}
        for file in files:
            rows = read_table(file).select("replication", "metric", "value").iter_rows()
            for replication, metric, value in rows:
                values.setdefault(replication, {})[metric] = value
        return values

    def merge(self, tables: Sequence[str]) -> None:
        """Move the parts into one file a table, in the order of the replications."""
        parts = self.parts()
        order = sorted({*parts, *self.merged()})
        for name in tables:
            files = [self.part(r) / f"{name}.parquet" for r in parts]
            new = [file for file in files if file.exists()]
            there = self.table(name).exists()
            if there and not new:
                continue
            if len(new) == 1 and not there:
                _replace_file(self.table(name), new[0])
            else:
                _replace_table(self.table(name), name, self._sources(name, order, set(parts)))
        self._remove_parts()

    def _remove_parts(self) -> None:
        """Out of sight by one rename: a part that is removed by half must not count as one."""
        removed = self.path / f"{PARTS}{UNFINISHED}"
        (self.path / PARTS).rename(removed)
        shutil.rmtree(removed)

    def read(self, names: Sequence[str]) -> dict[str, pl.DataFrame]:
        """Merged tables by name."""
        return {name: read_table(self.table(name)) for name in names}

    def _sources(self, name: str, order: Sequence[int], parts: set[int]) -> list[pl.LazyFrame]:
        sources = []
        for replication in order:
            file = self.part(replication) / f"{name}.parquet"
            if file.exists():
                sources.append(pl.scan_parquet(file))
            elif replication not in parts and self.table(name).exists():
                rows = pl.scan_parquet(self.table(name))
                sources.append(rows.filter(pl.col("replication") == replication))
        return sources


def check_identity(
    place: Path | str, there: Mapping[str, Any], identity: Mapping[str, Any]
) -> None:
    """Raises RunError unless the run whose manifest is `there` is the one with this identity."""
    for key, value in identity.items():
        if there.get(key) != value:
            raise RunError(
                f"{place} holds a run with {key} {there.get(key)}, this one has {value}: "
                "it cannot be resumed, choose another --out"
            )


def _replace_file(file: Path, source: Path) -> None:
    """As _replace_table, for the large row tables of one replication: copied, not decoded."""
    with replacing(file) as unfinished:
        shutil.copyfile(source, unfinished)


def _replace_table(file: Path, name: str, sources: Sequence[pl.LazyFrame]) -> None:
    frames = [pl.LazyFrame(schema=schema(name)), *sources]
    try:
        # Streamed: row tables of several replications need not fit into memory together.
        with replacing(file) as unfinished:
            pl.concat(frames).sink_parquet(unfinished, maintain_order=True)
    except pl.exceptions.PolarsError as error:
        raise RunError(
            f"{file} cannot be merged, it or one of its {PARTS} is damaged "
            f"({type(error).__name__}: {error}): simulate again, into another folder"
        ) from error


def write_estimates(directory: RunDirectory, frame: pl.DataFrame) -> None:
    """Replace the table of estimates in one step."""
    _replace_table(directory.table(ESTIMATES), ESTIMATES, [frame.lazy()])
