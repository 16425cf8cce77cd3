"""Calls that belong to no claim: merchants' statuses, agents' look-ups, terms at order time, polls.

A run counts closed, sold-out and delisted stores by day; when in the day is drawn: closures are
seen after the opening hour with the monitoring's delay, the rest follows the hours of orders. Which
store it was is drawn, too. Terms are looked up once an order: Poisson numbers an hour.
"""

from typing import Final

import numpy as np
import polars as pl

from loadtests.traffic.habits import Platform
from loadtests.traffic.hours import DAY_S, HOUR_S, midnight_s, within_days
from loadtests.traffic.parts import Part, part, stream
from loadtests.traffic.rundata import RunData
from loadtests.traffic.window import Window
from scenarios.words import CATEGORIES

BY_HOUR: Final = {"stock_out_count": "sold_out", "delisted_count": "delisted"}
# An agent opens and ends a claim with two of the calls of a contact; the rest look things up.
DECISIVE_CALLS: Final = 2


def statuses(run: RunData, habits: Platform, seed: int) -> Part:
    """What monitoring finds, in sweeps; corrections and delistings one by one."""
    daily = run.table("merchants_daily").collect()
    rng = stream(seed, "statuses")
    closed = _found_closed(run, _counts(daily, "marked_count"), rng, "closed")
    false = _found_closed(run, _counts(daily, "false_alarms_count"), rng, "closed")
    mended = false.with_columns(
        time_s=pl.col("time_s") + habits.reopen_after_s, word=pl.lit("open")
    )
    by_hour = [
        _named_store(run, within_days(run.scenario, _counts(daily, column), rng), rng, word)
        for column, word in BY_HOUR.items()
    ]
    sold_out, delisted = by_hour
    swept = _calls(pl.concat([closed, false, sold_out]), "merchant_status_bulk")
    return part(single=[swept, _calls(pl.concat([mended, delisted]), "merchant_status")])


def lookups(run: RunData, seed: int) -> Part:
    """What agents look up while they handle a contact, evenly over it: terms and the merchant."""
    count = run.scenario.api.calls_per_contact_count - DECISIVE_CALLS
    if count <= 0:
        return part()
    answered = pl.col("answered_s").is_not_null() & pl.col("ended_s").is_not_null()
    rows = run.table("contacts").filter(answered).select("answered_s", "ended_s", "category")
    contacts = rows.collect()
    calls = []
    for number in range(count):
        share = (number + 1) / (count + 1)
        named = _named_store(run, contacts, stream(seed, f"lookup.{number}"), "")
        at_s = pl.col("answered_s") + share * (pl.col("ended_s") - pl.col("answered_s"))
        operation = "terms" if number % 2 == 0 else "read_merchant"
        calls.append(_calls(named.with_columns(time_s=at_s), operation, role="agent"))
    return part(single=calls)


def polls(habits: Platform, window: Window) -> Part:
    """The dashboard's look at the budgets."""
    times_s = np.arange(window.start_s, window.end_s, habits.budget_poll_s)
    rows = pl.DataFrame({"time_s": times_s}).with_columns(
        pl.lit("").alias("category"), pl.lit(0).alias("merchant_id"), pl.lit("").alias("word")
    )
    return part(single=[_calls(rows, "budgets")])


def terms(run: RunData, window: Window, seed: int) -> Part:
    """One look at the terms an order, Poisson within each hour of the window."""
    scenario = run.scenario
    daily = (
        run.table("demand")
        .group_by("lunar_day", "category")
        .agg(pl.col("orders_count").sum(), pl.col("burst_orders_count").sum())
        .sort("lunar_day", "category")
        .collect()
    )
    rng = stream(seed, "terms")
    profiles = np.array(scenario.demand.hour_profile.row())
    times_s, codes = [], []
    midnights_s = midnight_s(scenario, daily["lunar_day"]).to_list()
    for (day, category, orders, burst_orders), midnight in zip(
        daily.iter_rows(), midnights_s, strict=True
    ):
        if midnight + DAY_S <= window.start_s or midnight >= window.end_s:
            continue
        code = CATEGORIES.index(category)
        by_hour = (orders - burst_orders) * profiles[code] / profiles[code].sum()
        by_hour += burst_orders * _burst_shares(run, day, category)
        for hour, mean in enumerate(by_hour):
            low_s = max(window.start_s, midnight + hour * HOUR_S)
            high_s = min(window.end_s, midnight + (hour + 1) * HOUR_S)
            if high_s > low_s:
                count = rng.poisson(mean * (high_s - low_s) / HOUR_S)
                times_s.append(rng.uniform(low_s, high_s, count))
                codes.append(np.full(count, code))
    rows = pl.DataFrame(
        {
            "time_s": np.concatenate(times_s),
            "category": pl.Series(np.concatenate(codes)).replace_strict(
                dict(enumerate(CATEGORIES)), return_dtype=pl.String
            ),
        }
    )
    return part(single=[_calls(_named_store(run, rows, rng, ""), "terms", role="consumer")])


def _burst_shares(run: RunData, day: int, category: str) -> np.ndarray:
    """Share of the day's live-room orders by hour; even over the day if the scenario has none."""
    hours = np.zeros(24)
    for burst in run.scenario.demand.bursts.values():
        if burst.category == category and day in burst.lunar_days:
            starts = np.arange(24.0)
            end_h = burst.start_h + burst.duration_h
            overlap = np.minimum(starts + 1, end_h) - np.maximum(starts, burst.start_h)
            hours += burst.added_ratio * np.maximum(overlap, 0.0)
    return hours / hours.sum() if hours.any() else np.full(24, 1 / 24)


def _counts(daily: pl.DataFrame, column: str) -> pl.DataFrame:
    """Things by day and category."""
    return (
        daily.group_by("lunar_day", "category")
        .agg(pl.col(column).sum().alias("count"))
        .sort("lunar_day", "category")
    )


def _found_closed(
    run: RunData, counts: pl.DataFrame, rng: np.random.Generator, word: str
) -> pl.DataFrame:
    """Stores seen closed: after the opening hour, with the monitoring's lognormal delay."""
    rows = counts[np.repeat(np.arange(counts.height), counts["count"].to_numpy())].drop("count")
    monitoring = run.scenario.monitoring
    code = rows["category"].cast(pl.Enum(CATEGORIES)).to_physical().to_numpy()
    opening_s = np.array(run.scenario.demand.opening_h.row())[code] * HOUR_S
    z = rng.standard_normal(rows.height)
    delay_s = monitoring.detection_delay_median_s * np.exp(
        monitoring.detection_delay_sigma_ratio * z
    )
    in_day_s = np.minimum(opening_s + delay_s, DAY_S - 1.0)
    rows = rows.with_columns(
        time_s=midnight_s(run.scenario, rows["lunar_day"]) + pl.Series(in_day_s)
    )
    return _named_store(run, rows, rng, word)


def _named_store(
    run: RunData, rows: pl.DataFrame, rng: np.random.Generator, word: str
) -> pl.DataFrame:
    merchants = 1 + rng.integers(run.scenario.merchants.store_count, size=rows.height)
    return rows.with_columns(pl.Series("merchant_id", merchants), pl.lit(word).alias("word"))


def _calls(rows: pl.DataFrame, operation: str, *, role: str = "operator") -> pl.DataFrame:
    return rows.with_columns(
        pl.lit(operation).alias("operation"), pl.lit(role).alias("role")
    ).select("time_s", "operation", "role", "category", "merchant_id", "word")
