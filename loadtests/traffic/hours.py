"""When within a day things happen of which a run only says how many: by the hours of orders."""

from typing import Final

import numpy as np
import polars as pl

from scenarios.scenario import Scenario
from scenarios.words import CATEGORIES

DAY_S: Final = 86400.0
HOUR_S: Final = 3600.0


def within_days(scenario: Scenario, counts: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """One row a thing, with `category` and `time_s`, from columns lunar_day, category and count."""
    profiles = np.array(scenario.demand.hour_profile.row())
    shares = np.cumsum(profiles / profiles.sum(axis=1, keepdims=True), axis=1)
    rows = counts[np.repeat(np.arange(counts.height), counts["count"].to_numpy())].drop("count")
    code = rows["category"].cast(pl.Enum(CATEGORIES)).to_physical().to_numpy()
    hour = (rng.random(rows.height)[:, None] >= shares[code]).sum(axis=1)
    seconds = np.minimum(hour, 23) * HOUR_S + rng.random(rows.height) * HOUR_S
    return rows.with_columns(time_s=midnight_s(scenario, rows["lunar_day"]) + pl.Series(seconds))


def midnight_s(scenario: Scenario, lunar_day: pl.Series) -> pl.Series:
    """Seconds of the model at 00:00 of each day."""
    return (lunar_day.cast(pl.Float64) - scenario.horizon.start_day) * DAY_S
