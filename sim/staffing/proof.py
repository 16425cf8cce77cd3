"""What a trial proves about a plan: which intervals hold at the stated risk, and whether enough do.

A plan is enough when at least 95 % of its intervals (a quarter of an hour of a queue) reach their
target at the stated risk: an interval counts when a share `risk_ratio` of the replications held it.
The replications are not those that the need was found with. The share is the plain one, which few
replications make smaller than that of all seasons: of twenty one may miss, so that an interval that
3 % of all seasons miss fails with 12 %. The need makes up for it (sim/staffing/need.py), the bar
does not. Beside it stands the probability that a season keeps its target in 95 % of its intervals,
whatever they are.
"""

from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from sim.columns import Floats, Ints
from sim.experiment.confidence import TAIL, Estimate, share, student
from sim.staffing.plan import Plan
from sim.staffing.trial import Trial

GOOD_INTERVALS_RATIO: Final = 0.95


@dataclass(frozen=True, slots=True)
class Proven:
    """A plan and what its trial showed."""

    plan: Plan
    trial: Trial
    held: NDArray[np.bool_]
    """Whether a queue held its target, shape (replications, intervals, queues)."""
    risk_ratio: float
    """Share of replications in which an interval has to hold."""

    @classmethod
    def of(cls, plan: Plan, trial: Trial, *, target_ratio: Floats, risk_ratio: float) -> "Proven":
        """The judgement; `target_ratio` by queue."""
        return cls(plan, trial, trial.held(target_ratio), risk_ratio)

    @property
    def held_ratio(self) -> Floats:
        """Share of replications in which an interval of a queue held."""
        return np.asarray(self.held.mean(axis=0))

    @property
    def held_mean(self) -> Estimate:
        """Share of a season's intervals that hold, mean over seasons."""
        return student(self.held.mean(axis=(1, 2)))

    @property
    def good_intervals_ratio(self) -> float:
        """Share of intervals that hold at the stated risk."""
        return self.good_ratio(np.arange(len(self.held)))

    def good_ratio(self, replications: Ints) -> float:
        """The same over these replications, in which one may stand several times."""
        return float((self.held[replications].mean(axis=0) >= self.risk_ratio).mean())

    @property
    def good(self) -> Estimate:
        """Share of replications in which at least 95 % of the intervals hold."""
        return share((self.held.mean(axis=(1, 2)) >= GOOD_INTERVALS_RATIO).astype(float))

    @property
    def enough(self) -> bool:
        """Whether enough intervals hold at the stated risk."""
        return self.good_intervals_ratio >= GOOD_INTERVALS_RATIO


def by_group(held: NDArray[np.bool_], group_of_queue: Ints) -> NDArray[np.bool_]:
    """Whether all queues of a group held, shape (replications, intervals, groups)."""
    groups = range(int(group_of_queue.max()) + 1)
    return np.stack([held[:, :, group_of_queue == g].all(axis=2) for g in groups], axis=2)


def saved(a: Floats, b: Floats) -> Estimate:
    """How many times fewer replications paired plans need than independent ones, same half-width.

    (Var(a) + Var(b)) / Var(a - b) of equal replications (Law, Simulation Modeling and Analysis,
    5th ed., 11.2). That is half of 1 + Var(a + b) / Var(a - b), and the interval is that of a ratio
    of variances of paired normal samples (Pitman, Biometrika 31, 1939, pp. 9-12). NaN with fewer
    than three replications.
    """
    n = len(a)
    if n < 3:
        return Estimate(float("nan"), float("nan"), float("nan"), n)
    together, apart = a + b, b - a
    below = float(np.var(apart, ddof=1))
    if below == 0.0:
        return Estimate(float("inf"), float("inf"), float("inf"), n)
    above = float(np.var(together, ddof=1))
    linked = float(np.cov(together, apart)[0, 1]) ** 2 / (above * below) if above > 0.0 else 0.0
    widened = 1.0 + 2.0 * (1.0 - linked) * float(stdtrit(n - 2, 1.0 - TAIL)) ** 2 / (n - 2)
    factor = widened + sqrt(widened**2 - 1.0)
    mean, low, high = (
        (1.0 + ratio) / 2.0
        for ratio in (above / below, above / below / factor, above / below * factor)
    )
    return Estimate(mean, low, high, n)
