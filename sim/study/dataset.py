"""What a study holds, from its files alone: points by replications, metric by metric.

Decides which replications are looked at: those that every point has. Designs are made to be whole,
so a study of which points are missing is not explained.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from sim.columns import Floats
from sim.experiment.files import RunError, read_json, read_table, readable
from sim.experiment.rundir import RunDirectory
from sim.study.conduct import PLAN
from sim.study.journal import TRIALS
from sim.study.plan import Plan, Point, plan
from sim.study.widest import WIDEST


@dataclass(frozen=True, slots=True)
class Block:
    """A scenario with one combination of levels."""

    scenario: str
    combination: int
    values: Floats
    """Of one outcome; shape (rows of the design, replications)."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A study's plan with what came out."""

    path: Path
    plan: Plan
    manifest: dict[str, Any]
    units: dict[str, str]
    points: tuple[Point, ...]
    _values: dict[str, Floats]

    def values(self, metric: str) -> Floats:
        """Shape (points, replications)."""
        return self._values[metric]

    def blocks(self, metric: str) -> Iterator[Block]:
        """The metric's values block by block."""
        values = self._values[metric]
        keys = [(point.scenario, point.combination) for point in self.points]
        for key in dict.fromkeys(keys):
            yield Block(*key, values[[k for k, one in enumerate(keys) if one == key]])

    @property
    def widest(self) -> pl.DataFrame | None:
        """How the widest factors were chosen; None where the file named all of them."""
        file = self.path / f"{WIDEST}.parquet"
        return read_table(file) if file.exists() else None


def read(folder: Path) -> Dataset:
    """Raises RunError where the folder holds no study, or not all of its points."""
    manifest = RunDirectory(folder).manifest()
    if not (folder / PLAN).exists() or not (folder / f"{TRIALS}.parquet").exists():
        raise RunError(f"{folder} holds no study: `springpeak study` makes one")
    trials = read_table(folder / f"{TRIALS}.parquet")
    with readable(folder / PLAN):
        known = plan(read_json(folder / PLAN), 1)
    points = tuple(known.points())
    replications = (
        trials.group_by("replication")
        .agg(pl.col("point").n_unique())
        .filter(pl.col("point") == len(points))["replication"]
        .sort()
    )
    if replications.is_empty():
        raise RunError(f"{folder} misses points: simulate the study to its end, it goes on")
    asked = {*known.outcomes}
    if any(one.decided for one in known.crossed):
        asked |= {*known.frontier.cost, known.frontier.service}
    if missing := sorted(asked - {*trials["metric"].unique()}):
        raise RunError(f"{folder} has no {', '.join(missing)}: simulate a study that asks for it")
    rows = trials.filter(pl.col("replication").is_in(replications.to_list()))
    values, units = {}, {}
    for metric in sorted(asked):
        own = rows.filter(pl.col("metric") == metric).sort("point", "replication")
        units[metric] = own["unit"][0]
        there = own["value"].fill_null(np.nan).to_numpy()
        values[metric] = there.reshape(len(points), len(replications))
    looked_at = replace(known, replications_count=len(replications))
    return Dataset(folder, looked_at, manifest, units, points, values)
