"""The simulation with its loops off against the exact engine, on a world whose law is known.

The tolerance is the simulation's own interval: 30 seasons of about 5,000 claims. `make
bench-payout` does the same with many more, and states 0.1 % of the mean and 0.3 % of P99.
"""

import numpy as np
import pytest

from sim.experiment.confidence import quantile_interval, student
from tests.exact_world import exact_total, exact_world, simulated_cny

COUNT = 30


@pytest.mark.stat
def test_simulated_payouts_have_the_law_of_the_exact_engine() -> None:
    """Mean and median inside 95 % intervals: one seed in ten fails, this one is fixed. The
    deviation within 40 %, nearly three standard errors of the deviation of so few."""
    world = exact_world(orders_multiple=24.0)
    law = exact_total(world)
    found = np.array([simulated_cny(world, seed=11, replication=r) for r in range(COUNT)])
    mean = student(found)
    assert mean.low <= law.mean <= mean.high
    assert mean.half_width < 0.008 * law.mean
    median = quantile_interval(np.sort(found), 0.5)
    assert median is not None
    assert median[0] <= law.risk(0.5).var <= median[1]
    assert float(found.std(ddof=1)) == pytest.approx(law.sd, rel=0.4)
