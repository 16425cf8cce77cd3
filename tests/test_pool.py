"""The pool against the plain process-per-consumer model: identical event logs on the same draws.

Method: one random workload with everything on (six queues, three priorities, abandonment, redial,
reconnect, escalation, IM slots, cross-training with reserves, staff, pace and surcharges that
change every quarter of an hour) through both; every row must be equal to the last bit. Ties are
not met here (times are multiples of a nanosecond); their rule has a case of its own.
"""

import numpy as np
import simpy

from sim.support.attempts import (
    ABANDONED,
    ANSWERED,
    ESCALATION,
    IN_SYSTEM,
    RECONNECT,
    REDIAL,
    Attempts,
)
from sim.support.pool import Pool
from tests.pool_cases import DAY_S, FLOOR, draw_cases, draw_ticks, run_world
from tests.reference_pool import ReferencePool


def table(attempts: Attempts) -> np.ndarray:
    """The columns that the reference keeps, in its order."""
    names = ("case_row", "attempt", "kind", "queue", "priority", "arrived_s", "answered_s")
    more = ("ended_s", "team", "resolved")
    rows = np.column_stack([np.asarray(getattr(attempts, n), dtype=float) for n in names + more])
    return rows[np.lexsort((rows[:, 1], rows[:, 0]))]


def test_event_log_equals_the_reference() -> None:
    rng = np.random.default_rng(20260217)
    cases = draw_cases(rng, 85_000, until_s=DAY_S)
    ticks = draw_ticks(rng, cases, agents=720.0, tick_s=900.0, until_s=DAY_S)
    logs = []
    for kind in (Pool, ReferencePool):
        env = simpy.Environment()
        pool = kind(env, FLOOR)
        run_world(env, pool, ticks, DAY_S)
        if isinstance(pool, Pool):
            attempts = pool.attempts()
            logs.append(table(attempts))
        else:
            rows = np.array(pool.rows, dtype=float)
            logs.append(rows[np.lexsort((rows[:, 1], rows[:, 0]))])
    ours, reference = logs
    assert len(ours) >= 100_000
    np.testing.assert_array_equal(ours, reference)
    # The workload has to exercise what it claims to.
    for kind_code, least in ((REDIAL, 1000), (RECONNECT, 5000), (ESCALATION, 200)):
        assert (attempts.kind == kind_code).sum() > least
    for outcome, least in ((ANSWERED, 50_000), (ABANDONED, 5000), (IN_SYSTEM, 1)):
        assert (attempts.outcome == outcome).sum() >= least
    first = np.array([team.first for team in FLOOR.teams])
    assert (first[attempts.team] != attempts.queue)[attempts.team >= 0].sum() > 1000
