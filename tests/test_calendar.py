"""The calendar against an independent package, the notices, the law, and overrides."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lunardate import LunarDate
from pydantic import ValidationError

from scenarios.calendar import ANNOUNCED, LUNAR_NEW_YEARS, Calendar, CalendarOverride


def calendar(year: int, *, rest_day_pay_multiple: float = 1.0, **override: object) -> Calendar:
    return Calendar(
        year=year,
        statutory_pay_multiple=3.0,
        rest_day_pay_multiple=rest_day_pay_multiple,
        override=CalendarOverride.model_validate(override),
    )


def test_lunar_new_years_agree_with_lunardate() -> None:
    assert sorted(LUNAR_NEW_YEARS) == list(range(2019, 2036))
    for year, day in LUNAR_NEW_YEARS.items():
        assert LunarDate(year, 1, 1).to_solar_date() == day


@pytest.mark.parametrize("year", sorted(ANNOUNCED))
def test_announced_spans_contain_the_statutory_days_and_exchange_whole_weekends(year: int) -> None:
    festival = calendar(year).festival()
    assert festival.basis == "announced"
    assert all(festival.first_day <= d <= festival.last_day for d in festival.statutory_days)
    assert all(d.weekday() >= 5 for d in festival.work_days)
    assert all(abs((d - festival.new_year).days) <= 12 for d in festival.work_days)


@pytest.mark.parametrize(
    ("year", "first", "last", "work"),
    [
        (2024, date(2024, 2, 10), date(2024, 2, 17), (date(2024, 2, 4), date(2024, 2, 18))),
        (2025, date(2025, 1, 28), date(2025, 2, 4), (date(2025, 1, 26), date(2025, 2, 8))),
        (2026, date(2026, 2, 15), date(2026, 2, 23), (date(2026, 2, 14), date(2026, 2, 28))),
        # Not announced: statutory days, and a make-up day for each of the two on a weekend.
        (2027, date(2027, 2, 5), date(2027, 2, 10), ()),
        (2028, date(2028, 1, 25), date(2028, 1, 28), ()),
    ],
)
def test_spans(year: int, first: date, last: date, work: tuple[date, ...]) -> None:
    festival = calendar(year).festival()
    assert (festival.first_day, festival.last_day, festival.work_days) == (first, last, work)


def test_new_years_eve_is_statutory_since_2025() -> None:
    def statutory(year: int) -> list[int]:
        return [day for day in range(-7, 9) if calendar(year).is_statutory(day)]

    assert statutory(2024) == [0, 1, 2]
    assert statutory(2025) == statutory(2026) == statutory(2027) == [-1, 0, 1, 2]


def test_pay_in_2026() -> None:
    paid = [calendar(2026).pay_multiple(day) for day in range(-3, 8)]
    assert paid == [1.0, 1.0, 3.0, 3.0, 3.0, 3.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    without_time_off = calendar(2026, rest_day_pay_multiple=2.0)
    # 02-14 is a Saturday made a work day; 02-15 to 02-23 are off; 02-24 is a Tuesday.
    assert [without_time_off.pay_multiple(day) for day in range(-3, 8)] == [
        1.0, 2.0, 3.0, 3.0, 3.0, 3.0, 2.0, 2.0, 2.0, 2.0, 1.0,
    ]  # fmt: skip


def test_the_same_lunar_days_in_2027() -> None:
    assert calendar(2026).date_of(-2) == date(2026, 2, 15)
    assert calendar(2027).date_of(-2) == date(2027, 2, 4)
    assert not calendar(2027).is_holiday(-2)
    assert calendar(2027).is_holiday(4)
    assert not calendar(2027).is_holiday(5)


@given(st.integers(2019, 2035), st.integers(-400, 400))
def test_dates_and_lunar_days_are_inverse(year: int, lunar_day: int) -> None:
    assert calendar(year).lunar_day_of(calendar(year).date_of(lunar_day)) == lunar_day


@given(st.integers(2027, 2035))
def test_the_law_alone_gives_four_statutory_days_and_a_make_up_for_each_on_a_weekend(
    year: int,
) -> None:
    festival = calendar(year).festival()
    assert festival.basis == "law alone"
    span_days = (festival.last_day - festival.first_day).days + 1
    span = [festival.first_day + timedelta(days=k) for k in range(span_days)]
    assert sum(d.weekday() < 5 for d in span) == 4
    assert set(festival.statutory_days) <= set(span)


def test_an_announcement_overrides() -> None:
    announced = calendar(
        2027,
        holiday_first_date=date(2027, 2, 4),
        holiday_last_date=date(2027, 2, 12),
        work_dates=[date(2027, 1, 31), date(2027, 2, 20)],
    )
    assert announced.festival().basis == "override"
    assert announced.is_holiday(-2)
    assert announced.is_holiday(6)
    assert announced.is_statutory(2)
    assert not announced.is_rest_day(14)
    assert calendar(2036, lunar_new_year_date=date(2036, 1, 28)).date_of(1) == date(2036, 1, 29)


@pytest.mark.parametrize(
    ("year", "override", "sentence"),
    [
        (2036, {}, "is not known"),
        (2027, {"lunar_new_year_date": date(2027, 6, 1)}, "cannot be 2027-06-01"),
        (2027, {"holiday_first_date": date(2027, 2, 4)}, "go together"),
        (
            2027,
            {"holiday_first_date": date(2027, 2, 8), "holiday_last_date": date(2027, 2, 4)},
            "do not contain",
        ),
        (2027, {"work_dates": [date(2027, 2, 7)]}, "is not a weekend day outside"),
        (2027, {"work_dates": [date(2027, 2, 17)]}, "is not a weekend day outside"),
    ],
)
def test_what_cannot_be_is_refused(year: int, override: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        calendar(year, **override)
