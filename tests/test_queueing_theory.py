"""With mechanisms switched off the pool is the queue of the textbook.

Goal: values of CHECKS A.1, A.2 and A.4 inside a 99.99 % interval. Method: one long run a case with
fixed seed, started empty, the first tenth left out; batch means over 20 batches give the standard
error (Student t, 19 degrees of freedom: 4.9 standard errors at 99.99 %). Each of the 36 comparisons
raises a false alarm with probability 1e-4 before its seed is fixed, all together with 0.36 %.
Compared are the outputs of least variance: occupancy, share that waits, share abandoned; mean waits
at moderate load only. Intervals too wide to see an error of interest would prove nothing, so their
half-widths are bounded (relative; beside each case). Last, a planted error of 3 % is caught.
"""

from dataclasses import dataclass
from math import inf

import numpy as np
import pytest
import simpy
from numpy.typing import NDArray
from scipy.stats import t as student

from sim.support.attempts import ABANDONED, Attempts
from sim.support.cases import Cases
from sim.support.integrals import open_integral
from sim.support.layout import Layout, TeamPlan
from sim.support.pool import Pool
from sim.theory.erlang import erlang_b, erlang_c
from sim.theory.impatience import erlang_a
from sim.theory.priority import priorities

pytestmark = pytest.mark.stat
BATCHES = 20
QUANTILE = float(student.ppf(1.0 - 0.5e-4, BATCHES - 1))
ONE_QUEUE = Layout((TeamPlan("all", 0, (), 0.0, 1),), 0, queues_count=1, topics_count=1)
ENDLESS = 10**6


@dataclass(frozen=True)
class Case:
    """A stationary queue: load in erlangs, handle times of mean 1, exponential at `cv` 1."""

    n: int
    load: float
    patience: float = inf  # mean, in mean handle times; 0 = blocked, inf = waits for ever
    cv: float = 1.0


def run(case: Case, contacts: int, seed: int, handle_multiple: float = 1.0) -> Attempts:
    """One class, Poisson arrivals; patience exponential, none, or endless."""
    rng = np.random.default_rng(seed)
    wide = (contacts, 3)
    arrived = np.cumsum(rng.exponential(1.0 / case.load, contacts))
    if case.cv == 1.0:
        handle = rng.exponential(1.0, wide)
    else:
        variance = np.log1p(case.cv**2)
        handle = np.exp(rng.normal(-variance / 2.0, variance**0.5, wide))
    if case.patience in (0.0, inf):
        patience = np.full(wide, case.patience)
    else:
        patience = rng.exponential(case.patience, wide)
    cases = Cases(
        case_id=np.arange(contacts),
        arrived_s=arrived,
        queue=np.zeros(contacts, dtype=np.int8),
        priority=(rng.random(contacts) < 0.7).astype(np.int8),
        topic=np.zeros(contacts, dtype=np.int8),
        patience_s=patience,
        redial_delay_s=np.full(wide, inf),
        handle_s=handle * handle_multiple,
        reconnect_delay_s=np.full(wide, inf),
        escalation_delay_s=np.full(contacts, inf),
        escalation_handle_s=np.zeros(contacts),
    )
    env = simpy.Environment()
    pool = Pool(env, ONE_QUEUE)
    pool.staff((case.n,), (1.0,))
    pool.offer(cases)
    env.run(until=float(arrived[-1]))
    return pool.attempts()


def batch_means(values: NDArray[np.float64], warm_up: float = 0.1) -> tuple[float, float]:
    """Mean and 99.99 % half-width from batches, the warm-up left out."""
    kept = values[int(len(values) * warm_up) :]
    means = np.array([batch.mean() for batch in np.array_split(kept, BATCHES)])
    return float(means.mean()), QUANTILE * float(means.std(ddof=1)) / BATCHES**0.5


def busy_by_interval(attempts: Attempts) -> NDArray[np.float64]:
    """Mean busy servers in 2,000 intervals of the run."""
    served = attempts.team >= 0
    end_s = float(attempts.arrived_s[-1])
    ended = np.where(np.isnan(attempts.ended_s), inf, attempts.ended_s)[served]
    integral = open_integral(
        group=np.zeros(int(served.sum()), dtype=np.int64),
        groups_count=1,
        start_s=attempts.answered_s[served],
        end_s=ended,
        interval_s=end_s / 2000,
        intervals_count=2000,
    )
    return integral[:, 0] / (end_s / 2000)


def holds(values: NDArray[np.float64], expected: float, limit_ratio: float) -> None:
    mean, half_width = batch_means(values)
    assert half_width <= limit_ratio * expected, f"half-width {half_width} proves too little"
    assert abs(mean - expected) <= half_width, f"{mean} +- {half_width}, expected {expected}"


def waits(attempts: Attempts) -> NDArray[np.float64]:
    left = np.where(attempts.outcome == ABANDONED, attempts.ended_s, attempts.answered_s)
    wait = left - attempts.arrived_s
    return np.where(np.isnan(wait), attempts.arrived_s[-1] - attempts.arrived_s, wait)


