"""Handle times: a lognormal body, a component of very short calls, and what else might fit.

Decides the law of handle times in seconds: a share below `SHORT_S` (hang-ups and misroutes), the
rest lognormal; AIC beside gamma and Weibull on the same body. Sources: Brown et al., JASA 100
(2005), 5; interval of a lognormal mean, Cox's method in Zhou and Gao, Statistics in Medicine 16
(1997).
"""

from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.special import gammaln

from sim.experiment.confidence import TAIL, Estimate
from sim.fit.likelihood import Floats, Z, maximise

SHORT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Lognormal:
    """mu and sigma of ln seconds (sigma by likelihood), the mean that they imply, and AICs."""

    mu: Estimate
    sigma: Estimate
    mean_s: Estimate
    """exp(mu + s^2 / 2), s^2 unbiased in the interval (Cox)."""
    aic: dict[str, float]


@dataclass(frozen=True, slots=True)
class HandleTimes:
    """A share of short calls, and the law of the others."""

    short_ratio: Estimate
    body: Lognormal
    mean_s: Estimate
    """Plain mean of all handle times."""


def lognormal(seconds: ArrayLike, *, rivals: bool = True) -> Lognormal:
    """The lognormal law of positive times."""
    x = np.asarray(seconds, dtype=np.float64)
    n, logs = len(x), np.log(x)
    mu, sigma = float(logs.mean()), float(logs.std())
    unbiased = float(logs.var(ddof=1))
    half = Z * sqrt(unbiased / n + unbiased**2 / (2.0 * (n - 1)))
    chi = stats.chi2.ppf((1.0 - TAIL, TAIL), n - 1)
    around = float(stats.t.ppf(1.0 - TAIL, n - 1)) * sqrt(unbiased / n)
    middle = mu + unbiased / 2.0
    low, high = (sqrt((n - 1) * unbiased / float(q)) for q in np.asarray(chi))
    log_likelihood = -float(logs.sum()) - n * (log(sigma) + 0.5 * log(2.0 * np.pi) + 0.5)
    return Lognormal(
        mu=Estimate(mu, mu - around, mu + around, n),
        sigma=Estimate(sigma, low, high, n),
        mean_s=Estimate(exp(mu + sigma**2 / 2.0), exp(middle - half), exp(middle + half), n),
        aic={"lognormal": 4.0 - 2.0 * log_likelihood} | (_rivals(x, logs) if rivals else {}),
    )


def handle_times(seconds: ArrayLike, *, rivals: bool = True) -> HandleTimes:
    """The whole law. Raises ValueError with fewer than 20 times of at least SHORT_S."""
    x = np.asarray(seconds, dtype=np.float64)
    short = x < SHORT_S
    if len(x) - short.sum() < 20:
        raise ValueError(f"fewer than 20 handle times of at least {SHORT_S:g} s")
    n, hits = len(x), int(short.sum())
    interval = stats.binomtest(hits, n).proportion_ci(method="wilson")
    half = Z * float(x.std(ddof=1)) / sqrt(n)
    mean_s = float(x.mean())
    return HandleTimes(
        short_ratio=Estimate(hits / n, interval.low, interval.high, n),
        body=lognormal(x[~short], rivals=rivals),
        mean_s=Estimate(mean_s, mean_s - half, mean_s + half, n),
    )


def _rivals(x: Floats, logs: Floats) -> dict[str, float]:
    """AIC of gamma and Weibull, from sums over distinct times."""
    t, weight = np.unique(x, return_counts=True)
    n, total, log_total = len(x), float(x.sum()), float(logs.sum())
    mean = total / n

    def gamma(p: Floats) -> float:
        shape, scale = np.exp(p)
        return float(
            (shape - 1.0) * log_total - total / scale - n * (gammaln(shape) + shape * p[1])
        )

    def weibull(p: Floats) -> float:
        shape = np.exp(p[0])
        powers = float(weight @ np.exp(shape * (np.log(t) - p[1])))
        return float(n * (p[0] - shape * p[1]) + (shape - 1.0) * log_total - powers)

    return {
        "gamma": maximise(gamma, (0.0, log(mean)), n).aic,
        "weibull": maximise(weibull, (0.0, log(mean)), n).aic,
    }
