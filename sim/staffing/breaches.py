"""The judge of lines.csv: does every head's row of shifts keep the law and the scenario's rules?

Shares no code with the solvers: it knows the file and the rules, nothing else, and holds the law's
own limits against scenarios that would allow more. One rest day in any seven is the same as at most
six days in a row. A horizon counts as one month, what was worked before it as `overtime_used_h`.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from scenarios.labour import Labour, ShiftKind
from sim.staffing.rows import Duty, Row, read_rows

LONGEST_DAY_H: Final = 11.0  # 劳动法 art. 36 and 41: eight hours and three of overtime
LONGEST_OVERTIME_H: Final = 3.0  # 劳动法 art. 41
LONGEST_MONTH_H: Final = 36.0  # 劳动法 art. 41
LONGEST_ROW: Final = 6  # 劳动法 art. 38
HALF_HOUR_H: Final = 0.5
TOLERANCE: Final = 1e-9


class Rule(StrEnum):
    """What may be broken; each breach names one."""

    ONE_ROW = "one row a day"
    KNOWN_KIND = "known kind"
    KNOWN_TEAM = "known team"
    SAME_KIND = "same kind"
    SAME_TEAM = "same team"
    HALF_HOUR = "half hour"
    WORK = "hours of the shift"
    DAY = "hours of the day"
    BREAK_LENGTH = "length of the break"
    BREAK_WINDOW = "window of the break"
    OVERTIME_DAY = "overtime of the day"
    OVERTIME_MONTH = "overtime of the month"
    REST = "rest between shifts"
    DAYS_IN_ROW = "days in a row"
    DAYS_IN_SEVEN = "days in seven"
    NIGHT_SHARE = "share of night shifts"
    KIND_SHARE = "share of a kind"
    HEADCOUNT = "headcount"


@dataclass(frozen=True, slots=True)
class Breach:
    """One rule that one head's row breaks, or all rows together."""

    rule: Rule
    head: str | None
    """None: all heads together."""
    lunar_day: int | None
    """None: on all days."""
    said: str

    def __str__(self) -> str:
        who = "all heads" if self.head is None else f"head {self.head}"
        when = "" if self.lunar_day is None else f", day {self.lunar_day:+d}"
        return f"{who}{when}: {self.said}"


Found = Iterator[tuple[Rule, int, str]]
"""Rule, lunar day and words of a head's breaches."""


def breaches(
    path: Path, labour: Labour, *, teams: Collection[str], heads_count: int
) -> tuple[list[Breach], int]:
    """All breaches of a lines.csv, and the number of heads it holds. Raises ScenarioProblems."""
    rows = read_rows(path)
    by_head: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_head[row.head].append(row)
    days = [row.lunar_day for row in rows]
    horizon = range(min(days), max(days) + 1)
    found = []
    for head, mine in by_head.items():
        mine.sort(key=lambda row: (row.lunar_day, row.duty.start_h if row.duty else 0.0))
        of_head = [
            *_one_row(mine, horizon),
            *_known(mine, labour, teams),
            *_of_duties(mine, labour),
        ]
        found += [Breach(rule, head, day, said) for rule, day, said in of_head]
    found += _of_all(by_head, labour, heads_count)
    return found, len(by_head)


def _one_row(rows: Sequence[Row], horizon: range) -> Found:
    counts = Counter(row.lunar_day for row in rows)
    for day in horizon:
        if counts[day] != 1:
            yield Rule.ONE_ROW, day, f"{counts[day] or 'no'} rows on one day"


def _known(rows: Sequence[Row], labour: Labour, teams: Collection[str]) -> Found:
    """Kinds and teams that exist, and one of each for a head."""
    names = [(row.lunar_day, row.kind, row.team) for row in rows]
    kinds = dict.fromkeys(kind for _, kind, _ in names)
    crews = dict.fromkeys(team for _, _, team in names)
    for kind in kinds:
        day = next(day for day, other, _ in names if other == kind)
        if kind not in labour.kinds:
            yield Rule.KNOWN_KIND, day, f"{kind} is no kind of shift"
        elif kind != rows[0].kind:
            yield Rule.SAME_KIND, day, f"works as {kind}, employed as {rows[0].kind}"
    for team in crews:
        day = next(day for day, _, other in names if other == team)
        if team not in teams:
            yield Rule.KNOWN_TEAM, day, f"{team} is no team"
        elif team != rows[0].team:
            yield Rule.SAME_TEAM, day, f"works for a second team, {team}"


def _of_duties(rows: Sequence[Row], labour: Labour) -> Found:
    duties = []
    for row in rows:
        if row.duty is not None:
            duties.append(row.duty)
            yield from _half_hours(row.duty)
            if row.kind in labour.kinds:
                yield from _of_kind(row.duty, row.kind, labour.kinds[row.kind])
    yield from _rest(duties, labour)
    kinds = [labour.kinds[row.kind] for row in rows[:1] if row.kind in labour.kinds]
    most = min([kind.days_per_week_max_count for kind in kinds] or [LONGEST_ROW])
    yield from _days(sorted({duty.lunar_day for duty in duties}), labour, most)
    yield from _overtime(duties, labour)


