"""The roster: heads become slots by the rules, and more heads never bring fewer."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.loader import load
from scenarios.scenario import Scenario
from sim.streams import Streams
from sim.support.roster import Roster, apportion


@pytest.fixture(scope="module")
def base() -> Scenario:
    return load("spring-festival-2026")


def roster(scenario: Scenario, replication: int = 0, attendance_multiple: float = 1.0) -> Roster:
    return Roster.draw(
        scenario.support,
        calendar=scenario.calendar,
        horizon=scenario.horizon,
        streams=Streams(seed=1, replication=replication),
        attendance_multiple_by_day=[attendance_multiple] * scenario.horizon.days_count,
    )


def changed(scenario: Scenario, **values: object) -> Scenario:
    """The scenario with some values of its support block replaced, and validated again."""
    data = scenario.model_dump()
    data["support"].update(values)
    return Scenario.model_validate(data)


@given(total=st.integers(0, 5000), shares=st.lists(st.floats(0.01, 1.0), min_size=1, max_size=9))
def test_apportionment_adds_up_and_is_fair(total: int, shares: list[float]) -> None:
    counts = apportion(total, shares)
    assert sum(counts) == total
    for count, share in zip(counts, shares, strict=True):
        assert abs(count - total * share / sum(shares)) < 1.0


def test_productive_hours_are_heads_times_ratios(base: Scenario) -> None:
    """FACTS C6: 2,400 x 6/7 x 0.93 x 8 h x (1 - 0.18) = 12,550 h a day, and overtime.

    Attendance of a day varies by 2 %, and rounding by a slot a tick and team: 5 % is six standard
    errors of the mean over nine days.
    """
    drawn = roster(base)
    first = base.horizon.warm_up_days * base.horizon.ticks_per_day
    tick_h = base.horizon.tick_s / 3600.0
    days = base.horizon.days_count - base.horizon.warm_up_days
    hours = drawn.agents_available[first:].sum() * tick_h / days
    overtime_h = drawn.overtime[first:].sum() * tick_h * 0.82 / days
    assert hours - overtime_h == pytest.approx(2400 * 6 / 7 * 0.93 * 8 * 0.82, rel=0.05)
    # Wages: 7.5 M CNY in nine days.
    assert drawn.wage_fen[first:].sum() == pytest.approx(750_000_000, rel=0.05)


def test_statutory_days_cost_three_times(base: Scenario) -> None:
    drawn = roster(changed(base, attendance_spread_ratio=0.0))
    per_day = drawn.wage_fen.reshape(base.horizon.days_count, -1).sum(axis=1)
    lunar_days = base.horizon.start_day + np.arange(base.horizon.days_count)
    statutory = np.isin(lunar_days, (-1, 0, 1, 2))
    assert base.calendar.date_of(-1) == date(2026, 2, 16)
    assert per_day[statutory].min() > 2.8 * per_day[~statutory][1:].max() * 0.95
    assert per_day[statutory].max() < 3.2 * per_day[~statutory][1:].min() * 1.05


def test_someone_is_there_day_and_night(base: Scenario) -> None:
    drawn = roster(base)
    assert drawn.slots.sum(axis=1).min() > 0
    assert (drawn.heads_present <= drawn.heads_rostered + drawn.overtime).all()
    assert (drawn.agents_available <= drawn.heads_present + 0.5).all()
    assert drawn.heads_rostered.sum(axis=1).max() <= base.support.heads_count


@settings(max_examples=15)
@given(more=st.integers(1, 900), replication=st.integers(0, 50))
def test_more_heads_never_bring_fewer(base: Scenario, more: int, replication: int) -> None:
    """Common random numbers: every shift of every team attends at least as strongly.

    Rounding of shares may move one head between shifts, so a team may lose one head a shift
    (at most three overlap) and a slot by rounding.
    """
    small = roster(base, replication)
    large = roster(changed(base, headcount_count=base.support.headcount_count + more), replication)
    sessions = np.rint(small.slots.sum(axis=0) / small.agents_available.sum(axis=0))
    assert (large.slots - small.slots >= -4 * sessions).all()
    assert large.slots.sum() >= small.slots.sum()


def test_illness_and_seats_take_agents_away(base: Scenario) -> None:
    usual = roster(base)
    ill = roster(base, attendance_multiple=0.7)
    ratio = ill.agents_available.sum() / usual.agents_available.sum()
    assert ratio == pytest.approx(0.7, abs=0.02)
    np.testing.assert_array_equal(ill.heads_rostered, usual.heads_rostered)
    crowded = roster(changed(base, seats_count=600))
    assert crowded.agents_available.sum(axis=1).max() <= 600 * (1 - 0.18) + len(usual.team_names)


def test_growth_by_or_to(base: Scenario) -> None:
    grown = changed(base, growth="by")
    assert (base.support.heads_count, grown.support.heads_count) == (2400, 4200)
    assert base.support.new_hire_ratio == pytest.approx(0.25)
    assert grown.support.new_hire_ratio == pytest.approx(2400 / 4200)
    assert roster(grown).pace[0, 0] > roster(base).pace[0, 0] > 1.0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"shifts": {}}, "roster is empty"),
        ({"teams": {}}, "floor is empty"),
        ({"headcount_before_count": 3000}, "fewer heads"),
    ],
)
def test_impossible_floors_are_refused(
    base: Scenario, values: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        changed(base, **values)
