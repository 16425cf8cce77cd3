"""Paired differences between two runs under common random numbers.

Replication r of both runs draws from the same streams, so what differs between them is what the
scenarios differ in: the difference is taken replication by replication, its Student-t interval over
the replications that both runs have. What both runs did alike cancels exactly, and 0 is said as 0.
Source: paired-t comparison, A. M. Law, Simulation Modeling and Analysis (5th ed.), 10.2.1.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from sim.experiment.confidence import student
from sim.experiment.files import RunError, read_table
from sim.experiment.rundir import REPLICATIONS, RunDirectory


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """One metric in both runs; `difference`, `low` and `high` are the second run less the first.

    Means are over the common replications in which both runs have the metric; `low` and `high` are
    None with fewer than two of them, `difference` and the means with none.
    """

    metric: str
    unit: str
    mean_a: float | None
    mean_b: float | None
    difference: float | None
    low: float | None
    high: float | None
    n: int

    @property
    def clear_of_zero(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low is not None and self.high is not None and self.low * self.high > 0.0


def compare(run_a: Path, run_b: Path) -> tuple[PairedDifference, ...]:
    """Differences of every metric that both runs have, by name.

    Raises RunError when the runs are not pairs: other seed, other days, no common replication.
    """
    for key, hint in (
        ("seed", "run one of them again with the other's --seed"),
        ("first_day", "run both with the same --days"),
        ("last_day", "run both with the same --days"),
    ):
        a, b = (RunDirectory(run).manifest().get(key) for run in (run_a, run_b))
        if a != b:
            raise RunError(f"{run_a} has {key} {a}, {run_b} has {b}, so they are no pairs: {hint}")
    pairs = _replications(run_a).join(
        _replications(run_b), on=["replication", "metric", "unit"], how="inner", suffix="_b"
    )
    if pairs.is_empty():
        raise RunError(f"{run_a} and {run_b} have no replication in common")
    grouped = pairs.sort("metric", "unit", "replication").group_by(
        "metric", "unit", maintain_order=True
    )
    return tuple(_difference(str(metric), str(unit), rows) for (metric, unit), rows in grouped)


def _replications(run: Path) -> pl.DataFrame:
    file = RunDirectory(run).table(REPLICATIONS)
    if not file.exists():
        raise RunError(f"{run} has no finished replication: go on with --resume first")
    return read_table(file)


def _difference(metric: str, unit: str, rows: pl.DataFrame) -> PairedDifference:
    there = rows.filter(pl.col("value").is_finite() & pl.col("value_b").is_finite())
    a, b = there["value"].to_numpy(), there["value_b"].to_numpy()
    paired = student(b - a)
    # Two shares are never further apart than 1, whatever a t interval of two replications says.
    low, high = paired.low, paired.high
    if unit == "ratio" and paired.n > 1:
        low, high = max(low, -1.0), min(high, 1.0)
    return PairedDifference(
        metric=metric,
        unit=unit,
        mean_a=_known(student(a).mean),
        mean_b=_known(student(b).mean),
        difference=_known(paired.mean),
        low=_known(low),
        high=_known(high),
        n=paired.n,
    )


def _known(value: float) -> float | None:
    """NaN means that nobody knows."""
    return None if math.isnan(value) else value
