"""Whole numbers for a roster's linear program: day by day, team by team (relax and fix).

A team's shifts and breaks of a day become whole while those of the next day stay continuous and
everything else stands still. What the days behind pay for is in the costs, at the linear program's
dual prices, so that a part of the horizon wants what the whole one wants (Lagrangian relaxation of
the rows cut off); a row of the whole horizon (days off, overtime) may be used more than planned, at
a little more than its price, as long as later days can make up for it. Teams that help several
skills come first, so that the others may lean on them. Source: Pochet and Wolsey, Production
Planning by Mixed Integer Programming, 2006, 3.6.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp

from sim.columns import Bools, Floats, Ints
from sim.staffing.highs import Limits, optimise
from sim.staffing.matrix import NO_SLOT
from sim.staffing.model import Model
from sim.staffing.shifts import SLOTS_PER_DAY

AHEAD_DAYS: Final = 1
# Only starts whose reduced cost is at most this are looked at.
CHEAP_FEN: Final = 1_000.0
# What a unit more than planned of a row of the whole horizon costs, and what one less brings.
MORE_RATIO: Final = 1.5
LESS_RATIO: Final = 0.9
# Share of what later days have planned of such a row that may be used before.
BORROW_RATIO: Final = 0.5
EPSILON: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Relaxed:
    """The linear program's solution: values and reduced costs by column, prices by row."""

    values: Floats
    reduced: Floats
    prices: Floats


class Rolling:
    """Makes whole a component: teams that share skills."""

    def __init__(
        self, model: Model, relaxed: Relaxed, values: Floats, *, component: "Component"
    ) -> None:
        """`values` is the linear program's solution with whole heads; it is changed in place."""
        linear = model.linear
        self._linear, self._model, self._values = linear, model, values
        self._prices, self._component = relaxed.prices, component
        starts = np.zeros(len(values), dtype=np.bool_)
        self._closed = np.zeros(len(values), dtype=np.bool_)
        for crew in model.crews:
            starts[crew.starts] = True
            if values[crew.heads] < 0.5:
                self._closed[crew.starts] = True
                self._closed[crew.breaks] = True
        self._closed |= starts & (relaxed.reduced > CHEAP_FEN)
        self._closed |= linear.slot == NO_SLOT
        shared = np.zeros(len(values), dtype=np.bool_)
        shared[model.uncovered[:, component.groups]] = True
        for (team, _), columns in model.help.items():
            shared[columns] = team in component.teams
        self._shared = shared
        mine = shared | np.isin(linear.team, component.teams)
        values[self._closed & (linear.slot != NO_SLOT) & mine] = 0.0
        self._columns = np.flatnonzero(mine & ~self._closed)
        self._matrix = sp.csc_matrix(linear.matrix)[:, self._columns].tocsr()

    def run(self, limits: Limits) -> None:
        """All days, all teams."""
        slots_count = len(self._model.uncovered)
        for start in range(0, slots_count, SLOTS_PER_DAY):
            for team in self._component.teams:
                self._day(team, start, limits)

    def _day(self, team: int, start: int, limits: Limits) -> None:
        linear, values = self._linear, self._values
        end, seen = start + SLOTS_PER_DAY, start + (1 + AHEAD_DAYS) * SLOTS_PER_DAY
        slot = linear.slot[self._columns]
        own = self._shared[self._columns] | (linear.team[self._columns] == team)
        inside = np.flatnonzero(own & (slot >= start) & (slot < seen))
        free = self._columns[inside]
        part = self._matrix[:, inside]
        touched = np.diff(part.indptr) > 0
        row_slot = linear.row_slot
        whole_horizon = row_slot == NO_SLOT
        rows = np.flatnonzero(
            touched & (whole_horizon | ((row_slot >= start) & (row_slot < seen)))
        )
        late = np.flatnonzero(touched & (row_slot >= seen))
        costs = linear.costs[free] - part[late].T @ self._prices[late]
        fixed = values.copy()
        fixed[free] = 0.0
        taken = (linear.matrix[rows] @ fixed)
        lower, upper = linear.lower[rows] - taken, linear.upper[rows] - taken
        soft = np.flatnonzero(whole_horizon[rows])
        later = fixed.copy()
        later[(linear.slot < seen) | (linear.slot == NO_SLOT)] = 0.0
        borrowed = BORROW_RATIO * (abs(linear.matrix[rows[soft]]) @ later)
        count = len(soft)
        more = sp.csr_matrix((np.ones(count), (soft, np.arange(count))), shape=(len(rows), count))
        price = np.maximum(-self._prices[rows[soft]], 0.0)
        planned = upper[soft]
        lower[soft] = planned
        whole = linear.whole[free] & (slot[inside] < end)
        found = optimise(
            np.concatenate((costs, MORE_RATIO * price, -LESS_RATIO * price)),
            sp.hstack((part[rows], -more, more)).tocsc(),
            lower,
            upper,
            np.concatenate(
                (linear.bounds[free], np.maximum(borrowed, -planned), np.full(count, np.inf))
            ),
            whole=np.concatenate((whole, np.zeros(2 * count, dtype=np.bool_))),
            limits=limits,
        )
        values[free] = found.values[: len(free)]
        # States of the day are sums of whole numbers.
        done = free[(slot[inside] < end) & (linear.team[free] == team)]
        done = done[~self._shared[done]]
        values[done] = np.rint(values[done])


@dataclass(frozen=True, slots=True)
class Component:
    """Teams that share skills, those that help several skills first; their groups of queues."""

    teams: tuple[int, ...]
    groups: tuple[int, ...]


def components(serves: list[list[int]], heads: Ints) -> list[Component]:
    """Teams linked by a common skill; `heads` by team decides the order of the others."""
    left, found = set(range(len(serves))), []
    while left:
        teams, groups = set(), set(serves[min(left)])
        while True:
            more = {team for team in left if groups & set(serves[team])}
            if more == teams:
                break
            teams = more
            groups |= {group for team in teams for group in serves[team]}
        left -= teams
        ordered = sorted(teams, key=lambda team: (len(serves[team]) == 1, heads[team], team))
        found.append(Component(tuple(ordered), tuple(sorted(groups))))
    return found
