"""How long contacts are willing to wait, all together and by queue.

Decides which waits are told of: those above zero, since a contact that is answered at once says
nothing. Everything else is censored data (sim/fit/survival.py). Seconds.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from sim.fit.likelihood import Floats
from sim.fit.logs import ContactLog
from sim.fit.survival import LAWS, Curve, Law, PatienceLaw, Waits, fit_law

FEWEST: Final = 200


@dataclass(frozen=True, slots=True)
class PatienceFit:
    """The curve, every law on all waits, and the lognormal law of each queue that has enough."""

    curve: Curve
    laws: dict[Law, PatienceLaw]
    by_queue: dict[str, tuple[float, float]]
    """mu and sigma of ln seconds."""

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
    pooled = _lognormal(laws["lognormal"])
    by_queue = {}
    for code, name in enumerate(log.queues):
        own = told & (log.queue == code)
        enough = gone[own].sum() >= FEWEST
        own_law = fit_law("lognormal", Waits.of(wait_s[own], gone[own])) if enough else None
        by_queue[name] = _lognormal(own_law) if own_law else pooled
    return PatienceFit(Curve.of(waits), laws, by_queue)


def draw(
    by_queue: dict[str, tuple[float, float]], log: ContactLog, rng: np.random.Generator
) -> Floats:
    """A patience for every contact, seconds; unknown queues take the mean of the others."""
    known = np.array(list(by_queue.values()))
    rows = [by_queue.get(queue, tuple(known.mean(axis=0))) for queue in log.queues]
    mu, sigma = np.array(rows).T
    return np.asarray(np.exp(mu[log.queue] + sigma[log.queue] * rng.standard_normal(len(log))))


def _lognormal(law: PatienceLaw) -> tuple[float, float]:
    return law.parameters["mu"].mean, law.parameters["sigma"].mean
