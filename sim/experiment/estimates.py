"""The `estimates` table: every subject at every grain, with mean, 95 % interval and band.

Every subject is taken in each replication first and then averaged over replications, ratios
included: the mean of the replications' ratios, not the ratio of their sums. Intervals are
Student-t, those of shares of replications Clopper-Pearson (sim/experiment/confidence.py); ends of
an interval of a ratio are cut at 0 and 1, where the ratio cannot be. Bands are the 5 % and 95 %
quantiles over replications. Sums run over a matrix in fixed order, so the figures do not depend
on workers or threads.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl

from scenarios.support import Targets
from sim.experiment import measures, subjects
from sim.experiment.confidence import Rows, band_rows, share_rows, student_rows
from sim.experiment.frames import schema
from sim.experiment.measures import BUCKET_KEYS, Tables

DAY = ("lunar_day",)
GUARANTEE = ("guarantee",)
STORE_TYPE = ("store_type",)
# The table's first columns: the subject and its dimensions.
DIMS_END = 8
# Ratios that may leave [0, 1] by themselves: agents busy past their shift's end.
UNBOUNDED = frozenset({subjects.OCCUPANCY})


def estimates(tables: Tables, *, targets: Targets) -> pl.DataFrame:
    """The estimates table of a run whose tables hold all finished replications."""
    parts = list(_by_grain(tables, targets))
    metrics = _metrics(tables["replications"])
    frame = pl.concat([*parts, metrics], how="diagonal_relaxed")
    wanted = schema("estimates")
    missing = [pl.lit(None).alias(name) for name in wanted if name not in frame.columns]
    typed = frame.with_columns(missing).select(pl.col(n).cast(t) for n, t in wanted.items())
    return typed.sort(wanted.names()[:DIMS_END], nulls_last=False)


def _by_grain(tables: Tables, targets: Targets) -> Iterator[pl.DataFrame]:
    """The measures of every table that the run has."""
    if "intervals" in tables:
        yield from _floor(tables, targets)
    if "payouts" in tables:
        yield from _money(tables)
    for table, column, subject in (
        ("demand", "orders_count", subjects.ORDERS),
        ("merchants_daily", "incidents_count", subjects.INCIDENTS),
        ("staffing", "wage_fen", subjects.WAGE),
    ):
        if table in tables:
            summed = measures.daily_sum(tables, table=table, column=column, subject=subject)
            yield _rows(summed, DAY, (subject,))
    if "alerts" in tables:
        yield _rows(measures.alerts(tables), DAY, subjects.ALERTS_DAILY)
    if "merchants_daily" in tables:
        for keys in ((*DAY, *STORE_TYPE), STORE_TYPE):
            yield _rows(measures.merchants(tables, keys=keys), keys, subjects.BY_STORE_TYPE)
    if "pots" in tables:
        yield from _pots(tables)


def _floor(tables: Tables, targets: Targets) -> Iterator[pl.DataFrame]:
    for keys in (BUCKET_KEYS, DAY):
        yield _rows(measures.floor(tables, keys=keys, targets=targets), keys, subjects.FLOOR)
    yield _rows(measures.by_queue(tables), (*BUCKET_KEYS, "skill", "channel"), subjects.BY_QUEUE)


def _money(tables: Tables) -> Iterator[pl.DataFrame]:
    money = (subjects.PAYOUT_GROSS, subjects.PAYOUT_RECOVERED, subjects.PAYOUT_NET)
    for keys, names in (
        (DAY, money),
        ((*DAY, *GUARANTEE), subjects.BY_GUARANTEE_DAILY),
        (GUARANTEE, subjects.BY_GUARANTEE),
        (("category",), subjects.BY_CATEGORY),
    ):
        yield _rows(measures.payouts(tables, keys=keys), keys, names)


def _pots(tables: Tables) -> Iterator[pl.DataFrame]:
    yield _rows(measures.pots_hourly(tables), (*BUCKET_KEYS, *GUARANTEE), subjects.POTS_HOURLY)
    days = tables["pots"].select(low=pl.col("lunar_day").min(), high=pl.col("lunar_day").max())
    first, last = days.row(0)
    pots = _rows(measures.pots(tables), GUARANTEE, subjects.POTS)
    # A first dry day lies within the horizon, whatever a t interval of two replications says.
    is_day = pl.col("unit") == "d"
    yield pots.with_columns(
        pl.when(is_day)
        .then(pl.col(end).clip(first, last))
        .otherwise(pl.col(end))
        .alias(end)
        for end in ("low", "high")
    )


def season_metrics(table: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """The rows of the estimates table without dimensions: the summary's metrics, by name."""
    dims = schema("estimates").names()[1:DIMS_END]
    season = table.filter(pl.all_horizontal(pl.col(dims).is_null())).sort("subject")
    columns = ["mean", "low", "high", "n", "unit"]
    return {
        name: dict(zip(columns, values, strict=True))
        for name, *values in season.select("subject", *columns).iter_rows()
    }


def _metrics(replications: pl.DataFrame) -> pl.DataFrame:
    """The season's metrics, as rows of the estimates table."""
    wide = (
        replications.sort("replication")
        .pivot(on="metric", index="replication", values="value")
        .sort("replication")
    )
    pairs = replications.select("metric", "unit").unique().sort("metric").iter_rows()
    rows = [_rows(wide, (), (metric,), units={metric: unit}) for metric, unit in pairs]
    return pl.concat(rows)


def _rows(
    frame: pl.DataFrame,
    keys: Sequence[str],
    names: Iterable[str],
    *,
    units: dict[str, str] | None = None,
) -> pl.DataFrame:
    """Rows of the estimates table from measures that are sorted by keys and replication."""
    count = frame["replication"].n_unique()
    dims = frame.gather_every(count).select(keys)
    parts = []
    for name in names:
        unit = (units or subjects.UNITS)[name]
        values = frame[name].cast(pl.Float64).to_numpy().reshape(-1, count)
        rows = _interval(name, unit, values)
        band_low, band_high = band_rows(values)
        numbers = {
            "mean": rows.mean,
            "low": rows.low,
            "high": rows.high,
            "band_low": band_low,
            "band_high": band_high,
        }
        columns = pl.DataFrame(numbers).with_columns(pl.all().fill_nan(None))
        extra = [
            pl.lit(name).alias("subject"),
            pl.Series("n", rows.n, dtype=pl.Int32),
            pl.lit(unit).alias("unit"),
        ]
        parts.append(pl.concat([dims, columns], how="horizontal").with_columns(extra))
    return pl.concat(parts)


def _interval(name: str, unit: str, values: np.ndarray) -> Rows:
    if name in subjects.SHARES:
        return share_rows(values)
    rows = student_rows(values)
    if unit != "ratio" or name in UNBOUNDED:
        return rows
    return Rows(rows.mean, np.maximum(rows.low, 0.0), np.minimum(rows.high, 1.0), rows.n)
