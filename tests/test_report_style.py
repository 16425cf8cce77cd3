"""Printed forms: digits, units, signs and names."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import style
from reports.language import LANGUAGES, speaking
from scenarios.words import GUARANTEES


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        ("percent", 0.1234, "12.3 %"),
        ("percent", 0.0, "0.0 %"),
        ("percent", 0.0001, "< 0.1 %"),
        ("percent", 0.9999, "> 99.9 %"),
        ("percent", 1.0, "100.0 %"),
        ("probability", 0.004, "< 1 %"),
        ("probability", 0.996, "> 99 %"),
        ("fine_percent", 0.01524, "1.52 %"),
        ("whole", 0.876, "88"),
        ("cny", 123.0, "CNY 1"),
        ("cny", 1_234_500, "CNY 12.3 k"),
        ("cny", 1_234_567_890, "CNY 12.35 M"),
        ("cny", 12_345_678_900, "CNY 123.5 M"),
        ("cny", 123_456_789_000, "CNY 1.23 bn"),
        ("cny", -1_234_567_890, "CNY −12.35 M"),
        ("cny_each", 341.0, "CNY 3.41"),
        ("count", 3.25, "3.2"),
        ("count", 1234.4, "1,234"),
        ("count", 1_096_000, "1.10 M"),
        ("seconds", 7.66, "7.7 s"),
        ("seconds", 240.0, "240 s"),
        ("day_mean", -0.5, "day −0.5"),
        ("plain", 2026, "2026"),
        ("plain", 11_000_000.0, "11,000,000"),
        ("plain", 0.15, "0.15"),
    ],
)
def test_printed_form(form: str, value: float, text: str) -> None:
    assert style.FORMATS[form](value) == text


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        ("percent", 0.1234, "12.3%"),
        ("percent", 0.0001, "< 0.1%"),
        ("points", -0.01, "−1.00 个百分点"),
        ("cny", 123.0, "1 元"),
        ("cny", 1_234_500, "1.23 万元"),
        ("cny", 1_234_567_890, "1,235 万元"),
        ("cny", 12_345_678_900, "1.235 亿元"),
        ("cny", 123_456_789_000, "12.35 亿元"),
        ("cny_bare", 1_234_567_890, "1,235 万"),
        ("cny_each", 341.0, "3.41 元"),
        ("cny_apart", 852_700, "+8,527 元"),
        ("cny_apart", -21_730_000, "−21.73 万元"),
        ("count", 1234.4, "1,234"),
        ("count", 1_096_000, "110 万"),
        ("seconds", 7.66, "7.7 秒"),
        ("milliseconds", 240.0, "240 毫秒"),
    ],
)
def test_printed_form_in_chinese(form: str, value: float, text: str) -> None:
    with speaking("zh"):
        assert style.FORMATS[form](value) == text


@given(st.floats(min_value=0.0, max_value=1.0))
def test_a_share_is_printed_as_certain_only_when_it_is(value: float) -> None:
    assert (style.probability(value) == "100 %") == (value == 1.0)
    assert (style.probability(value) == "0 %") == (value == 0.0)


@given(st.integers(min_value=0, max_value=10**14))
def test_money_is_printed_within_half_a_percent(fen: int) -> None:
    """At least three digits from 100 CNY on, so the printed value is within 0.5 % of the cell."""
    for language in LANGUAGES:
        with speaking(language):
            number, _, unit = style.cny_bare(float(fen)).partition(" ")
        scale = {"": 1.0, "k": 1e3, "M": 1e6, "bn": 1e9, "万": 1e4, "亿": 1e8}[unit]
        printed = float(number.replace(",", "")) * scale
        assert printed == pytest.approx(fen / 100, rel=0.005, abs=0.51)


def test_days_have_their_names() -> None:
    names = [style.lunar_name(day) for day in range(-3, 9)]
    assert names[:4] == ["除夕前2日", "除夕前1日", "除夕", "初一"]
    assert names[-1] == "初九"
    assert len(set(names)) == len(names)
    assert style.day_number(2) == "+2"
    assert style.day_number(-2) == "−2"
    assert style.date_name(datetime.date(2026, 2, 17)) == "Tue 17 Feb"
    with speaking("zh"):
        assert style.date_name(datetime.date(2026, 2, 17)) == "2月17日 周二"


def test_every_guarantee_has_both_names() -> None:
    assert tuple(style.GUARANTEE_NAMES) == GUARANTEES


@pytest.mark.parametrize(
    ("value", "colour"),
    [
        (None, style.NO_VALUE),
        (0.8, style.ON_TARGET),
        (1.0, style.ON_TARGET),
        (0.79, style.RAMP[3]),
        (0.39, style.RAMP[1]),
        (0.0, style.RAMP[0]),
    ],
)
def test_heat_map_colour(value: float | None, colour: str) -> None:
    assert style.bin_colour(value, 0.8) == colour
