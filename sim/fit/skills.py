"""Which queues an agent does not serve, as far as a log of contacts can show it.

Decides by agent and day, since many change their desk from day to day: an agent who would have
answered at least `FEWEST_EXPECTED` contacts of a queue if all answered alike, and answered less
than a tenth of that, does not serve it. Where a day shows less, its week decides; where that does
too, an agent serves everything.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.fit.logs import ContactLog

# The shorter, where it tells, overrules the longer.
PERIODS_DAYS: Final = (7, 1)
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
        refused = np.zeros((len(rows), len(log.queues)), dtype=np.bool_)
        for days in PERIODS_DAYS:
            told, refuses = _told(log, rows, days)
            refused = np.where(told, refuses, refused)
        teams, team = np.unique(refused, axis=0, return_inverse=True)
        names = np.array(log.queues, dtype=object)
        return cls(tuple(frozenset(names[row]) for row in teams), team.reshape(-1))


def _told(
    log: ContactLog, rows: NDArray[np.int64], days: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether the agent's contacts of a period tell, and that the agent refuses: [rows, queues]."""
    period = log.day[rows] // days
    period -= period.min(initial=0)
    periods, queues = int(period.max(initial=0)) + 1, len(log.queues)
    cells, place = np.unique(log.agent[rows] * periods + period, return_inverse=True)
    own = np.bincount(place * queues + log.queue[rows], minlength=len(cells) * queues)
    own = own.reshape(-1, queues)
    by_period = np.zeros((periods, queues))
    np.add.at(by_period, cells % periods, own)
    share = by_period / np.maximum(by_period.sum(axis=1, keepdims=True), 1.0)
    expected = own.sum(axis=1, keepdims=True) * share[cells % periods]
    told = expected >= FEWEST_EXPECTED
    return told[place], (own < REFUSED_RATIO * expected)[place]
