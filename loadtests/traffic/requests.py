"""Traffic written as the steps of a trace: numbers, bodies, keys, and who sends what.

Names are made so that one trace never meets itself: every case has an order of its own, every write
a key of its own, both marked with the trace's nonce, so that two traces may be replayed against one
store. Merchants that are looked up are made known at the trace's start: a platform knows them all.
"""

from typing import Final

import polars as pl

from loadtests.trace import CONSUMERS_COUNT, NONE, numbered
from loadtests.traffic.parts import Part

BULK_COUNT_MAX: Final = 10_000
_NS: Final = 1e9
# Order numbers are 2**53 at most: 20 bits of the nonce and 32 of the case.
_CASE_BITS: Final = 32
_LOOSE: Final = {
    "time_s": pl.Float64,
    "operation": pl.String,
    "role": pl.String,
    "target": pl.String,
    "body": pl.String,
    "mark": pl.String,
    "parent": pl.Int64,
    "shard_key": pl.Int64,
}


def requests(traffic: Part, *, start_s: float, sweep_s: float, nonce: str) -> pl.DataFrame:
    """The steps of a trace, of traffic in model time from `start_s`."""
    cases = traffic.cases.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias("row"))
    renamed = cases.select("case", "row")
    following = traffic.following.join(renamed, on="case").sort("row", "time_s", "operation")
    bulk = pl.col("operation") == "merchant_status_bulk"
    single = traffic.single.filter(~bulk)
    swept = _sweeps(traffic.single.filter(bulk), sweep_s)
    known = _sweeps(_made_known(single, start_s), sweep_s)
    parts = [_openings(cases, nonce), _followings(following), _calls(single), swept, known]
    loose = pl.concat(part.select(pl.col(n).cast(k) for n, k in _LOOSE.items()) for part in parts)
    written = loose.with_columns(
        # Openings come first: their number among the steps is their number among the cases.
        step=pl.int_range(pl.len(), dtype=pl.Int64),
        depends_on=pl.col("parent"),
        intended_ns=((pl.col("time_s") - start_s) * _NS).round().cast(pl.Int64),
        body=pl.col("body").cast(pl.Binary),
        key=pl.when(pl.col("mark") == "")
        .then(pl.lit(""))
        .otherwise(pl.format("{}-{}-{}", pl.lit(nonce), "mark", pl.int_range(pl.len()))),
    )
    return numbered(written)


def _openings(cases: pl.DataFrame, nonce: str) -> pl.DataFrame:
    order = (int(nonce, 16) & 0xFFFFF) << _CASE_BITS
    known = pl.format(
        '"category":"{}","order_id":{},"merchant_id":{},"consumer_id":{}',
        "category",
        pl.col("row") + (order + 1),
        "merchant_id",
        1 + pl.col("row") % CONSUMERS_COUNT,
    )
    price = pl.format(',"order_value_fen":{}', "order_value_fen")
    operation = pl.col("operation")
    claim = pl.format('"trigger":"{}","escalated":{},', "trigger", "escalated")
    body = (
        pl.when(operation == "report")
        .then(known)
        .when(operation == "open_claim")
        .then(claim + known + price)
        .otherwise(known + price)
    )
    return cases.select(
        "time_s",
        "operation",
        "role",
        pl.lit("").alias("target"),
        (pl.lit("{") + body + "}").alias("body"),
        pl.lit("o").alias("mark"),
        pl.lit(NONE, pl.Int64).alias("parent"),
        pl.col("row").alias("shard_key"),
    )


def _followings(following: pl.DataFrame) -> pl.DataFrame:
    reading = pl.col("operation") == "read_claim"
    outcome = pl.format('{{"outcome":"{}"}}', "word")
    return following.select(
        "time_s",
        "operation",
        "role",
        pl.lit("").alias("target"),
        pl.when(reading).then(pl.lit("")).otherwise(outcome).alias("body"),
        pl.when(reading).then(pl.lit("")).otherwise(pl.lit("e")).alias("mark"),
        pl.col("row").alias("parent"),
        pl.col("row").alias("shard_key"),
    )


def _calls(single: pl.DataFrame) -> pl.DataFrame:
    operation = pl.col("operation")
    query = pl.format("category={}&merchant_id={}", "category", "merchant_id")
    named = operation.is_in(["merchant_status", "read_merchant"])
    target = (
        pl.when(operation == "terms")
        .then(query)
        .when(named)
        .then(pl.col("merchant_id").cast(pl.String))
        .otherwise(pl.lit(""))
    )
    writing = operation == "merchant_status"
    return single.select(
        "time_s",
        "operation",
        "role",
        target.alias("target"),
        pl.when(writing)
        .then(pl.format('{{"status":"{}"}}', "word"))
        .otherwise(pl.lit(""))
        .alias("body"),
        pl.when(writing).then(pl.lit("m")).otherwise(pl.lit("")).alias("mark"),
        pl.lit(NONE, pl.Int64).alias("parent"),
        # A merchant's statuses stay in order; everything else may go anywhere.
        pl.when(named).then("merchant_id").otherwise(pl.int_range(pl.len())).alias("shard_key"),
    )


def _made_known(single: pl.DataFrame, start_s: float) -> pl.DataFrame:
    """The merchants that somebody looks up, open."""
    looked_up = single.filter(pl.col("operation") == "read_merchant")
    return looked_up.unique("merchant_id", maintain_order=True).with_columns(
        time_s=pl.lit(start_s), word=pl.lit("open")
    )


def _sweeps(found: pl.DataFrame, sweep_s: float) -> pl.DataFrame:
    """What was found since the last sweep, in one call when the next one ends."""
    update = pl.format('{{"merchant_id":{},"status":"{}"}}', "merchant_id", "word")
    return (
        found.sort("time_s", "merchant_id", "word")
        .with_columns(sweep=(pl.col("time_s") / sweep_s).floor(), update=update)
        .with_columns(bulk=pl.int_range(pl.len()).over("sweep") // BULK_COUNT_MAX)
        .group_by("sweep", "bulk")
        # At the last find, which lies in the window when the finds do.
        .agg(pl.col("time_s").max(), pl.col("update").str.join(","))
        .sort("sweep", "bulk")
        .select(
            "time_s",
            pl.lit("merchant_status_bulk").alias("operation"),
            pl.lit("operator").alias("role"),
            pl.lit("").alias("target"),
            pl.format('{{"updates":[{}]}}', "update").alias("body"),
            pl.lit("b").alias("mark"),
            pl.lit(NONE, pl.Int64).alias("parent"),
            pl.lit(0, pl.Int64).alias("shard_key"),
        )
    )
