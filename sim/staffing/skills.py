"""Which team works which shift: the shifts of the whole floor, dealt to teams by skill.

A linear program deals the heads of every column so that uncovered hours by skill are fewest: a team
serves the skill of its first queue; a team that helps out without reserve (cross-trained) also
serves its further queues, but an agent only one at a time. Whole heads follow by carrying each
team's remainder on to the next shift, so that a team never has more than a head too few. Rest days
are kept within each team, as in sim/staffing/program.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp

from scenarios.labour import Labour
from scenarios.support import Support
from sim.staffing.highs import optimise
from sim.staffing.program import Roster
from sim.staffing.shifts import SLOTS_PER_DAY, Shifts
from sim.support.cases import Floats
from sim.support.layout import Layout
from sim.support.roster import Ints, apportion

WEEK: Final = 7
# Uncovered hours decide; among equals, cross-trained heads are kept for what only they can do.
ABOVE_RESERVE_COST: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Dealt:
    """Heads by column and team, heads employed by kind and team, uncovered heads by slot, skill."""

    heads: Ints
    employed: Ints
    uncovered: Floats


def served(support: Support, queues_of_group: Sequence[Sequence[int]]) -> list[list[int]]:
    """By team: the groups of queues that it serves, its own first."""
    group_of = {queue: g for g, queues in enumerate(queues_of_group) for queue in queues}
    groups = []
    for team in Layout.of(support).teams:
        further = team.further if team.overflow_reserve_ratio == 0.0 else ()
        groups.append(list(dict.fromkeys(group_of[q] for q in (team.first, *further))))
    return groups


def deal(
    roster: Roster,
    shifts: Shifts,
    *,
    labour: Labour,
    serves: Sequence[Sequence[int]],
    flexible_heads_max: float,
    need: Ints,
) -> Dealt:
    """Deals a roster's heads; `need` has the shape (slots, groups)."""
    used = np.flatnonzero(roster.heads)
    problem = _Problem(roster, shifts, used, labour, serves, need)
    shares, employed = problem.solve(flexible_heads_max)
    heads = np.zeros((len(shifts), len(serves)), dtype=np.int64)
    for kind in range(len(shifts.kind_names)):
        carried = np.zeros(len(serves))
        for row in np.flatnonzero(shifts.kind[used] == kind):
            carried += shares[row]
            for _ in range(int(roster.heads[used[row]])):
                team = int(np.argmax(carried))
                carried[team] -= 1.0
                heads[used[row], team] += 1
    whole = np.array(
        [
            apportion(int(total), row.tolist()) if row.sum() > 0.0 else [0] * len(serves)
            for total, row in zip(roster.employed, employed, strict=True)
        ]
    )
    return Dealt(heads, whole, uncovered(heads, shifts, serves=serves, need=need))


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


