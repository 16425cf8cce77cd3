"""Random cases and floors for tests and benchmarks of the support pool, and a world that runs them.

One seed gives one workload: arrivals by an hour profile, six queues, three priorities, redials,
reconnects and escalations with the proportions of the base scenario. Times in seconds.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
import simpy

from sim.support.cases import ATTEMPT_COLUMNS, Cases
from sim.support.layout import Layout, TeamPlan

DAY_S = 86400.0
SHARES = (0.14, 0.24, 0.09, 0.41, 0.03, 0.09)  # contacts by queue
HANDLE_S = (500.0, 825.0, 300.0, 570.0, 500.0, 880.0)  # slot time by queue
FLOOR = Layout(
    teams=(
        TeamPlan("flexible_im", 3, (5, 1), 0.0, 3),
        TeamPlan("flexible_phone", 0, (4, 2), 0.0, 1),
        TeamPlan("general_im", 3, (1,), 0.1, 3),
        TeamPlan("general_phone", 2, (0,), 0.1, 1),
        TeamPlan("instant_im", 1, (3,), 0.1, 3),
        TeamPlan("instant_phone", 0, (2,), 0.1, 1),
        TeamPlan("specialist_im", 5, (1,), 0.2, 3),
        TeamPlan("specialist_phone", 4, (0,), 0.2, 1),
    ),
    escalation_queue=4,
)
TEAM_SHARES = (0.055, 0.045, 0.245, 0.085, 0.205, 0.225, 0.09, 0.05)


class AnyPool(Protocol):
    """What pool and reference have in common."""

    def staff(self, slots_by_team: Sequence[int], pace_by_team: Sequence[float]) -> None: ...
    def surcharge(self, multiple_by_topic: Sequence[float]) -> None: ...
    def offer(self, cases: Cases) -> None: ...


@dataclass(frozen=True, slots=True)
class Tick:
    """What the world does to the floor at one instant."""

    at_s: float
    slots: tuple[int, ...]
    pace: tuple[float, ...]
    surcharge: tuple[float, ...]
    cases: Cases


def part(cases: Cases, start: int, stop: int) -> Cases:
    """The cases of some rows."""
    return Cases(*(getattr(cases, field.name)[start:stop] for field in fields(cases)))


def draw_cases(rng: np.random.Generator, n: int, *, until_s: float) -> Cases:
    """A mixed workload with two daily peaks."""
    arrived = rng.random(3 * n) * until_s
    kept = rng.random(3 * n) < 0.55 - 0.45 * np.cos(4.0 * np.pi * arrived / DAY_S)
    arrived = np.sort(arrived[kept][:n])
    n = len(arrived)
    queue = rng.choice(6, size=n, p=SHARES)
    wide = (n, ATTEMPT_COLUMNS)
    reconnect = np.where(rng.random(wide) < 0.17, rng.exponential(7200.0, wide), np.inf)
    reconnect[:, -1] = np.inf
    return Cases(
        case_id=np.arange(n, dtype=np.int64) + 1000,
        arrived_s=arrived,
        queue=queue.astype(np.int8),
        priority=rng.choice(3, size=n, p=(0.15, 0.55, 0.3)).astype(np.int8),
        topic=rng.integers(0, 8, n).astype(np.int8),
        patience_s=np.exp(rng.normal(5.3, 1.2, wide)),
        redial_delay_s=np.where(rng.random(wide) < 0.5, rng.exponential(900.0, wide), np.inf),
        handle_s=np.asarray(HANDLE_S)[queue][:, None] * np.exp(rng.normal(-0.45, 0.95, wide)),
        reconnect_delay_s=reconnect,
        escalation_delay_s=np.where(rng.random(n) < 0.2, rng.exponential(3600.0, n), np.inf),
        escalation_handle_s=rng.exponential(700.0, n),
    )


def draw_ticks(
    rng: np.random.Generator, cases: Cases, *, agents: float, tick_s: float, until_s: float
) -> list[Tick]:
    """Staff that follows the peaks with noise, pace and surcharge that change now and then."""
    ticks = []
    starts = np.arange(0.0, until_s, tick_s)
    bounds = np.searchsorted(cases.arrived_s, [*starts, until_s])
    for k, at_s in enumerate(starts):
        load = 0.55 - 0.45 * np.cos(4.0 * np.pi * at_s / DAY_S)
        heads = agents * load * rng.uniform(0.8, 1.1)
        slots = tuple(
            int(heads * share * team.sessions_per_agent_count)
            for share, team in zip(TEAM_SHARES, FLOOR.teams, strict=True)
        )
        pace = tuple(1.0 + 0.05 * rng.random(len(FLOOR.teams)))
        surcharge = tuple(np.where(rng.random(8) < 0.1, 1.3, 1.0).tolist())
        ticks.append(Tick(at_s, slots, pace, surcharge, part(cases, bounds[k], bounds[k + 1])))
    return ticks


def run_world(env: simpy.Environment, pool: AnyPool, ticks: Sequence[Tick], until_s: float) -> None:
    """Applies the ticks to the pool and lets the calendar run."""

    def world() -> Generator[simpy.Event, Any, None]:
        for tick in ticks:
            if tick.at_s > env.now:
                yield env.timeout(tick.at_s - env.now)
            pool.surcharge(tick.surcharge)
            pool.staff(tick.slots, tick.pace)
            pool.offer(tick.cases)

    env.process(world())
    env.run(until=until_s)
