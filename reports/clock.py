"""The lunar clock: model seconds as a day of the festival, a date and a time of day.

Decides names only. Times in seconds from the horizon's start, which is midnight of the first
warm-up day; the calendar is the scenario's.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from reports import style
from scenarios.calendar import Calendar

_DAY_S: Final = 86400


@dataclass(frozen=True, slots=True)
class Clock:
    """`start_day` is the lunar day of time 0."""

    calendar: Calendar
    start_day: int

    @classmethod
    def of(cls, scenario: Mapping[str, Any]) -> "Clock":
        """The clock of a run's own scenario."""
        horizon = scenario["horizon"]
        calendar = Calendar.model_validate(scenario["calendar"], strict=False)
        return cls(calendar, horizon["first_day"] - horizon["warm_up_days"])

    @property
    def start(self) -> datetime.datetime:
        """Date and time of second 0."""
        return datetime.datetime.combine(self.calendar.date_of(self.start_day), datetime.time())

    def at(self, time_s: float) -> datetime.datetime:
        """Date and time of day, to the second."""
        return self.start + datetime.timedelta(seconds=int(time_s))

    def said(self, time_s: float) -> str:
        """A moment in words: 初三 (day +2, Thu 19 Feb) 14:32:05."""
        at, lunar_day = self.at(time_s), self.start_day + int(time_s // _DAY_S)
        return (
            f"{style.lunar_name(lunar_day)} (day {style.day_number(lunar_day)}, "
            f"{style.date_name(at.date())}) {at:%H:%M:%S}"
        )
