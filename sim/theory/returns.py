"""Contacts that come back: redials after an abandonment, reconnects after an answer, and Erlang-R.

Redial and reconnect: the total rate L at which what does not come back equals the fresh rate,
L (1 - Pab) (1 - reconnect) + L Pab (1 - redial) = fresh; returns are taken as Poisson and not
related to the state they meet (Aguir, Karaesmen, Aksin and Chauvet, OR Spectrum 26, 2004).
Erlang-R: Yom-Tov and Mandelbaum, M&SOM 16 (2014). Rates per second, times in seconds.
"""

from cmath import phase
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from sim.theory.erlang import Measures, patient
from sim.theory.impatience import mmng
from sim.theory.patience import Floats, Patience

DOUBLINGS: Final = 40


def returning(
    *,
    agents: int,
    fresh_per_s: float,
    aht_s: float,
    patience: Patience | None,
    redial_ratio: float,
    reconnect_ratio: float,
    threshold_s: float,
) -> tuple[float, Measures]:
    """(total arrivals per second, what each attempt meets); without a patience nobody abandons.

    Ratios in [0, 1], reconnect below 1. Raises ValueError where fresh contacts outrun the agents
    although everyone comes back until served.
    """

    def met(rate: float) -> Measures:
        if patience is None:
            return patient(
                agents=agents, arrival_per_s=rate, aht_s=aht_s, threshold_s=threshold_s
            )
        return mmng(
            agents=agents,
            arrival_per_s=rate,
            aht_s=aht_s,
            patience=patience,
            threshold_s=threshold_s,
        )

    def excess(rate: float) -> float:
        abandoned = float(met(rate).p_abandon)
        done = (1.0 - abandoned) * (1.0 - reconnect_ratio) + abandoned * (1.0 - redial_ratio)
        return rate * done - fresh_per_s

    high = fresh_per_s / (1.0 - reconnect_ratio)
    if patience is None:
        return high, met(high)
    low = fresh_per_s
    for _ in range(DOUBLINGS):
        if excess(high) >= 0.0:
            break
        low, high = high, 2.0 * high
    else:
        raise ValueError(
            f"{agents} agents never serve {fresh_per_s * 3600.0:g} fresh contacts an hour when "
            "nearly everyone comes back: give more agents"
        )
    if excess(low) >= 0.0:
        return low, met(low)
    total = float(brentq(excess, low, high, xtol=high * 1e-15, rtol=1e-15))
    return total, met(total)


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
