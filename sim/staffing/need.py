"""Heads that must be at their desks: from agents by interval to heads by half hour, and cuts.

Attendance and shrinkage turn productive agents into heads on average; that attendance is random is
what the proof shows and what cuts make up for. A need is a whole number of heads, shape (slots,
groups of queues), for every simulated day.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from scipy.special import ndtri

from scenarios.scenario import Scenario
from sim.columns import Ints
from sim.staffing.shifts import SLOTS_PER_DAY

# Of the seasons that the risk gives up, a need gives up a tenth: what is said of an interval is a
# share of a few unseen seasons. At 95 %, one of twenty may miss it; a day that 3 % of all seasons
# overload is then shown failing with 12 %, one that 0.5 % do, with 0.5 % (binomial), and all nine
# days have to pass.
MARGIN_RATIO: Final = 0.1
# Half hours that share what they know: two hours and a half.
WINDOW: Final = 5


def heads_of(agents: Ints, scenario: Scenario) -> Ints:
    """Heads at desks by half hour from productive agents by interval, shape (intervals, groups)."""
    support = scenario.support
    productive = support.attendance_ratio * (1.0 - support.shrinkage_ratio)
    per_slot = scenario.horizon.ticks_per_day // SLOTS_PER_DAY
    by_slot = agents.reshape(-1, per_slot, agents.shape[1]).max(axis=1)
    heads: Ints = np.ceil(by_slot / productive).astype(np.int64)
    return heads


def aimed(risk_ratio: float) -> float:
    """Share of seasons in which an interval has to hold for a proof to show it at a risk."""
    return 1.0 - MARGIN_RATIO * (1.0 - risk_ratio)


def cut(
    need: Ints, held: NDArray[np.bool_], *, risk_ratio: float, cv: float, ticks_per_day: int
) -> tuple[Ints, int]:
    """The need raised where too few replications held, and how many half hours that were.

    `held` has the shape (replications, intervals, groups) and ends with the need's last day. How
    many heads are missing follows from how often they were: the need of a half hour scatters as
    normal, by the demand's `cv` and by chance, so that from a share to the one aimed at it is so
    many standard deviations; neighbouring half hours share theirs.
    """
    per_slot = ticks_per_day // SLOTS_PER_DAY
    by_slot = held.reshape(len(held), -1, per_slot, held.shape[2])
    share = uniform_filter1d(by_slot.mean(axis=(0, 2)), WINDOW, axis=0, mode="nearest")
    # No share is known to be nearer to 0 or 1 than half a replication.
    least = 0.5 / (len(held) * per_slot * WINDOW)
    short = ndtri(aimed(risk_ratio)) - ndtri(np.clip(share, least, 1.0 - least))
    raised = need.copy()
    mine = raised[len(need) - len(share) :]
    more = np.ceil(np.maximum(short, 0.0) * np.sqrt(mine + (cv * mine) ** 2)).astype(np.int64)
    mine += more
    return raised, int((more > 0).sum())
