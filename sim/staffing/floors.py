"""Worlds of a scenario, simulated once each and kept as tapes, and the floors that run from them.

The market never looks at the floor, so a plan needs no world of its own: each replication's world
is simulated once, with a floor without end, and what the floor was given is kept in a file. Any
worker can run the floor of any replication again: with agents by group (`floors`) or with a
scenario's roster (`trial`). Nothing is decided here.

Workers that are not processes of our own may stand on machines that share no files: each machine
keeps the tapes that its workers come to need, and a tape that is not there is recorded again, which
gives the same tape.
"""

import pickle
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any, Final, TypeVar
from uuid import uuid4
from weakref import finalize

import numpy as np

from scenarios.scenario import Scenario
from sim.columns import Ints
from sim.experiment.executor import worker_pool
from sim.staffing import trial
from sim.staffing.floor import Groups, Shown, shown
from sim.staffing.trial import Trial
from sim.streams import Streams
from sim.support.layout import Layout
from sim.support.roster import Roster
from sim.support.tape import Tape
from sim.world import World

ENDLESS: Final = 20_000
Report = Callable[[int], None]
"""Hears how many are done."""
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Job:
    """A replication of a scenario; picklable, which a scenario with generic blocks is not."""

    kind: type[Scenario]
    values: Mapping[str, Any]
    taped: Mapping[str, Any]
    """The scenario that is on the tapes; the other one may have another roster."""
    seed: int
    replication: int
    folder: Path
    """Of the tapes; one that is not absolute lies among the temporary files of each machine."""
    agents: Ints | None = None
    """Agents (ticks, groups) of a floor that runs again."""

    @property
    def scenario(self) -> Scenario:
        """The scenario."""
        return self.kind.model_validate(self.values)

    def tape(self) -> Tape:
        """Read the tape, written by this very study; on a machine without it, record it again."""
        try:
            with self._file.open("rb") as file:
                tape: Tape = pickle.load(file)
        except FileNotFoundError:
            tape, _ = _recorded(self)
        return tape

    def keep(self, tape: Tape) -> None:
        """Write the tape in one step: other workers of the machine may look for it."""
        unfinished = self._file.with_suffix(f".{uuid4().hex}")
        with unfinished.open("wb") as file:
            pickle.dump(tape, file, protocol=pickle.HIGHEST_PROTOCOL)
        unfinished.replace(self._file)

    @property
    def _file(self) -> Path:
        folder = self.folder if self.folder.is_absolute() else _shelf(self.folder.name).path
        return folder / f"{self.replication}.tape"


class _Shelf:
    """A folder of tapes of this machine, gone with the worker process or with its next study."""

    def __init__(self, name: str) -> None:
        self.path = Path(gettempdir()) / name
        # Nobody else's: what is read from it is unpickled.
        self.path.mkdir(mode=0o700, exist_ok=True)
        finalize(self, shutil.rmtree, self.path, ignore_errors=True)


@lru_cache(maxsize=1)
def _shelf(name: str) -> _Shelf:
    return _Shelf(name)


