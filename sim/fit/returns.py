"""Who comes back, and when: redial after abandoning, reconnect after an answer.

Decides which contact follows which (the same known caller's next one) and the laws of the delay:
exponential after abandoning, lognormal after an answer, each with a share of callers who never
come back, by likelihood in a window, censored where the log or the window ends. Seconds.
Source: cure models, Maller and Zhou, Survival Analysis with Long-Term Survivors (1996).
"""

from dataclasses import dataclass
from math import exp, log
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import expit, ndtr

from sim.experiment.confidence import Estimate
from sim.fit.handling import lognormal
from sim.fit.likelihood import Floats, maximise
from sim.fit.logs import ContactLog

REDIAL_WINDOW_S: Final = 3600.0
RECONNECT_WINDOW_S: Final = 86400.0
FEWEST: Final = 50


@dataclass(frozen=True, slots=True)
class Returns:
    """Shares and delays; None where fewer than `FEWEST` contacts have a caller or come back."""

    redial_ratio: Estimate | None = None
    redial_delay_mean_s: Estimate | None = None
    reconnect_ratio: Estimate | None = None
    reconnect_delay_median_s: Estimate | None = None
    reconnect_delay_sigma: Estimate | None = None


def fresh(log: ContactLog) -> NDArray[np.bool_]:
    """Contacts that follow no earlier one of their caller within the windows; of unknown callers
    all, since nothing tells their returns."""
    rows, same = _by_caller(log)
    before, after = rows[:-1][same], rows[1:][same]
    window_s = np.where(log.abandoned[before], REDIAL_WINDOW_S, RECONNECT_WINDOW_S)
    since_s = log.arrived_s[after] - log.ended_s[before]
    found = np.ones(len(log), dtype=np.bool_)
    found[after[since_s <= window_s]] = False
    return found


@dataclass(frozen=True, slots=True)
class Links:
    """Contacts of known callers: how long until the same caller's next one, and until the log or
    the window ends (seconds), whether this one was abandoned, and its local day."""

    delay_s: Floats
    watched_s: Floats
    abandoned: NDArray[np.bool_]
    day: NDArray[np.int64]

    @classmethod
    def of(cls, log: ContactLog) -> "Links":
        rows, same = _by_caller(log)
        delay_s = np.full(len(rows), np.inf)
        delay_s[:-1][same] = log.arrived_s[rows][1:][same] - log.ended_s[rows][:-1][same]
        # A second contact while the first is still going on is no return.
        rows, delay_s = rows[delay_s >= 0.0], delay_s[delay_s >= 0.0]
        watched_s = log.ended_s.max() - log.ended_s[rows]
        return cls(np.maximum(delay_s, 0.5), watched_s, log.abandoned[rows], log.day[rows])

    def taken(self, rows: NDArray[np.int64]) -> "Links":
        """Some of them, for a bootstrap."""
        return Links(
            self.delay_s[rows], self.watched_s[rows], self.abandoned[rows], self.day[rows]
        )


def fit_returns(links: Links) -> Returns:
    """The laws of both kinds of return."""
    gone = links.abandoned
    redial = _redial(links.delay_s[gone], np.minimum(links.watched_s[gone], REDIAL_WINDOW_S))
    served = np.minimum(links.watched_s[~gone], RECONNECT_WINDOW_S)
    return Returns(*redial, *_reconnect(links.delay_s[~gone], served))


def _by_caller(log: ContactLog) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Contacts of known callers, caller by caller and in order; whether the next one is the same
    caller's."""
    known = np.flatnonzero(log.caller != 0)
    rows = known[np.lexsort((log.arrived_s[known], log.caller[known]))]
    return rows, log.caller[rows][1:] == log.caller[rows][:-1]


def _redial(delay_s: Floats, limit_s: Floats) -> tuple[Estimate | None, Estimate | None]:
    came = delay_s <= limit_s
    if came.sum() < FEWEST:
        return None, None
    count, sum_s = int(came.sum()), float(delay_s[came].sum())
    t_s, weight = _grouped(limit_s[~came])

    def likelihood(x: Floats) -> float:
        share, rate = expit(x[0]), exp(-x[1])
        seen = count * (np.log(share) + log(rate)) - rate * sum_s
        return float(seen + weight @ np.log1p(share * np.expm1(-rate * t_s)))

    found = maximise(likelihood, (0.0, log(sum_s / count)), len(delay_s))
    return found.estimate(0, lambda v: float(expit(v))), found.estimate(1, exp)


def _reconnect(
    delay_s: Floats, limit_s: Floats
) -> tuple[Estimate | None, Estimate | None, Estimate | None]:
    came = delay_s <= limit_s
    if came.sum() < FEWEST:
        return None, None, None
    logs, (t_s, weight) = np.log(delay_s[came]), _grouped(limit_s[~came])
    count, middle, scatter = len(logs), float(logs.mean()), float(logs.var())

    def likelihood(x: Floats) -> float:
        share, sigma = expit(x[0]), exp(x[2])
        squares = count * (scatter + (middle - x[1]) ** 2) / sigma**2
        with np.errstate(divide="ignore"):
            waited = ndtr((np.log(t_s) - x[1]) / sigma)
        seen = count * (np.log(share) - x[2]) - 0.5 * squares
        return float(seen + weight @ np.log1p(-share * waited))

    found = maximise(likelihood, (0.0, middle, log(max(scatter**0.5, 0.1))), len(delay_s))
    if found.at[1] < log(RECONNECT_WINDOW_S / 2.0):
        return (
            found.estimate(0, lambda v: float(expit(v))),
            found.estimate(1, exp),
            found.estimate(2, exp),
        )
    # Returns do not end within the window: what is said then holds of the window alone.
    within = stats.binomtest(count, len(delay_s)).proportion_ci(method="wilson")
    law = lognormal(delay_s[came], rivals=False)
    median = Estimate(exp(law.mu.mean), exp(law.mu.low), exp(law.mu.high), count)
    ratio = count / len(delay_s)
    return Estimate(ratio, within.low, within.high, len(delay_s)), median, law.sigma


def _grouped(t_s: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Distinct values, to 10 s, with their counts: most callers are watched for the window."""
    values, counts = np.unique(np.ceil(t_s / 10.0) * 10.0, return_counts=True)
    return values, counts
