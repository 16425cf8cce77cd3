"""Carries a study out: every point meets the same seasons, on one pool of warm workers.

A season depends on (what the point asks, its replication) and nothing else, so workers, their
number and the order of completion cannot change the data set. Any `concurrent.futures.Executor`
will do: what a worker is sent and gives back is small, and only this process writes. Ctrl-C keeps
what is finished, `kill -9` too; calling again goes on.
"""

import json
import platform
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from sim.experiment.account import code_digest
from sim.experiment.executor import carry_out, worker_pool
from sim.experiment.files import RunError, read_json
from sim.experiment.rundir import MANIFEST, RunDirectory
from sim.study.journal import Journal, season_line
from sim.study.plan import Plan, Point
from sim.study.points import write_points

Metrics = Mapping[str, tuple[float, str]]
Model = Callable[[Any, int], Metrics]
"""(what a point asks, replication) -> metrics as (value, unit); a function of a module, so that
worker processes find it."""
Ask = Callable[[Point], Any]
_Seasons = tuple[int, tuple[int, ...]]
"""(point, replications)."""
_Job = tuple[Any, tuple[int, ...]]
"""(what the point asks, replications); picklable."""
Report = Callable[[int, int], None]
PLAN: Final = "plan.json"
# So that a long season list is shared by the workers, and little is lost when they stop.
SEASONS_A_JOB: Final = 8


@dataclass(frozen=True, slots=True)
class Conducted:
    """Where a study stands and how far it came, in seasons of points."""

    path: Path
    finished_count: int
    planned_count: int
    interrupted: bool


def conduct(
    plan: Plan,
    model: Model,
    ask: Ask,
    *,
    path: Path,
    workers: int,
    asked_of: Mapping[str, Any] | None = None,
    executor: Executor | None = None,
    report: Report = lambda _finished, _planned: None,
) -> Conducted:
    """Simulate what is missing and leave the data set behind, whole points or not.

    `asked_of` says what the model is, as far as the plan does not: a folder of another model, code,
    design or seed is refused with RunError. `report(finished, planned)` is called after each job.
    """
    directory = RunDirectory(path)
    identity = {"code": code_digest(), **(asked_of or {})}
    with taken(path, identity) as fresh:
        _keep_plan(directory, plan)
        journal = Journal(path)
        account = _Account(directory, plan, identity, workers, time.perf_counter())
        finished = journal.finished()
        interrupted = False
        try:
            report(len(finished), account.planned_count)
            with worker_pool(workers, executor) as pool, journal.open() as writer:

                def keep(seasons: _Seasons, found: Sequence[Metrics]) -> None:
                    point, replications = seasons
                    for replication, metrics in zip(replications, found, strict=True):
                        writer.add(season_line(point, replication, metrics))
                        finished.add((point, replication))

                carry_out(
                    pool,
                    partial(_simulated, model),
                    _jobs(plan, ask, finished),
                    keep=keep,
                    kept=lambda _seasons, _count: report(len(finished), account.planned_count),
                    named=_failed,
                )
        except KeyboardInterrupt:
            interrupted = True
        finally:
            journal.merge()
            there = len(journal.finished())
            account.write("complete" if there >= account.planned_count else "interrupted", there)
            if fresh and not there:
                shutil.rmtree(path, ignore_errors=True)
    planned_count = max(account.planned_count, there)
    return Conducted(path, there, planned_count, interrupted and there < planned_count)


@contextmanager
def taken(path: Path, identity: Mapping[str, Any]) -> Iterator[bool]:
    """In here the folder is a study with this identity; True if it is new. Raises RunError."""
    directory = RunDirectory(path)
    with directory.taken(identity=identity, resume=True) as fresh:
        if fresh:
            directory.write_text(MANIFEST, json.dumps({**identity, "status": "running"}) + "\n")
        yield fresh


def _keep_plan(directory: RunDirectory, plan: Plan) -> None:
    """Write the plan and its points. Raises RunError where others are there."""
    file = directory.path / PLAN
    told = plan.told()
    if file.exists() and read_json(file).get("fingerprint") != plan.fingerprint():
        raise RunError(
            f"{directory.path} holds a study of other points: it cannot go on, choose another --out"
        )
    told["fingerprint"] = plan.fingerprint()
    directory.write_text(PLAN, json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    write_points(directory.path, plan)


@dataclass(frozen=True, slots=True)
class _Account:
    """What the folder says of itself."""

    directory: RunDirectory
    plan: Plan
    identity: Mapping[str, Any]
    workers: int
    started_s: float

    @property
    def planned_count(self) -> int:
        return self.plan.points_count * self.plan.replications_count

    def write(self, status: str, finished_count: int) -> None:
        values = {
            **self.identity,
            "name": self.plan.name,
            "seed": self.plan.seed,
            "points_count": self.plan.points_count,
            "replications_count": self.plan.replications_count,
            "finished_count": finished_count,
            "planned_count": self.planned_count,
            "status": status,
            "workers": self.workers,
            "wall_s": round(time.perf_counter() - self.started_s, 3),
            "python": platform.python_version(),
        }
        self.directory.write_text(MANIFEST, json.dumps(values, sort_keys=True, indent=2) + "\n")


def _failed(seasons: _Seasons) -> str:
    """What is said of seasons that fail, before the reason."""
    return f"point {seasons[0]} failed, finished ones are kept, the same command goes on"


def _jobs(plan: Plan, ask: Ask, finished: set[tuple[int, int]]) -> dict[_Seasons, _Job]:
    """What is missing, point by point, with what the point asks."""
    found = {}
    for point in plan.points():
        missing = [r for r in range(plan.replications_count) if (point.number, r) not in finished]
        for start in range(0, len(missing), SEASONS_A_JOB):
            replications = tuple(missing[start : start + SEASONS_A_JOB])
            found[point.number, replications] = (ask(point), replications)
    return found


def _simulated(model: Model, job: _Job) -> list[Metrics]:
    """The seasons of a job; called in worker processes."""
    question, replications = job
    return [model(question, replication) for replication in replications]
