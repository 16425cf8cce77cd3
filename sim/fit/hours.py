"""Contacts of a log gathered by local date and hour, as observed or as replayed.

Decides what an hour's figures are, and which hours are told of: at least `FEWEST_CONTACTS` contacts
and `FEWEST_AGENTS` agents present; the others are counted. Waits in seconds.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.fit.likelihood import Floats
from sim.fit.logs import ContactLog
from sim.fit.presence import LONGEST_HANDLE_S, Presence

HOUR_S: Final = 3600.0
FEWEST_CONTACTS: Final = 40
FEWEST_AGENTS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """Sums by hour, in the order of `Hours.start_s`; arrays may carry replications in front."""

    offered: Floats
    abandoned: Floats
    wait_s: Floats
    within: Floats
    """Answered within the threshold."""

    @property
    def abandoned_ratio(self) -> Floats:
        return self.abandoned / np.maximum(self.offered, 1.0)

    @property
    def mean_wait_s(self) -> Floats:
        return self.wait_s / np.maximum(self.offered, 1.0)

    @property
    def service_level_ratio(self) -> Floats:
        """Of offered contacts."""
        return self.within / np.maximum(self.offered, 1.0)

    def middle(self) -> "Outcome":
        """The mean over replications."""
        columns = (self.offered, self.abandoned, self.wait_s, self.within)
        return Outcome(*(np.asarray(column.mean(axis=0)) for column in columns))

    def total(self) -> "Outcome":
        """All hours together."""
        columns = (self.offered, self.abandoned, self.wait_s, self.within)
        return Outcome(*(np.asarray(column.sum(axis=-1)) for column in columns))


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours in which contacts arrived."""

    start_s: Floats
    """On the wall clock, seconds since 1970-01-01 00:00 local."""
    place: NDArray[np.int64]
    """Of each contact: position of its hour."""
    agents: Floats
    """Mean number present."""
    handle_s: Floats
    """Mean of the hour's answered contacts; where there is none, of the log's."""
    used: NDArray[np.bool_]

    @classmethod
    def of(cls, log: ContactLog, presence: Presence) -> "Hours":
        hour, first, place = np.unique(
            np.floor_divide(log.local_s, HOUR_S), return_index=True, return_inverse=True
        )
        start_s = hour * HOUR_S
        instant_s = start_s + log.arrived_s[first] - log.local_s[first]
        agents = presence.agent_s(instant_s + HOUR_S) - presence.agent_s(instant_s)
        agents /= HOUR_S
        served = ~log.abandoned
        handle_s = np.minimum(log.handle_s[served], LONGEST_HANDLE_S)
        count = np.bincount(place[served], minlength=len(hour))
        total_s = np.bincount(place[served], handle_s, len(hour))
        mean_s = np.where(count > 0, total_s / np.maximum(count, 1), handle_s.mean())
        offered = np.bincount(place)
        used = (offered >= FEWEST_CONTACTS) & (agents >= FEWEST_AGENTS)
        return cls(start_s, place, agents, mean_s, used)

    def gather(
        self,
        local_s: Floats,
        wait_s: Floats,
        abandoned: NDArray[np.bool_],
        threshold_s: float,
    ) -> Outcome:
        """Sums by hour over contacts that arrived at these times, all of them in these hours."""
        place = np.searchsorted(self.start_s, np.floor_divide(local_s, HOUR_S) * HOUR_S)
        within = ~abandoned & (wait_s <= threshold_s)
        counted = (np.ones_like(wait_s), abandoned, wait_s, within)
        sums = (np.bincount(place, one, len(self.start_s)) for one in counted)
        return Outcome(*(np.asarray(one, dtype=np.float64) for one in sums))
