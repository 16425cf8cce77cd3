"""Whole numbers for a roster's linear program: day by day, team by team (relax and fix).

A team's shifts and breaks of a day become whole while those of the next days stay continuous and
everything else stands still. What the days behind pay for is in the costs, at the linear program's
dual prices, so that a part of the horizon wants what the whole one wants (Lagrangian relaxation of
the rows cut off); a row of the whole horizon (days off, overtime) may be used more than planned, at
a little more than its price, as long as later days can make up for it. Teams that help several
skills come first, so that the others may lean on them. Whole numbers are found by diving; then each
team's day is tried again while everything else stands still. Source: Pochet and Wolsey, Production
Planning by Mixed Integer Programming, 2006, 3.6.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp

from sim.columns import Bools, Floats, Ints
from sim.staffing.highs import Limits, Problem, Solved, dive, optimise, search
from sim.staffing.matrix import NO_SLOT
from sim.staffing.model import Model
from sim.staffing.shifts import SLOTS_PER_DAY

# Only starts whose reduced cost is at most this are looked at.
CHEAP_FEN: Final = 1_000.0
# What a unit more than planned of a row of the whole horizon costs, and what one less brings.
MORE_RATIO: Final = 1.5
LESS_RATIO: Final = 0.9
# Share of what later days have planned of such a row that may be used before.
BORROW_RATIO: Final = 0.5
# Where no dive ends in whole numbers.
STUCK: Final = Limits(gap=20_000.0, nodes_count=200)
# A part that could be cheaper by less is left alone.
LEAST_GAIN_FEN: Final = 2_000.0
# Slots after the next day until which a shift of the day keeps its head from starting again.
TAIL_SLOTS: Final = 12


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard whole numbers are looked for."""

    ahead_days_count: int
    """Days that stay continuous behind the one that becomes whole."""
    shares: tuple[float, ...]
    """A dive each: the part of the fractional variables that a step fixes."""
    passes_count: int
    """Times that every team's day is tried again."""


FULL: Final = Effort(ahead_days_count=4, shares=(0.05, 0.1, 0.2, 0.35, 0.5, 0.8), passes_count=3)
QUICK: Final = Effort(ahead_days_count=1, shares=(0.5,), passes_count=0)


