"""Counts that vary more than Poisson: gamma factors, i.e. negative binomial counts.

Decides dispersion tests, the gamma shape k (CV of the factor = 1 / sqrt k), and the test that
arrivals inside blocks are Poisson. Sources: index of dispersion, D. R. Cox and
P. A. W. Lewis, The Statistical Analysis of Series of Events (1966), 6.3; negative binomial by
likelihood, J. M. Hilbe, Negative Binomial Regression (2nd ed.), 8; block test, Brown et al.,
JASA 100 (2005), 4.2.
"""

from dataclasses import dataclass
from math import exp, inf, log

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.special import gammaln

from sim.experiment.confidence import Estimate
from sim.fit.likelihood import Floats, maximise


@dataclass(frozen=True, slots=True)
class Dispersion:
    """Counts that would be Poisson with known relative means if nothing varied."""

    mean: float
    variance: float
    index: float
    p_value: float
    k_moments: float
    """Gamma shape by moments; infinite where the variance is not above the mean."""
    k: Estimate
    """Gamma shape by likelihood."""
    log_likelihood: float
    poisson_log_likelihood: float

    @property
    def likelihood_ratio(self) -> float:
        """Twice the gain over Poisson; above 2.71 it is significant at 5 % (k on the boundary)."""
        return 2.0 * (self.log_likelihood - self.poisson_log_likelihood)


def dispersion(counts: ArrayLike, expected: ArrayLike | None = None) -> Dispersion:
    """Dispersion of counts around a common mean, or around means known up to one factor."""
    y = np.asarray(counts, dtype=np.float64)
    shape = np.ones_like(y) if expected is None else np.asarray(expected, dtype=np.float64)
    m = shape * (y.sum() / shape.sum())
    n, mean = len(y), float(y.mean())
    variance = float(((y - m) ** 2).sum() / (n - 1))
    index = float(((y - m) ** 2 / m).sum())
    excess = float(((y - m) ** 2 - m).sum())
    scaled = float((m**2).sum())
    k_moments = mean**2 / (variance - mean) if expected is None else scaled / excess
    if variance <= mean or k_moments <= 0.0:
        k_moments = inf
    poisson = float((y * np.log(m) - m - gammaln(y + 1.0)).sum())

    def likelihood(x: Floats) -> float:
        k = float(np.exp(min(x[0], 30.0)))
        return float(
            (
                gammaln(y + k)
                - gammaln(k)
                - gammaln(y + 1.0)
                - k * np.log1p(m / k)
                + y * (np.log(m) - np.log(k + m))
            ).sum()
        )

    if k_moments == inf:
        nothing = Estimate(inf, 4.0 * mean, inf, n)
        p_value = float(stats.chi2.sf(index, n - 1))
        return Dispersion(mean, variance, index, p_value, inf, nothing, poisson, poisson)
    found = maximise(likelihood, (log(k_moments),), n)
    return Dispersion(
        mean=mean,
        variance=variance,
        index=index,
        p_value=float(stats.chi2.sf(index, n - 1)),
        k_moments=k_moments,
        k=found.estimate(0, exp),
        log_likelihood=found.log_likelihood,
        poisson_log_likelihood=poisson,
    )


def poisson_times(times: ArrayLike, length: float) -> tuple[Floats, float, float]:
    """Arrivals in one block, turned into what is standard exponential if they are Poisson:
    R_j = (n + 1 - j) (-ln((L - T_j) / (L - T_{j-1}))). Also Kolmogorov-Smirnov D and p."""
    t = np.sort(np.asarray(times, dtype=np.float64))
    left = length - np.concatenate([[0.0], t])
    r = (len(t) - np.arange(len(t))) * -np.log(left[1:] / left[:-1])
    test = stats.kstest(r, "expon")
    return np.asarray(r, dtype=np.float64), float(test.statistic), float(test.pvalue)
