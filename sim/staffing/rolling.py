"""Whole numbers for a roster's linear program: team by team, then window by window.

First every team's whole horizon is dived into, teams that help several skills before the others,
which lean on them, while everything else stands still. Then a window of some days rolls over each
team's horizon: what lies in it is searched again by branch and cut, from what stands, with all
around it fixed (relax-and-fix, then fix-and-optimise; Helber and Sahling, International Journal of
Production Economics 123, 2010). A window is nearly a staircase of intervals, whose vertices are
nearly whole: its search mostly ends at the root.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp

from sim.columns import Floats, Ints
from sim.staffing.highs import Limits, Problem, Solved, dive, search
from sim.staffing.matrix import NO_SLOT
from sim.staffing.model import Model
from sim.staffing.shifts import SLOTS_PER_DAY

# Only starts whose reduced cost is at most this are looked at.
CHEAP_FEN: Final = 1_000.0
# The part of the fractional variables that a step of a dive fixes.
DIVE_RATIO: Final = 0.5
# A window that could be cheaper by less than this share of the whole cost is left alone.
LEAST_GAIN_RATIO: Final = 1e-5
WINDOW_NODES_COUNT: Final = 1
# Where no dive ends in whole numbers.
STUCK_GAP_RATIO: Final = 2e-5
STUCK_NODES_COUNT: Final = 200
# Slots after the next day until which a shift of the day keeps its head from starting again.
TAIL_SLOTS: Final = 12


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard whole numbers are looked for."""

    spans_days: tuple[int, ...]
    """A pass over all teams each: the days of its windows, one of which starts on every day."""


FULL: Final = Effort(spans_days=(1, 2))
QUICK: Final = Effort(spans_days=(1,))


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
        self._cost_fen, self._component, self._effort = relaxed.objective, component, effort
        starts = np.zeros(len(values), dtype=np.bool_)
        closed = np.zeros(len(values), dtype=np.bool_)
        for crew in model.crews:
            starts[crew.starts] = True
            if values[crew.heads] < 0.5:
                closed[crew.starts] = True
                closed[crew.breaks] = True
        self._starts = starts
        closed |= starts & (relaxed.reduced > CHEAP_FEN)
        closed |= linear.slot == NO_SLOT
        shared = np.zeros(len(values), dtype=np.bool_)
        shared[model.uncovered[:, component.groups]] = True
        for (team, _), columns in model.help.items():
            shared[columns] = team in component.teams
        self._shared = shared
        mine = shared | np.isin(linear.team, component.teams)
        values[closed & (linear.slot != NO_SLOT) & mine] = 0.0
        self._columns = np.flatnonzero(mine & ~closed)
        self._matrix = sp.csc_matrix(linear.matrix)[:, self._columns].tocsr()

    def run(self) -> None:
        """All teams; then every window while everything else stands still."""
        days_count = len(self._model.uncovered) // SLOTS_PER_DAY
        for team in self._component.teams:
            self._first(self._part(team, 0, days_count, stands=False))
        for span in self._effort.spans_days:
            for team in reversed(self._component.teams):
                for day in range(max(days_count - span, 0) + 1):
                    self._again(self._part(team, day, day + span, stands=True))

    def _first(self, part: "_Part") -> None:
        stuck = Limits(STUCK_GAP_RATIO * self._cost_fen, STUCK_NODES_COUNT)
        found = dive(part.problem, DIVE_RATIO)
        self._keep(part, found or search(part.problem, stuck))

    def _again(self, part: "_Part") -> None:
        limits = Limits(LEAST_GAIN_RATIO * self._cost_fen, WINDOW_NODES_COUNT)
        self._keep(part, search(part.problem, limits, known=self._values[part.columns]))

    def _keep(self, part: "_Part", found: Solved) -> None:
        values = self._values
        values[part.columns] = found.values
        # States are sums of whole numbers.
        values[part.settled] = np.rint(values[part.settled])

    def _part(self, team: int, first_day: int, end_day: int, *, stands: bool) -> "_Part":
        """A team's days when everything before and behind stands still, and other teams.

        Where whole numbers stand already, they are allowed, up to the solver's own tolerance.
        """
        linear = self._linear
        start, end = first_day * SLOTS_PER_DAY, end_day * SLOTS_PER_DAY
        seen = end + SLOTS_PER_DAY + TAIL_SLOTS
        slot = linear.slot[self._columns]
        mine = (self._shared | (linear.team == team))[self._columns] & (slot >= start)
        mine &= np.where(self._starts[self._columns], slot < end, slot < seen)
        inside = np.flatnonzero(mine)
        free, columns = self._columns[inside], self._matrix[:, inside]
        # Rows of the slot after the last one tie its states to what follows.
        row_slot = linear.row_slot
        near = (row_slot == NO_SLOT) | ((row_slot >= start) & (row_slot <= seen))
        rows = np.flatnonzero((np.diff(columns.indptr) > 0) & near)
        fixed = self._values.copy()
        fixed[free] = 0.0
        taken = linear.matrix[rows] @ fixed
        lower, upper = linear.lower[rows] - taken, linear.upper[rows] - taken
        if stands:
            use = columns[rows] @ self._values[free]
            lower, upper = np.minimum(lower, use), np.maximum(upper, use)
        problem = Problem(
            costs=linear.costs[free],
            matrix=columns[rows].tocsc(),
            lower=lower,
            upper=upper,
            bounds=linear.bounds[free],
            whole=linear.whole[free],
        )
        settled = free[(linear.team[free] == team) & ~self._shared[free]]
        return _Part(free, settled, problem)


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
