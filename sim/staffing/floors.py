"""Worlds of a scenario, simulated once each and kept as tapes, and the floors that run from them.

The market never looks at the floor, so a plan needs no world of its own: each replication's world
is simulated once, with a floor without end, and what the floor was given is kept in a file. Any
worker can run the floor of any replication again: with agents by group (`floors`) or with a
scenario's roster (`trial`). Nothing is decided here.
"""

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeVar

import numpy as np

from scenarios.scenario import Scenario
from sim.columns import Ints
from sim.experiment.runner import worker_pool
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
    seed: int
    replication: int
    folder: Path
    agents: Ints | None = None
    """Agents (ticks, groups) of a floor that runs again."""

    @property
    def scenario(self) -> Scenario:
        """The scenario."""
        return self.kind.model_validate(self.values)

    @property
    def _file(self) -> Path:
        return self.folder / f"{self.replication}.tape"

    def keep(self, tape: Tape) -> None:
        """Write the tape."""
        with self._file.open("wb") as file:
            pickle.dump(tape, file, protocol=pickle.HIGHEST_PROTOCOL)

    def tape(self) -> Tape:
        """Read the tape, written by this very run."""
        with self._file.open("rb") as file:
            tape: Tape = pickle.load(file)
        return tape


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
        """Tapes that are gone at the end; a national one takes 130 MB `beside` a path."""
        place = None if beside is None else beside.parent
        with (
            TemporaryDirectory(prefix="springpeak-", dir=place) as folder,
            worker_pool(workers, executor) as pool,
        ):
            yield cls(scenario, seed=seed, folder=Path(folder), pool=pool)

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
        kind, values = type(scenario), scenario.model_dump()
        return [
            Job(kind, values, self._seed, number, self._folder, agents) for number in replications
        ]

    def _all(
        self, work: Callable[[Job], _Result], jobs: Sequence[Job], report: Report
    ) -> list[_Result]:
        """Results in the order of the jobs."""
        return all_of([self.pool.submit(work, job) for job in jobs], report)


def all_of(futures: Sequence[Any], report: Report) -> list[Any]:
    """Results in order; reports how many are done."""
    for count, future in enumerate(as_completed(futures), 1):
        future.result()
        report(count)
    return [future.result() for future in futures]


def record(job: Job) -> Shown:
    """The replication's floor when nobody has to wait; its tape is kept."""
    scenario, tape = job.scenario, Tape()
    agents = _endless(scenario).slots
    streams = Streams(seed=job.seed, replication=job.replication)
    world = World(scenario, streams, agents=agents, tape=tape)
    world.run()
    job.keep(tape)
    return shown(scenario, Groups.of(scenario.support), world.pool.attempts())


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
