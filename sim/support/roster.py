"""Who is there: from heads to slots, pace and wages, for every tick and team.

Decides, in this order: heads of each team on a day (one rest day in seven in rotation), on each
shift, attending (random), at a seat, not on a break, not in shrinkage; then slots, pace, wages. A
shift may end on the next day; a break is unpaid and unstaffed and taken in waves. Attendance: a
day's probability is attendance x (1 + spread x normal) x shock, the heads of a shift follow by the
binomial's inverse distribution function, so that under common random numbers more heads never bring
fewer. An explicit roster (support.duties) takes the place of all shares: the heads of a team come
or not one by one, in the order in which they start, so that two rosters that differ by a few heads
miss nearly the same ones, whatever their shifts are. New hires: handle time multiple 1 + share x
slowdown x exp(-days / constant). Arrays have the shape (ticks, teams), teams
sorted by name as in Layout; money in fen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from scenarios.calendar import Calendar
from scenarios.demand import Horizon
from scenarios.labour import Duties
from scenarios.support import Shift, Support
from sim.streams import Streams
from sim.support.cases import Floats

DAY_S: Final = 86400.0
HOUR_S: Final = 3600.0
DAYS_PER_WEEK: Final = 7
Ints = NDArray[np.int64]


def apportion(total: int, shares: Sequence[float]) -> list[int]:
    """Whole numbers that add up to a total, by largest remainder (ties: the first)."""
    exact = [total * share / sum(shares) for share in shares]
    counts = [int(value) for value in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: (counts[i] - exact[i], i))
    for i in by_remainder[: total - sum(counts)]:
        counts[i] += 1
    return counts


@dataclass(frozen=True, slots=True)
class Roster:
    """Staff by tick and team."""

    team_names: tuple[str, ...]
    heads_rostered: Ints
    heads_present: Ints  # overtime included
    overtime: Ints
    agents_available: Floats  # slots / sessions: what the pool really gets
    slots: Ints
    pace: Floats
    new_hire_ratio: Floats
    wage_fen: Ints

    @classmethod
    def draw(
        cls,
        support: Support,
        *,
        calendar: Calendar,
        horizon: Horizon,
        streams: Streams,
        attendance_multiple_by_day: Sequence[float] | Floats,
    ) -> "Roster":
        """The staff of a replication."""
        names = tuple(sorted(support.teams))
        plan = _Plan(support, horizon, len(names))
        # The shifts of the day before time 0 reach into it.
        for day in range(-1, horizon.days_count):
            multiple = float(attendance_multiple_by_day[max(day, 0)])
            if support.duties is None:
                plan.add_day(day, streams, multiple)
            else:
                plan.add_duties(support.duties, day, streams, multiple)
        shape = plan.present.shape
        sessions = sessions_by_team(support)
        seated = plan.working.sum(axis=1, keepdims=True)
        seats_ratio = np.minimum(1.0, support.seats_count / np.maximum(seated, 1.0))
        productive = plan.working * seats_ratio * (1.0 - support.shrinkage_ratio)
        slots = np.rint(productive * sessions).astype(np.int64)
        hour_fen = _hour_fen(support)
        pay = _pay_multiple(calendar, horizon)
        overtime_pay = np.maximum(pay, support.wage.overtime_multiple)
        paid = (
            plan.paid_h * pay[:, np.newaxis] + plan.overtime_h * overtime_pay[:, np.newaxis]
        ) * hour_fen
        return cls(
            team_names=names,
            heads_rostered=np.rint(plan.rostered).astype(np.int64),
            heads_present=np.rint(plan.present).astype(np.int64),
            overtime=np.rint(plan.overtime).astype(np.int64),
            agents_available=slots / sessions,
            slots=slots,
            pace=_pace(support, horizon, len(names)),
            new_hire_ratio=np.full(shape, support.new_hire_ratio),
            wage_fen=np.rint(paid).astype(np.int64),
        )

    @classmethod
    def of_agents(
        cls, agents: Ints, support: Support, *, calendar: Calendar, horizon: Horizon
    ) -> "Roster":
        """A floor with so many productive agents by tick and team, whatever brings them there.

        Nobody is absent, nobody rests; each agent is paid for the ticks at the day's multiple.
        """
        names = tuple(sorted(support.teams))
        shape = (horizon.days_count * horizon.ticks_per_day, len(names))
        if agents.shape != shape or agents.min() < 0:
            raise ValueError(f"agents must be 0 or more, of shape (ticks, teams) = {shape}")
        tick_fen = _hour_fen(support) * horizon.tick_s / HOUR_S
        pay = _pay_multiple(calendar, horizon)[:, np.newaxis]
        return cls(
            team_names=names,
            heads_rostered=agents,
            heads_present=agents,
            overtime=np.zeros(shape, dtype=np.int64),
            agents_available=agents.astype(np.float64),
            slots=agents * sessions_by_team(support),
            pace=_pace(support, horizon, len(names)),
            new_hire_ratio=np.full(shape, support.new_hire_ratio),
            wage_fen=np.rint(agents * pay * tick_fen).astype(np.int64),
        )


def sessions_by_team(support: Support) -> Ints:
    """Contacts that an agent of each team has in hand at most."""
    im = support.im.sessions_per_agent_count
    teams = [team for _, team in sorted(support.teams.items())]
    return np.array([im if team.channel == "im" else 1 for team in teams])


def _hour_fen(support: Support) -> float:
    """Pay of a plain hour."""
    wage = support.wage
    return wage.per_month_fen / wage.work_days_per_month / wage.work_h_per_day


def _lunar_days(horizon: Horizon) -> Ints:
    """Lunar day of every tick."""
    ticks_count = horizon.days_count * horizon.ticks_per_day
    return horizon.start_day + np.arange(ticks_count) // horizon.ticks_per_day


def _pay_multiple(calendar: Calendar, horizon: Horizon) -> Floats:
    """Multiple of a plain hour's pay by tick."""
    return np.array([calendar.pay_multiple(int(day)) for day in _lunar_days(horizon)])


