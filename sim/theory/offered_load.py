"""Offered load that changes with time: contacts in hand if there were agents without end.

m(t) = integral of rate(u) P(handle time > t - u) du (Eick, Massey and Whitt, Management Science 39,
1993). For rates constant by interval it is a sum over H(x) = E min(handle time, x), the same
function that a law of patience has. Rates per second, times in seconds, loads in erlang.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from sim.theory.patience import Floats, Patience

PANELS_COUNT: Final = 400
TAIL: Final = 1e-13
NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)


def offered_load(
    rate_per_s: ArrayLike, *, interval_s: float, handle: Patience, at_s: ArrayLike
) -> Floats:
    """Load at times counted from the first interval's start, before which nothing arrived.

    `rate_per_s` has the shape (intervals, ...); the answer (times, ...).
    """
    rate = np.asarray(rate_per_s, dtype=np.float64)
    start_s = np.arange(len(rate)) * interval_s
    age_s = np.asarray(at_s, dtype=np.float64)[:, np.newaxis] - start_s
    since_start = handle.endured(np.maximum(age_s, 0.0))
    since_end = handle.endured(np.maximum(age_s - interval_s, 0.0))
    return np.asarray(np.tensordot(since_start - since_end, rate, axes=1))


def wave_response(angular_per_s: float, handle: Patience) -> complex:
    """Load's answer to arrivals exp(iwt), per erlang of stationary load: E exp(-iw S_e).

    S_e is the handle time's stationary excess, with density P(handle time > x) / its mean. The
    modulus is the damping, minus the phase over w the lag.
    """
    ends = np.concatenate(
        [[0.0], handle.quantile(np.linspace(0.0, 1.0, PANELS_COUNT + 1)[1:-1])]
    )
    tail = handle.quantile(1.0 - np.geomspace(1.0 / PANELS_COUNT, TAIL, PANELS_COUNT))
    ends = np.unique(np.concatenate([ends, tail]))
    half = np.diff(ends)[:, np.newaxis] / 2.0
    x = (ends[:-1, np.newaxis] + half * (NODES + 1.0)).ravel()
    weight = (half * WEIGHTS).ravel() * handle.staying(x) / handle.mean_s
    return complex((weight * np.exp(-1j * angular_per_s * x)).sum())