def _half_hours(duty: Duty) -> Found:
    if not 0.0 <= duty.start_h < 24.0:
        yield Rule.HALF_HOUR, duty.lunar_day, f"{duty.start_h:g} h is no hour of the day"
    hours = (duty.start_h, duty.work_h, duty.break_start_h, duty.break_h, duty.overtime_h)
    if any(abs(h / HALF_HOUR_H - round(h / HALF_HOUR_H)) > TOLERANCE for h in hours):
        yield Rule.HALF_HOUR, duty.lunar_day, "starts or ends beside the half hour"


def _of_kind(duty: Duty, name: str, kind: ShiftKind) -> Found:
    """One shift: its work, its break and its overtime."""
    day = duty.lunar_day
    if not 0.0 < duty.work_h <= kind.work_h + TOLERANCE:
        yield Rule.WORK, day, f"{duty.work_h:g} h of work are no shift of kind {name}"
    if duty.work_h + duty.overtime_h > LONGEST_DAY_H + TOLERANCE:
        yield Rule.DAY, day, f"works {duty.work_h + duty.overtime_h:g} h on one day"
    if abs(duty.break_h - kind.break_h) > TOLERANCE:
        yield Rule.BREAK_LENGTH, day, f"{duty.break_h:g} h of break, not {kind.break_h:g} h"
    first_h, last_h = kind.break_from_h, min(kind.break_to_h, duty.work_h)
    if duty.break_h and not first_h - TOLERANCE <= duty.break_start_h <= last_h + TOLERANCE:
        yield (
            Rule.BREAK_WINDOW,
            day,
            f"break after {duty.break_start_h:g} h, not {first_h:g} to {last_h:g} h",
        )
    most_h = min(kind.overtime_max_h, LONGEST_OVERTIME_H)
    if not 0.0 <= duty.overtime_h <= most_h + TOLERANCE:
        yield (
            Rule.OVERTIME_DAY,
            day,
            f"{duty.overtime_h:g} h of overtime on one day, not {most_h:g} h",
        )


def _rest(duties: Sequence[Duty], labour: Labour) -> Found:
    """From the end of a shift, overtime included, to the next start, over midnight."""
    for number, duty in enumerate(duties):
        before = [one.ends_h for one in duties[:number] if one.lunar_day < duty.lunar_day]
        rest_h = duty.begins_h - max(before, default=float("-inf"))
        if rest_h < labour.rest_min_h - TOLERANCE:
            yield Rule.REST, duty.lunar_day, f"{rest_h:g} h of rest, not {labour.rest_min_h:g} h"


def _days(days: Sequence[int], labour: Labour, week_max_count: int) -> Found:
    longest = min(labour.days_in_row_max_count, LONGEST_ROW)
    row = 0
    for number, day in enumerate(days):
        row = row + 1 if number and day == days[number - 1] + 1 else 1
        week = sum(1 for other in days if day - 7 < other <= day)
        if row > longest:
            yield Rule.DAYS_IN_ROW, day, f"{row} days in a row, not {longest}"
        elif week > week_max_count:
            yield Rule.DAYS_IN_SEVEN, day, f"{week} days of work in seven, not {week_max_count}"


def _overtime(duties: Sequence[Duty], labour: Labour) -> Found:
    """The day on which the month's overtime is used up, if there is one."""
    most_h = min(labour.overtime_month_max_h, LONGEST_MONTH_H)
    total_h = labour.overtime_used_h
    for duty in duties:
        total_h += duty.overtime_h
        if duty.overtime_h and total_h > most_h + TOLERANCE:
            said = f"{total_h:g} h of overtime in the month, not {most_h:g} h"
            yield Rule.OVERTIME_MONTH, duty.lunar_day, said
            return


def _of_all(by_head: dict[str, list[Row]], labour: Labour, heads_count: int) -> Iterator[Breach]:
    """What the heads may not break together: nights of a day, kinds, the headcount."""
    count = len(by_head)
    if count > heads_count:
        yield Breach(Rule.HEADCOUNT, None, None, f"{count:,} heads, not {heads_count:,}")
    nights = {
        (row.lunar_day, head)
        for head, rows in by_head.items()
        for row in rows
        if row.duty is not None and labour.is_night(row.duty.start_h)
    }
    most = labour.night_heads_max_ratio
    for day, many in sorted(Counter(day for day, _ in nights).items()):
        if many > most * count + TOLERANCE:
            said = f"{many:,} of {count:,} heads start a night shift, not {most:.0%}"
            yield Breach(Rule.NIGHT_SHARE, None, day, said)
    for kind, many in sorted(Counter(rows[0].kind for rows in by_head.values()).items()):
        most = labour.kinds[kind].heads_max_ratio if kind in labour.kinds else 1.0
        if many > most * count + TOLERANCE:
            said = f"{many:,} of {count:,} heads are of kind {kind}, not {most:.0%}"
            yield Breach(Rule.KIND_SHARE, None, None, said)
