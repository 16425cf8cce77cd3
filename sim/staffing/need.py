"""Heads that must be at their desks: from agents by interval to heads by half hour, and cuts.

Attendance and shrinkage turn productive agents into heads on average; that attendance is random is
what the proof shows and what cuts make up for. A need is a whole number of heads, shape (slots,
groups of queues), for every simulated day.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from scenarios.scenario import Scenario
from sim.staffing.shifts import SLOTS_PER_DAY
from sim.support.roster import Ints

# A cut adds this share of the need where every replication missed, and half of it where few did.
CUT_RATIO: Final = 0.08


def heads_of(agents: Ints, scenario: Scenario) -> Ints:
    """Heads at desks by half hour from productive agents by interval, shape (intervals, groups)."""
    support = scenario.support
    productive = support.attendance_ratio * (1.0 - support.shrinkage_ratio)
    per_slot = scenario.horizon.ticks_per_day // SLOTS_PER_DAY
    by_slot = agents.reshape(-1, per_slot, agents.shape[1]).max(axis=1)
    heads: Ints = np.ceil(by_slot / productive).astype(np.int64)
    return heads


def cut(
    need: Ints, held: NDArray[np.bool_], *, risk_ratio: float, ticks_per_day: int
) -> tuple[Ints, int]:
    """The need raised where too few replications held, and how many half hours that were.

    `held` has the shape (replications, intervals, groups) and ends with the need's last day.
    """
    per_slot = ticks_per_day // SLOTS_PER_DAY
    share = held.mean(axis=0).reshape(-1, per_slot, held.shape[2]).min(axis=1)
    missed = share < risk_ratio
    raised = need.copy()
    mine = raised[len(need) - len(share) :]
    more = np.ceil(mine * CUT_RATIO * (0.5 + (1.0 - share) / 2.0)).astype(np.int64)
    mine += np.where(missed, np.maximum(more, 1), 0)
    return raised, int(missed.sum())
