"""The universal scalability law: how capacity grows with workers, and how many a load needs.

X(n) = lambda n / (1 + sigma (n - 1) + kappa n (n - 1)), with contention sigma and coherency kappa,
both at least 0 (N. J. Gunther, Guerrilla Capacity Planning, 2007, chapter 4). With kappa above 0 it
has a peak at n = sqrt((1 - sigma) / kappa): a load above it cannot be carried by more workers.
Rates are requests per second; `n` counts workers, each on a core of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, inf, isfinite, sqrt
from typing import Final

import numpy as np
from scipy.optimize import brentq, least_squares

WORKERS_MAX: Final = 1_000_000
AT_BOUND: Final = 0.999
"""Contention and coherency end at 1; the fit stops a little before its bounds."""
ROUNDING: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Law:
    """A fitted law."""

    per_worker_per_s: float
    """lambda: what one worker carries."""
    contention_ratio: float
    """sigma: share of the work that only one worker can do at a time."""
    coherency_ratio: float
    """kappa: cost of each pair of workers keeping each other informed."""

    def capacity_per_s(self, workers: float) -> float:
        """X(n)."""
        pairs = workers * (workers - 1.0)
        slowed = 1.0 + self.contention_ratio * (workers - 1.0) + self.coherency_ratio * pairs
        return self.per_worker_per_s * workers / slowed

    @property
    def best_workers(self) -> float:
        """Number of workers of the largest capacity; infinite if more always carry more."""
        if self.coherency_ratio <= 0.0:
            return inf
        return max(1.0, sqrt(max(0.0, 1.0 - self.contention_ratio) / self.coherency_ratio))

    def workers_for(self, load_per_s: float) -> int | None:
        """Least number of workers that carry a load; None if no number does."""
        if self.capacity_per_s(1.0) >= load_per_s:
            return 1
        most = min(self.best_workers, float(WORKERS_MAX))
        if self.capacity_per_s(most) < load_per_s:
            return None
        exact = float(brentq(lambda n: self.capacity_per_s(n) - load_per_s, 1.0, most))
        # What carries it but for rounding carries it.
        return ceil(exact - 1e-9)


def plural(count: int) -> str:
    """So many workers, in words."""
    return f"{count} {'worker' if count == 1 else 'workers'}"


def doubts(
    law: Law, limits: Mapping[int, tuple[float, float]], measured: Mapping[int, float]
) -> list[str]:
    """Why a fitted law should not be believed; nothing if it may be.

    `limits` are the rates between which each number of workers' limit lies, the upper one infinite
    where it was not reached; `measured` is what the law was fitted to. A prediction may be off by
    as much as the measurement itself is uncertain.
    """
    said = []
    if law.contention_ratio > AT_BOUND or law.coherency_ratio > AT_BOUND:
        said.append("the fit is at its bound: more workers carried no more")
    for count, (low, high) in limits.items():
        off = law.capacity_per_s(count) - measured[count]
        # Where the limit was not reached, what was carried is certain, and no less may be given.
        width = high - low if isfinite(high) or off > 0.0 else 0.0
        if abs(off) > width + ROUNDING * measured[count]:
            above = f"{high:,.0f}" if isfinite(high) else "more"
            said.append(
                f"it gives {measured[count] + off:,.0f} requests per second for {plural(count)}, "
                f"measured were {low:,.0f} to {above}"
            )
    return said


def fit(workers: Sequence[int], capacities_per_s: Sequence[float]) -> Law:
    """The law through measured capacities: least squares of relative errors.

    One measurement fixes lambda alone (perfect scaling is then assumed), two fix sigma as well,
    three or more all three.
    """
    counts = np.array(workers, dtype=np.float64)
    measured = np.array(capacities_per_s, dtype=np.float64)
    assert counts.size > 0
    assert (measured > 0.0).all()
    known = min(len(set(workers)), 3)
    scale = float((measured / counts).max())

    def law(values: np.ndarray) -> Law:
        full = [*values, 0.0, 0.0][:3]
        return Law(scale * full[0], full[1], full[2])

    def errors(values: np.ndarray) -> np.ndarray:
        found = law(values)
        return np.array([found.capacity_per_s(n) for n in counts]) / measured - 1.0

    start = np.array([1.0, 0.01, 0.001])[:known]
    low = np.array([1e-9, 0.0, 0.0])[:known]
    high = np.array([np.inf, 1.0, 1.0])[:known]
    found = least_squares(errors, start, bounds=(low, high), xtol=1e-14, ftol=1e-14, gtol=1e-14)
    return law(found.x)
