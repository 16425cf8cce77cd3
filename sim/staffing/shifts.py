"""Every shift that may be worked in the horizon, and what an hour of work costs.

A column is a kind of shift, a day, a start, a place of the break and hours of overtime. Time is cut
into slots of half an hour, counted from 00:00 of the first day; what lies behind the horizon's end
covers nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scenarios.calendar import Calendar
from scenarios.labour import STEP_H, Labour, ShiftKind
from scenarios.support import Wage
from sim.columns import Floats, Ints

SLOTS_PER_DAY: Final = round(24.0 / STEP_H)
SLOTS_PER_H: Final = round(1.0 / STEP_H)


@dataclass(frozen=True, slots=True)
class Pay:
    """What an hour costs; arrays by slot, in fen."""

    ordinary_fen_per_h: Floats
    overtime_fen_per_h: Floats

    @classmethod
    def of(cls, wage: Wage, calendar: Calendar, lunar_days: Sequence[int]) -> "Pay":
        """Wages of a span of days by the calendar's multiples."""
        hour_fen = wage.per_month_fen / wage.work_days_per_month / wage.work_h_per_day
        multiples = np.array([calendar.pay_multiple(day) for day in lunar_days])
        overtime = np.maximum(multiples, wage.overtime_multiple)
        return cls(
            np.repeat(multiples * hour_fen, SLOTS_PER_DAY),
            np.repeat(overtime * hour_fen, SLOTS_PER_DAY),
        )


@dataclass(frozen=True, slots=True)
class Shifts:
    """Columns in order of their start; all arrays have the shape (columns,) unless they say so."""

    kind_names: tuple[str, ...]
    kind: Ints
    day: Ints
    start: Ints  # slot of the day
    break_start: Ints  # slots after the start; 0 without a break
    overtime_h: Ints
    night: NDArray[np.bool_]
    covers: tuple[Ints, ...]
    """By column: the slots in which its heads are at their desks."""

    def __len__(self) -> int:
        return len(self.kind)

    @classmethod
    def of(cls, labour: Labour, *, days_count: int) -> "Shifts":
        """All columns of a horizon of so many days."""
        slots_count = days_count * SLOTS_PER_DAY
        names = tuple(sorted(labour.kinds))
        patterns = [_patterns(labour.kinds[name]) for name in names]
        rows: list[tuple[int, int, int, int, int, bool]] = []
        covers: list[Ints] = []
        for first in range(slots_count):
            day, start = divmod(first, SLOTS_PER_DAY)
            night = labour.is_night(start * STEP_H)
            for number, of_kind in enumerate(patterns):
                for break_start, overtime_h, at_desk in of_kind:
                    slots = first + at_desk
                    covers.append(slots[slots < slots_count])
                    rows.append((number, day, start, break_start, overtime_h, night))
        whole = np.array([row[:5] for row in rows], dtype=np.int64).T
        return cls(
            kind_names=names,
            kind=whole[0],
            day=whole[1],
            start=whole[2],
            break_start=whole[3],
            overtime_h=whole[4],
            night=np.array([row[5] for row in rows], dtype=np.bool_),
            covers=tuple(covers),
        )


def _patterns(kind: ShiftKind) -> list[tuple[int, int, Ints]]:
    """Break, overtime, and the slots at the desk after the start, of a kind of shift."""
    length, pause = round(kind.length_h * SLOTS_PER_H), round(kind.break_h * SLOTS_PER_H)
    first, last = (round(h * SLOTS_PER_H) for h in (kind.break_from_h, kind.break_to_h))
    patterns = []
    for break_start in range(first, last + 1) if pause else (0,):
        for overtime_h in range(kind.overtime_max_h + 1):
            slots = np.arange(length + overtime_h * SLOTS_PER_H)
            at_desk = slots[(slots < break_start) | (slots >= break_start + pause)]
            patterns.append((break_start, overtime_h, at_desk))
    return patterns
