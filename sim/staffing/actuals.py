"""What happened so far today: a CSV file of counts by interval and skill, checked at the door.

Columns: interval_start (local time, 2026-02-18T10:00), skill (general/phone, or general for both
channels together), offered, and optionally answered. Every interval from midnight to the clock must
be there, for every skill that the file names.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from scenarios.problems import Problem, ScenarioProblems, shorten
from scenarios.scenario import Scenario
from scenarios.words import CHANNELS, SKILLS
from sim.columns import Ints

NEEDED: Final = ("interval_start", "skill", "offered")
OPTIONAL: Final = ("answered",)
NAMES: Final = (*SKILLS, *(f"{skill}/{channel}" for skill in SKILLS for channel in CHANNELS))
# So many gaps are named one by one, the rest are counted.
GAPS_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class Clock:
    """Now, on a day of the scenario."""

    now: datetime
    lunar_day: int
    tick_s: int

    @property
    def midnight(self) -> datetime:
        """The day's first moment."""
        return datetime(self.now.year, self.now.month, self.now.day)

    @property
    def elapsed_count(self) -> int:
        """Whole intervals since midnight."""
        return int((self.now - self.midnight).total_seconds()) // self.tick_s

    def start(self, tick: int) -> datetime:
        """When an interval of the day begins."""
        return self.midnight + timedelta(seconds=tick * self.tick_s)


@dataclass(frozen=True, slots=True)
class Actuals:
    """Counts of the elapsed intervals, shape (intervals, skills)."""

    skills: tuple[str, ...]
    offered: Ints
    answered: Ints | None


def clock(text: str, scenario: Scenario) -> Clock:
    """The clock from `2026-02-18T14:00`. Raises ScenarioProblems outside the counted days."""
    horizon, calendar = scenario.horizon, scenario.calendar
    first, last = (calendar.date_of(day) for day in (horizon.first_day, horizon.last_day))
    days = f"local time on a day from {first} to {last}, e.g. {first}T14:00"
    try:
        now = datetime.fromisoformat(text)
    except ValueError:
        raise _clock_problem(text, "is not a time", days) from None
    if now.tzinfo is not None:
        raise _clock_problem(text, "has a time zone", days)
    if not first <= now.date() <= last:
        raise _clock_problem(text, "is outside the horizon", days)
    found = Clock(now, calendar.lunar_day_of(now.date()), horizon.tick_s)
    if found.elapsed_count == 0:
        raise _clock_problem(text, "is before the end of the day's first interval", days)
    return found


def _clock_problem(text: str, message: str, hint: str) -> ScenarioProblems:
    return ScenarioProblems([Problem(file="--now", message=f"{text} {message}", hint=hint)])


