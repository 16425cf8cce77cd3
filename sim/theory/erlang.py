"""Erlang B and C, and what every calculator here answers with: `Measures`.

Does not know patience (see impatience.py). Rates per second, times in seconds; agents and loads may
be arrays of intervals. Sources: A. K. Erlang (1917); 1/B = sum over k of n!/((n - k)! a^k), whose
terms are all positive, scaled as they are summed, so that neither large nor small loads overflow.
"""

from dataclasses import dataclass
from math import log
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from sim.theory.patience import Floats

LN_2: Final = log(2.0)
# With loads of 1e-9 erlang and more, and up to a million agents, 16 steps stay below 1e308.
RESCALED_EVERY: Final = 16


@dataclass(frozen=True, slots=True)
class Measures:
    """A stationary queue, interval by interval; within T means the wait is at most T."""

    p_wait: Floats
    """Share of offered contacts that find no agent free."""
    p_abandon: Floats
    """Abandoned / offered; for Erlang B, blocked / offered."""
    mean_wait_s: Floats
    """Mean wait of all offered contacts."""
    sl_of_offered: Floats
    """SL1: answered within T / offered."""
    sl_excluding_short_abandons: Floats
    """SL2: answered within T / (offered - abandoned within T)."""
    sl_counting_short_abandons: Floats
    """SL3: (answered within T + abandoned within T) / offered."""
    sl_of_answered: Floats
    """SL4: answered within T / answered."""
    asa_all_s: Floats
    """Mean wait of all offered contacts."""
    asa_answered_s: Floats
    """Mean wait of answered contacts."""
    asa_virtual_s: Floats
    """Mean wait that an endlessly patient contact would have."""
    occupancy: Floats
    """Busy / available agent time."""
    agents: Floats
    """Agents available, after shrinkage."""


def log_erlang_b(agents: ArrayLike, load_erlang: ArrayLike) -> Floats:
    """ln B(n, a), any whole n >= 0 and a > 0."""
    n, a = np.broadcast_arrays(np.asarray(agents, dtype=np.float64), load_erlang)
    found = np.zeros(n.shape)
    # 1/B_k = 1 + (k/a)/B_(k-1): positive terms only, errors never grow. Kept as inverse x 2^shift.
    inverse, one, shift = np.ones(n.shape), np.ones(n.shape), np.zeros(n.shape, dtype=np.int64)
    done = 0
    for stop in np.unique(n).astype(np.int64).tolist():
        for k in range(done + 1, stop + 1):
            inverse = inverse * (k / a) + one
            if k % RESCALED_EVERY == 0:
                inverse, exponent = np.frexp(inverse)
                one = np.ldexp(one, -exponent)
                shift += exponent
        done = stop
        found = np.where(n == stop, -np.log(inverse) - shift * LN_2, found)
    return found


def erlang_b(agents: ArrayLike, load_erlang: ArrayLike) -> Floats:
    """Share of contacts blocked."""
    return np.asarray(np.exp(log_erlang_b(agents, load_erlang)))


def erlang_c(agents: ArrayLike, load_erlang: ArrayLike) -> Floats:
    """Share of contacts that wait, C = n B / (n - a (1 - B)); 1 where the load is not below n."""
    n, a = np.broadcast_arrays(np.asarray(agents, dtype=np.float64), load_erlang)
    b = erlang_b(n, a)
    return np.where(a < n, n * b / (np.maximum(n - a, 0.0) + a * b), 1.0)


def blocked(*, agents: ArrayLike, arrival_per_s: ArrayLike, aht_s: float) -> Measures:
    """M/G/n/n: who finds no agent is lost at once, the limit of no patience."""
    n, rate = np.broadcast_arrays(np.asarray(agents, dtype=np.float64), arrival_per_s)
    b = erlang_b(n, rate * aht_s)
    zero, one = np.zeros_like(b), np.ones_like(b)
    occupancy = rate * aht_s * (1.0 - b) / n
    virtual_s = b * aht_s / n
    return Measures(b, b, zero, 1.0 - b, one, one, one, zero, zero, virtual_s, occupancy, n)


def patient(
    *, agents: ArrayLike, arrival_per_s: ArrayLike, aht_s: float, threshold_s: float
) -> Measures:
    """M/M/n: nobody abandons. Where the load is not below n nobody is served in time."""
    n, rate = np.broadcast_arrays(np.asarray(agents, dtype=np.float64), arrival_per_s)
    c = erlang_c(n, rate * aht_s)
    spare_per_s = n / aht_s - rate
    stable = spare_per_s > 0.0
    spare_per_s = np.where(stable, spare_per_s, 1.0)
    # 1 - C exp(-x) = (1 - C) + C (1 - exp(-x)), where 1 - C = (n - a)(1 - B)/(n - a(1 - B)).
    b = erlang_b(n, rate * aht_s)
    spare = np.maximum(n - rate * aht_s, 0.0)
    free = spare * (1.0 - b) / (spare + rate * aht_s * b)
    in_time = free - c * np.expm1(-spare_per_s * threshold_s)
    asa_s = np.where(stable, c / spare_per_s, np.inf)
    sl = np.where(stable, in_time, 0.0)
    occupancy = np.minimum(rate * aht_s / n, 1.0)
    nobody = np.zeros_like(c)
    return Measures(c, nobody, asa_s, sl, sl, sl, sl, asa_s, asa_s, asa_s, occupancy, n)