class Rolling:
    """Makes whole a component: teams that share skills."""

    def __init__(
        self,
        model: Model,
        relaxed: Solved,
        values: Floats,
        *,
        component: "Component",
        effort: Effort,
    ) -> None:
        """`relaxed` is the linear program's solution, `values` its values with whole heads, which
        are changed in place."""
        linear = model.linear
        self._linear, self._model, self._values = linear, model, values
        self._prices, self._component, self._effort = relaxed.prices, component, effort
        starts = np.zeros(len(values), dtype=np.bool_)
        self._closed = np.zeros(len(values), dtype=np.bool_)
        for crew in model.crews:
            starts[crew.starts] = True
            if values[crew.heads] < 0.5:
                self._closed[crew.starts] = True
                self._closed[crew.breaks] = True
        self._starts = starts
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

    def run(self) -> None:
        """All days, all teams; then each again while everything else stands still."""
        starts = range(0, len(self._model.uncovered), SLOTS_PER_DAY)
        for start in starts:
            for team in self._component.teams:
                self._first(self._ahead(team, start))
        for _ in range(self._effort.passes_count):
            for start in starts:
                for team in reversed(self._component.teams):
                    self._again(self._alone(team, start))

    def _first(self, part: "_Part") -> None:
        found = dive(part.problem, self._effort.shares)
        self._keep(part, found or search(part.problem, STUCK))

    def _again(self, part: "_Part") -> None:
        """Takes a better solution of a part, if there is enough to be gained."""
        now = float(part.problem.costs @ self._values[part.columns])
        if now - optimise(part.problem).objective < LEAST_GAIN_FEN:
            return
        found = dive(part.problem, self._effort.shares)
        if found is not None and found.objective < now - 1.0:
            self._keep(part, found)

    def _keep(self, part: "_Part", found: Solved) -> None:
        values, columns = self._values, part.columns
        values[columns] = found.values[: len(columns)]
        # States are sums of whole numbers.
        values[part.settled] = np.rint(values[part.settled])

    def _ahead(self, team: int, start: int) -> "_Part":
        """A team's day, whole, and the next days, continuous; later ones at their prices."""
        linear, values = self._linear, self._values
        end = start + SLOTS_PER_DAY
        seen = end + self._effort.ahead_days_count * SLOTS_PER_DAY
        slot = linear.slot[self._columns]
        inside = np.flatnonzero(self._own(team) & (slot >= start) & (slot < seen))
        free, part, rows = self._cut(inside, start, seen)
        late = np.flatnonzero((np.diff(part.indptr) > 0) & (linear.row_slot >= seen))
        costs = linear.costs[free] - part[late].T @ self._prices[late]
        fixed = values.copy()
        fixed[free] = 0.0
        taken = linear.matrix[rows] @ fixed
        lower, upper = linear.lower[rows] - taken, linear.upper[rows] - taken
        soft = np.flatnonzero(linear.row_slot[rows] == NO_SLOT)
        fixed[(linear.slot < seen) | (linear.slot == NO_SLOT)] = 0.0
        borrowed = BORROW_RATIO * (abs(linear.matrix[rows[soft]]) @ fixed)
        count = len(soft)
        more = sp.csr_matrix((np.ones(count), (soft, np.arange(count))), shape=(len(rows), count))
        price = np.maximum(-self._prices[rows[soft]], 0.0)
        lower[soft] = upper[soft]
        most = np.maximum(borrowed, -upper[soft])
        whole = linear.whole[free] & (slot[inside] < end)
        problem = Problem(
            costs=np.concatenate((costs, MORE_RATIO * price, -LESS_RATIO * price)),
            matrix=sp.hstack((part[rows], -more, more)).tocsc(),
            lower=lower,
            upper=upper,
            bounds=np.concatenate((linear.bounds[free], most, np.full(count, np.inf))),
            whole=np.concatenate((whole, np.zeros(2 * count, dtype=np.bool_))),
        )
        settled = free[(slot[inside] < end) & (linear.team[free] == team) & ~self._shared[free]]
        return _Part(free, settled, problem)

    def _alone(self, team: int, start: int) -> "_Part":
        """A team's day when everything before and behind stands still."""
        linear = self._linear
        end, seen = start + SLOTS_PER_DAY, start + 2 * SLOTS_PER_DAY + TAIL_SLOTS
        slot = linear.slot[self._columns]
        mine = self._own(team) & (slot >= start)
        mine &= np.where(self._starts[self._columns], slot < end, slot < seen)
        # Rows of the slot after the last one tie its states to what follows.
        free, part, rows = self._cut(np.flatnonzero(mine), start, seen + 1)
        fixed = self._values.copy()
        fixed[free] = 0.0
        taken = linear.matrix[rows] @ fixed
        use = part[rows] @ self._values[free]
        # What stands now is allowed, up to the solver's own tolerance.
        problem = Problem(
            costs=linear.costs[free],
            matrix=part[rows].tocsc(),
            lower=np.minimum(linear.lower[rows] - taken, use),
            upper=np.maximum(linear.upper[rows] - taken, use),
            bounds=linear.bounds[free],
            whole=linear.whole[free],
        )
        settled = free[(linear.team[free] == team) & ~self._shared[free]]
        return _Part(free, settled, problem)

    def _own(self, team: int) -> Bools:
        return np.asarray(self._shared | (self._linear.team == team))[self._columns]

    def _cut(self, inside: Ints, start: int, seen: int) -> tuple[Ints, sp.csr_matrix, Ints]:
        """Columns, their entries in all rows, and the rows of the slots from start to seen."""
        part = self._matrix[:, inside]
        row_slot = self._linear.row_slot
        near = (row_slot == NO_SLOT) | ((row_slot >= start) & (row_slot < seen))
        return self._columns[inside], part, np.flatnonzero((np.diff(part.indptr) > 0) & near)


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the program: columns of the whole one, those that are whole, the problem."""

    columns: Ints
    settled: Ints
    problem: Problem


@dataclass(frozen=True, slots=True)
class Component:
    """Teams that share skills, those that help several skills first; their groups of queues."""

    teams: tuple[int, ...]
    groups: tuple[int, ...]


def components(serves: list[list[int]], heads: Ints) -> list[Component]:
    """Teams linked by a common skill; `heads` by team decides the order of the others."""
    left, found = set(range(len(serves))), []
    while left:
        teams: set[int] = set()
        groups = set(serves[min(left)])
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
