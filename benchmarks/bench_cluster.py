"""A run on one Dask worker and on two: wall seconds, speed-up, and where the CPU seconds go.

Method: `springpeak run spring-festival-2026 --days=1..1 --replications 20` on `--cluster local`,
first with one worker, then with two, each cluster started and its workers warmed (one replication
each of another seed: imports, compiled code) before the clock runs. Wall time is from the call to
the last file of the run directory, so merging is in it. Workers are single-threaded processes.

Wall figures need both cores for themselves. CPU seconds hold on a busy machine, too: those of the
replications (the simulation alone), and those of all processes, scheduler and client included; what
the second is larger than the first is the price of typing tables, of the cluster and of merging.
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

import psutil

from scenarios.command import BASE
from scenarios.loader import load
from scenarios.scenario import Scenario
from sim.experiment.cluster import LOCAL, Cluster, cluster
from sim.experiment.rundir import SUMMARY, RunDirectory
from sim.experiment.runner import run

DAYS: Final = (1, 1)
SEED: Final = 1
WARM_SEED: Final = 2


@dataclass(frozen=True)
class Took:
    """What a run took."""

    workers: int
    wall_s: float
    merging_s: float
    """Of the wall time, what came after the last replication."""
    replications_cpu_s: float
    all_cpu_s: float
    summary: bytes


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=20)
    parser.add_argument("--scenario", default=BASE)
    asked = parser.parse_args()
    scenario = load(asked.scenario)
    with TemporaryDirectory() as folder:
        one, two = (
            _measured(scenario, asked.replications, workers, Path(folder) / str(workers))
            for workers in (1, 2)
        )
    for took in (one, two):
        _print(took, asked.replications)
    print(f"speed-up, wall: {one.wall_s / two.wall_s:.2f}")
    print(f"CPU seconds of the second to the first: {two.all_cpu_s / one.all_cpu_s:.3f}")
    print(f"same {SUMMARY}: {one.summary == two.summary}")


def _measured(scenario: Scenario, replications: int, workers: int, out: Path) -> Took:
    with _warm(scenario, workers, out) as executor:
        last_s = 0.0

        def finished(_done: int, _planned: int) -> None:
            nonlocal last_s
            last_s = perf_counter()

        cpu_s, start_s = _cpu_s(), perf_counter()
        result = run(
            scenario,
            replications=replications,
            seed=SEED,
            workers=workers,
            days=DAYS,
            out=out,
            executor=executor,
            progress=finished,
        )
        end_s = perf_counter()
        return Took(
            workers=workers,
            wall_s=end_s - start_s,
            merging_s=end_s - last_s,
            replications_cpu_s=RunDirectory(result.path).manifest()["cpu_s"],
            all_cpu_s=_cpu_s() - cpu_s,
            summary=(result.path / SUMMARY).read_bytes(),
        )


@contextmanager
def _warm(scenario: Scenario, workers: int, out: Path) -> Iterator[Cluster]:
    """A cluster whose workers have each simulated once."""
    start_s = perf_counter()
    with cluster(LOCAL, workers=workers, say=print) as executor:
        run(
            scenario,
            replications=workers,
            seed=WARM_SEED,
            workers=workers,
            days=DAYS,
            out=out.with_name(f"{out.name}-warm"),
            executor=executor,
        )
        print(f"{workers} worker(s): started and warm in {perf_counter() - start_s:.1f} s")
        yield executor


def _cpu_s() -> float:
    """CPU seconds so far of this process and of all that it started and that are there."""
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def _print(took: Took, replications: int) -> None:
    beside_s = (took.all_cpu_s - took.replications_cpu_s) / replications
    print(
        f"{took.workers} worker(s): {took.wall_s:.1f} s for {replications} replications, "
        f"of these {took.merging_s:.1f} s after the last one; CPU {took.all_cpu_s:.1f} s, "
        f"replications {took.replications_cpu_s:.1f} s, beside them {beside_s:.2f} s each"
    )


if __name__ == "__main__":
    main()
