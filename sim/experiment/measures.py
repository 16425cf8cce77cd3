"""What each subject is in one replication: sums and ratios of the tables by day, hour and kind.

Decides the denominators; the averages over replications are made in sim/experiment/estimates.py.
A ratio is the ratio of the replication's sums, and null where its denominator is 0. Counts and
money of a kind that did not occur are 0, not missing. Agents and queue lengths are time-weighted:
the mean over the bucket's intervals of the sum over queues. A bucket in which nothing was offered
holds its targets. Service level is answered within the threshold, of all offered (attempts that
arrived in the bucket).
"""

from collections.abc import Collection, Mapping, Sequence

import polars as pl

from scenarios import words
from scenarios.support import Targets
from sim.experiment import subjects

Tables = Mapping[str, pl.DataFrame]
BUCKET_KEYS = ("lunar_day", "hour")
# What `season` reads.
SEASON_TABLES = ("intervals", "alerts")


def days(tables: Tables) -> pl.DataFrame:
    """The lunar days of the run."""
    return _complete(tables).select("lunar_day").unique().sort("lunar_day")


def floor(tables: Tables, *, keys: Sequence[str], targets: Targets) -> pl.DataFrame:
    """The support floor over all queues, with the share of replications that hold the targets."""
    phone, im = (pl.col("channel") == channel for channel in words.CHANNELS)
    within = pl.col("answered_within_threshold_count")
    sums = _queue_sums() | {
        subjects.CONTACTS_FRESH: pl.col("fresh_count").sum(),
        subjects.REDIALS: pl.col("redial_count").sum(),
        subjects.RECONNECTS: pl.col("reconnect_count").sum(),
        subjects.ESCALATIONS: pl.col("escalation_count").sum(),
        subjects.QUEUE_LEN: _time_mean("queue_len_mean"),
        "phone_count": pl.col("offered_count").filter(phone).sum(),
        "phone_within": within.filter(phone).sum(),
        "im_count": pl.col("offered_count").filter(im).sum(),
        "im_within": within.filter(im).sum(),
    }
    held = pl.all_horizontal(
        pl.col(subjects.SERVICE_LEVEL_PHONE).fill_null(1.0) >= targets.phone.service_level_ratio,
        pl.col(subjects.SERVICE_LEVEL_IM).fill_null(1.0) >= targets.im.service_level_ratio,
        pl.col(subjects.ABANDONED_RATIO).fill_null(0.0) <= targets.abandoned_ratio,
    )
    return (
        totals(tables, "intervals", keys=keys, sums=sums)
        .with_columns(
            _ratio("phone_within", "phone_count").alias(subjects.SERVICE_LEVEL_PHONE),
            _ratio("im_within", "im_count").alias(subjects.SERVICE_LEVEL_IM),
            _ratio("abandoned_count", subjects.CONTACTS_OFFERED).alias(subjects.ABANDONED_RATIO),
            _ratio(subjects.AGENTS_BUSY, subjects.AGENTS_AVAILABLE).alias(subjects.OCCUPANCY),
        )
        .with_columns(held.cast(pl.Float64).alias(subjects.TARGETS_HELD))
    )


def by_queue(tables: Tables) -> pl.DataFrame:
    """The support floor by hour, skill and channel."""
    sums = _queue_sums() | {"within": pl.col("answered_within_threshold_count").sum()}
    keys = (*BUCKET_KEYS, "skill", "channel")
    return totals(tables, "intervals", keys=keys, sums=sums).with_columns(
        _ratio("within", subjects.CONTACTS_OFFERED).alias(subjects.SERVICE_LEVEL),
        _ratio("abandoned_count", subjects.CONTACTS_OFFERED).alias(subjects.ABANDONED_RATIO),
        _ratio(subjects.AGENTS_BUSY, subjects.AGENTS_AVAILABLE).alias(subjects.OCCUPANCY),
    )


def payouts(tables: Tables, *, keys: Sequence[str]) -> pl.DataFrame:
    """Payouts and claims by day, guarantee or category."""
    sums = {
        subjects.PAYOUT_GROSS: pl.col("gross_fen").sum(),
        subjects.PAYOUT_RECOVERED: pl.col("recovered_fen").sum(),
        subjects.PAYOUT_NET: pl.col("net_fen").sum(),
        subjects.CLAIMS: pl.col("claims_count").sum(),
        subjects.SHORTFALL: pl.col("shortfall_fen").sum(),
    }
    return totals(tables, "payouts", keys=keys, sums=sums, domain=_domain(tables, keys))


def daily_sum(tables: Tables, *, table: str, column: str, subject: str) -> pl.DataFrame:
    """One column of one table, by day."""
    keys = ("lunar_day",)
    sums = {subject: pl.col(column).sum()}
    return totals(tables, table, keys=keys, sums=sums, domain=_domain(tables, keys))


def alerts(tables: Tables) -> pl.DataFrame:
    """The alerts of each day."""
    sums = {
        subjects.ALERTS: pl.col("alerts_count").sum(),
        subjects.FALSE_ALARMS: pl.col("false_alarms_count").sum(),
        subjects.CONTACTS_SAVED: pl.col("contacts_saved_count").sum(),
        subjects.ALERT_COST: pl.col("cost_fen").sum(),
        subjects.ALERT_COMPENSATION: pl.col("compensation_fen").sum(),
        subjects.PREVENTED: pl.col("prevented_count").sum(),
    }
    keys = ("lunar_day",)
    return totals(tables, "alerts", keys=keys, sums=sums, domain=_domain(tables, keys))


