"""Speed of the support pool beside a process-per-consumer model and Ciw: contact attempts a second.

Method: CPU time of one core, all in the same run, ours and the peer's turn by turn, medians.
(a) One day with everything on (six queues, two channels, priorities, redial, reconnect, escalation,
cross-training, staff that changes every quarter of an hour) on the same draws through the pool and
the reference of the tests; both end with their record as NumPy columns. (b) One day of M/M/n+M with
2,400 servers, which Ciw can do too; drawing the random numbers counts for both.
"""

import gc
import json
from collections.abc import Callable
from math import inf
from statistics import median
from time import process_time
from typing import Final

import ciw
import numpy as np
import simpy

from sim.support.cases import Cases
from sim.support.layout import Layout, TeamPlan
from sim.support.pool import Pool
from tests.pool_cases import DAY_S, FLOOR, Tick, draw_cases, draw_ticks, part, run_world
from tests.reference_pool import ReferencePool

AGENTS: Final = 2400
CASES_COUNT: Final = 200_000
ROUNDS: Final = 3
TICK_S: Final = 900.0
CIW_CONTACTS: Final = 50_000
PATIENCE_S: Final = 240.0
HANDLE_S: Final = 0.97 * AGENTS * DAY_S / CIW_CONTACTS
ONE_QUEUE: Final = Layout((TeamPlan("all", 0, (), 0.0, 1),), 0, queues_count=1, topics_count=1)


def timed(work: Callable[[], int]) -> float:
    """Attempts per second of CPU time. Garbage of earlier runs is not charged to this one."""
    gc.collect()
    start_s = process_time()
    count = work()
    return count / (process_time() - start_s)


def ours(layout: Layout, ticks: list[Tick]) -> int:
    """The pool, looked at every tick as the simulation does."""
    env = simpy.Environment()
    pool = Pool(env, layout)
    run_world(env, _Watched(pool), ticks, DAY_S)
    return len(pool.attempts())


class _Watched:
    """A pool whose outcomes are collected at every tick."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.staff = pool.staff
        self.surcharge = pool.surcharge

    def offer(self, cases: Cases) -> None:
        self._pool.collect()
        self._pool.offer(cases)


def reference(ticks: list[Tick]) -> int:
    """A process for each consumer."""
    env = simpy.Environment()
    pool = ReferencePool(env, FLOOR)
    run_world(env, pool, ticks, DAY_S)
    return len(np.array(pool.rows))


def single_queue() -> int:
    """M/M/n+M through the pool, draws included."""
    rng = np.random.default_rng(7)
    gaps_s = rng.exponential(DAY_S / CIW_CONTACTS, CIW_CONTACTS + 2000)
    arrived_s = np.cumsum(gaps_s)
    arrived_s = arrived_s[arrived_s < DAY_S]
    n = len(arrived_s)
    none = np.zeros(n, dtype=np.int8)
    endless = np.full((n, 3), inf)
    cases = Cases(
        case_id=np.arange(n),
        arrived_s=arrived_s,
        queue=none,
        priority=none,
        topic=none,
        patience_s=np.broadcast_to(rng.exponential(PATIENCE_S, n)[:, np.newaxis], (n, 3)),
        redial_delay_s=endless,
        handle_s=np.broadcast_to(rng.exponential(HANDLE_S, n)[:, np.newaxis], (n, 3)),
        reconnect_delay_s=endless,
        escalation_delay_s=endless[:, 0],
        escalation_handle_s=np.zeros(n),
    )
    starts_s = np.arange(0.0, DAY_S, TICK_S)
    bounds = np.searchsorted(arrived_s, [*starts_s, DAY_S])
    ticks = [
        Tick(at_s, (AGENTS,), (1.0,), (1.0,), part(cases, low, high))
        for at_s, low, high in zip(starts_s, bounds, bounds[1:], strict=False)
    ]
    return ours(ONE_QUEUE, ticks)


def single_queue_ciw() -> int:
    """The same by Ciw."""
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(CIW_CONTACTS / DAY_S)],
        service_distributions=[ciw.dists.Exponential(1.0 / HANDLE_S)],
        reneging_time_distributions=[ciw.dists.Exponential(1.0 / PATIENCE_S)],
        number_of_servers=[AGENTS],
    )
    ciw.seed(7)
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(DAY_S)
    # Those still in the system have been simulated, too.
    return len(simulation.get_all_records()) + len(simulation.nodes[1].all_individuals)


def report(name: str, ours_per_s: list[float], peer_per_s: list[float]) -> str:
    """Prints the comparison in words; returns its JSON line."""
    mine, peer = median(ours_per_s), median(peer_per_s)
    print(f"{name}: {mine:,.0f} attempts/s, peer {peer:,.0f}, ratio {mine / peer:.1f}")
    values = {"ours": round(mine), "peer": round(peer), "ratio": round(mine / peer, 2)}
    return json.dumps({"name": name, **values, "unit": "contact attempts/s"})


def main() -> None:
    rng = np.random.default_rng(1)
    cases = draw_cases(rng, CASES_COUNT, until_s=DAY_S)
    ticks = draw_ticks(rng, cases, agents=float(AGENTS), tick_s=TICK_S, until_s=DAY_S)
    mine, peer = [], []
    for _ in range(ROUNDS):
        mine.append(timed(lambda: ours(FLOOR, ticks)))
        peer.append(timed(lambda: reference(ticks)))
    lines = [report("support pool, everything on / process per consumer", mine, peer)]
    mine = [timed(single_queue) for _ in range(ROUNDS)]
    peer = [timed(single_queue_ciw)]
    lines.append(report("support pool, M/M/2400+M / Ciw", mine, peer))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
