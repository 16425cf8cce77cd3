"""Erlang B and C, and what every calculator here answers with: `Measures`.

Does not know patience (see impatience.py). Rates per second, times in seconds; agents and loads may
be arrays of intervals. Sources: A. K. Erlang (1917); 1/B = sum over k of n!/((n - k)! a^k), whose
terms are all positive, summed in logs, so that neither large nor small loads overflow.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp

from sim.theory.patience import Floats


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
    steps = np.arange(int(n.max()) + 1, dtype=np.float64)
    left = n[..., np.newaxis] - steps
    with np.errstate(divide="ignore"):
        logs = np.log(np.maximum(left, 0.0)) - np.log(a)[..., np.newaxis]
    sums = np.cumsum(logs, axis=-1)
    return np.asarray(-np.logaddexp(0.0, logsumexp(sums, axis=-1)))


def erlang_b(agents: ArrayLike, load_erlang: ArrayLike) -> Floats:
    """Share of contacts blocked."""
    return np.asarray(np.exp(log_erlang_b(agents, load_erlang)))


def erlang_c(agents: ArrayLike, load_erlang: ArrayLike) -> Floats:
    """Share of contacts that wait, C = n B / (n - a (1 - B)); 1 where the load is not below n."""
    n, a = np.broadcast_arrays(np.asarray(agents, dtype=np.float64), load_erlang)
    b = erlang_b(n, a)
    return np.where(a < n, n * b / np.where(a < n, n - a * (1.0 - b), 1.0), 1.0)


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
    late = np.where(stable, c * np.exp(-spare_per_s * threshold_s), 1.0)
    asa_s = np.where(stable, c / spare_per_s, np.inf)
    sl = 1.0 - late
    occupancy = np.minimum(rate * aht_s / n, 1.0)
    nobody = np.zeros_like(c)
    return Measures(c, nobody, asa_s, sl, sl, sl, sl, asa_s, asa_s, asa_s, occupancy, n)
