"""A row of shifts for every head: who works which shift on which day.

Day after day, the shifts of a team are given to its heads by an assignment of least cost (Crouse,
IEEE Trans. Aerospace and Electronic Systems 52, 2016): never without the rest between shifts, more
days than the law allows, or overtime beyond the month's limit; else so that a head keeps its start
and those rest who have worked longest. A shift for which no head may be found stays open and is
listed; so do night shifts beyond their share, which teams made whole side by side may have in sum.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from scenarios.labour import STEP_H, Labour
from sim.columns import Floats, Ints
from sim.staffing.program import Roster
from sim.staffing.shifts import SLOTS_PER_DAY, SLOTS_PER_H, Shifts

FORBIDDEN: Final = 1e6
EPSILON: Final = 1e-9
WEEK: Final = 7
LATEST_SLOTS: Final = 4
"""A shift that nobody may start in time is put off by so many slots at most."""
# An hour's change of start costs 1. Rest days go round in turn: a head that has worked a day more
# than another rests first, whatever start that costs; among equals, who has not rested for longest.
DAY_COST: Final = 30.0
ROW_COST: Final = 3.0


@dataclass(frozen=True, slots=True)
class Lines:
    """Columns of shifts by head and day, -1 on a rest day; and what stayed open."""

    kind: Ints
    team: Ints
    shift: Ints
    """Shape (heads, days)."""
    open_shifts: tuple[tuple[int, int], ...]
    """(column, team) of every shift without a head."""

    def heads(self, columns_count: int, teams_count: int) -> Ints:
        """Heads by column and team that really work."""
        counts = np.zeros((columns_count, teams_count), dtype=np.int64)
        for team, row in zip(self.team, self.shift, strict=True):
            np.add.at(counts[:, team], row[row >= 0], 1)
        return counts


def lines(dealt: Roster, shifts: Shifts, labour: Labour, *, days_count: int) -> Lines:
    """Rows of shifts for all heads of a dealt roster."""
    kinds, teams, rows = [], [], []
    wanted, left = _within_nights(dealt, shifts, labour, days_count)
    later = _later(shifts)
    for kind, team, count in _crews(dealt):
        chosen = np.flatnonzero((wanted[:, team] > 0) & (shifts.kind == kind))
        crew = _Crew(shifts, labour, shifts.kind_names[kind], count, days_count, later)
        for day in range(days_count):
            today = chosen[shifts.day[chosen] == day]
            missing = crew.work(day, np.repeat(today, wanted[today, team]))
            left += [(int(column), team) for column in missing]
        kinds.append(np.full(count, kind))
        teams.append(np.full(count, team))
        rows.append(crew.shift)
    return Lines(np.concatenate(kinds), np.concatenate(teams), np.concatenate(rows), tuple(left))


def _within_nights(
    dealt: Roster, shifts: Shifts, labour: Labour, days_count: int
) -> tuple[Ints, list[tuple[int, int]]]:
    """Heads by column and team within the share of night shifts, and the shifts beyond it."""
    heads, beyond = dealt.heads.copy(), []
    most = int(labour.night_heads_max_ratio * dealt.employed.sum() + EPSILON)
    for day in range(days_count):
        nights = np.flatnonzero(shifts.night & (shifts.day == day))
        places = np.argwhere(heads[nights])
        places[:, 0] = nights[places[:, 0]]
        one_by_one = np.repeat(places, heads[places[:, 0], places[:, 1]], axis=0)
        for column, team in one_by_one[most:]:
            heads[column, team] -= 1
            beyond.append((int(column), int(team)))
    return heads, beyond


def _later(shifts: Shifts) -> dict[tuple[int, int], int]:
    """The same shift, so many slots later on the same day; what was no night shift becomes none."""
    marks = (shifts.kind, shifts.day, shifts.break_start, shifts.overtime_h, shifts.start)
    place = {mark: column for column, mark in enumerate(zip(*map(list, marks), strict=True))}
    night = shifts.night.tolist()
    return {
        (column, slots): twin
        for mark, column in place.items()
        for slots in range(1, LATEST_SLOTS + 1)
        if (twin := place.get((*mark[:4], mark[4] + slots))) is not None
        and (night[column] or not night[twin])
    }


def _crews(dealt: Roster) -> Iterator[tuple[int, int, int]]:
    for kind, team in np.ndindex(dealt.employed.shape):
        yield kind, team, int(dealt.employed[kind, team])


class _Crew:
    """Heads of one team and kind of shift, day by day."""

    def __init__(
        self,
        shifts: Shifts,
        labour: Labour,
        kind: str,
        count: int,
        days_count: int,
        later: dict[tuple[int, int], int],
    ) -> None:
        self._shifts, self._labour, self._kind = shifts, labour, labour.kinds[kind]
        self._free_from = np.full(count, -np.inf)  # slot from which a head may start again
        self._start = np.full(count, -1)
        self._overtime_h = np.full(count, labour.overtime_used_h)
        self._works = np.zeros((count, days_count), dtype=bool)
        self.shift = np.full((count, days_count), -1, dtype=np.int64)
        self._later = later

    def work(self, day: int, wanted: Ints) -> Ints:
        """Gives the day's shifts to heads; returns those that nobody may work."""
        if len(wanted) == 0 or len(self._start) == 0:
            return wanted
        costs = self._costs(day, wanted)
        heads, places = linear_sum_assignment(costs)
        fits = costs[heads, places] < FORBIDDEN / 2.0
        self._take(day, heads[fits], wanted[places[fits]])
        left = np.delete(wanted, places[fits])
        for later in range(1, LATEST_SLOTS + 1):
            left = self._put_off(day, left, later)
        return left

    def _put_off(self, day: int, wanted: Ints, later: int) -> Ints:
        """Gives shifts that nobody may start in time to heads who may start a little later."""
        twins = np.array([self._later.get((int(one), later), -1) for one in wanted], dtype=np.int64)
        there = np.flatnonzero(twins >= 0)
        if len(there) == 0:
            return wanted
        costs = self._costs(day, twins[there])
        costs[self._works[:, day]] = FORBIDDEN
        heads, places = linear_sum_assignment(costs)
        fits = costs[heads, places] < FORBIDDEN / 2.0
        self._take(day, heads[fits], twins[there[places[fits]]])
        return np.delete(wanted, there[places[fits]])

    def _take(self, day: int, heads: Ints, columns: Ints) -> None:
        self.shift[heads, day] = columns
        self._works[heads, day] = True
        shifts = self._shifts
        length = round(self._kind.length_h * SLOTS_PER_H)
        ends = day * SLOTS_PER_DAY + shifts.start[columns] + length
        ends = ends + shifts.overtime_h[columns] * SLOTS_PER_H
        self._free_from[heads] = ends + self._labour.rest_min_h * SLOTS_PER_H
        self._start[heads] = shifts.start[columns]
        self._overtime_h[heads] += shifts.overtime_h[columns]

    def _costs(self, day: int, wanted: Ints) -> Floats:
        """Cost of every head on every shift."""
        starts = self._shifts.start[wanted]
        apart = np.abs(self._start[:, np.newaxis] - starts)
        apart = np.minimum(apart, SLOTS_PER_DAY - apart) * STEP_H
        change = np.where(self._start[:, np.newaxis] < 0, 0.0, apart)
        since = self._works[:, max(day - WEEK + 1, 0) : day]
        row = self._days_in_row(day)
        worked = self._works.sum(axis=1)
        costs = change + (DAY_COST * worked + ROW_COST * row)[:, np.newaxis]
        tired = (row >= self._labour.days_in_row_max_count) | (
            since.sum(axis=1) >= self._kind.days_per_week_max_count
        )
        early = day * SLOTS_PER_DAY + starts < self._free_from[:, np.newaxis]
        hours = self._overtime_h[:, np.newaxis] + self._shifts.overtime_h[wanted]
        over = hours > self._labour.overtime_month_max_h
        costs[tired[:, np.newaxis] | early | over] = FORBIDDEN
        return np.asarray(costs, dtype=np.float64)

    def _days_in_row(self, day: int) -> Ints:
        """Days that each head has worked without a rest day, up to the day before."""
        row = np.zeros(len(self._start), dtype=np.int64)
        unbroken = np.ones(len(self._start), dtype=bool)
        for before in range(day - 1, -1, -1):
            unbroken &= self._works[:, before]
            row += unbroken
        return row
