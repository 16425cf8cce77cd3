"""Which team serves which skills, and what their heads leave uncovered.

A team serves the skill of its first queue; a team that helps out without reserve (cross-trained)
also serves its further queues, but an agent only one at a time.
"""

from collections.abc import Sequence

import numpy as np

from scenarios.support import Support
from sim.columns import Floats, Ints
from sim.staffing.shifts import Shifts
from sim.support.layout import Layout


def served(support: Support, queues_of_group: Sequence[Sequence[int]]) -> list[list[int]]:
    """By team: the groups of queues that it serves, its own first."""
    group_of = {queue: g for g, queues in enumerate(queues_of_group) for queue in queues}
    groups = []
    for team in Layout.of(support).teams:
        further = team.further if team.overflow_reserve_ratio == 0.0 else ()
        groups.append(list(dict.fromkeys(group_of[q] for q in (team.first, *further))))
    return groups


def uncovered(
    heads: Ints, shifts: Shifts, *, serves: Sequence[Sequence[int]], need: Ints
) -> Floats:
    """Heads missing by slot and group when cross-trained agents help where most is missing."""
    at_desks = np.zeros((len(need), len(serves)))
    for column in np.flatnonzero(heads.sum(axis=1)):
        at_desks[shifts.covers[column]] += heads[column]
    missing: Floats = need.astype(np.float64)
    for team, groups in enumerate(serves):
        if len(groups) == 1:
            missing[:, groups[0]] -= at_desks[:, team]
    missing = np.maximum(missing, 0.0)
    for team, groups in enumerate(serves):
        left = at_desks[:, team].copy()
        for group in groups if len(groups) > 1 else ():
            helped = np.minimum(left, missing[:, group])
            missing[:, group] -= helped
            left -= helped
    return missing
