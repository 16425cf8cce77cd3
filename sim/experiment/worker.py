"""One replication in a worker process: simulate it, type its tables, put its part in place.

From a process of our own nothing travels back: the tables of a national replication are millions of
rows. Any other worker may stand on a machine that does not see the run directory, and may be lost
and replaced at any moment: its part travels back as files, and only the caller puts it in place.
"""

import gc
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import numpy as np
import polars as pl

from scenarios.scenario import Scenario
from scenarios.support import Targets
from sim.experiment import measures, subjects
from sim.experiment.contents import Contents
from sim.experiment.frames import schema, to_frame
from sim.experiment.memory import keep_memory
from sim.experiment.rundir import REPLICATIONS, ROW_TABLES, RunDirectory

RECEIPT = "receipt.json"
# On Linux the kernel counts in KiB, on macOS in bytes.
_MAXRSS_BYTE = 1 if sys.platform == "darwin" else 1024


class Result(Protocol):
    """What a replication gives: columns of every table, and metrics as (value, unit)."""

    @property
    def tables(self) -> Mapping[str, Mapping[str, np.ndarray]]: ...

    @property
    def metrics(self) -> Mapping[str, tuple[float, str]]: ...


Simulate = Callable[..., Result]


@dataclass(frozen=True, slots=True)
class Job:
    """All that a worker needs; picklable, which a scenario with generic blocks is not."""

    simulate: Simulate
    kind: type[Scenario]
    values: Mapping[str, Any]
    """The scenario of that kind, dumped; it is validated again in the worker."""
    seed: int
    replication: int
    directory: RunDirectory
    contents: Contents
    keep_rows: int

    @property
    def rows(self) -> tuple[str, ...]:
        """The tables of single things that this replication keeps."""
        return ROW_TABLES if self.replication < self.keep_rows else ()


def start_worker() -> None:
    """Initialise a worker process of our own pool.

    Ctrl-C reaches the whole process group; only the parent decides what happens then. One
    replication is one core's work, so polars' threads would only be in the other workers' way.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["POLARS_MAX_THREADS"] = "1"
    keep_memory()


Part = Mapping[str, bytes]
"""A part's files by name."""


def replicate(job: Job) -> None:
    """Simulate one replication and write its part."""
    scenario = job.kind.model_validate(job.values)
    wall_s, cpu_s = time.perf_counter(), time.thread_time()
    result = job.simulate(
        scenario,
        seed=job.seed,
        replication=job.replication,
        tables=job.contents.tables,
        rows=job.rows,
    )
    wall_s, cpu_s = time.perf_counter() - wall_s, time.thread_time() - cpu_s
    receipt = {
        "replication": job.replication,
        "wall_s": round(wall_s, 3),
        "cpu_s": round(cpu_s, 3),
        "attempts_count": _attempts_count(result),
        "peak_memory_byte": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_BYTE,
    }
    frames = _frames(job, result, scenario.support.targets)
    job.directory.write_part(job.replication, frames, notes={RECEIPT: json.dumps(receipt)})
    # A world holds itself in cycles; without this the next one is built beside it.
    del result, frames
    gc.collect()


def replicate_apart(job: Job) -> Part:
    """Simulate one replication where the run directory may be out of reach, and return its part."""
    with TemporaryDirectory(prefix="springpeak-") as folder:
        here = RunDirectory(Path(folder))
        replicate(replace(job, directory=here))
        return here.part_files(job.replication)


def receipts(directory: RunDirectory) -> list[dict[str, Any]]:
    """What the finished, not yet merged replications took."""
    files = (directory.part(replication) / RECEIPT for replication in directory.parts())
    return [json.loads(file.read_text(encoding="utf-8")) for file in files]


def _attempts_count(result: Result) -> int | None:
    """Contacts that the floor was offered; None where nothing asked for them."""
    offered = result.metrics.get("contacts_offered_count")
    return None if offered is None else int(offered[0])


def _frames(job: Job, result: Result, targets: Targets) -> Iterator[tuple[str, pl.DataFrame]]:
    """The tables one after another, so that only one of the large ones is in memory twice."""
    for name in job.contents.merged:
        if name == REPLICATIONS:
            yield name, _metrics_frame(job, result, targets)
        elif name not in ROW_TABLES or name in job.rows:
            yield name, to_frame(name, result.tables[name], replication=job.replication)


def _metrics_frame(job: Job, result: Result, targets: Targets) -> pl.DataFrame:
    values = dict(result.metrics)
    if all(name in job.contents.tables for name in measures.SEASON_TABLES):
        frames = {
            name: to_frame(name, result.tables[name], replication=job.replication)
            for name in measures.SEASON_TABLES
        }
        verdict = measures.season(frames, targets=targets)
        values |= {name: (verdict[name], subjects.UNITS[name]) for name in verdict}
    rows = [(job.replication, name, float(value), unit) for name, (value, unit) in values.items()]
    return pl.DataFrame(rows, schema=schema(REPLICATIONS), orient="row").sort("metric")
