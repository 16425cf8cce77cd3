"""Which date a lunar day is, and what a working hour costs on it.

Decides: the date of 正月初一, the statutory days, the festival's days off and make-up work days,
the wage multiple of a day. Does not decide who works when (the roster does).
Units: lunar day = days from 正月初一 (0 = 初一, -1 = 除夕); multiples of the ordinary wage.
Sources: lunar new year 2019-2035 from the astronomical calendar, held by a test against the
package `lunardate`. Spans and make-up work days 2019-2026 from the State Council's yearly notices,
as carried by the package chinesecalendar 1.11.0 (2020: the span as extended on 2020-01-26).
Statutory days: 全国年节及纪念日放假办法, art. 2 (初一 to 初三; with 除夕 since 2025), art. 6 (one
that falls on a weekend is made up for). Years without a notice follow from articles 2 and 6 alone,
until `calendar.override` says what was announced. Wages: 劳动法 art. 44 (statutory day 300 %, rest
day without time off in lieu 200 %).
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from scenarios.model import Model

DAY: Final = timedelta(days=1)

LUNAR_NEW_YEARS: Final[dict[int, date]] = {
    2019: date(2019, 2, 5),
    2020: date(2020, 1, 25),
    2021: date(2021, 2, 12),
    2022: date(2022, 2, 1),
    2023: date(2023, 1, 22),
    2024: date(2024, 2, 10),
    2025: date(2025, 1, 29),
    2026: date(2026, 2, 17),
    2027: date(2027, 2, 6),
    2028: date(2028, 1, 26),
    2029: date(2029, 2, 13),
    2030: date(2030, 2, 3),
    2031: date(2031, 1, 23),
    2032: date(2032, 2, 11),
    2033: date(2033, 1, 31),
    2034: date(2034, 2, 19),
    2035: date(2035, 2, 8),
}


@dataclass(frozen=True, slots=True)
class Festival:
    """What holds for one year: first and last day off, statutory days, work days on a weekend."""

    new_year: date
    first_day: date
    last_day: date
    statutory_days: tuple[date, ...]
    work_days: tuple[date, ...]
    basis: Literal["announced", "law alone", "override"]


# First day off, last day off, make-up work days.
ANNOUNCED: Final[dict[int, tuple[date, date, tuple[date, ...]]]] = {
    2019: (date(2019, 2, 4), date(2019, 2, 10), (date(2019, 2, 2), date(2019, 2, 3))),
    2020: (date(2020, 1, 24), date(2020, 2, 2), (date(2020, 1, 19),)),
    2021: (date(2021, 2, 11), date(2021, 2, 17), (date(2021, 2, 7), date(2021, 2, 20))),
    2022: (date(2022, 1, 31), date(2022, 2, 6), (date(2022, 1, 29), date(2022, 1, 30))),
    2023: (date(2023, 1, 21), date(2023, 1, 27), (date(2023, 1, 28), date(2023, 1, 29))),
    2024: (date(2024, 2, 10), date(2024, 2, 17), (date(2024, 2, 4), date(2024, 2, 18))),
    2025: (date(2025, 1, 28), date(2025, 2, 4), (date(2025, 1, 26), date(2025, 2, 8))),
    2026: (date(2026, 2, 15), date(2026, 2, 23), (date(2026, 2, 14), date(2026, 2, 28))),
}


def statutory_days(new_year: date) -> tuple[date, ...]:
    """初一 to 初三, and since 2025 also 除夕 (art. 2)."""
    first_offset = -1 if new_year.year >= 2025 else 0
    return tuple(new_year + DAY * offset for offset in range(first_offset, 3))


def _by_law_alone(new_year: date) -> Festival:
    """The statutory days, and a day after them for each that falls on a weekend (art. 6)."""
    days = statutory_days(new_year)
    last_day = days[-1]
    for _ in [day for day in days if day.weekday() >= 5]:
        last_day += DAY
        while last_day.weekday() >= 5:
            last_day += DAY
    return Festival(new_year, days[0], last_day, days, (), "law alone")


class CalendarOverride(Model):
    """What the notice of a year says that this module does not know yet, or says otherwise."""

    lunar_new_year_date: date | None = None
    """Date of 正月初一."""
    holiday_first_date: date | None = None
    """First day off; needs holiday_last_date."""
    holiday_last_date: date | None = None
    """Last day off; needs holiday_first_date."""
    statutory_dates: Annotated[tuple[date, ...], Field(strict=False, max_length=10)] | None = None
    """Days on which the law asks for 300 % pay."""
    work_dates: Annotated[tuple[date, ...], Field(strict=False, max_length=10)] | None = None
    """Saturdays and Sundays that are made work days in exchange."""


class Calendar(Model):
    """Anchors lunar days to dates: another year is one changed line."""

    year: Annotated[int, Field(ge=2000, le=2100)]
    """Year of the festival; 2019 to 2035 are known, others need override.lunar_new_year_date."""
    statutory_pay_multiple: Annotated[float, Field(ge=1.0, le=10.0)]
    """Wage multiple on a statutory day."""
    rest_day_pay_multiple: Annotated[float, Field(ge=1.0, le=10.0)]
    """Wage multiple on the festival's other days off and on weekends. 1: those who work on one get
    another day off in the same week (the roster's one rest day in seven); 2: nobody does."""
    override: CalendarOverride = CalendarOverride()
    """What was announced for the year and is not known here."""

    @model_validator(mode="after")
    def _consistent(self) -> "Calendar":
        override = self.override
        if self.year not in LUNAR_NEW_YEARS and override.lunar_new_year_date is None:
            raise ValueError(
                f"the date of lunar new year {self.year} is not known (known: 2019 to 2035); "
                "give calendar.override.lunar_new_year_date"
            )
        if (override.holiday_first_date is None) != (override.holiday_last_date is None):
            raise ValueError("holiday_first_date and holiday_last_date of the override go together")
        # Since the calendar reform of 1645 new year has fallen on 21 January to 21 February.
        new_year = self.new_year
        if not date(self.year, 1, 21) <= new_year <= date(self.year, 2, 21):
            raise ValueError(
                f"lunar new year {self.year} cannot be {new_year}: it falls between "
                f"{self.year}-01-21 and {self.year}-02-21"
            )
        festival = self.festival()
        if not festival.first_day <= new_year <= festival.last_day:
            raise ValueError(
                f"the days off {festival.first_day} to {festival.last_day} do not contain "
                f"lunar new year, {new_year}"
            )
        for day in festival.work_days:
            if festival.first_day <= day <= festival.last_day or day.weekday() < 5:
                raise ValueError(f"work day {day} is not a weekend day outside the days off")
        return self

    @property
    def new_year(self) -> date:
        """Date of 正月初一."""
        return self.override.lunar_new_year_date or LUNAR_NEW_YEARS[self.year]

    def festival(self) -> Festival:
        """The year's days: override before notice before law."""
        new_year, override = self.new_year, self.override
        known = _by_law_alone(new_year)
        if self.year in ANNOUNCED:
            first_day, last_day, work_days = ANNOUNCED[self.year]
            known = Festival(
                new_year, first_day, last_day, known.statutory_days, work_days, "announced"
            )
        if override == CalendarOverride():
            return known
        return Festival(
            new_year,
            override.holiday_first_date or known.first_day,
            override.holiday_last_date or known.last_day,
            known.statutory_days if override.statutory_dates is None else override.statutory_dates,
            known.work_days if override.work_dates is None else override.work_dates,
            "override",
        )

    def date_of(self, lunar_day: int) -> date:
        """The date of a lunar day."""
        return self.new_year + DAY * lunar_day

    def lunar_day_of(self, day: date) -> int:
        """The lunar day of a date."""
        return (day - self.new_year).days

    def is_statutory(self, lunar_day: int) -> bool:
        """Whether the law asks for the statutory wage multiple."""
        return self.date_of(lunar_day) in self.festival().statutory_days

    def is_holiday(self, lunar_day: int) -> bool:
        """Whether the day belongs to the festival's span of days off."""
        festival = self.festival()
        return festival.first_day <= self.date_of(lunar_day) <= festival.last_day

    def is_rest_day(self, lunar_day: int) -> bool:
        """Whether offices rest: a day off of the festival, or a weekend not made a work day."""
        day = self.date_of(lunar_day)
        weekend = day.weekday() >= 5 and day not in self.festival().work_days
        return weekend or self.is_holiday(lunar_day)

    def pay_multiple(self, lunar_day: int) -> float:
        """Wage of an hour on that day, in ordinary hourly wages."""
        if self.is_statutory(lunar_day):
            return self.statutory_pay_multiple
        return self.rest_day_pay_multiple if self.is_rest_day(lunar_day) else 1.0
