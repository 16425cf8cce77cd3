"""The simulated answer beside the approximate one: two runs under common random numbers.

A study runs the baseline and the change with the same seed, days and replications, in a thread over
worker processes that stay warm, one study at a time. Runs stand in a folder by fingerprint, so that
a baseline is simulated once. Cancelling lets the replication in hand finish and keeps what is
finished, as Ctrl-C does for `springpeak run`. Times are not this module's matter.
"""

import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from scenarios.scenario import Scenario
from sim.experiment import account
from sim.experiment.compare import PairedDifference, compare
from sim.experiment.contents import ALL
from sim.experiment.executor import processes
from sim.experiment.files import RunError
from sim.experiment.rundir import RunDirectory
from sim.experiment.runner import run, with_days

Phase = Literal["baseline", "change", "done", "cancelled", "failed"]
ENDED: Final = ("done", "cancelled", "failed")


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be simulated."""

    baseline: Scenario
    change: Scenario
    days: tuple[int, int]
    replications: int
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a study is."""

    phase: Phase
    finished_count: int
    """Replications finished, both runs together."""
    planned_count: int
    cancelling: bool = False
    message: str = ""
    baseline_path: Path | None = None
    change_path: Path | None = None
    differences: tuple[PairedDifference, ...] = ()

    @property
    def ended(self) -> bool:
        return self.phase in ENDED


class Busy(Exception):
    """Another study is running: the one of this number."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Study:
    """One question on its way to an answer."""

    def __init__(self, question: Question, folder: Path, executor: Executor) -> None:
        self.question = question
        self._folder, self._executor = folder, executor
        self._cancelled = threading.Event()
        planned = 2 * question.replications
        self.progress = Progress("baseline", 0, planned)
        self._thread = threading.Thread(target=self._work, name="study", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def cancel(self) -> None:
        """Stop after the replications in hand."""
        self._cancelled.set()
        if not self.progress.ended:
            self.progress = replace(self.progress, cancelling=True)

    def wait(self) -> None:
        """Until it has ended."""
        self._thread.join()

    def _work(self) -> None:
        question = self.question
        try:
            paths: list[Path] = []
            for scenario in (question.baseline, question.change):
                self.progress = replace(self.progress, phase="change" if paths else "baseline")
                path, complete = self._run(scenario, done_before=len(paths))
                paths.append(path)
                self.progress = replace(
                    self.progress,
                    baseline_path=paths[0],
                    change_path=paths[1] if len(paths) > 1 else None,
                )
                if not complete:
                    self._stopped(paths)
                    return
            self.progress = replace(
                self.progress, phase="done", differences=compare(*paths), cancelling=False
            )
        except Exception as error:
            # A thread has nobody above it: what went wrong is said on the page.
            self.progress = replace(
                self.progress, phase="failed", message=f"{type(error).__name__}: {error}"
            )

    def _stopped(self, paths: list[Path]) -> None:
        """Compare what both runs have, if anything."""
        kept = sum(len(RunDirectory(path).merged()) for path in paths)
        both = len(paths) == 2 and all(RunDirectory(path).merged() for path in paths)
        self.progress = replace(
            self.progress,
            phase="cancelled",
            finished_count=kept,
            cancelling=False,
            differences=compare(paths[0], paths[1]) if both else (),
        )

    def _run(self, scenario: Scenario, *, done_before: int) -> tuple[Path, bool]:
        """The run's folder, and whether all its replications are there."""
        question = self.question
        scenario = with_days(scenario, question.days)
        path = self._folder / account.run_id(scenario, seed=question.seed, contents=ALL)
        before = done_before * question.replications
        directory = RunDirectory(path)
        if len(directory.merged()) >= question.replications and not directory.parts():
            self.progress = replace(self.progress, finished_count=before + question.replications)
            return path, not self._cancelled.is_set()
        try:
            result = run(
                scenario,
                replications=question.replications,
                precision_ratio=None,
                seed=question.seed,
                workers=1,
                out=path,
                resume=path.exists(),
                executor=self._executor,
                progress=lambda done, _: self._report(before + done),
            )
        except RunError:
            if self._cancelled.is_set():
                return path, False
            raise
        return path, not result.interrupted

    def _report(self, finished: int) -> None:
        """Note the progress; the runner takes a cancellation as Ctrl-C."""
        self.progress = replace(self.progress, finished_count=finished)
        if self._cancelled.is_set():
            raise KeyboardInterrupt


class Desk:
    """Studies by number, one at a time, over worker processes that stay."""

    def __init__(
        self, folder: Path, *, workers: int, executor: Callable[[], Executor] | None = None
    ) -> None:
        self.folder = folder
        self._make = executor or (lambda: processes(workers))
        self._executor: Executor | None = None
        self._lock = threading.Lock()
        self._studies: list[Study] = []

    def start(self, question: Question) -> int:
        """Start a study and return its number. Raises Busy."""
        with self._lock:
            if self._studies and not self._studies[-1].progress.ended:
                raise Busy(len(self._studies) - 1)
            if self._executor is None:
                self._executor = self._make()
            self._studies.append(Study(question, self.folder, self._executor))
            self._studies[-1].start()
            return len(self._studies) - 1

    def study(self, number: int) -> Study:
        """Raises IndexError where there is none."""
        if number < 0:
            raise IndexError(number)
        return self._studies[number]

    def close(self) -> None:
        """Stop what is running, without waiting for a replication in hand."""
        for study in self._studies:
            study.cancel()
        if self._executor is None:
            return
        for process in multiprocessing.active_children():
            process.terminate()
        self._executor.shutdown(wait=True, cancel_futures=True)
