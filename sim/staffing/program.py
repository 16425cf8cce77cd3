"""How many heads work which shift: a mixed-integer program over the whole floor.

Minimise wages + price x uncovered hours; variables: heads of each column (integer) and heads
employed for each kind of shift. Rows: at every half hour, heads at their desks + uncovered >= need;
heads at work on a day <= heads employed; days worked in any seven <= days allowed x heads, which is
enough for rest days to be dealt out in turn (Baker, Operations Research 22, 1974); night work,
overtime of the month, shares of kinds, all heads <= headcount. Nothing is infeasible, as uncovered
demand has a price. Solved as a linear program by HiGHS, whose value is the bound, and then
day by day: the columns of a day become whole while those of the next day stay continuous (relax and
fix; Pochet and Wolsey, Production Planning by Mixed Integer Programming, 2006, 3.6). Need and
shifts are those of all teams together; sim/staffing/skills.py deals the shifts to teams.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp

from scenarios.labour import STEP_H, Labour
from sim.staffing.highs import optimise
from sim.staffing.shifts import SLOTS_PER_DAY, Shifts
from sim.support.cases import Floats
from sim.support.roster import Ints

DAY_LIMIT_S: Final = 6.0
WEEK: Final = 7
SHARE_ROUNDS: Final = 3
# Days that stay continuous behind the one that becomes whole.
AHEAD_DAYS: Final = 3
# Only columns whose reduced cost is at most this become whole on their day.
CHEAP_FEN: Final = 1_000.0
# A column that costs this much more than it is worth stays out of the days ahead.
DEAR_FEN: Final = 30_000.0
EPSILON: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Roster:
    """A solution: heads by column and by kind; money in fen."""

    heads: Ints
    employed: Ints
    uncovered: Ints
    """By slot."""
    cost_fen: float
    bound_fen: float

    @property
    def gap_ratio(self) -> float:
        """How far the solution may be from the best one."""
        return (self.cost_fen - self.bound_fen) / max(self.bound_fen, 1.0)


class Program:
    """The rows and columns of a headcount; `solve` for a need by slot, shape (slots,)."""

    def __init__(self, labour: Labour, shifts: Shifts, *, slots_count: int) -> None:
        self._labour, self._shifts = labour, shifts
        self._slots_count = slots_count
        self._days_count = slots_count // SLOTS_PER_DAY
        self._kinds = [labour.kinds[name] for name in shifts.kind_names]
        self._matrix, self._uppers = self._rows()

    def solve(self, need: Ints, *, heads_count: int) -> Roster:
        """The best roster of so many heads."""
        costs, limits, bounds, lower, upper = self._bounds(need, heads_count)
        values, prices, bound_fen = optimise(costs, self._matrix, lower, upper, bounds)
        employed = self._whole(values[self._employed], heads_count, limits)
        values[self._employed] = employed
        self._fix_days(values, prices, costs=costs, lower=lower, upper=upper)
        heads = np.rint(values[: len(self._shifts)]).astype(np.int64)
        at_desks = self._matrix[: len(need), : len(self._shifts)] @ heads
        uncovered = np.maximum(need - np.rint(at_desks).astype(np.int64), 0)
        cost_fen = costs[: len(heads)] @ heads + costs[-1] * uncovered.sum()
        return Roster(heads, employed.astype(np.int64), uncovered, float(cost_fen), bound_fen)

    def bound_fen(self, need: Ints, *, heads_count: int) -> float:
        """The value of the linear program."""
        costs, _, bounds, lower, upper = self._bounds(need, heads_count)
        return optimise(costs, self._matrix, lower, upper, bounds)[2]

    def _bounds(self, need: Ints, heads_count: int) -> tuple[Floats, ...]:
        """Costs, heads by kind at most, bounds of columns, lower and upper bounds of rows."""
        limits = np.array([np.floor(one.heads_max_ratio * heads_count) for one in self._kinds])
        lower = np.concatenate((need.astype(float), np.full(len(self._uppers), -np.inf)))
        upper = np.concatenate((np.full(len(need), np.inf), self._uppers))
        upper[-1] = heads_count
        upper[-1 - self._days_count : -1] = self._labour.night_heads_max_ratio * heads_count
        bounds = np.full(self._columns_count, np.inf)
        bounds[self._employed] = limits
        return self._costs(), limits, bounds, lower, upper

    def fewest_heads(self, need: Ints) -> int:
        """The smallest headcount that covers the need everywhere, in the linear program."""
        costs = np.zeros(self._columns_count)
        costs[self._employed] = 1.0
        lower = np.concatenate((need.astype(float), np.full(len(self._uppers), -np.inf)))
        upper = np.concatenate((np.full(len(need), np.inf), self._uppers))
        upper[-1 - self._days_count :] = np.inf
        bounds = np.full(self._columns_count, np.inf)
        bounds[-len(need) :] = 0.0
        # Kinds are limited to a share of the heads, which is found by going round.
        shares = np.array([kind.heads_max_ratio for kind in self._kinds])
        count = 0
        for _ in range(SHARE_ROUNDS):
            limits = np.floor(shares * count)
            bounds[self._employed] = np.where(shares < 1.0, limits, np.inf)
            found = optimise(costs, self._matrix, lower, upper, bounds)[2]
            count = int(np.ceil(found - EPSILON))
        return count

    @property
    def _columns_count(self) -> int:
        return len(self._shifts) + len(self._kinds) + self._slots_count

    @property
    def _employed(self) -> Ints:
        return len(self._shifts) + np.arange(len(self._kinds))

    def _costs(self) -> Floats:
        price_fen = self._labour.uncovered_fen_per_h * STEP_H
        return np.concatenate(
            (
                self._shifts.cost_fen,
                np.zeros(len(self._kinds)),
                np.full(self._slots_count, price_fen),
            )
        )

    def _rows(self) -> tuple[sp.csc_matrix, Floats]:
        """The matrix, and the upper bounds of all rows behind those of the need."""
        shifts, slots_count, days_count = self._shifts, self._slots_count, self._days_count
        columns = np.arange(len(shifts))
        at = np.repeat(columns, [len(cover) for cover in shifts.covers])
        entries = [(np.concatenate(shifts.covers), at, np.ones(len(at)))]
        uncovered = len(shifts) + len(self._kinds) + np.arange(slots_count)
        entries.append((np.arange(slots_count), uncovered, np.ones(slots_count)))
        row, uppers = slots_count, []
        planned = self._labour.planned_ratio

        def add(chosen: Ints, values: Floats, employed: int, value: float) -> None:
            nonlocal row
            places = np.append(chosen, employed)
            entries.append((np.full(len(places), row), places, np.append(values, value)))
            uppers.append(0.0)
            row += 1

        for number, kind in enumerate(self._kinds):
            place = int(self._employed[number])
            mine = columns[shifts.kind == number]
            for day in range(days_count):
                chosen = mine[shifts.day[mine] == day]
                add(chosen, np.ones(len(chosen)), place, -planned)
            for day in range(max(days_count - WEEK + 1, 1)):
                chosen = mine[(shifts.day[mine] >= day) & (shifts.day[mine] < day + WEEK)]
                days_max = min(kind.days_per_week_max_count, self._labour.days_in_row_max_count)
                add(chosen, np.ones(len(chosen)), place, -planned * days_max)
            left_h = max(self._labour.overtime_month_max_h - self._labour.overtime_used_h, 0.0)
            add(mine, shifts.overtime_h[mine].astype(float), place, -left_h)
        for day in range(days_count):
            chosen = columns[shifts.night & (shifts.day == day)]
            entries.append((np.full(len(chosen), row), chosen, np.ones(len(chosen))))
            uppers.append(np.inf)
            row += 1
        entries.append((np.full(len(self._kinds), row), self._employed, np.ones(len(self._kinds))))
        uppers.append(np.inf)
        rows, places, values = (np.concatenate(part) for part in zip(*entries, strict=True))
        shape = (row + 1, self._columns_count)
        return sp.csc_matrix((values, (rows, places)), shape=shape), np.array(uppers)

    def _whole(self, employed: Floats, heads_count: int, limits: Floats) -> Floats:
        """Whole heads by kind: the open kinds take what the limited ones do not."""
        whole = np.floor(employed + EPSILON)
        widest = int(np.argmax(limits))
        whole[widest] += heads_count - whole.sum()
        return np.minimum(whole, limits)

    def _fix_days(
        self, values: Floats, prices: Floats, *, costs: Floats, lower: Floats, upper: Floats
    ) -> None:
        """Makes the columns whole, day by day, in place."""
        day_of = np.concatenate(
            (
                self._shifts.day,
                np.full(len(self._kinds), -1),
                np.arange(self._slots_count) // SLOTS_PER_DAY,
            )
        )
        is_shift = np.arange(len(values)) < len(self._shifts)
        by_row = sp.csr_matrix(self._matrix)
        for day in range(self._days_count):
            ahead = (day_of >= day) & (day_of <= day + AHEAD_DAYS)
            useless = is_shift & (day_of > day) & (values <= EPSILON) & (prices > DEAR_FEN)
            free = np.flatnonzero(ahead & ~useless)
            horizon = np.arange(self._matrix.shape[0])
            seen = (horizon >= self._slots_count) | (
                horizon < (day + AHEAD_DAYS + 1) * SLOTS_PER_DAY
            )
            rest = values.copy()
            rest[free] = 0.0
            taken = self._matrix @ rest
            part = sp.csc_matrix(by_row[np.flatnonzero(seen)][:, free])
            # What is rounded up today may be more than the linear program's days ahead leave room
            # for: they give way, as they are solved again.
            room = np.maximum((upper - taken)[seen], 0.0)
            whole = is_shift[free] & (day_of[free] == day)
            low, wide = (lower - taken)[seen], np.full(len(free), np.inf)
            start, prices_now, _ = optimise(costs[free], part, low, room, wide)
            wide[whole & (prices_now > CHEAP_FEN)] = 0.0
            start[whole] = np.floor(start[whole] + EPSILON)
            missing = low[: -(len(self._uppers))] - part[: -(len(self._uppers))] @ start
            start[len(start) - len(missing) :] += np.maximum(missing, 0.0)
            found, _, _ = optimise(
                costs[free], part, low, room, wide, whole=whole, start=start, limit_s=DAY_LIMIT_S
            )
            values[free] = found
            today = is_shift & (day_of == day)
            values[today] = np.rint(values[today])
