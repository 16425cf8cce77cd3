"""The walk of a floor is the support pool's: the same answers, contact by contact."""

import numpy as np
import pytest
import simpy

from sim.fit.floor import Callers, Staff, walked
from sim.support.attempts import ANSWERED
from sim.support.cases import ATTEMPT_COLUMNS, Cases
from sim.support.pool import Pool
from tests.log_cases import FLOOR

DAY_S = 86400.0


@pytest.mark.parametrize("seed", range(3))
def test_the_walk_is_the_pool(seed: int) -> None:
    """Overloaded, with staff that comes, goes and works at its own pace. Times of the pool lie on a
    grid of 2^-30 s, so that a hundred services in a row may differ by 1e-7 s."""
    rng = np.random.default_rng(seed)
    n, wide = 900, (900, ATTEMPT_COLUMNS)
    arrived_s = np.sort(rng.random(n)) * DAY_S / 2.0
    patience_s, handle_s = rng.exponential(240.0, n), rng.lognormal(5.0, 0.9, n)
    ticks = np.arange(0.0, DAY_S, 1800.0) + 0.25
    agents_count, pace_ratio = rng.integers(0, 7, len(ticks)), 1.0 + 0.2 * rng.random(len(ticks))
    one_line = np.zeros(n, np.int64)
    answered_s = walked(
        Callers(arrived_s, patience_s, handle_s, one_line, np.zeros(n), one_line),
        Staff(ticks, agents_count[:, np.newaxis], pace_ratio, np.ones((1, 1), np.bool_)),
        until_s=DAY_S,
    ).answered_s
    zeros, never = np.zeros(n, np.int8), np.full(wide, np.inf)
    env = simpy.Environment()
    pool = Pool(env, FLOOR)
    cases = Cases(
        case_id=np.arange(n),
        arrived_s=arrived_s,
        queue=zeros,
        priority=zeros,
        topic=zeros,
        patience_s=np.repeat(patience_s[:, np.newaxis], ATTEMPT_COLUMNS, axis=1),
        redial_delay_s=never,
        handle_s=np.repeat(handle_s[:, np.newaxis], ATTEMPT_COLUMNS, axis=1),
        reconnect_delay_s=never,
        escalation_delay_s=never[:, 0],
        escalation_handle_s=np.ones(n),
    )

    def floor():
        pool.staff((0,), (1.0,))
        pool.offer(cases)
        rows = (ticks.tolist(), agents_count.tolist(), pace_ratio.tolist())
        for at_s, count, pace in zip(*rows, strict=True):
            yield env.timeout(at_s - env.now)
            pool.staff((count,), (pace,))

    env.process(floor())
    env.run(until=DAY_S)
    attempts = pool.attempts()
    expected_s = np.full(n, np.nan)
    served = attempts.outcome == ANSWERED
    expected_s[attempts.case_row[served]] = attempts.answered_s[served]
    assert 0.2 < np.isnan(expected_s).mean() < 0.9
    assert answered_s == pytest.approx(expected_s, abs=1e-6, nan_ok=True)