@pytest.mark.parametrize(
    ("n", "load", "contacts", "limit_ratio"),
    [(2, 1.0, 120_000, 0.06), (5, 3.0, 120_000, 0.12), (14, 10.0, 120_000, 0.2)],
)
def test_erlang_c(n: int, load: float, contacts: int, limit_ratio: float) -> None:
    """M/M/n: share that waits, busy servers, and at these loads the mean wait."""
    attempts = run(Case(n, load), contacts, seed=n)
    delay_ratio = float(erlang_c(n, load))
    holds(1.0 * (waits(attempts) > 0.0), delay_ratio, limit_ratio)
    holds(busy_by_interval(attempts), load, 0.03)
    holds(waits(attempts), delay_ratio / (n - load), 3.0 * limit_ratio)


@pytest.mark.parametrize(
    ("n", "load", "patience", "contacts", "limit_ratio"),
    [
        (11, 10.0, 300 / 180, 150_000, 0.1),
        (10, 10.0, 60 / 180, 150_000, 0.06),
        (100, 100.0, 1.0, 200_000, 0.15),
        (2300, 2400.0, 0.5, 300_000, 0.2),
    ],
)
def test_erlang_a(n: int, load: float, patience: float, contacts: int, limit_ratio: float) -> None:
    """M/M/n+M: share that waits, share abandoned, busy servers."""
    attempts = run(Case(n, load, patience), contacts, seed=n)
    theory = erlang_a(agents=n, arrival_per_s=load, aht_s=1.0, patience_s=patience, threshold_s=0.0)
    abandoned_ratio = float(theory.p_abandon)
    holds(1.0 * (waits(attempts) > 0.0), float(theory.p_wait), limit_ratio)
    abandoned = 1.0 * (attempts.outcome == ABANDONED)
    holds(abandoned, abandoned_ratio, 2.0 * limit_ratio)
    holds(busy_by_interval(attempts), load * (1.0 - abandoned_ratio), 0.03)


@pytest.mark.parametrize(
    ("n", "load", "cv", "contacts", "limit_ratio"),
    [
        (2, 1.0, 1.2, 120_000, 0.08),
        (10, 8.0, 1.2, 120_000, 0.12),
        (100, 100.0, 1.2, 200_000, 0.2),
        (2400, 2600.0, 1.0, 250_000, 0.2),
    ],
)
def test_erlang_b_for_any_handle_time(
    n: int, load: float, cv: float, contacts: int, limit_ratio: float
) -> None:
    """M/G/n/n: no patience means blocked; the loss does not depend on the law of handle times."""
    attempts = run(Case(n, load, patience=0.0, cv=cv), contacts, seed=n)
    loss = float(erlang_b(n, load))
    holds(1.0 * (attempts.outcome == ABANDONED), loss, limit_ratio)
    holds(busy_by_interval(attempts), load * (1.0 - loss), 0.03)


@pytest.mark.parametrize(("load", "contacts"), [(5.0, 120_000), (500.0, 200_000)])
def test_infinite_servers(load: float, contacts: int) -> None:
    """M/G/inf: busy servers are Poisson for any handle time: mean and variance equal the load."""
    attempts = run(Case(ENDLESS, load, cv=1.2), contacts, seed=int(load))
    assert not (waits(attempts) > 0.0).any()
    times = np.linspace(0.0, attempts.arrived_s[-1], 4001)
    busy = np.searchsorted(attempts.arrived_s, times, side="right") - np.searchsorted(
        np.sort(attempts.ended_s), times, side="right"
    )
    holds(busy.astype(float), load, 0.05)
    holds((busy - load) ** 2, load, 0.6)


def test_priorities() -> None:
    """M/M/13 with two non-pre-emptive classes (Cobham); who waits is Erlang C's matter."""
    attempts = run(Case(13, 10.0), 400_000, seed=13)
    _, by_class = priorities(agents=13, arrivals_per_s=(3.0, 7.0), aht_s=1.0, threshold_s=0.0)
    high_s, low_s = by_class.mean_wait_s.tolist()
    wait = waits(attempts)
    holds(wait[attempts.priority == 0], high_s, 0.2)
    holds(wait[attempts.priority == 1], low_s, 0.35)
    holds(1.0 * (wait > 0.0), float(erlang_c(13, 10.0)), 0.12)


def test_planted_error_is_caught() -> None:
    """3 % longer handle times put busy servers and the loss outside their intervals."""
    case = Case(100, 100.0, patience=0.0)
    attempts = run(case, 400_000, seed=100, handle_multiple=1.03)
    free = run(Case(ENDLESS, 100.0), 400_000, seed=100, handle_multiple=1.03)
    for values, expected in (
        (1.0 * (attempts.outcome == ABANDONED), float(erlang_b(100, 100.0))),
        (busy_by_interval(free), 100.0),
    ):
        mean, half_width = batch_means(values)
        assert abs(mean - expected) > half_width