class _Problem:
    """The linear program of `deal`: shares of columns, heads employed, help, uncovered demand."""

    def __init__(
        self,
        roster: Roster,
        shifts: Shifts,
        used: Ints,
        labour: Labour,
        serves: Sequence[Sequence[int]],
        need: Ints,
    ) -> None:
        self._roster, self._shifts, self._used = roster, shifts, used
        self._labour, self._serves, self._need = labour, serves, need
        self._teams = len(serves)
        self._entries: list[tuple[Ints, Ints, Floats]] = []
        self._low: list[Floats] = []
        self._high: list[Floats] = []
        self._rows_count = 0
        self._employed_at = len(used) * self._teams
        self._help_at = self._employed_at + len(roster.employed) * self._teams
        self._helps = [(t, g) for t, gs in enumerate(serves) if len(gs) > 1 for g in gs]
        self._missing_at = self._help_at + len(self._helps) * len(need)
        self._columns_count = self._missing_at + need.size

    def solve(self, flexible_heads_max: float) -> tuple[Floats, Floats]:
        """Shares (used columns, teams) and heads employed (kinds, teams)."""
        self._add_cover()
        self._add_totals()
        self._add_rest()
        flexible = [t for t, groups in enumerate(self._serves) if len(groups) > 1]
        kinds = len(self._roster.employed)
        places = [self._employed_at + k * self._teams + t for k in range(kinds) for t in flexible]
        row = self._new_rows(1, -np.inf, flexible_heads_max)
        self._put(np.repeat(row, len(places)), np.array(places, dtype=np.int64), 1.0)
        costs = np.zeros(self._columns_count)
        costs[self._missing_at :] = 1.0
        costs[self._help_at : self._missing_at] = ABOVE_RESERVE_COST
        rows, columns, values = (np.concatenate(part) for part in zip(*self._entries, strict=True))
        matrix = sp.csc_matrix(
            (values, (rows, columns)), shape=(self._rows_count, self._columns_count)
        )
        low, high = np.concatenate(self._low), np.concatenate(self._high)
        bounds = np.full(self._columns_count, np.inf)
        found = optimise(costs, matrix, low, high, bounds, vertex=False)[0]
        shares = found[: self._employed_at].reshape(-1, self._teams)
        employed = found[self._employed_at : self._help_at].reshape(-1, self._teams)
        return shares, employed

    def _add_cover(self) -> None:
        """At every slot: own heads and help cover a group; a team helps with what it has."""
        slots_count, groups_count = self._need.shape
        cover = self._new_rows(self._need.size, self._need.ravel(), np.inf)
        self._put(cover, self._missing_at + np.arange(self._need.size), 1.0)
        limits = {}
        for team, groups in enumerate(self._serves):
            if len(groups) > 1:
                limits[team] = self._new_rows(slots_count, 0.0, np.inf)
        for row, column in enumerate(self._used):
            slots = self._shifts.covers[column]
            for team, groups in enumerate(self._serves):
                place = np.full(len(slots), row * self._teams + team)
                if team in limits:
                    self._put(limits[team][slots], place, 1.0)
                else:
                    self._put(cover[slots * groups_count + groups[0]], place, 1.0)
        slots = np.arange(slots_count)
        for number, (team, group) in enumerate(self._helps):
            place = self._help_at + number * slots_count + slots
            self._put(limits[team], place, -1.0)
            self._put(cover[slots * groups_count + group], place, 1.0)

    def _add_totals(self) -> None:
        """All heads of a column and all heads employed for a kind are dealt."""
        totals = self._roster.heads[self._used]
        rows = self._new_rows(len(totals), totals, totals)
        self._put(np.repeat(rows, self._teams), np.arange(self._employed_at), 1.0)
        employed = self._roster.employed
        rows = self._new_rows(len(employed), -np.inf, employed)
        places = np.arange(self._employed_at, self._help_at)
        self._put(np.repeat(rows, self._teams), places, 1.0)

    def _add_rest(self) -> None:
        """Heads at work on a day, and days worked in seven, by kind and team."""
        day = self._shifts.day[self._used]
        days_count = len(self._need) // SLOTS_PER_DAY
        spans = [(d, d + 1, 1) for d in range(days_count)]
        for number, name in enumerate(self._shifts.kind_names):
            most = self._labour.kinds[name].days_per_week_max_count
            weeks = [(d, d + WEEK, most) for d in range(max(days_count - WEEK + 1, 1))]
            mine = self._shifts.kind[self._used] == number
            for first, end, days in spans + weeks:
                chosen = np.flatnonzero(mine & (day >= first) & (day < end))
                for team in range(self._teams):
                    row = self._new_rows(1, -np.inf, 0.0)
                    self._put(np.repeat(row, len(chosen)), chosen * self._teams + team, 1.0)
                    place = self._employed_at + number * self._teams + team
                    planned = days * self._labour.planned_ratio
                    self._put(row, np.array([place]), -planned)

    def _new_rows(
        self, count: int, low: Floats | Ints | float, high: Floats | Ints | float
    ) -> Ints:
        rows = self._rows_count + np.arange(count)
        self._rows_count += count
        self._low.append(np.broadcast_to(np.asarray(low, dtype=float), count))
        self._high.append(np.broadcast_to(np.asarray(high, dtype=float), count))
        return rows

    def _put(self, rows: Ints, columns: Ints, value: float) -> None:
        self._entries.append((rows, columns, np.full(len(rows), value)))
