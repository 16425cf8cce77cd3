"""Who was on duty, as far as a log of contacts can show it.

Nobody logs agents' pauses. Decides that an agent is present from the start of a contact until the
end of the last one that follows within `GAP_S`, and a mean turn (sim/fit/turns.py) longer. What
this takes for presence is more than what was available: sim/fit/availability.py finds the factor.
Of which queues an agent leaves alone sim/fit/skills.py decides. Seconds.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.fit.likelihood import Floats
from sim.fit.logs import ContactLog
from sim.fit.skills import EVERYTHING, Skills

GAP_S: Final = 600.0
# A contact longer than this is one that nobody hung up.
LONGEST_HANDLE_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Presence:
    """Spells of presence, in no order: from, until."""

    from_s: Floats
    until_s: Floats
    team: NDArray[np.int64]
    """Position in `refuses`."""
    refuses: tuple[frozenset[str], ...] = EVERYTHING
    """Queues that a team does not serve."""

    @classmethod
    def of_anybody(cls, from_s: Floats, until_s: Floats) -> "Presence":
        """Agents who serve every queue."""
        return cls(from_s, until_s, np.zeros(len(from_s), dtype=np.int64))

    @classmethod
    def of(cls, log: ContactLog, *, turn_s: float = 0.0) -> "Presence":
        rows, follows = by_agent(log)
        start = log.answered_s[rows]
        end = start + np.minimum(log.handle_s[rows], LONGEST_HANDLE_S)
        if not len(rows):
            return cls.of_anybody(start, end)
        new = np.concatenate([[True], ~follows | (start[1:] - end[:-1] > GAP_S)])
        first = np.flatnonzero(new)
        skills = Skills.of(log, rows)
        end = np.maximum.reduceat(end, first) + turn_s
        return cls(start[first], end, skills.team[first], skills.refuses)

    def between(self, low_s: float, high_s: float) -> "Presence":
        """The spells that touch an interval, cut to it, times from its start."""
        touching = (self.from_s < high_s) & (self.until_s > low_s)
        ends = (self.from_s[touching], self.until_s[touching])
        from_s, until_s = (np.clip(t, low_s, high_s) - low_s for t in ends)
        return Presence(from_s, until_s, self.team[touching], self.refuses)

    def agent_s(self, before_s: Floats) -> Floats:
        """Time present, all agents together, before each instant."""
        if not len(self.from_s):
            return np.zeros_like(before_s)
        times = np.concatenate([self.from_s, self.until_s])
        order = np.argsort(times, kind="stable")
        level = np.cumsum(np.repeat([1.0, -1.0], len(self.from_s))[order])
        total = np.concatenate([[0.0], np.cumsum(level[:-1] * np.diff(times[order]))])
        return np.asarray(np.interp(before_s, times[order], total))


def by_agent(log: ContactLog) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Answered contacts agent by agent, in order; whether the next one is the same agent's."""
    rows = np.flatnonzero(~log.abandoned & (log.agent >= 0))
    rows = rows[np.lexsort((log.answered_s[rows], log.agent[rows]))]
    return rows, log.agent[rows][1:] == log.agent[rows][:-1]
