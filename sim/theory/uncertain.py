"""A forecast is not the truth: the queue's measures when the arrival rate itself is random.

The rate is drawn once (a day's level) around its forecast. Shares and waits are per contact, so
days count by their arrivals: an arrival-weighted gamma of shape k is a gamma of shape k + 1. The
mixture is integrated by Gauss-Legendre over the law's whole width. Sources: Whitt, "Staffing a call
center with uncertain arrival rate and absenteeism", POMS 15 (2006). Rates per second.
"""

from collections.abc import Callable
from typing import Final, Literal

import numpy as np
from scipy.stats import gamma, norm

from sim.theory.erlang import Measures
from sim.theory.patience import Floats

RateLaw = Literal["gamma", "normal"]
TAIL: Final = 1e-17
PANELS_COUNT: Final = 32
NODES, WEIGHTS = np.polynomial.legendre.leggauss(12)


def mixed(
    measures_at: Callable[[Floats], Measures], *, arrival_per_s: float, cv: float, law: RateLaw
) -> Measures:
    """Measures over the random rate; cv in [0, 1], and at 0 the forecast is the truth.

    A normal rate is cut off at 0.
    """
    if cv == 0.0:
        return measures_at(np.array(arrival_per_s))
    rates, share = _weighted(arrival_per_s, cv, law)
    at = measures_at(rates)

    def mean(values: Floats, weight: Floats | float = 1.0) -> Floats:
        """Over offered contacts, or those that `weight` counts."""
        whole = share * weight
        return np.asarray((whole * values).sum() / whole.sum())

    served = 1.0 - at.p_abandon
    sl, short = mean(at.sl_of_offered), mean(at.sl_counting_short_abandons - at.sl_of_offered)
    # A day's share of contacts is its rate / mean rate; occupancy is a mean over days.
    return Measures(
        mean(at.p_wait),
        mean(at.p_abandon),
        mean(at.mean_wait_s),
        sl,
        sl / (1.0 - short),
        sl + short,
        sl / mean(served),
        mean(at.asa_all_s),
        mean(at.asa_answered_s, served),
        mean(at.asa_virtual_s),
        mean(at.occupancy, 1.0 / rates),
        at.agents[0],
    )


def _weighted(mean_per_s: float, cv: float, law: RateLaw) -> tuple[Floats, Floats]:
    """Rates and their shares of all contacts."""
    if law == "gamma":
        shape = 1.0 / cv**2
        weighted = gamma(shape + 1.0, scale=mean_per_s / shape)
        ends = np.linspace(weighted.ppf(TAIL), weighted.isf(TAIL), PANELS_COUNT + 1)
    else:
        sd = mean_per_s * cv
        low = max(mean_per_s - 8.6 * sd, mean_per_s * 1e-9)
        ends = np.linspace(low, mean_per_s + 8.8 * sd, PANELS_COUNT + 1)
    half = np.diff(ends) / 2.0
    rates = (ends[:-1, np.newaxis] + half[:, np.newaxis] * (NODES + 1.0)).ravel()
    width = np.outer(half, WEIGHTS).ravel()
    if law == "gamma":
        density = weighted.pdf(rates)
    else:
        density = rates * norm.pdf(rates, mean_per_s, mean_per_s * cv)
    share = density * width
    return rates, share / share.sum()
