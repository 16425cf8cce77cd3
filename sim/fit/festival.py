"""Several years' festivals, aligned by lunar day: multipliers of each day and their spread.

Decides what a normal day is (the same year's days from -35 to -8 and 9 to 28, mean by weekday
taken together), and what the next year may be: the mean of ln multiplier over years, with a
prediction interval (Student-t over years; two years give a wide one, one year none). Orders as in
sim/fit/events.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import exp, nan, sqrt
from typing import Final

import numpy as np
import polars as pl
from scipy import stats

from scenarios.calendar import LUNAR_NEW_YEARS
from scenarios.model import FIRST_OFFSET_D, LAST_OFFSET_D
from scenarios.words import CATEGORIES
from sim.fit.keys import Setting
from sim.fit.orders import DAY_S
from sim.fit.problems import LogError

EPOCH: Final = date(1970, 1, 1)
NORMAL: Final = (*range(-35, FIRST_OFFSET_D), *range(LAST_OFFSET_D + 1, 29))
FEWEST_NORMAL_DAYS: Final = 7
FESTIVAL: Final = range(FIRST_OFFSET_D, LAST_OFFSET_D + 1)


@dataclass(frozen=True, slots=True)
class Season:
    """One category: its multiplier by lunar day, and the band of the next year."""

    category: str
    years: list[int]
    multiplier: list[float]
    low: list[float]
    high: list[float]
    by_year: list[list[float]]
    spread_sigma: float
    """Standard deviation of ln multiplier between years, all days together; NaN with one year."""


def seasons(log: pl.DataFrame, years: Sequence[int]) -> list[Season]:
    """Raises LogError for a year that the calendar does not know, or a log that lacks its days."""
    unknown = [str(year) for year in years if year not in LUNAR_NEW_YEARS]
    if unknown or len(set(years)) < len(years) or not years:
        span = f"{min(LUNAR_NEW_YEARS)} to {max(LUNAR_NEW_YEARS)}"
        raise LogError(f"--anchor {','.join(map(str, years))}: needs different years from {span}")
    days = log.with_columns((pl.col("local_s") / DAY_S).floor().cast(pl.Int64).alias("day"))
    daily = days.group_by("category", "day").len("count")
    found = []
    for category in [name for name in CATEGORIES if name in set(daily["category"])]:
        own = daily.filter(pl.col("category") == category)
        counts = dict(zip(own["day"].to_list(), own["count"].to_list(), strict=True))
        found.append(_season(category, counts, years))
    return found


def _season(category: str, counts: dict[int, float], years: Sequence[int]) -> Season:
    rows = []
    for year in years:
        start = (LUNAR_NEW_YEARS[year] - EPOCH).days
        normal = [counts[start + day] for day in NORMAL if start + day in counts]
        missing = [day for day in FESTIVAL if not counts.get(start + day)]
        if len(normal) < FEWEST_NORMAL_DAYS:
            raise LogError(
                f"{category}, {year}: {len(normal)} normal days in the log; needs at least "
                f"{FEWEST_NORMAL_DAYS} from lunar day {NORMAL[0]} to -8 or 9 to {NORMAL[-1]}"
            )
        if missing:
            day = EPOCH + timedelta(days=start + missing[0])
            raise LogError(f"{category}, {year}: no orders on lunar day {missing[0]} ({day})")
        base = float(np.mean(normal))
        rows.append([counts[start + day] / base for day in FESTIVAL])
    logs = np.log(np.array(rows))
    n, middle = len(years), logs.mean(axis=0)
    if n < 2:
        empty = [nan] * len(middle)
        return Season(category, list(years), rows[0], empty, empty, rows, nan)
    # Days of a season scatter alike: one variance over all days has 16 times the freedom.
    sigma = sqrt(float(((logs - middle) ** 2).sum()) / ((n - 1) * len(middle)))
    half = float(stats.t.ppf(0.975, (n - 1) * len(middle))) * sigma * sqrt(1.0 + 1.0 / n)
    return Season(
        category=category,
        years=list(years),
        multiplier=[exp(m) for m in middle],
        low=[exp(m - half) for m in middle],
        high=[exp(m + half) for m in middle],
        by_year=rows,
        spread_sigma=sigma,
    )


def season_settings(found: Sequence[Season]) -> list[Setting]:
    """The day multipliers of a scenario."""
    made = []
    for one in found:
        years = ", ".join(str(year) for year in one.years)
        several = len(one.years) > 1
        factor = one.high[0] / one.multiplier[0]
        spread = f", next year within a factor {factor:.3g}" if several else ""
        said = f"lunar days -7..8 of {years}{spread}"
        made.append(
            Setting(f"demand.day_multiplier.{one.category}", one.multiplier, None, None, said)
        )
    return made