def read_actuals(path: Path, now: Clock) -> Actuals:
    """The counts up to the clock. Raises ScenarioProblems with everything that is wrong."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise ScenarioProblems([Problem(file=str(path), message=str(reason))]) from None
    rows = csv.DictReader(text.splitlines(), strict=True)
    header = rows.fieldnames or []
    problems = _header_problems(str(path), header)
    if problems:
        raise ScenarioProblems(problems)
    counts: dict[tuple[int, str], tuple[int, int]] = {}
    try:
        for row in rows:
            _take(str(path), rows.line_num, row, now, counts, problems)
    except csv.Error as error:
        problems.append(Problem(file=str(path), line=rows.line_num, message=str(error)))
    skills = tuple(name for name in NAMES if any(skill == name for _, skill in counts))
    # A row that is wrong would also be missing: gaps are looked for when every row is right.
    problems += _overlaps(str(path), skills)
    if problems or (problems := _gaps(str(path), counts, skills, now)):
        raise ScenarioProblems(problems)
    table = np.array(
        [[counts[tick, skill] for skill in skills] for tick in range(now.elapsed_count)]
    )
    return Actuals(skills, table[..., 0], table[..., 1] if "answered" in header else None)


def _header_problems(file: str, header: Sequence[str]) -> list[Problem]:
    right = f"columns {', '.join(NEEDED)} and optionally {', '.join(OPTIONAL)}"
    known = (*NEEDED, *OPTIONAL)
    wrong = [f"no column {name}" for name in NEEDED if name not in header]
    wrong += [f"unknown column {name}" for name in header if name not in known]
    wrong += [f"column {name} twice" for name in known if list(header).count(name) > 1]
    return [Problem(file=file, line=1, message=message, hint=right) for message in wrong]


def _take(
    file: str,
    line: int,
    row: dict[str, str | None],
    now: Clock,
    counts: dict[tuple[int, str], tuple[int, int]],
    problems: list[Problem],
) -> None:
    """One row into `counts`, or what is wrong with it into `problems`."""

    def wrong(key: str, message: str, hint: str) -> None:
        value = shorten(row.get(key) or "")
        problems.append(
            Problem(file=file, line=line, path=key, value=value, message=message, hint=hint)
        )

    if None in row or None in row.values():
        message = "the row has not as many cells as there are columns"
        problems.append(Problem(file=file, line=line, message=message))
        return
    before = len(problems)
    tick = -1
    try:
        at = datetime.fromisoformat(row["interval_start"] or "")
        tick, off_s = divmod(int((at - now.midnight).total_seconds()), now.tick_s)
        if off_s:
            wrong("interval_start", "starts between intervals", f"intervals of {now.tick_s} s")
        elif not 0 <= tick < now.elapsed_count:
            until = now.start(now.elapsed_count)
            wrong("interval_start", "is not over, or not today", f"{now.midnight} to {until}")
    except (ValueError, TypeError):
        wrong("interval_start", "is not a local time", f"e.g. {now.midnight:%Y-%m-%dT%H:%M}")
    if row["skill"] not in NAMES:
        wrong("skill", "is not a skill", ", ".join(NAMES))
    found = []
    for key in ("offered", "answered"):
        text = row.get(key, "0") or ""
        if not (text.strip().isascii() and text.strip().isdigit()):
            wrong(key, "is not a count", "a whole number, 0 or more")
        else:
            found.append(int(text))
    if len(found) == 2 and found[1] > found[0]:
        wrong("answered", f"is more than the {found[0]} offered", "at most what was offered")
    cell = (tick, row["skill"] or "")
    if cell in counts:
        wrong("interval_start", f"comes twice for {cell[1]}", "one row an interval and skill")
    if len(problems) == before:
        counts[cell] = (found[0], found[1])


def _gaps(
    file: str, counts: dict[tuple[int, str], tuple[int, int]], skills: tuple[str, ...], now: Clock
) -> list[Problem]:
    """Intervals that are missing between midnight and the clock."""
    if not counts:
        return [Problem(file=file, message="has no row that counts")]
    gaps = [
        f"{now.start(tick):%Y-%m-%dT%H:%M} {skill}"
        for skill in skills
        for tick in range(now.elapsed_count)
        if (tick, skill) not in counts
    ]
    if not gaps:
        return []
    rest = f" and {len(gaps) - GAPS_NAMED} more" if len(gaps) > GAPS_NAMED else ""
    message = f"{len(gaps)} intervals are missing: {', '.join(gaps[:GAPS_NAMED])}{rest}"
    hint = f"every interval from midnight to {now.start(now.elapsed_count):%H:%M}; 0 is a count"
    return [Problem(file=file, message=message, hint=hint)]


def _overlaps(file: str, skills: tuple[str, ...]) -> list[Problem]:
    """A skill may be counted once: by channel or both together."""
    twice = [name for name in skills if "/" not in name and any(f"{name}/" in s for s in skills)]
    return [
        Problem(
            file=file,
            message=f"{name} is counted both by channel and as a whole",
            hint="one of the two",
        )
        for name in twice
    ]
