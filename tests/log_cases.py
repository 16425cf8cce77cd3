"""Contact logs made by the model itself, with known parameters: for tests and benchmarks of fits.

Arrivals have gamma factors by day and by hour, patience and handle times their laws, who abandons
redials, who was answered may come back; the support pool decides who is answered. Every answered
contact gets an agent who was free. Written as the CSV that `springpeak fit contacts` reads.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import exp
from pathlib import Path

import numpy as np
import polars as pl
import simpy

from sim.fit.turns import AFTER_CALL_S
from sim.support.attempts import ABANDONED, ANSWERED
from sim.support.cases import Cases
from sim.support.layout import Layout, TeamPlan
from sim.support.pool import Pool

START = datetime(2026, 3, 2)  # a Monday
SHORT_S = (1.0, 9.9)
# Hours 8 to 19.
OPEN = np.array([0.06, 0.09, 0.1, 0.1, 0.09, 0.08, 0.09, 0.09, 0.08, 0.08, 0.07, 0.07])
FLOOR = Layout(
    teams=(TeamPlan("all", 0, (), 0.0, 1),), escalation_queue=0, queues_count=1, topics_count=1
)
PROFILE = np.concatenate([np.zeros(8), OPEN / OPEN.sum(), np.zeros(4)])


@dataclass(frozen=True, slots=True)
class Truth:
    """The parameters that a fit has to find."""

    per_day: float = 700.0
    day_cv: float = 0.15
    hour_cv: float = 0.12
    handle_mu: float = 5.0
    handle_sigma: float = 0.7
    short_ratio: float = 0.06
    patience_mu: float = 5.3
    patience_sigma: float = 1.3
    redial_ratio: float = 0.4
    redial_delay_mean_s: float = 900.0
    reconnect_ratio: float = 0.08
    reconnect_delay_median_s: float = 7200.0
    reconnect_delay_sigma: float = 0.8
    turn_mean_s: float = 12.0
    agents: int = 4

    @property
    def availability_ratio(self) -> float:
        """Agents are there all day; of their turns, exponential, what lies beyond a minute is a
        pause (sim/fit/turns.py)."""
        long_s = exp(self.handle_mu + self.handle_sigma**2 / 2.0)
        handle_s = self.short_ratio * (SHORT_S[0] + SHORT_S[1]) / 2.0
        handle_s += (1.0 - self.short_ratio) * long_s
        pause_s = self.turn_mean_s * exp(-AFTER_CALL_S / self.turn_mean_s)
        return 1.0 - pause_s / (handle_s + self.turn_mean_s)


def frame(truth: Truth, *, days: int, seed: int) -> pl.DataFrame:
    """The log as its columns."""
    rng = np.random.default_rng(seed)
    day = rng.gamma(1.0 / truth.day_cv**2, truth.day_cv**2, days)
    hour = rng.gamma(1.0 / truth.hour_cv**2, truth.hour_cv**2, (days, 24))
    counts = rng.poisson(truth.per_day * day[:, np.newaxis] * hour * PROFILE)
    starts = np.repeat(np.arange(days * 24) * 3600.0, counts.ravel())
    arrived_s = np.sort(starts + rng.random(len(starts)) * 3600.0)
    n, wide = len(arrived_s), (len(arrived_s), 3)

    def some(ratio: float, delay_s: np.ndarray) -> np.ndarray:
        return np.where(rng.random(wide) < ratio, delay_s, np.inf)

    back_s = truth.reconnect_delay_median_s * np.exp(
        truth.reconnect_delay_sigma * rng.standard_normal(wide)
    )
    reconnect_s = some(truth.reconnect_ratio, back_s)
    turn_s = rng.exponential(truth.turn_mean_s, wide)
    # The pool counts from the agent's end, who is busy for a turn longer than the contact.
    reconnect_s = np.maximum(reconnect_s - turn_s, 1.0)
    reconnect_s[:, -1] = np.inf
    # Below 10 s one in sixteen thousand: the short component has a share of its own.
    long_s = np.exp(truth.handle_mu + truth.handle_sigma * rng.standard_normal(wide))
    short = rng.random(wide) < truth.short_ratio
    cases = Cases(
        case_id=np.arange(n),
        arrived_s=arrived_s,
        queue=np.zeros(n, np.int8),
        priority=np.zeros(n, np.int8),
        topic=np.zeros(n, np.int8),
        patience_s=np.exp(truth.patience_mu + truth.patience_sigma * rng.standard_normal(wide)),
        redial_delay_s=some(truth.redial_ratio, rng.exponential(truth.redial_delay_mean_s, wide)),
        handle_s=np.where(short, rng.uniform(*SHORT_S, wide), long_s) + turn_s,
        reconnect_delay_s=reconnect_s,
        escalation_delay_s=np.full(n, np.inf),
        escalation_handle_s=np.ones(n),
    )
    env = simpy.Environment()
    pool = Pool(env, FLOOR)
    pool.staff((truth.agents,), (1.0,))
    pool.offer(cases)
    env.run(until=days * 86400.0 + 7200.0)
    a = pool.attempts()
    # Whole days only: a last day of a few redials would be a day of its own to a fit.
    within = a.arrived_s < days * 86400.0
    done = (a.outcome == ABANDONED) | ((a.outcome == ANSWERED) & ~np.isnan(a.ended_s))
    done &= within
    arrived, answered, free = a.arrived_s[done], a.answered_s[done], a.ended_s[done]
    served, row = a.outcome[done] == ANSWERED, a.case_row[done]
    ended = free - np.where(served, turn_s[row, _answers(row, served)], 0.0)
    return pl.DataFrame(
        {
            "contact_id": np.arange(len(arrived)),
            "queue": ["all"] * len(arrived),
            "priority": np.ones(len(arrived), np.int64),
            "arrived_at": _times(arrived),
            "answered_at": _times(np.where(served, answered, np.nan)),
            "ended_at": _times(ended),
            "outcome": np.where(served, "answered", "abandoned"),
            "agent": _agents(answered, free, served),
            "caller": [f"c{case}" for case in row],
        }
    )


def write(path: Path, truth: Truth, *, days: int, seed: int) -> Path:
    """The log as a CSV file."""
    frame(truth, days=days, seed=seed).write_csv(path)
    return path


def _times(seconds: np.ndarray) -> list[str | None]:
    """ISO 8601 with microseconds; None for NaN."""
    return [
        None if np.isnan(s) else (START + timedelta(seconds=float(s))).isoformat()
        for s in seconds
    ]


def _answers(case: np.ndarray, served: np.ndarray) -> np.ndarray:
    """How many answers of the same case came before, as the pool counts its columns."""
    before: dict[int, int] = {}
    found = np.zeros(len(case), np.int64)
    for place in np.flatnonzero(served):
        found[place] = min(before.get(case[place], 0), 2)
        before[case[place]] = found[place] + 1
    return found


def _agents(answered: np.ndarray, free_again: np.ndarray, served: np.ndarray) -> list[str | None]:
    """The agent who has been free for longest."""
    free_s: dict[int, float] = {}
    found: list[str | None] = [None] * len(answered)
    for row in sorted(np.flatnonzero(served).tolist(), key=lambda r: answered[r]):
        idle = [name for name, until in free_s.items() if until <= answered[row] + 1e-6]
        name = min(idle, key=lambda n: free_s[n]) if idle else len(free_s)
        free_s[name] = float(free_again[row])
        found[row] = f"a{name}"
    return found
