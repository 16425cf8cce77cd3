"""Runs replications of a scenario on an executor, and leaves a whole run directory behind.

A replication depends on (scenario, seed, its number) and nothing else, so workers, their number
and the order of completion cannot change a result. Any `concurrent.futures.Executor` will do; its
workers need springpeak, but no file system in common: finished parts travel back. By default it is
a pool of processes here, which write their parts themselves. Ctrl-C keeps what is finished.
"""

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from scenarios.scenario import Scenario
from sim.experiment import account
from sim.experiment.account import State
from sim.experiment.contents import ALL, Contents
from sim.experiment.estimates import estimates
from sim.experiment.executor import carry_out, worker_pool
from sim.experiment.files import RunError
from sim.experiment.precision import Plan
from sim.experiment.rundir import (
    MANIFEST,
    ROW_TABLES,
    SCENARIO,
    SUMMARY,
    RunDirectory,
    write_estimates,
)
from sim.experiment.tables import RunTables
from sim.experiment.worker import (
    Job,
    Part,
    Simulate,
    receipts,
    replicate,
    replicate_apart,
)
from sim.replication import simulate as simulate_replication

if TYPE_CHECKING:
    from sim.experiment.mirror import Mirror

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class RunResult:
    """Where a run stands and how far it came."""

    path: Path
    finished_count: int
    planned_count: int
    interrupted: bool
    precision_missed: bool = False
    """A precision was asked for, and the most replications that are tried did not give it."""
    mirror: "Mirror | None" = None
    """The copy at a URL, if one was asked for."""

    @property
    def tables(self) -> RunTables:
        """The run's tables as polars frames, by name; every column stands in scenarios/tables.py.
        """
        return RunTables(self.path)

    def copy(self) -> None:
        """Put what has been written into the run since to its URL, if it has one."""
        if self.mirror is not None:
            self.mirror.put_all()


def run(
    scenario: Scenario,
    *,
    replications: int | None,
    precision_ratio: float | None = None,
    seed: int,
    workers: int,
    out: Path | None = None,
    copy_to: str | None = None,
    days: tuple[int, int] | None = None,
    resume: bool = False,
    keep_rows: int = 1,
    contents: Contents = ALL,
    executor: Executor | None = None,
    progress: Progress | None = None,
    simulate: Simulate = simulate_replication,
) -> RunResult:
    """Run until `replications` are finished or `precision_ratio` is reached, whichever is given.

    `days` narrows the horizon to lunar days; `keep_rows` replications keep their row tables;
    `contents` are the tables that the run has;
    `progress(finished, planned)` is called after every replication; `out` is results/<run_id>
    unless given; what is finished is also put to the fsspec URL `copy_to`, and a resume fetches
    what is there. Raises RunError, and leaves no directory behind, when the run cannot start.
    """
    try:
        plan = Plan(replications=replications, precision_ratio=precision_ratio)
    except ValueError as error:
        raise RunError(str(error)) from None
    if days is not None:
        scenario = with_days(scenario, days)
    path = out or Path("results") / account.run_id(scenario, seed=seed, contents=contents)
    directory = RunDirectory(path)
    identity = account.identity(scenario, seed=seed, contents=contents)
    mirror = None if copy_to is None else mirror_of(copy_to, directory)
    if mirror is not None:
        mirror.claim(identity=identity, resume=resume)
    with directory.taken(identity=identity, resume=resume) as fresh:
        there: dict[str, Any] = {"wall_s": 0.0, "replications": []}
        there |= {} if fresh else directory.manifest()
        session = _Session(
            directory=directory,
            mirror=mirror,
            scenario=scenario,
            seed=seed,
            workers=workers,
            keep_rows=keep_rows,
            contents=contents,
            simulate=simulate,
            started_s=time.perf_counter(),
            earlier_wall_s=there["wall_s"],
            earlier_receipts=there["replications"],
        )
        try:
            session.begin(fresh=fresh)
            planned, interrupted = _replicate_all(
                session, plan, executor=executor, progress=progress
            )
            result = session.finish(planned, interrupted=interrupted)
            if interrupted:
                return result
            return replace(result, precision_missed=plan.missed(directory.metrics()))
        finally:
            if fresh and not session.finished():
                session.forget()