def merchants(tables: Tables, *, keys: Sequence[str]) -> pl.DataFrame:
    """Stores by type; over the season, closures are store-days."""
    sums = {
        subjects.ORDERS: pl.col("orders_count").sum(),
        subjects.DELISTED: pl.col("delisted_count").sum(),
        subjects.CLOSED_UNDECLARED: pl.col("closed_undeclared_count").sum(),
        "margin_fen": pl.col("margin_fen").sum(),
        "incidents": pl.col("incidents_count").sum(),
    }
    domain = _domain(tables, keys)
    return totals(tables, "merchants_daily", keys=keys, sums=sums, domain=domain).with_columns(
        _ratio("margin_fen", subjects.ORDERS).alias(subjects.MARGIN_PER_ORDER),
        _ratio("incidents", subjects.ORDERS).alias(subjects.INCIDENTS_PER_ORDER),
    )


def pots_hourly(tables: Tables) -> pl.DataFrame:
    """What is left of the day's limit at the hour's end, and whether the pot ran dry by then."""
    keys = (*BUCKET_KEYS, "guarantee")
    sums = {
        subjects.DAY_LEFT: pl.col("day_left_fen").sort_by("interval_start_s").last(),
        subjects.EXHAUSTED: pl.col("exhausted").max().cast(pl.Float64),
    }
    day = ("replication", "lunar_day", "guarantee")
    return totals(tables, "pots", keys=keys, sums=sums).with_columns(
        pl.col(subjects.EXHAUSTED).cum_max().over(day, order_by="hour")
    )


def pots(tables: Tables) -> pl.DataFrame:
    """Whether a pot ran dry at all, and on which day first (null where it did not)."""
    exhausted = pl.col("exhausted")
    sums = {
        subjects.EXHAUSTED: exhausted.max().cast(pl.Float64),
        subjects.FIRST_EXHAUSTED_DAY: pl.col("lunar_day").filter(exhausted).min().cast(pl.Float64),
    }
    return totals(
        tables, "pots", keys=("guarantee",), sums=sums, nulls=(subjects.FIRST_EXHAUSTED_DAY,)
    )


def season(tables: Tables, *, targets: Targets) -> dict[str, float]:
    """The season's verdict of one replication, NaN where nothing was offered, and its alerts."""
    hourly = floor(tables, keys=BUCKET_KEYS, targets=targets)
    daily = floor(tables, keys=("lunar_day",), targets=targets)
    return {
        subjects.HOURS_ON_TARGET: _number(hourly[subjects.TARGETS_HELD].mean()),
        subjects.WORST_HOUR_PHONE: _number(hourly[subjects.SERVICE_LEVEL_PHONE].min()),
        subjects.ENOUGH: _number(daily[subjects.TARGETS_HELD].min()),
        subjects.CONTACTS_SAVED: float(tables["alerts"]["contacts_saved_count"].sum()),
        subjects.ALERT_COST: float(tables["alerts"]["cost_fen"].sum()),
        subjects.ALERT_COMPENSATION: float(tables["alerts"]["compensation_fen"].sum()),
    }


def totals(
    tables: Tables,
    table: str,
    *,
    keys: Sequence[str],
    sums: Mapping[str, pl.Expr],
    domain: pl.DataFrame | None = None,
    nulls: Collection[str] = (),
) -> pl.DataFrame:
    """`sums` by keys and replication, sorted by both, with 0 where a replication has no such rows.

    `domain` holds the keys that must stand in the result; without it, those that occur at all. The
    sums named in `nulls` stay null instead of 0.
    """
    frame = tables[table]
    if "hour" in keys:
        hour = (pl.col("interval_start_s") % 86400.0 // 3600.0).cast(pl.Int8)
        frame = frame.with_columns(hour.alias("hour"))
    replications = _complete(tables).select("replication").unique()
    keyed = frame.select(keys).unique() if domain is None else domain
    summed = frame.group_by(*keys, "replication", maintain_order=True).agg(**sums)
    return (
        keyed.join(replications, how="cross")
        .join(summed, on=[*keys, "replication"], how="left")
        .with_columns(pl.col([name for name in sums if name not in nulls]).fill_null(0))
        .sort(*keys, "replication")
    )


def _complete(tables: Tables) -> pl.DataFrame:
    """A table in which every replication has rows of every day."""
    return tables["payouts" if "payouts" in tables else "intervals"]


def _queue_sums() -> dict[str, pl.Expr]:
    return {
        subjects.CONTACTS_OFFERED: pl.col("offered_count").sum(),
        "abandoned_count": pl.col("abandoned_count").sum(),
        subjects.AGENTS_AVAILABLE: _time_mean("agents_available"),
        subjects.AGENTS_BUSY: _time_mean("agents_busy"),
    }


def _time_mean(column: str) -> pl.Expr:
    """Sum over queues, mean over the bucket's intervals, which are all equally long."""
    return pl.col(column).sum() / pl.col("interval_start_s").n_unique()


def _ratio(numerator: str, denominator: str) -> pl.Expr:
    return pl.when(pl.col(denominator) > 0).then(pl.col(numerator) / pl.col(denominator))


def _domain(tables: Tables, keys: Sequence[str]) -> pl.DataFrame:
    """Every combination of the keys that a run can have, whether it occurred or not."""
    vocabularies: dict[str, Sequence[str]] = {
        "guarantee": words.GUARANTEES,
        "category": words.CATEGORIES,
        "store_type": words.STORE_TYPES,
    }
    domain = pl.DataFrame({"one": [0]})
    for key in keys:
        if key == "lunar_day":
            values = days(tables)
        else:
            words_of = vocabularies[key]
            values = pl.DataFrame({key: pl.Series(words_of, dtype=pl.Enum(words_of))})
        domain = domain.join(values, how="cross")
    return domain.drop("one")


def _number(value: object) -> float:
    return float(value) if isinstance(value, float | int) else float("nan")
