"""How far days to come may lie, told by the misses of the fitted log."""

import numpy as np
import pytest
from scipy import stats

from sim.fit.drift import Drift


def drift_of(abandoned: np.ndarray, *, contacts: float = 100.0) -> Drift:
    days = np.arange(len(abandoned), dtype=np.float64)
    return Drift(days, np.full(len(days), contacts), abandoned, 10.0 * abandoned, -abandoned)


def test_spells_that_always_miss_alike_give_that_miss() -> None:
    """Each day one contact in 100 abandons more than replays say: so does each of 4 spells."""
    found = drift_of(np.ones(28)).half_widths(7)
    assert found is not None
    wide = stats.t.ppf(0.975, 4) * 1.25**0.5
    assert found["abandoned_ratio"] == pytest.approx(0.01 * wide)
    assert found["mean_wait_s"] == pytest.approx(0.1 * wide)
    assert found["service_level_ratio"] == pytest.approx(0.01 * wide)


def test_days_without_contacts_are_part_of_a_spell() -> None:
    """Days 0, 6 and 13 to 20: the first week misses by (3 + 1) / 200, and no other spell of 7 days
    that begins on a day of the log and ends in it misses."""
    day = np.array([0.0, 6.0, *range(13, 21)])
    abandoned = np.array([3.0, 1.0, *np.zeros(8)])
    drift = Drift(day, np.full(10, 100.0), *(3 * [abandoned]))
    assert drift.spells_count(7) == 3
    found = drift.half_widths(7)
    assert found is not None
    wide = stats.t.ppf(0.975, 3) * (4.0 / 3.0) ** 0.5
    # Spells begin on days 0, 6 (which holds 6 alone), 13 and 14.
    each = np.array([4.0 / 200.0, 1.0 / 100.0, 0.0, 0.0])
    assert found["abandoned_ratio"] == pytest.approx(wide * np.sqrt((each**2).mean()))


def test_too_few_spells_tell_nothing() -> None:
    assert drift_of(np.ones(29)).half_widths(10) is None
    assert drift_of(np.ones(30)).half_widths(10) is not None


def test_a_file_brings_it_back() -> None:
    drift = drift_of(np.arange(30.0))
    assert Drift.of_document(drift.document()).half_widths(3) == drift.half_widths(3)


def test_intervals_hold_the_month_to_come() -> None:
    """Surprises of days that remember (0.8 from day to day): of 1,000 made half years, the interval
    holds the next 30 days in 95 % or, since overlapping spells tell more than others, in
    more (at most 99 %); four standard errors below 95 % is 92.2 %: 1 seed in 30,000 would fail."""
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(1000):
        noise, days = rng.standard_normal(310), np.zeros(310)
        for day in range(1, 310):
            days[day] = 0.8 * days[day - 1] + noise[day]
        past, new = days[100:280], days[280:]
        found = drift_of(past).half_widths(30)
        assert found is not None
        hits += abs(new.sum() / 3000.0) <= found["abandoned_ratio"]
    assert hits / 1000 >= 0.922
    assert hits / 1000 <= 0.99
