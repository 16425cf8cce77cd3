"""The judge of lines.csv: does every head's row of shifts keep the law?

Shares no code with the solvers: it reads the file and the rules, nothing else. Every breach names
the head, the day and the rule: rest between two shifts, days in a row, rest days in seven, length
of a shift, overtime of a day and of the month, skill (a head works for one team), and two shifts on
one day.
"""

import csv
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from scenarios.labour import Labour

LONGEST_DAY_H = 11.0  # 劳动法 art. 36 and 41: eight hours and three of overtime
LONGEST_OVERTIME_H = 3.0  # 劳动法 art. 41
TOLERANCE_H = 1e-9


@dataclass(frozen=True, slots=True)
class Breach:
    """One rule that one head's row breaks."""

    head: str
    lunar_day: int
    rule: str

    def __str__(self) -> str:
        return f"head {self.head}, day {self.lunar_day:+d}: {self.rule}"


@dataclass(frozen=True, slots=True)
class _Duty:
    day: int
    kind: str
    team: str
    start_h: float  # of the day
    work_h: float
    break_h: float
    overtime_h: float

    @property
    def begins_h(self) -> float:
        return self.day * 24.0 + self.start_h

    @property
    def ends_h(self) -> float:
        return self.begins_h + self.work_h + self.break_h + self.overtime_h


def breaches(path: Path, labour: Labour) -> tuple[list[Breach], int]:
    """All breaches of a lines.csv, and the number of heads it holds."""
    rows: dict[str, list[_Duty]] = defaultdict(list)
    with path.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            duties = rows[line["head"]]
            if line["start_h"]:
                numbers = (line[n] for n in ("start_h", "work_h", "break_h", "overtime_h"))
                day, kind, team = int(line["lunar_day"]), line["kind"], line["team"]
                duties.append(_Duty(day, kind, team, *map(float, numbers)))
    found = []
    for head, duties in rows.items():
        duties.sort(key=lambda duty: duty.begins_h)
        found += [Breach(head, day, rule) for day, rule in _of_head(duties, labour)]
    return found, len(rows)


def _of_head(duties: list[_Duty], labour: Labour) -> list[tuple[int, str]]:
    found = []
    for before, after in pairwise(duties):
        rest_h = after.begins_h - before.ends_h
        if after.day == before.day:
            found.append((after.day, "two shifts on one day"))
        if rest_h < labour.rest_min_h - TOLERANCE_H:
            found.append((after.day, f"{rest_h:g} h of rest, not {labour.rest_min_h:g} h"))
    for team in sorted({duty.team for duty in duties})[1:]:
        day = min(duty.day for duty in duties if duty.team == team)
        found.append((day, f"works for a second team, {team}"))
    for duty in duties:
        kind = labour.kinds.get(duty.kind)
        if kind is None or duty.work_h > kind.work_h + TOLERANCE_H:
            found.append((duty.day, f"{duty.work_h:g} h are no shift of kind {duty.kind}"))
        if duty.work_h + duty.overtime_h > LONGEST_DAY_H + TOLERANCE_H:
            found.append((duty.day, f"works {duty.work_h + duty.overtime_h:g} h on one day"))
        if duty.overtime_h > LONGEST_OVERTIME_H + TOLERANCE_H:
            found.append((duty.day, f"{duty.overtime_h:g} h of overtime on one day"))
    return found + _days(duties, labour) + _overtime(duties, labour)


def _days(duties: list[_Duty], labour: Labour) -> list[tuple[int, str]]:
    found = []
    days = sorted({duty.day for duty in duties})
    most = min((labour.kinds[d.kind].days_per_week_max_count for d in duties
                if d.kind in labour.kinds), default=6)  # fmt: skip
    row = 0
    for number, day in enumerate(days):
        row = row + 1 if number and day == days[number - 1] + 1 else 1
        if row > labour.days_in_row_max_count:
            found.append((day, f"{row} days in a row"))
        week = sum(1 for other in days if day - 7 < other <= day)
        if week > most:
            found.append((day, f"{week} days of work in seven, not {most}"))
    return found


def _overtime(duties: list[_Duty], labour: Labour) -> list[tuple[int, str]]:
    total_h = labour.overtime_used_h
    for duty in duties:
        total_h += duty.overtime_h
        if duty.overtime_h and total_h > labour.overtime_month_max_h + TOLERANCE_H:
            return [(duty.day, f"{total_h:g} h of overtime in the month")]
    return []
