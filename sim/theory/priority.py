"""M/M/n with non-pre-emptive priorities: who is more urgent is served first, FCFS within a class.

All classes share one exponential handle time and nobody abandons. Means: Cobham (Operations
Research 2, 1954). Whole distribution: given that all agents are busy, the contacts that a new one
of class k finds ahead of itself are geometric with the load of the classes up to k, and each
takes a busy period of the more urgent classes; a random walk, summed by uniformisation (Davis,
Operations Research 14, 1966, by transforms). Only positive terms. Rates per second, seconds.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil, log, sqrt
from typing import Final

import numpy as np
from scipy.stats import poisson

from sim.theory.erlang import Measures, patient

# Mass of the walk and of its steps that is left out.
LEFT_OUT: Final = 1e-17
AHEAD_LIMIT_COUNT: Final = 200_000


def priorities(
    *, agents: int, arrivals_per_s: Sequence[float], aht_s: float, threshold_s: float
) -> tuple[Measures, Measures]:
    """(all contacts together, class by class), the most urgent class first.

    Classes that the agents cannot carry wait for ever (mean wait infinite, nobody in time).
    """
    rates = np.array(arrivals_per_s, dtype=np.float64)
    together = patient(
        agents=agents, arrival_per_s=rates.sum(), aht_s=aht_s, threshold_s=threshold_s
    )
    leave = agents / aht_s
    load = np.cumsum(rates) / leave
    before = np.concatenate([[0.0], load[:-1]])
    stable = load < 1.0
    p_wait = np.full_like(rates, float(together.p_wait))
    product = np.where(stable, (1.0 - before) * (1.0 - load), 1.0)
    wait_s = np.where(stable, p_wait / leave / product, np.inf)
    late = np.array(
        [
            _tail(leave, float(low), float(high), threshold_s) if carried else 1.0
            for low, high, carried in zip(before, load, stable, strict=True)
        ]
    )
    sl = 1.0 - p_wait * late
    none = np.zeros_like(rates)
    occupancy = np.full_like(rates, float(together.occupancy))
    n = np.full_like(rates, float(agents))
    by_class = Measures(
        p_wait, none, wait_s, sl, sl, sl, sl, wait_s, wait_s, wait_s, occupancy, n
    )
    share = rates / rates.sum()
    sl_all, wait_all_s = np.asarray((share * sl).sum()), np.asarray((share * wait_s).sum())
    all_together = replace(
        together,
        sl_of_offered=sl_all,
        sl_excluding_short_abandons=sl_all,
        sl_counting_short_abandons=sl_all,
        sl_of_answered=sl_all,
        mean_wait_s=wait_all_s,
        asa_all_s=wait_all_s,
        asa_answered_s=wait_all_s,
        asa_virtual_s=wait_all_s,
    )
    return all_together, by_class


def _tail(leave_per_s: float, before: float, load: float, threshold_s: float) -> float:
    """P(wait > T | all agents busy) of a class; loads relative to all agents."""
    if before == 0.0:
        return float(np.exp(-leave_per_s * (1.0 - load) * threshold_s))
    if threshold_s == 0.0:
        return 1.0
    # Steps of the walk in T: contacts done, and more urgent ones that come.
    steps_mean = leave_per_s * (1.0 + before) * threshold_s
    last = ceil(steps_mean + 12.0 * sqrt(steps_mean) + 40.0)
    ahead = min(ceil(log(LEFT_OUT) / log(load)), AHEAD_LIMIT_COUNT)
    walk = np.zeros(ahead + last + 2)
    walk[1 : ahead + 1] = (1.0 - load) * load ** np.arange(ahead)
    up, down = before / (1.0 + before), 1.0 / (1.0 + before)
    weights = poisson.pmf(np.arange(last + 1), steps_mean)
    # What starts beyond `ahead` is still waiting after any number of steps, to within LEFT_OUT.
    beyond = load**ahead
    total = 0.0
    for weight in weights:
        total += weight * (walk.sum() + beyond)
        moved = np.empty_like(walk)
        moved[:-1] = down * walk[1:]
        moved[-1] = 0.0
        moved[2:] += up * walk[1:-1]
        moved[0] = 0.0
        walk = moved
    return float(total)
