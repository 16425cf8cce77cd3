"""How long contacts are willing to wait: all together, by queue and priority, and in a crowd.

Decides which waits are told of: those above zero, since a contact that is answered at once says
nothing. Everything else is censored data (sim/fit/survival.py). Where many wait, people leave
sooner: patience is that of whoever meets nobody waiting times crowd^-slope (accelerated failure
time, L. J. Wei, Statistics in Medicine 11, 1992), the crowd being one's place in line
(sim/fit/crowd.py). Seconds.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from sim.experiment.confidence import Estimate
from sim.fit.crowd import place_in_line
from sim.fit.likelihood import Floats, maximise
from sim.fit.logs import ContactLog
from sim.fit.survival import LAWS, Curve, Law, PatienceLaw, Waits, fit_law
from sim.fit.waiting import Waiting, fit_waiting

FEWEST: Final = 200


@dataclass(frozen=True, slots=True)
class PatienceFit:
    """The curve, every law on all waits; the lognormal law of each queue and priority for
    whoever meets nobody waiting."""

    curve: Curve
    laws: dict[Law, PatienceLaw]
    waiting: Waiting
    crowd_slope: Estimate
    longest_wait_s: float

    @property
    def best(self) -> Law:
        """The law with the smallest AIC."""
        return min(self.laws, key=lambda law: self.laws[law].optimum.aic)


def fit_patience(log: ContactLog) -> PatienceFit:
    """Raises ValueError where nobody abandoned."""
    wait_s, gone = log.wait_s, log.abandoned
    told = wait_s > 0.0
    waits = Waits.of(wait_s[told], gone[told])
    laws = {law: fit_law(law, waits) for law in LAWS}
    crowd = place_in_line(log)
    slope = _crowd_slope(wait_s[told], gone[told], np.log(crowd[told]), laws["lognormal"])
    wait_s = wait_s * crowd**slope.mean
    pooled = _lognormal(fit_law("lognormal", Waits.of(wait_s[told], gone[told])))

    def law_of(own: NDArray[np.bool_], other: tuple[float, float]) -> tuple[float, float]:
        """Of some waits; the law of more where too few left."""
        if gone[own].sum() < FEWEST:
            return other
        return _lognormal(fit_law("lognormal", Waits.of(wait_s[own], gone[own])))

    return PatienceFit(
        Curve.of(waits), laws, fit_waiting(log, law_of, pooled), slope, float(log.wait_s.max())
    )


def _crowd_slope(
    wait_s: Floats, gone: NDArray[np.bool_], log_crowd: Floats, start: PatienceLaw
) -> Estimate:
    """The power of the crowd, by likelihood together with mu and sigma."""
    logs = np.log(wait_s)
    left, left_crowd = logs[gone], log_crowd[gone]
    stayed, stayed_crowd = logs[~gone], log_crowd[~gone]

    def likelihood(x: Floats) -> float:
        sigma = np.exp(x[1])
        z = (left - x[0] + x[2] * left_crowd) / sigma
        late = (stayed - x[0] + x[2] * stayed_crowd) / sigma
        return float(-0.5 * (z @ z) - len(z) * x[1] + log_ndtr(-late).sum())

    mu, sigma = _lognormal(start)
    return maximise(likelihood, (mu, float(np.log(sigma)), 0.5), len(wait_s)).estimate(2)


def _lognormal(law: PatienceLaw) -> tuple[float, float]:
    return law.parameters["mu"].mean, law.parameters["sigma"].mean
