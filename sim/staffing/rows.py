"""Rows of a lines.csv as they stand in the file: the planner's, or one that a user hands in."""

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scenarios.problems import Problem, ScenarioProblems, shorten
from scenarios.staff_tables import STAFF_TABLES

COLUMNS: Final = tuple(column.name for column in STAFF_TABLES["lines"])
DUTY_COLUMNS: Final = ("start_h", "work_h", "break_start_h", "break_h", "overtime_h")
"""Empty on a rest day, all of them."""


@dataclass(frozen=True, slots=True)
class Duty:
    """A shift; hours, the break counted from the shift's start, overtime after its end."""

    lunar_day: int
    start_h: float
    work_h: float
    break_start_h: float
    break_h: float
    overtime_h: float

    @property
    def begins_h(self) -> float:
        """From 00:00 of lunar day 0."""
        return self.lunar_day * 24.0 + self.start_h

    @property
    def ends_h(self) -> float:
        """Overtime included; perhaps on the next day."""
        return self.begins_h + self.work_h + self.break_h + self.overtime_h


@dataclass(frozen=True, slots=True)
class Row:
    """A head's line for a day; no duty on a rest day."""

    head: str
    team: str
    kind: str
    lunar_day: int
    duty: Duty | None


def read_rows(path: Path) -> list[Row]:
    """All rows of a file. Raises ScenarioProblems with everything that is no row."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise ScenarioProblems([Problem(file=str(path), message=str(reason))]) from None
    lines = csv.DictReader(text.splitlines())
    missing = [name for name in COLUMNS if name not in (lines.fieldnames or ())]
    problems = [
        Problem(file=str(path), line=1, message=f"no column {name}", hint=", ".join(COLUMNS))
        for name in missing
    ]
    rows: list[Row] = []
    for cells in lines if not missing else ():
        wrong = list(_wrong(cells))
        problems += [
            Problem(file=str(path), line=lines.line_num, path=key, value=value, message=message)
            for key, value, message in wrong
        ]
        if not wrong:
            rows.append(_row(cells))
    if not rows and not problems:
        problems.append(Problem(file=str(path), message="has no row"))
    if problems:
        raise ScenarioProblems(problems)
    return rows


def _wrong(cells: dict[str, str | None]) -> Iterator[tuple[str, str, str]]:
    """Key, value and what is wrong with it."""
    if None in cells or None in cells.values():
        yield "", "", "the row has not as many cells as there are columns"
        return
    for key in ("head", "team", "kind"):
        if not cells[key]:
            yield key, "", "is empty"
    day = cells["lunar_day"] or ""
    if not day.removeprefix("-").isdecimal():
        yield "lunar_day", shorten(day), "is not a lunar day, a whole number"
    works = any(cells[key] for key in DUTY_COLUMNS)
    for key in DUTY_COLUMNS if works else ():
        if not _is_hours(cells[key] or ""):
            yield key, shorten(cells[key] or ""), "is not a number of hours (empty on a rest day)"


def _is_hours(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _row(cells: dict[str, str | None]) -> Row:
    day = int(cells["lunar_day"] or "")
    hours = [float(cells[key] or "") for key in DUTY_COLUMNS if cells[key]]
    return Row(
        head=cells["head"] or "",
        team=cells["team"] or "",
        kind=cells["kind"] or "",
        lunar_day=day,
        duty=Duty(day, *hours) if hours else None,
    )
