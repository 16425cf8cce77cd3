"""Heads that must be at their desks: from agents by interval to heads by half hour, and cuts.

A first need is the load of simulated replications with a square-root margin (Halfin and Whitt,
Operations Research 29, 1981), at the level that a share `risk_ratio` of replications stays under;
the load of neighbouring intervals is averaged, as contacts outlast an interval. Attendance and
shrinkage turn agents into heads. A need is a whole number, shape (slots, queues), for every day of
the horizon; warm-up days take the need of the first day that counts.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from scipy.stats import norm

from scenarios.scenario import Scenario
from sim.staffing.shifts import SLOTS_PER_DAY
from sim.support.cases import Floats
from sim.support.roster import Ints

# Agents beyond the load, in square roots of it: few wait at all.
BETA: Final = 0.8
SMOOTH_INTERVALS: Final = 3
# A cut adds this share of the need where a target was missed, and a head at least.
CUT_RATIO: Final = 0.06


def agents_for(load_erlang: Floats, *, risk_ratio: float) -> Floats:
    """Agents by interval and queue from loads of shape (replications, intervals, queues)."""
    smooth = uniform_filter1d(load_erlang, SMOOTH_INTERVALS, axis=1, mode="nearest")
    mean = smooth.mean(axis=0)
    # Days differ by a common factor: its spread is taken from all intervals of a replication.
    ratio = smooth.sum(axis=(1, 2)) / mean.sum()
    hourly = np.sqrt(np.maximum((smooth / np.maximum(mean, 1e-9)).var(axis=0, ddof=1), 0.0))
    spread = max(float(ratio.std(ddof=1)), float(np.average(hourly, weights=mean)))
    level = mean * (1.0 + float(norm.ppf(risk_ratio)) * spread)
    return np.asarray(level + BETA * np.sqrt(level))


def heads_for(agents: Floats, scenario: Scenario) -> Ints:
    """Heads at desks by half hour from productive agents by interval, shape (intervals, queues)."""
    support, horizon = scenario.support, scenario.horizon
    productive = support.attendance_ratio * (1.0 - support.shrinkage_ratio)
    per_slot = horizon.ticks_per_day // SLOTS_PER_DAY
    by_slot = agents.reshape(-1, per_slot, agents.shape[1]).max(axis=1)
    heads = np.ceil(by_slot / productive).astype(np.int64)
    missing_days = horizon.days_count - len(heads) // SLOTS_PER_DAY
    return np.concatenate([heads[:SLOTS_PER_DAY]] * missing_days + [heads])


def cut(
    need: Ints, held: NDArray[np.bool_], *, risk_ratio: float, ticks_per_day: int
) -> tuple[Ints, int]:
    """The need raised where too few replications held, and how many half hours that were.

    `held` has the shape (replications, intervals, queues).
    """
    per_slot = ticks_per_day // SLOTS_PER_DAY
    share = held.mean(axis=0).reshape(-1, per_slot, held.shape[2]).min(axis=1)
    short = np.maximum(risk_ratio - share, 0.0) / risk_ratio
    raised = need.copy()
    mine = raised[len(need) - len(share) :]
    mine += np.where(short > 0.0, np.ceil(mine * CUT_RATIO * (1.0 + short)), 0).astype(np.int64)
    return raised, int((short > 0.0).sum())