class Tapes:
    """Tapes of one scenario and seed in a folder, and the workers that record and play them."""

    def __init__(self, scenario: Scenario, *, seed: int, folder: Path, pool: Executor) -> None:
        self.scenario, self.pool = scenario, pool
        self._seed, self._folder = seed, folder

    @classmethod
    @contextmanager
    def open(
        cls,
        scenario: Scenario,
        *,
        seed: int,
        workers: int,
        executor: Executor | None = None,
        beside: Path | None = None,
    ) -> Iterator["Tapes"]:
        """Tapes that are gone at the end; a national one takes 130 MB `beside` a path, with an
        `executor` among the temporary files of each of its machines."""
        with _folder(executor, beside) as folder, worker_pool(workers, executor) as pool:
            yield cls(scenario, seed=seed, folder=folder, pool=pool)

    def record(self, replications: Sequence[int], report: Report) -> list[Shown]:
        """Simulates worlds with an endless floor and keeps their tapes."""
        return self._all(record, self._jobs(self.scenario, replications), report)

    def floors(self, replications: Sequence[int], agents: Ints, report: Report) -> list[Shown]:
        """Floors with agents by group (ticks, groups), each group alone."""
        return self._all(again, self._jobs(self.scenario, replications, agents), report)

    def trials(
        self, staffed: Sequence[Scenario], replications: Sequence[int], report: Report
    ) -> list[Trial]:
        """Floors with the rosters of scenarios, which else are the one on the tapes."""
        return self._trials(on_tape, [(one, replications) for one in staffed], report)

    def whole_trials(
        self, staffed: Sequence[tuple[Scenario, Sequence[int]]], report: Report
    ) -> list[Trial]:
        """Whole simulations, each of its own replications; they need no tape."""
        return self._trials(whole, staffed, report)

    def _trials(
        self,
        work: Callable[[Job], trial.Shows],
        staffed: Sequence[tuple[Scenario, Sequence[int]]],
        report: Report,
    ) -> list[Trial]:
        jobs = [self._jobs(scenario, numbers) for scenario, numbers in staffed]
        shown = iter(self._all(work, [job for own in jobs for job in own], report))
        return [Trial.of([next(shown) for _ in own]) for own in jobs]

    def _jobs(
        self, scenario: Scenario, replications: Sequence[int], agents: Ints | None = None
    ) -> list[Job]:
        kind, values, taped = type(scenario), scenario.model_dump(), self.scenario.model_dump()
        return [
            Job(kind, values, taped, self._seed, number, self._folder, agents)
            for number in replications
        ]

    def _all(
        self, work: Callable[[Job], _Result], jobs: Sequence[Job], report: Report
    ) -> list[_Result]:
        """Results in the order of the jobs."""
        return all_of([self.pool.submit(work, job) for job in jobs], report)


@contextmanager
def _folder(executor: Executor | None, beside: Path | None) -> Iterator[Path]:
    if executor is not None:
        yield Path(f"springpeak-{uuid4().hex}")
        return
    place = None if beside is None else beside.parent
    with TemporaryDirectory(prefix="springpeak-", dir=place) as folder:
        yield Path(folder).absolute()


def all_of(futures: Sequence[Any], report: Report) -> list[Any]:
    """Results in order; reports how many are done."""
    for count, future in enumerate(as_completed(futures), 1):
        future.result()
        report(count)
    return [future.result() for future in futures]


def record(job: Job) -> Shown:
    """The replication's floor when nobody has to wait; its tape is kept."""
    _, world = _recorded(job)
    return shown(job.scenario, Groups.of(job.scenario.support), world.pool.attempts())


def _recorded(job: Job) -> tuple[Tape, World]:
    scenario, tape = job.kind.model_validate(job.taped), Tape()
    agents = _endless(scenario).slots
    streams = Streams(seed=job.seed, replication=job.replication)
    world = World(scenario, streams, agents=agents, tape=tape)
    world.run()
    job.keep(tape)
    return tape, world


def again(job: Job) -> Shown:
    """The replication's floor with the job's agents."""
    scenario = job.scenario
    groups = Groups.of(scenario.support)
    layout = groups.layout(scenario.support)
    assert job.agents is not None, "agents by group"
    attempts = job.tape().play(
        layout,
        tick_s=float(scenario.horizon.tick_s),
        slots=groups.slots(job.agents, len(layout.teams)),
        pace=_endless(scenario).pace,
    )
    return shown(scenario, groups, attempts)


def on_tape(job: Job) -> trial.Shows:
    """The replication's floor with the scenario's roster."""
    return trial.floor(job.scenario, job.tape(), seed=job.seed, replication=job.replication)


def whole(job: Job) -> trial.Shows:
    """The whole simulation of the replication."""
    return trial.whole(job.scenario, seed=job.seed, replication=job.replication)


def _endless(scenario: Scenario) -> Roster:
    horizon = scenario.horizon
    shape = (horizon.days_count * horizon.ticks_per_day, len(Layout.of(scenario.support).teams))
    return Roster.of_agents(
        np.full(shape, ENDLESS, dtype=np.int64),
        scenario.support,
        calendar=scenario.calendar,
        horizon=horizon,
    )
