"""The roster as a linear program: teams, kinds of shift, starts, breaks, rest, days off, law.

Columns by team and kind: heads employed; heads that start at a half hour with so many hours of
overtime; breaks that begin at a half hour; heads whose break is still to come; heads who are free
to start; by team: heads at their desks, who change by those that come and go, so that a shift
stands in the rows of its ends alone. Rows at every half hour: a skill's own heads at their desks,
help and uncovered demand cover the need; a cross-trained team helps with what it has. Breaks are
not tied to a start (Bechtold and Jacobs, Management Science 36, 1990): breaks begun by a half hour
must be at least the shifts whose window is over and at most those whose window is open, which is
enough, as windows of one kind do not contain each other. Rest: a head is free again when the rest
after its shift is over, and not on the same day; free heads are never fewer than zero, which is
enough, as intervals can be given to as many heads as ever overlap. Days worked in any seven are at
most the days allowed x heads, which is enough for rest days to be dealt out in turn (Baker,
Operations Research 22, 1974). Overtime of the month, night work, shares of kinds and cross-trained
heads, all heads <= headcount. Nothing is infeasible, as uncovered demand has a price. What lies
behind the horizon's end neither covers nor costs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from scenarios.labour import STEP_H, Labour, ShiftKind
from sim.columns import Floats, Ints
from sim.staffing.matrix import Linear, Matrix
from sim.staffing.shifts import SLOTS_PER_DAY, SLOTS_PER_H, Pay

WEEK: Final = 7
# Fen for half an hour of help: among equal plans, cross-trained heads are kept for their own work.
HELP_FEN: Final = 1.0
LONGEST_SLOTS: Final = 2 * SLOTS_PER_DAY


@dataclass(frozen=True, slots=True)
class Crew:
    """The columns of one team and one kind of shift."""

    kind: int
    team: int
    heads: int
    """The column of the heads employed that the plan may use."""
    starts: Ints
    """Shape (hours of overtime, slots)."""
    breaks: Ints
    """Shape (slots,); empty for a kind without a break."""


class Model:
    """The program of a need of shape (slots, groups) for a headcount; teams by what they serve."""

    def __init__(
        self,
        labour: Labour,
        pay: Pay,
        need: Ints,
        *,
        serves: Sequence[Sequence[int]],
        heads_count: int,
        flexible_heads_max: float,
    ) -> None:
        self._labour = labour
        self._slots_count, groups_count = need.shape
        self._days = np.arange(self._slots_count) // SLOTS_PER_DAY
        self._matrix = matrix = Matrix()
        self.kind_names = tuple(sorted(labour.kinds))
        self.kinds = [labour.kinds[name] for name in self.kind_names]
        planned = labour.planned_ratio
        slots = np.arange(self._slots_count)
        at = np.repeat(slots, groups_count)
        self.cover = matrix.rows(need.size, need.ravel(), np.inf, at).reshape(need.shape)
        price_fen = labour.uncovered_fen_per_h * STEP_H
        self.uncovered = matrix.columns(need.size, price_fen, slot=at).reshape(need.shape)
        matrix.put(self.cover, self.uncovered, 1.0)
        nights_max = labour.night_heads_max_ratio * heads_count
        self.nights = matrix.rows(int(self._days[-1]) + 1, -np.inf, nights_max)
        self.total = matrix.rows(1, -np.inf, np.floor(planned * heads_count))
        ratios = np.array([kind.heads_max_ratio for kind in self.kinds])
        shares = np.where(ratios < 1.0, np.floor(planned * ratios * heads_count), np.inf)
        self.shares = matrix.rows(len(self.kinds), -np.inf, shares)
        flexible_max = np.floor(planned * flexible_heads_max) if flexible_heads_max else 0.0
        flexible = matrix.rows(1, -np.inf, flexible_max)
        self.limits = np.concatenate((self.total, self.shares, flexible))
        """Rows of the heads of several crews: headcount, shares of kinds, cross-trained heads."""
        self.help: dict[tuple[int, int], Ints] = {}
        self.crews: list[Crew] = []
        for team, groups in enumerate(serves):
            desks = self.cover[:, groups[0]]
            if len(groups) > 1:
                desks = matrix.rows(self._slots_count, 0.0, np.inf, slots)
                for group in groups:
                    helps = matrix.columns(self._slots_count, HELP_FEN, slot=slots, team=team)
                    matrix.put(desks, helps, -1.0)
                    matrix.put(self.cover[:, group], helps, 1.0)
                    self.help[team, group] = helps
            change = self._change(team, desks)
            for number in range(len(self.kinds)):
                crew = self._crew(number, team, change, _Paid.of(pay))
                matrix.put(self.total, np.array([crew.heads]), 1.0)
                matrix.put(self.shares[number : number + 1], np.array([crew.heads]), 1.0)
                if len(groups) > 1:
                    matrix.put(flexible, np.array([crew.heads]), 1.0)
                self.crews.append(crew)
        self.linear: Linear = matrix.linear()

    def _change(self, team: int, desks: Ints) -> Ints:
        """Rows in which a team's heads at their desks change from one half hour to the next."""
        matrix, count = self._matrix, self._slots_count
        slots = np.arange(count)
        present = matrix.columns(count, slot=slots, team=team)
        matrix.put(desks, present, 1.0)
        change = matrix.rows(count, 0.0, 0.0, slots)
        matrix.put(change, present, -1.0)
        matrix.put(change[1:], present[:-1], 1.0)
        return change

    def _crew(self, number: int, team: int, change: Ints, paid: "_Paid") -> Crew:
        """Adds a team's heads of one kind of shift."""
        kind, matrix, count = self.kinds[number], self._matrix, self._slots_count
        slots = np.arange(count)
        length = round(kind.length_h * SLOTS_PER_H)
        heads = matrix.columns(1, team=team)
        starts = []
        for overtime_h in range(kind.overtime_max_h + 1):
            ends = slots + length + overtime_h * SLOTS_PER_H
            cost = paid.ordinary_fen(slots, slots + length)
            cost = cost + paid.overtime_fen(slots + length, ends)
            begun = matrix.columns(count, cost, whole=True, slot=slots, team=team)
            gone = length + overtime_h * SLOTS_PER_H
            matrix.put(change, begun, 1.0)
            matrix.put(change[gone:], begun[: count - gone], -1.0)
            starts.append(begun)
        crew = Crew(
            kind=number,
            team=team,
            heads=int(heads[0]),
            starts=np.array(starts),
            breaks=self._breaks(kind, team, change, starts, paid),
        )
        self._rest(crew, kind)
        self._days_off(crew, kind)
        return crew

    def _breaks(
        self, kind: ShiftKind, team: int, change: Ints, starts: Sequence[Ints], paid: "_Paid"
    ) -> Ints:
        """Breaks that begin at each half hour, unpaid and away from the desk."""
        pause = round(kind.break_h * SLOTS_PER_H)
        if not pause:
            return np.empty(0, dtype=np.int64)
        first, last = (round(h * SLOTS_PER_H) for h in (kind.break_from_h, kind.break_to_h))
        matrix, count = self._matrix, self._slots_count
        slots = np.arange(count)
        saved = -paid.ordinary_fen(slots, slots + pause)
        begun = matrix.columns(count, saved, whole=True, slot=slots, team=team)
        matrix.put(change, begun, -1.0)
        matrix.put(change[pause:], begun[: count - pause], 1.0)
        # Heads whose window is open and whose break is still to come, after each half hour.
        waiting = matrix.columns(count, slot=slots, team=team)
        balance = matrix.rows(count, 0.0, 0.0, slots)
        matrix.put(balance, waiting, -1.0)
        matrix.put(balance[1:], waiting[:-1], 1.0)
        matrix.put(balance, begun, -1.0)
        open_windows = matrix.rows(count, 0.0, np.inf, slots)
        matrix.put(open_windows, waiting, -1.0)
        for started in starts:
            matrix.put(balance[first:], started[: count - first], 1.0)
            for ago in range(first, last):
                matrix.put(open_windows[ago:], started[: count - ago], 1.0)
        return begun

    def _rest(self, crew: Crew, kind: ShiftKind) -> None:
        """Heads free to start, after each half hour: at first all, then those who have rested."""
        matrix, count = self._matrix, self._slots_count
        slots = np.arange(count)
        free = matrix.columns(count, slot=slots, team=crew.team)
        balance = matrix.rows(count, 0.0, 0.0, slots)
        matrix.put(balance, free, -1.0)
        matrix.put(balance[1:], free[:-1], 1.0)
        matrix.put(balance[:1], np.array([crew.heads]), 1.0)
        rest = int(np.ceil(self._labour.rest_min_h * SLOTS_PER_H - 1e-9))
        length = round(kind.length_h * SLOTS_PER_H)
        for overtime_h, started in enumerate(crew.starts):
            matrix.put(balance, started, -1.0)
            back = slots + length + overtime_h * SLOTS_PER_H + rest
            back = np.maximum(back, (self._days + 1) * SLOTS_PER_DAY)
            seen = back < count
            matrix.put(balance[back[seen]], started[seen], 1.0)

    def _days_off(self, crew: Crew, kind: ShiftKind) -> None:
        """Days worked in a span of days, overtime of the month, night work."""
        labour, matrix = self._labour, self._matrix
        in_row, days_count = labour.days_in_row_max_count, int(self._days[-1]) + 1
        heads = np.array([crew.heads])
        days_max = min(kind.days_per_week_max_count, in_row)
        spans = {in_row + 1: in_row, WEEK: days_max}
        for span, most in spans.items():
            for day in range(max(days_count - span + 1, 1)):
                row = matrix.rows(1, -np.inf, 0.0)
                chosen = crew.starts[:, (self._days >= day) & (self._days < day + span)]
                matrix.put(row, chosen.ravel(), 1.0)
                matrix.put(row, heads, -most)
        left_h = max(labour.overtime_month_max_h - labour.overtime_used_h, 0.0)
        if len(crew.starts) > 1:
            row = matrix.rows(1, -np.inf, 0.0)
            for overtime_h, started in enumerate(crew.starts[1:], start=1):
                matrix.put(row, started, overtime_h)
            matrix.put(row, heads, -left_h)
        hours = np.arange(self._slots_count) % SLOTS_PER_DAY * STEP_H
        night = np.array([labour.is_night(hour) for hour in hours])
        for started in crew.starts:
            matrix.put(self.nights[self._days[night]], started[night], 1.0)


@dataclass(frozen=True, slots=True)
class _Paid:
    """Wages by slot, summed up from the horizon's start."""

    ordinary: Floats
    overtime: Floats

    @classmethod
    def of(cls, pay: Pay) -> "_Paid":
        ordinary, overtime = (
            np.concatenate(([0.0], np.cumsum(by_slot * STEP_H), np.full(LONGEST_SLOTS, np.nan)))
            for by_slot in (pay.ordinary_fen_per_h, pay.overtime_fen_per_h)
        )
        for total in (ordinary, overtime):
            total[-LONGEST_SLOTS:] = total[-LONGEST_SLOTS - 1]
        return cls(ordinary, overtime)

    def ordinary_fen(self, start: Ints, end: Ints) -> Floats:
        return np.asarray(self.ordinary[end] - self.ordinary[start])

    def overtime_fen(self, start: Ints, end: Ints) -> Floats:
        return np.asarray(self.overtime[end] - self.overtime[start])
