"""Patience from waits that mostly end with an answer: censored data.

A contact that was answered only says that its patience is longer than its wait. Decides the
Kaplan-Meier curve and three laws by censored likelihood; does not decide which waits are told of
(sim/fit/patience.py does). Seconds. Sources: Kaplan and Meier, JASA 53 (1958); log-log interval
with Greenwood's variance, Kalbfleisch and Prentice, The Statistical Analysis of Failure Time Data
(2nd ed.), 1.4.
"""

from dataclasses import dataclass
from math import exp, log
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_ndtr

from sim.experiment.confidence import Estimate
from sim.fit.likelihood import Floats, Optimum, Z, maximise

Law = Literal["exponential", "weibull", "lognormal"]
LAWS: tuple[Law, ...] = ("exponential", "weibull", "lognormal")
BINS_PER_E = 200


@dataclass(frozen=True, slots=True)
class Waits:
    """Distinct waits in rising order: how many contacts left then, how many were answered then."""

    t_s: Floats
    left: Floats
    answered: Floats

    @classmethod
    def of(cls, waits_s: ArrayLike, abandoned: ArrayLike) -> "Waits":
        t_s, place = np.unique(np.asarray(waits_s, dtype=np.float64), return_inverse=True)
        gone = np.asarray(abandoned, dtype=np.float64)
        return cls(t_s, _sums(place, gone), _sums(place, 1.0 - gone))

    @property
    def n(self) -> int:
        return int(self.left.sum() + self.answered.sum())


@dataclass(frozen=True, slots=True)
class Curve:
    """Kaplan-Meier: share still waiting just after each time at which somebody left."""

    t_s: Floats
    share: Floats
    log_variance: Floats
    """Greenwood's sum: variance of ln share."""
    n: int

    @classmethod
    def of(cls, waits: Waits) -> "Curve":
        total = waits.left + waits.answered
        at_risk = total.sum() - np.concatenate([[0.0], np.cumsum(total)[:-1]])
        event = waits.left > 0.0
        left, risk = waits.left[event], at_risk[event]
        with np.errstate(divide="ignore"):
            terms = left / (risk * (risk - left))
        return cls(waits.t_s[event], np.cumprod(1.0 - left / risk), np.cumsum(terms), waits.n)

    def at(self, t_s: float) -> Estimate:
        """Share still waiting after t, with the log-log interval."""
        place = int(np.searchsorted(self.t_s, t_s, side="right")) - 1
        if place < 0:
            return Estimate(1.0, 1.0, 1.0, self.n)
        share = float(self.share[place])
        if not 0.0 < share < 1.0:
            return Estimate(share, share, share, self.n)
        half = Z * float(np.sqrt(self.log_variance[place])) / abs(log(share))
        return Estimate(share, share ** exp(half), share ** exp(-half), self.n)

    @property
    def median_s(self) -> float:
        """First time at which at most half still wait; NaN if the data end before."""
        below = np.flatnonzero(self.share <= 0.5)
        return float(self.t_s[below[0]]) if len(below) else float("nan")


@dataclass(frozen=True, slots=True)
class PatienceLaw:
    """A fitted law. exponential: mean_s; weibull: shape, scale_s; lognormal: mu, sigma."""

    law: Law
    parameters: dict[str, Estimate]
    optimum: Optimum


def fit_law(law: Law, waits: Waits) -> PatienceLaw:
    """The law that makes the waits most likely. Raises ValueError if nobody left, or all at 0."""
    positive = waits.t_s > 0.0
    if not waits.left[positive].any():
        raise ValueError("nobody left after waiting: patience cannot be estimated")
    t_s, left, stayed = _thinned(waits, positive)
    n, mean_s = waits.n, float(((left + stayed) @ t_s) / left.sum())

    if law == "exponential":
        return _exponential(mean_s, float(left.sum()), n)
    logs = np.log(t_s)

    def weibull(x: Floats) -> float:
        shape, scale = np.exp(x)
        hazard = (t_s / scale) ** shape
        density = x[0] - x[1] + (shape - 1.0) * (logs - x[1]) - hazard
        return float(left @ density - stayed @ hazard)

    def lognormal(x: Floats) -> float:
        sigma = np.exp(x[1])
        z = (logs - x[0]) / sigma
        density = -0.5 * z * z - 0.5 * log(2.0 * np.pi) - x[1] - logs
        return float(left @ density + stayed @ log_ndtr(-z))

    if law == "weibull":
        optimum = maximise(weibull, (0.0, log(mean_s)), n)
        names = {"shape": optimum.estimate(0, exp), "scale_s": optimum.estimate(1, exp)}
    else:
        optimum = maximise(lognormal, (log(mean_s), 0.3), n)
        names = {"mu": optimum.estimate(0), "sigma": optimum.estimate(1, exp)}
    return PatienceLaw(law, names, optimum)


def _exponential(mean_s: float, left: float, n: int) -> PatienceLaw:
    """In closed form: time waited by all, over those who left; ln mean has variance 1 / left."""
    log_likelihood = -left * (log(mean_s) + 1.0)
    optimum = Optimum(np.array([log(mean_s)]), log_likelihood, np.array([[1.0 / left]]), n)
    return PatienceLaw("exponential", {"mean_s": optimum.estimate(0, exp)}, optimum)


def _thinned(waits: Waits, positive: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """The positive waits; more distinct ones than a likelihood needs are gathered in bins of a
    two-hundredth of a factor e, by their mean."""
    t_s, left, stayed = waits.t_s[positive], waits.left[positive], waits.answered[positive]
    if len(t_s) <= 1000:
        return t_s, left, stayed
    _, place = np.unique(np.floor(np.log(t_s) * BINS_PER_E), return_inverse=True)
    mean_s = _sums(place, t_s * (left + stayed)) / _sums(place, left + stayed)
    return mean_s, _sums(place, left), _sums(place, stayed)


def _sums(place: NDArray[np.int64], weight: Floats) -> Floats:
    return np.asarray(np.bincount(place, weight), dtype=np.float64)
