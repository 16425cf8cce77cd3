"""Contacts that come back: redials after an abandonment, reconnects after an answer.

Redial and reconnect: the total rate L at which what does not come back equals the fresh rate,
L (1 - Pab) (1 - reconnect) + L Pab (1 - redial) = fresh; returns are taken as Poisson and not
related to the state they meet (Aguir, Karaesmen, Aksin and Chauvet, OR Spectrum 26, 2004).
Rates per second, times in seconds.
"""

from typing import Final

from scipy.optimize import brentq

from sim.theory.erlang import Measures, patient
from sim.theory.impatience import mmng
from sim.theory.patience import Patience

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
