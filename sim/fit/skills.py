"""Which queues an agent does not serve, as far as a log of contacts can show it.

Decides by agent and week: an agent who would have answered at least `FEWEST_EXPECTED` contacts of a
queue if all answered alike, and answered less than a tenth of that, does not serve it. Where a log
shows less, an agent serves everything.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.fit.logs import ContactLog

WEEK_DAYS: Final = 7
# Who serves a queue answers less than a tenth of so many with a probability of 0.7 %.
FEWEST_EXPECTED: Final = 5.0
REFUSED_RATIO: Final = 0.1
EVERYTHING: Final[tuple[frozenset[str], ...]] = (frozenset(),)


@dataclass(frozen=True, slots=True)
class Skills:
    """Teams of agents who leave the same queues alone."""

    refuses: tuple[frozenset[str], ...]
    team: NDArray[np.int64]
    """Of the agent who answered each of the rows asked about."""

    @classmethod
    def of(cls, log: ContactLog, rows: NDArray[np.int64]) -> "Skills":
        """`rows`: answered contacts with an agent, in any order."""
        week = log.day[rows] // WEEK_DAYS
        week -= week.min(initial=0)
        weeks = int(week.max(initial=0)) + 1
        cells, place = np.unique(log.agent[rows] * weeks + week, return_inverse=True)
        shape = (len(cells), len(log.queues))
        own = np.bincount(place * shape[1] + log.queue[rows], minlength=shape[0] * shape[1])
        own = own.reshape(shape)
        by_week = np.zeros((weeks, shape[1]))
        np.add.at(by_week, cells % weeks, own)
        share = by_week / np.maximum(by_week.sum(axis=1, keepdims=True), 1.0)
        expected = own.sum(axis=1, keepdims=True) * share[cells % weeks]
        refused = (expected >= FEWEST_EXPECTED) & (own < REFUSED_RATIO * expected)
        teams, team = np.unique(refused, axis=0, return_inverse=True)
        names = np.array(log.queues, dtype=object)
        return cls(tuple(frozenset(names[row]) for row in teams), team.reshape(-1)[place])