@dataclass(frozen=True, slots=True)
class _Session:
    """One invocation of a run: what it works on, and what earlier invocations took."""

    directory: RunDirectory
    mirror: "Mirror | None"
    scenario: Scenario
    seed: int
    workers: int
    keep_rows: int
    contents: Contents
    simulate: Simulate
    started_s: float
    earlier_wall_s: float
    earlier_receipts: Sequence[Mapping[str, Any]]

    def begin(self, *, fresh: bool) -> None:
        """Say what run this is."""
        if fresh:
            self.directory.write_text(SCENARIO, account.scenario_text(self.scenario))
            self.write_manifest("running", planned_count=0, taken=[])
        if self.mirror is not None:
            self.mirror.put_all()

    def forget(self) -> None:
        """Remove a run without a finished replication."""
        shutil.rmtree(self.directory.path, ignore_errors=True)
        if self.mirror is not None:
            self.mirror.remove()

    def finished(self) -> list[int]:
        return sorted({*self.directory.parts(), *self.directory.merged()})

    def taken(self) -> list[Mapping[str, Any]]:
        """Receipts of all finished replications."""
        taken = {r["replication"]: r for r in self.earlier_receipts}
        return list((taken | {r["replication"]: r for r in receipts(self.directory)}).values())

    def write_manifest(
        self, status: str, *, planned_count: int, taken: Sequence[Mapping[str, Any]]
    ) -> None:
        state = State(
            planned_count=planned_count,
            status=status,
            workers=self.workers,
            wall_s=self.earlier_wall_s + time.perf_counter() - self.started_s,
            replications=taken,
        )
        text = account.manifest_text(
            self.scenario, seed=self.seed, contents=self.contents, state=state
        )
        self.directory.write_text(MANIFEST, text)

    def job(self, replication: int) -> Job:
        return Job(
            simulate=self.simulate,
            kind=type(self.scenario),
            values=self.scenario.model_dump(),
            seed=self.seed,
            replication=replication,
            directory=self.directory,
            contents=self.contents,
            keep_rows=self.keep_rows,
        )

    def keep(self, replication: int, part: Part | None) -> None:
        """Put a part in place, unless its worker has."""
        if part is not None:
            self.directory.put_part(replication, part)

    def failed(self, replication: int) -> str:
        """What is said of a replication that fails, before the reason."""
        said = f"replication {replication} of seed {self.seed} failed"
        return f"{said}, finished ones are kept for --resume"

    def stream(self, replication: int) -> None:
        """Put a part to the URL, if there is one."""
        if self.mirror is not None:
            self.mirror.put_part(replication)

    def finish(self, planned: int, *, interrupted: bool) -> RunResult:
        """Merge what is finished and write everything that is computed from it."""
        directory, finished, taken = self.directory, self.finished(), self.taken()
        planned = max(planned, len(finished))
        if finished:
            # The receipts go with the parts, so the manifest has them before.
            self.write_manifest("running", planned_count=planned, taken=taken)
            directory.merge(self.contents.merged)
            names = [name for name in self.contents.tables if name not in ROW_TABLES]
            tables = directory.read(names)
            table = estimates(tables, targets=self.scenario.support.targets)
            write_estimates(directory, table)
            summary = account.summary_text(
                self.scenario, seed=self.seed, count=len(finished), table=table
            )
            directory.write_text(SUMMARY, summary)
            status = "interrupted" if interrupted else "complete"
            self.write_manifest(status, planned_count=planned, taken=taken)
            if self.mirror is not None:
                self.mirror.put_all()
        return RunResult(directory.path, len(finished), planned, interrupted, mirror=self.mirror)


def mirror_of(url: str, directory: RunDirectory) -> "Mirror":
    """The copy at a URL. Raises RunError where fsspec, or what it needs for it, is not here."""
    try:
        from sim.experiment.mirror import Mirror
    except ModuleNotFoundError as error:
        raise RunError(
            f"{url} needs {error.name}, which is not here: pip install springpeak[cluster]"
        ) from None
    return Mirror(url, directory)


def with_days(scenario: Scenario, days: tuple[int, int]) -> Scenario:
    """The scenario narrowed to lunar days. Raises RunError."""
    values = scenario.model_dump()
    values["horizon"] |= {"first_day": days[0], "last_day": days[1]}
    try:
        return type(scenario).model_validate(values)
    except ValidationError as error:
        reasons = "; ".join(
            str(problem.get("ctx", {}).get("error", problem["msg"])) for problem in error.errors()
        )
        raise RunError(f"days {days[0]}..{days[1]}: {reasons}") from None


def _replicate_all(
    session: _Session, plan: Plan, *, executor: Executor | None, progress: Progress | None
) -> tuple[int, bool]:
    """Batches until the plan is content; returns the number planned and whether Ctrl-C came."""
    report = progress or _silent
    work: Callable[[Job], Part | None] = replicate if executor is None else replicate_apart
    finished = session.finished()
    planned = plan.first_count(finished)
    try:
        with worker_pool(session.workers, executor) as pool:
            while True:
                report(len(finished), planned)
                missing = sorted(set(range(planned)) - set(finished))

                def kept(replication: int, count: int) -> None:
                    session.stream(replication)
                    report(len(finished) + count, planned)  # noqa: B023

                carry_out(
                    pool,
                    work,
                    {replication: session.job(replication) for replication in missing},
                    keep=session.keep,
                    kept=kept,
                    named=session.failed,
                )
                finished = session.finished()
                following = plan.next_count(planned, session.directory.metrics())
                if following is None:
                    return planned, False
                planned = following
    except KeyboardInterrupt:
        return planned, True


def _silent(_finished: int, _planned: int) -> None:
    pass
