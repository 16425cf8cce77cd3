"""The figures of a replay, from its journal: exact order statistics, no histogram in between.

Decides what each figure counts. A percentile is the smallest value that at least that share of the
requests does not exceed (nearest rank: Hyndman and Fan, 1996, definition 1), over all that were
sent, refused and given up ones included. Response time counts from the intended time. Send lag
counts from the time at which a step could be sent: a step that waited for the answer of another
was not late by the sender's fault.
"""

from math import ceil
from typing import Final

import numpy as np
import polars as pl

from scenarios.load import LAG, PERCENTILES, TIMES

NS_PER_MS: Final = 1e6


def quantile(ordered: np.ndarray, ratio: float) -> float | None:
    """The nearest rank's value of sorted values; None of none."""
    if not ordered.size:
        return None
    # The product is rounded first: 0.999 * 1000 is a little above 999.
    rank = ceil(round(ratio * ordered.size, 9))
    return float(ordered[max(rank, 1) - 1])


def figures(rows: pl.DataFrame) -> dict[str, float | int | None]:
    """Counts, and METRICS in ms and ratios; None where nothing was measured.

    `failed_ratio` is the share of the sent that failed or ended unknown, `dropped_ratio` the share
    of the planned that was never sent.
    """
    outcomes = dict(rows["outcome"].value_counts().iter_rows())
    planned, dropped = rows.height, outcomes.get("dropped", 0)
    sent = rows.filter(pl.col("sent_ns").is_not_null())
    found: dict[str, float | int | None] = {
        "planned": planned,
        "sent": sent.height,
        **{name: outcomes.get(name, 0) for name in ("ok", "fail", "unknown", "dropped")},
        "waited": rows.filter(pl.col("ready_ns") > pl.col("intended_ns")).height,
        "repeated": rows.filter(pl.col("attempts") > 1).height,
    }
    for time in TIMES:
        ordered = np.sort(sent[f"{time}_ns"].drop_nulls().to_numpy())
        for name, ratio in PERCENTILES.items():
            value = quantile(ordered, ratio)
            found[f"{name}_{time}_ms"] = None if value is None else value / NS_PER_MS
    unknown = outcomes.get("unknown", 0)
    tried = planned - dropped
    found["failed_ratio"] = (outcomes.get("fail", 0) + unknown) / tried if tried else None
    found["unknown_ratio"] = unknown / tried if tried else None
    found["dropped_ratio"] = dropped / planned if planned else None
    lags = np.sort((sent["sent_ns"] - sent["ready_ns"]).to_numpy())
    lag_ns = quantile(lags, PERCENTILES["p99"])
    found[LAG] = None if lag_ns is None else lag_ns / NS_PER_MS
    return found


def by_operation(rows: pl.DataFrame) -> dict[str, dict[str, float | int | None]]:
    """The same for each operation, in order of the alphabet."""
    parts = rows.partition_by("operation", as_dict=True)
    return {str(name[0]): figures(part) for name, part in sorted(parts.items())}