def _pace(support: Support, horizon: Horizon, teams_count: int) -> Floats:
    """Multiple of handle times by tick and team: new hires learn."""
    new_hires = support.new_hires
    slowdown = [
        1.0
        + support.new_hire_ratio
        * new_hires.slowdown_ratio
        * exp(
            -max(new_hires.worked_d + float(day) - horizon.first_day, 0.0)
            / new_hires.learning_time_constant_d
        )
        for day in _lunar_days(horizon)
    ]
    return np.repeat(np.array(slowdown)[:, np.newaxis], teams_count, axis=1)


class _Plan:
    """Heads and hours, summed up shift by shift; shape (ticks, teams)."""

    def __init__(self, support: Support, horizon: Horizon, teams_count: int) -> None:
        self._support = support
        self._horizon = horizon
        self._names = sorted(support.teams)
        self._shifts = sorted(support.shifts)
        ticks_count = horizon.days_count * horizon.ticks_per_day
        self._tick_starts_s = np.arange(ticks_count) * float(horizon.tick_s)
        self._team_heads = apportion(
            support.heads_count, [support.teams[name].heads_ratio for name in self._names]
        )
        shape = (ticks_count, teams_count)
        self.rostered = np.zeros(shape)
        self.present = np.zeros(shape)
        self.overtime = np.zeros(shape)
        self.working = np.zeros(shape)
        self.paid_h = np.zeros(shape)
        self.overtime_h = np.zeros(shape)

    def add_day(self, day: int, streams: Streams, attendance_multiple: float) -> None:
        """Adds the shifts that start on a day, counted from the horizon's start."""
        support = self._support
        lunar_day = self._horizon.start_day + day
        attending_ratio = self._attending_ratio(lunar_day, streams, attendance_multiple)
        shares = [support.shifts[name].heads_ratio for name in self._shifts]
        heads = np.array(
            [apportion(self._on_duty_count(heads, day), shares) for heads in self._team_heads]
        )
        uniforms = np.array(
            [
                streams.rng(f"attendance/d{lunar_day:+d}/{team}/{shift}").random()
                for team in self._names
                for shift in self._shifts
            ]
        ).reshape(heads.shape)
        attending = np.asarray(binom.ppf(uniforms, heads, attending_ratio), dtype=np.float64)
        for index, name in enumerate(self._shifts):
            shift = support.shifts[name]
            start_s = day * DAY_S + shift.start_h * HOUR_S
            self._add_shift(shift, start_s, heads[:, index], attending[:, index])
            if lunar_day in support.overtime.lunar_days:
                stay = np.floor(attending[:, index] * support.overtime.heads_ratio)
                end_s = start_s + shift.length_h * HOUR_S
                self._add_overtime(end_s, stay, support.overtime.length_h)

    def add_duties(
        self, duties: Duties, day: int, streams: Streams, attendance_multiple: float
    ) -> None:
        """Adds the explicit roster's shifts that start on a day, counted as in `add_day`."""
        lunar_day = self._horizon.start_day + day
        attending_ratio = self._attending_ratio(lunar_day, streams, attendance_multiple)
        today = [row for row, d in enumerate(duties.lunar_day) if d == lunar_day]
        for number, name in enumerate(self._names):
            mine = [row for row in today if duties.team[row] == name]
            mine.sort(key=lambda row: (duties.start_h[row], duties.break_start_h[row], row))
            ends = np.cumsum([0] + [duties.heads_count[row] for row in mine])
            uniforms = streams.rng(f"attendance/d{lunar_day:+d}/{name}").random(ends[-1])
            came = np.append(0, np.cumsum(uniforms < attending_ratio))[ends]
            for row, attending_count in zip(mine, np.diff(came), strict=True):
                self._add_duty(duties, row, day, number, float(attending_count))

    def _add_duty(
        self, duties: Duties, row: int, day: int, team: int, attending_count: float
    ) -> None:
        """Adds a row of the explicit roster."""
        heads = np.zeros(len(self._names), dtype=np.int64)
        attending = np.zeros(len(self._names))
        heads[team], attending[team] = duties.heads_count[row], attending_count
        start_s = day * DAY_S + duties.start_h[row] * HOUR_S
        shift = Shift(
            start_h=duties.start_h[row],
            length_h=duties.length_h[row],
            break_start_h=duties.break_start_h[row],
            break_h=duties.break_h[row],
            break_waves_count=1,
            heads_ratio=0.0,
        )
        self._add_shift(shift, start_s, heads, attending)
        if duties.overtime_h[row] > 0.0:
            end_s = start_s + duties.length_h[row] * HOUR_S
            self._add_overtime(end_s, attending, duties.overtime_h[row])

    def _attending_ratio(
        self, lunar_day: int, streams: Streams, attendance_multiple: float
    ) -> float:
        """Probability that a rostered head attends on a day."""
        spread = streams.rng(f"attendance/d{lunar_day:+d}").standard_normal()
        expected = self._support.attendance_ratio * (
            1.0 + self._support.attendance_spread_ratio * spread
        )
        return float(min(max(expected * attendance_multiple, 0.0), 1.0))

    def _on_duty_count(self, heads_count: int, day: int) -> int:
        """Heads of a team that do not rest: head i rests while (day - i) mod 7 < rest days."""
        rest_days = self._support.rest_days_per_week_count
        whole_weeks, others = divmod(heads_count, DAYS_PER_WEEK)
        resting = sum((day - i) % DAYS_PER_WEEK < rest_days for i in range(others))
        return heads_count - whole_weeks * rest_days - resting

    def _share(self, start_s: float, length_h: float) -> Floats:
        """Share of each tick that a span covers."""
        tick_s = float(self._horizon.tick_s)
        ends_s = np.minimum(self._tick_starts_s + tick_s, start_s + length_h * HOUR_S)
        covered_s = ends_s - np.maximum(self._tick_starts_s, start_s)
        share: Floats = np.clip(covered_s, 0.0, None) / tick_s
        return share

    def _add_shift(self, shift: Shift, start_s: float, heads: Ints, attending: Floats) -> None:
        on_shift = self._share(start_s, shift.length_h)
        at_work = on_shift.copy()
        for wave in range(shift.break_waves_count):
            leaves_s = start_s + (shift.break_start_h + wave * shift.break_h) * HOUR_S
            at_work -= self._share(leaves_s, shift.break_h) / shift.break_waves_count
        tick_h = self._horizon.tick_s / HOUR_S
        self.rostered += np.outer(on_shift, heads)
        self.present += np.outer(on_shift, attending)
        self.working += np.outer(at_work, attending)
        self.paid_h += np.outer(at_work * tick_h, attending)

    def _add_overtime(self, start_s: float, stay: Floats, length_h: float) -> None:
        on_duty = self._share(start_s, length_h)
        self.present += np.outer(on_duty, stay)
        self.overtime += np.outer(on_duty, stay)
        self.working += np.outer(on_duty, stay)
        self.overtime_h += np.outer(on_duty * (self._horizon.tick_s / HOUR_S), stay)
