"""Floors of all replications, run side by side: once with the whole world, then again from tapes.

Tapes lie in files, so that any worker can run any replication again. Nothing is decided here.
"""

import pickle
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from scenarios.scenario import Scenario
from sim.columns import Ints
from sim.staffing.floor import Groups, Shown, shown
from sim.streams import Streams
from sim.support.layout import Layout
from sim.support.roster import Roster
from sim.support.tape import Tape
from sim.world import World

ENDLESS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Job:
    """A replication; picklable, which a scenario with generic blocks is not."""

    kind: type[Scenario]
    values: Mapping[str, Any]
    seed: int
    replication: int
    folder: Path
    agents: Ints | None = None
    """Agents (ticks, groups); None for a floor without end, whose tape is taken."""

    @property
    def tape(self) -> Path:
        """Where the tape lies."""
        return self.folder / f"{self.replication}.tape"


def run(job: Job) -> Shown:
    """What the replication's floor shows."""
    scenario = job.kind.model_validate(job.values)
    groups = Groups.of(scenario.support)
    if job.agents is None:
        return _endless(scenario, groups, job)
    with job.tape.open("rb") as file:
        tape: Tape = pickle.load(file)  # written by this very run
    layout = groups.layout(scenario.support)
    slots = groups.slots(job.agents, len(layout.teams))
    pace = _roster(scenario, len(layout.teams)).pace
    attempts = tape.play(layout, tick_s=float(scenario.horizon.tick_s), slots=slots, pace=pace)
    return shown(scenario, groups, attempts)


def _endless(scenario: Scenario, groups: Groups, job: Job) -> Shown:
    tape = Tape()
    agents = _roster(scenario, len(Layout.of(scenario.support).teams)).slots
    streams = Streams(seed=job.seed, replication=job.replication)
    world = World(scenario, streams, agents=agents, tape=tape)
    world.run()
    with job.tape.open("wb") as file:
        pickle.dump(tape, file, protocol=pickle.HIGHEST_PROTOCOL)
    return shown(scenario, groups, world.pool.attempts())


def _roster(scenario: Scenario, teams_count: int) -> Roster:
    horizon = scenario.horizon
    shape = (horizon.days_count * horizon.ticks_per_day, teams_count)
    return Roster.of_agents(
        np.full(shape, ENDLESS, dtype=np.int64),
        scenario.support,
        calendar=scenario.calendar,
        horizon=horizon,
    )


def run_all(pool: Executor, jobs: Sequence[Job], report: Callable[[int], None]) -> list[Shown]:
    """All floors in the order of the jobs; reports how many are done."""
    futures = {pool.submit(run, job): number for number, job in enumerate(jobs)}
    found: dict[int, Shown] = {}
    for future in as_completed(futures):
        found[futures[future]] = future.result()
        report(len(found))
    return [found[number] for number in range(len(jobs))]
