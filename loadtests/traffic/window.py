"""The window of a run that becomes a trace: from an instant of the calendar, for a length.

Written as 2026-02-18T18:00/PT10M (an ISO 8601 interval, local time in China) or busiest/PT10M.
Times in the model are seconds from 00:00 of the first simulated day.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from loadtests.trace import TraceError
from scenarios.scenario import Scenario

BUSIEST: Final = "busiest"
_LENGTH: Final = re.compile(r"PT(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?")
_RIGHT: Final = "a window is written as 2026-02-18T18:00/PT10M or busiest/PT10M"


@dataclass(frozen=True, slots=True)
class Asked:
    """A window as it was written: `start` None means the busiest one."""

    start: datetime | None
    length_s: float


@dataclass(frozen=True, slots=True)
class Window:
    """A window in seconds of the model, from `start_s` (in it) to `end_s` (not in it)."""

    start_s: float
    end_s: float
    name: str

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s


def parse(text: str) -> Asked:
    """The window that was written. Raises TraceError saying how it is written."""
    said, _, length = text.partition("/")
    found = _LENGTH.fullmatch(length)
    if found is None or not any(found.groups()):
        raise TraceError(f"--window {text}: no length such as PT10M; {_RIGHT}")
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    length_s = hours * 3600 + minutes * 60 + seconds
    if length_s <= 0:
        raise TraceError(f"--window {text}: an empty window; {_RIGHT}")
    if said == BUSIEST:
        return Asked(None, length_s)
    try:
        start = datetime.fromisoformat(said)
    except ValueError:
        raise TraceError(f"--window {text}: {said} is no date and time; {_RIGHT}") from None
    if start.tzinfo is not None:
        raise TraceError(f"--window {text}: a local time without an offset is meant; {_RIGHT}")
    return Asked(start, length_s)


def counted(scenario: Scenario) -> Window:
    """The whole horizon after its warm-up: what a run's tables cover."""
    horizon = scenario.horizon
    return _named(scenario, horizon.warm_up_s, horizon.end_s)


def place(asked: Asked, scenario: Scenario, *, busiest_s: float) -> Window:
    """The window in model time; `busiest_s` is where the busiest one of its length starts.

    Raises TraceError when it does not lie within the days that the run covers.
    """
    covered = counted(scenario)
    start_s = busiest_s
    if asked.start is not None:
        start_s = (asked.start - _midnight(scenario)).total_seconds()
    if start_s < covered.start_s or start_s + asked.length_s > covered.end_s:
        first, last = (_moment(scenario, s) for s in (covered.start_s, covered.end_s))
        raise TraceError(
            f"--window {_moment(scenario, start_s)} for {asked.length_s:g} s does not lie within "
            f"the run, which covers {first} to {last}"
        )
    return _named(scenario, start_s, start_s + asked.length_s)


def _midnight(scenario: Scenario) -> datetime:
    day = scenario.calendar.date_of(scenario.horizon.start_day)
    return datetime(day.year, day.month, day.day)


def _moment(scenario: Scenario, time_s: float) -> str:
    moment = _midnight(scenario) + timedelta(seconds=time_s)
    return moment.isoformat(timespec="seconds" if moment.second else "minutes")


def _named(scenario: Scenario, start_s: float, end_s: float) -> Window:
    hours, rest_s = divmod(end_s - start_s, 3600)
    minutes, seconds = divmod(rest_s, 60)
    parts = ((hours, "H"), (minutes, "M"), (seconds, "S"))
    length = "".join(f"{value:g}{unit}" for value, unit in parts if value)
    return Window(start_s, end_s, f"{_moment(scenario, start_s)}/PT{length}")
