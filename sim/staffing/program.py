"""How many heads of each team work which shift: the whole floor as one mixed-integer program.

sim/staffing/model.py has its rows and columns, all teams and skills in one. Solved as a linear
program by HiGHS, whose value is the bound; heads by team and kind become whole, then shifts and
breaks team by team (sim/staffing/rolling.py); then each shift gets its break, the earliest first.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np

from scenarios.labour import Labour
from sim.columns import Floats, Ints
from sim.staffing.highs import Problem, optimise
from sim.staffing.matrix import Linear
from sim.staffing.model import Crew, Model
from sim.staffing.rolling import FULL, Component, Effort, Rolling, components
from sim.staffing.shifts import SLOTS_PER_DAY, SLOTS_PER_H, Pay, Shifts
from sim.support.roster import apportion

SHARE_ROUNDS: Final = 3
EPSILON: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Roster:
    """A solution; money in fen."""

    heads: Ints
    """Shape (columns of shifts, teams)."""
    employed: Ints
    """Shape (kinds, teams)."""
    uncovered: Floats
    """Heads missing, shape (slots, groups)."""
    cost_fen: float
    bound_fen: float

    @property
    def gap_ratio(self) -> float:
        """How far the solution may be from the best one."""
        return (self.cost_fen - self.bound_fen) / max(self.bound_fen, 1.0)


class Program:
    """The program of teams, each with the groups of queues that it serves, its own first."""

    def __init__(
        self, labour: Labour, pay: Pay, shifts: Shifts, *, serves: Sequence[Sequence[int]]
    ) -> None:
        self._labour, self._pay, self._shifts = labour, pay, shifts
        self._serves = [list(groups) for groups in serves]

    def solve(
        self,
        need: Ints,
        *,
        heads_count: int,
        flexible_heads_max: float,
        effort: Effort = FULL,
    ) -> Roster:
        """The roster of so many heads for a need of shape (slots, groups)."""
        model = self._model(need, heads_count, flexible_heads_max)
        linear = model.linear
        relaxed = optimise(_problem(linear), vertex=False)
        values = relaxed.values.copy()
        planned = self._whole_heads(model, values)

        def whole(component: Component) -> Floats:
            mine = values.copy()
            Rolling(model, relaxed, mine, component=component, effort=effort).run()
            return mine

        parts = components(self._serves, planned.sum(axis=0))
        with ThreadPoolExecutor(max_workers=len(parts)) as pool:
            solved = list(pool.map(whole, parts))
        for part, mine in zip(parts, solved, strict=True):
            of_part = np.isin(linear.team, part.teams)
            of_part[model.uncovered[:, part.groups]] = True
            values[of_part] = mine[of_part]
        return Roster(
            heads=self._heads(model, values),
            employed=self._employed(planned, heads_count),
            uncovered=values[model.uncovered],
            cost_fen=float(linear.costs @ values),
            bound_fen=_dual_bound(linear, relaxed.prices),
        )

    def bound_fen(self, need: Ints, *, heads_count: int) -> float:
        """The value of the linear program without cross-trained heads."""
        linear = self._model(need, heads_count, 0.0).linear
        return optimise(_problem(linear)).objective

    def fewest_heads(self, need: Ints) -> int:
        """The smallest headcount that covers the need everywhere, in the linear program."""
        count = 0
        # Kinds are limited to a share of the heads, which is found by going round.
        for _ in range(SHARE_ROUNDS):
            model = self._model(need, count, 0.0)
            linear = model.linear
            linear.costs[:] = 0.0
            linear.costs[[crew.heads for crew in model.crews]] = 1.0
            linear.bounds[model.uncovered] = 0.0
            linear.upper[np.append(model.nights, model.total)] = np.inf
            found = optimise(_problem(linear))
            count = int(np.ceil(found.objective / self._labour.planned_ratio - EPSILON))
        return count

    def _model(self, need: Ints, heads_count: int, flexible_heads_max: float) -> Model:
        return Model(
            self._labour,
            self._pay,
            need,
            serves=self._serves,
            heads_count=heads_count,
            flexible_heads_max=flexible_heads_max,
        )

    def _whole_heads(self, model: Model, values: Floats) -> Ints:
        """Rounds the heads of all crews in place, the largest remainders up, within all limits.

        A head less in all costs more than anything else that is rounded: what may not be rounded up
        where it stands goes to crews that only the headcount limits.
        """
        linear = model.linear
        places = np.array([crew.heads for crew in model.crews])
        rows = model.limits[np.isfinite(linear.upper[model.limits])]
        limits, uses = linear.upper[rows], linear.matrix[rows][:, places].toarray()
        exact = values[places]
        whole = np.floor(exact + EPSILON)
        wanted = round(exact.sum())
        everyone = np.arange(len(places))
        for crews in (everyone, everyone[uses.sum(axis=0) == 1.0]):
            for crew in crews[np.argsort((whole - exact)[crews], kind="stable")]:
                more = whole + (everyone == crew)
                if more.sum() <= wanted and (uses @ more <= limits).all():
                    whole = more
        values[places] = whole
        planned = np.zeros((len(model.kinds), len(self._serves)), dtype=np.int64)
        for crew, count in zip(model.crews, whole, strict=True):
            planned[crew.kind, crew.team] = int(count)
        return planned

    def _employed(self, planned: Ints, heads_count: int) -> Ints:
        """All heads by kind and team: the reserve goes to the kinds that are open to all."""
        ratio = self._labour.planned_ratio
        ratios = [self._labour.kinds[name].heads_max_ratio for name in self._shifts.kind_names]
        is_open = np.array(ratios)[:, np.newaxis] >= 1.0
        employed = np.where(is_open, planned, np.floor(planned / ratio)).astype(np.int64)
        left = heads_count - int(employed.sum())
        shares = np.where(is_open, planned + EPSILON, 0.0).ravel().tolist()
        more = np.array(apportion(left, shares), dtype=np.int64)
        return np.asarray(employed + more.reshape(employed.shape))

    def _heads(self, model: Model, values: Floats) -> Ints:
        """Heads by column of shifts and team: every shift gets its break, first come first."""
        shifts = self._shifts
        marks = (shifts.kind, shifts.day, shifts.start, shifts.break_start, shifts.overtime_h)
        place = {mark: column for column, mark in enumerate(zip(*map(list, marks), strict=True))}
        heads = np.zeros((len(shifts), len(self._serves)), dtype=np.int64)
        for crew in model.crews:
            start, overtime_h, pause = _dealt_breaks(model, crew, values)
            day, of_day = np.divmod(start, SLOTS_PER_DAY)
            for mark in zip(day, of_day, pause, overtime_h, strict=True):
                heads[place[(crew.kind, *(int(one) for one in mark))], crew.team] += 1
        return heads


def _problem(linear: Linear) -> Problem:
    """The whole program without whole numbers."""
    matrix = linear.matrix.tocsc()
    whole = np.zeros(len(linear.costs), dtype=np.bool_)
    return Problem(linear.costs, matrix, linear.lower, linear.upper, linear.bounds, whole)


def _dual_bound(linear: Linear, prices: Floats) -> float:
    """What prices of rows prove: no solution costs less (weak duality)."""
    sides = np.where(prices > 0.0, linear.lower, linear.upper)
    counts = (np.abs(prices) > EPSILON) & np.isfinite(sides)
    return float(prices[counts] @ sides[counts])


def _dealt_breaks(model: Model, crew: Crew, values: Floats) -> tuple[Ints, Ints, Ints]:
    """By shift in order of its start: slot of the start, overtime, slots until the break."""
    counts = np.rint(values[crew.starts]).astype(np.int64)
    overtime_h, start = np.nonzero(counts)
    many = counts[overtime_h, start]
    order = np.argsort(start, kind="stable")
    start = np.repeat(start[order], many[order])
    overtime_h = np.repeat(overtime_h[order], many[order])
    if not len(crew.breaks):
        return start, overtime_h, np.zeros_like(start)
    begun = np.rint(values[crew.breaks]).astype(np.int64)
    at = np.repeat(np.arange(len(begun)), begun)
    first = round(model.kinds[crew.kind].break_from_h * SLOTS_PER_H)
    # Breaks behind the horizon are not in the program.
    behind = np.maximum(start[len(at) :] + first, len(begun))
    return start, overtime_h, np.append(at, behind) - start
