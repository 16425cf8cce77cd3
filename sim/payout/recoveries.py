"""Table `payout_recoveries`: what merchants owe, what comes of it, and from whom.

Expected values, for the books: a receivable is worth what recourse is expected to bring. What may
be spent is another matter (sim/payout/cash.py): there only money received counts.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from sim.payout.frames import frame
from sim.payout.seasons import Seasons
from sim.payout.statistics import mean

MEASURES: Final = ("owed", "recovered", "contested", "defaulted", "open", "collectible")


def recoveries(seasons: Seasons) -> pl.DataFrame:
    """Every measure in all, by deposit, lag and rank of the store."""
    table = seasons.table("recourse").with_columns(pl.col("key").fill_null(""))
    rows = []
    totals = {measure: expected(seasons, table, "total", "", measure) for measure in MEASURES}
    pairs = table.select("by", "key").unique(maintain_order=True).sort("by", maintain_order=True)
    for by, key in pairs.iter_rows():
        for measure in ("recovered",) if by == "lag" else MEASURES:
            values = expected(seasons, table, by, key, measure)
            one = mean(values)
            whole = totals[measure].mean()
            rows.append(
                {
                    "by": by,
                    "key": key,
                    "measure": measure,
                    "mean_fen": one.value,
                    "low_fen": one.low,
                    "high_fen": one.high,
                    "share_ratio": one.value / whole if one.value is not None and whole else None,
                    "n": one.n,
                }
            )
    return frame("payout_recoveries", rows)


def expected(
    seasons: Seasons, table: pl.DataFrame, by: str, key: str, measure: str
) -> npt.NDArray[np.float64]:
    """A measure by replication; 0 where a replication has no such row."""
    rows = table.filter((pl.col("by") == by) & (pl.col("key") == key))
    return np.asarray(seasons.pivot(rows, "by", (by,), f"{measure}_fen")[0], dtype=np.float64)


def ultimate_fen(seasons: Seasons) -> npt.NDArray[np.float64]:
    """Received within the horizon, and what the open receivables would still bring."""
    table = seasons.table("recourse").with_columns(pl.col("key").fill_null(""))
    received, later = (
        expected(seasons, table, "total", "", measure) for measure in ("recovered", "collectible")
    )
    return received + later
