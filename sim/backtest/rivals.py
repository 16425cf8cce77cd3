"""What Erlang C and Erlang A say of the same hours, with the same arrivals and handle times.

Decides how an hour becomes a stationary queue: its mean number of agents present times one factor
(tuned on the fitted log for Erlang A, and given to Erlang C as well), its own mean handle time, the
mean turn of agents (sim/fit/turns.py), and the fitted mean patience. Between whole numbers of
agents figures are interpolated; without agents everybody leaves. Erlang C knows no abandonment; its
wait where the load is not below the agents is endless and counts as one hour.
"""

from typing import Final

import numpy as np
from scipy.optimize import root_scalar

from sim.fit.contacts import ContactsFit
from sim.fit.hours import HOUR_S, Hours, Outcome
from sim.fit.likelihood import Floats
from sim.fit.logs import ContactLog
from sim.fit.presence import Presence
from sim.theory.erlang import patient
from sim.theory.impatience import erlang_a

# Handle times within four per cent of each other share their ratio to patience and threshold.
STEPS_PER_E: Final = 25
START: Final = (0.9, 1.0)


def by_erlang_a(
    hours: Hours, offered: Floats, *, factor: float, turn_s: float, patience_s: float,
    threshold_s: float,
) -> Outcome:
    """M/M/n+M hour by hour."""
    aht_s = hours.handle_s + turn_s
    load, agents = np.maximum(offered, 1e-6) * aht_s / HOUR_S, hours.agents * factor
    gone, wait_s, within = np.ones_like(load), np.full_like(load, patience_s), np.zeros_like(load)
    step = np.round(np.log(aht_s) * STEPS_PER_E)
    for one in np.unique(step):
        own = step == one
        unit_s = float(np.exp(one / STEPS_PER_E))
        low = np.floor(agents[own])
        parts = []
        for count in (low, low + 1.0):
            said = erlang_a(
                agents=np.maximum(count, 1.0),
                arrival_per_s=load[own],
                aht_s=1.0,
                patience_s=patience_s / unit_s,
                threshold_s=threshold_s / unit_s,
            )
            staffed = count >= 1.0
            parts.append(
                (
                    np.where(staffed, said.p_abandon, 1.0),
                    np.where(staffed, said.mean_wait_s * aht_s[own], patience_s),
                    np.where(staffed, said.sl_of_offered, 0.0),
                )
            )
        share = agents[own] - low
        mixed = [(1.0 - share) * a + share * b for a, b in zip(*parts, strict=True)]
        gone[own], wait_s[own], within[own] = mixed
    return Outcome(offered, offered * gone, offered * wait_s, offered * within)


def by_erlang_c(
    hours: Hours, offered: Floats, *, factor: float, turn_s: float, threshold_s: float
) -> Outcome:
    """M/M/n hour by hour; nobody abandons."""
    aht_s = hours.handle_s + turn_s
    rate = np.maximum(offered, 1e-6) / HOUR_S
    agents = np.maximum(hours.agents * factor, 1e-9)
    low = np.floor(agents)
    wait_s, within = np.zeros_like(rate), np.zeros_like(rate)
    for count, share in ((low, 1.0 - agents + low), (low + 1.0, agents - low)):
        said = [
            patient(
                agents=max(n, 1.0), arrival_per_s=r, aht_s=float(h), threshold_s=threshold_s
            )
            for n, r, h in zip(count.tolist(), rate.tolist(), aht_s.tolist(), strict=True)
        ]
        waits = np.array([float(one.mean_wait_s) for one in said])
        levels = np.array([float(one.sl_of_offered) for one in said])
        wait_s += share * np.where(count >= 1.0, np.minimum(waits, HOUR_S), HOUR_S)
        within += share * np.where(count >= 1.0, levels, 0.0)
    return Outcome(offered, np.zeros_like(offered), offered * wait_s, offered * within)


def erlang_a_factor(log: ContactLog, fit: ContactsFit) -> float | None:
    """The factor on agents present with which Erlang A loses as many contacts as the log; None
    where the log names no agents."""
    if fit.availability is None:
        return None
    turn_s = fit.turns.mean_s.mean
    patience_s = fit.patience.laws["exponential"].parameters["mean_s"].mean
    hours = Hours.of(log, Presence.of(log, turn_s=turn_s))
    offered = np.bincount(hours.place).astype(np.float64)
    lost = float(log.abandoned.sum())

    def excess(factor: float) -> float:
        said = by_erlang_a(
            hours,
            offered,
            factor=factor,
            turn_s=turn_s,
            patience_s=patience_s,
            threshold_s=0.0,
        )
        return float(said.abandoned.sum()) - lost

    found = root_scalar(excess, x0=START[0], x1=START[1], xtol=1e-3, maxiter=12)
    return float(np.clip(found.root, 0.2, 3.0)) if np.isfinite(found.root) else 1.0
