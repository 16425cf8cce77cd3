"""Offered load that changes with time: contacts in hand if there were agents without end.

The reference of tests, in two ways that share nothing: by intervals and by waves.
m(t) = integral of rate(u) P(handle time > t - u) du (Eick, Massey and Whitt, Management Science 39,
1993). For rates constant by interval it is a sum over H(x) = E min(handle time, x), the same
function that a law of patience has. Erlang-R, where some come back: Yom-Tov and Mandelbaum,
M&SOM 16 (2014). Rates per second, times in seconds, loads in erlang.
"""

from cmath import phase
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Wave:
    """mean + amplitude x sin(angular speed x time + phase)."""

    mean: float
    amplitude: float
    phase: float
    angular_per_s: float

    def at(self, at_s: ArrayLike) -> Floats:
        """Values at times in seconds."""
        angle = self.angular_per_s * np.asarray(at_s, dtype=np.float64) + self.phase
        return np.asarray(self.mean + self.amplitude * np.sin(angle))


def erlang_r_load(
    arrivals: Wave, *, aht_s: float, return_ratio: float, return_delay_s: float
) -> Wave:
    """Offered load (erlang) of needy contacts under waving arrivals per second.

    After an answer a share returns, each after an exponential delay:
    R1 = arrivals / (iw + mu - delta p mu / (iw + delta)).
    """
    mu, delta, turn = 1.0 / aht_s, 1.0 / return_delay_s, 1j * arrivals.angular_per_s
    gain = 1.0 / (turn + mu - delta * return_ratio * mu / (turn + delta))
    return Wave(
        mean=arrivals.mean * aht_s / (1.0 - return_ratio),
        amplitude=arrivals.amplitude * abs(gain),
        phase=arrivals.phase + phase(gain),
        angular_per_s=arrivals.angular_per_s,
    )
