"""Who contacts about what: shares by queue and priority, with intervals and mean handle times."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from sim.experiment.confidence import Estimate
from sim.fit.logs import ContactLog


@dataclass(frozen=True, slots=True)
class Part:
    """One queue and priority as the log names them."""

    queue: str
    priority: str
    share_ratio: Estimate
    handle_mean_s: float
    """NaN if nobody was answered."""
    abandoned_ratio: float


def fit_mixture(log: ContactLog) -> list[Part]:
    """Every combination that occurs, most frequent first."""
    n, parts = len(log), []
    cell = log.queue.astype(np.int64) * len(log.priorities) + log.priority
    for value, count in zip(*np.unique(cell, return_counts=True), strict=True):
        own = cell == value
        interval = stats.binomtest(int(count), n).proportion_ci(method="wilson")
        handle_s = log.handle_s[own & ~log.abandoned]
        parts.append(
            Part(
                queue=log.queues[value // len(log.priorities)],
                priority=log.priorities[value % len(log.priorities)],
                share_ratio=Estimate(count / n, interval.low, interval.high, n),
                handle_mean_s=float(handle_s.mean()) if len(handle_s) else float("nan"),
                abandoned_ratio=float(log.abandoned[own].mean()),
            )
        )
    return sorted(parts, key=lambda part: -part.share_ratio.mean)
