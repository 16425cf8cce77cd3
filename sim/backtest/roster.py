"""A roster as presence: rows of start_at, end_at, agents_count."""

from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from sim.fit.instants import Clock
from sim.fit.presence import Presence
from sim.fit.problems import LogError
from sim.fit.tabular import ROW, batches

COLUMNS: Final = ("start_at", "end_at", "agents_count")


def read_roster(path: Path, clock: Clock) -> Presence:
    """Raises LogError naming the first row that is not right: a roster has no rows to spare."""
    parts = []
    for batch in batches([path], required=COLUMNS, optional=(), columns=None):
        frame = batch.frame.select(
            ROW,
            clock.first("start_at").alias("from_s"),
            clock.first("end_at").alias("until_s"),
            pl.col("agents_count").cast(pl.Int64, strict=False).alias("agents"),
        )
        sound = (pl.col("until_s") > pl.col("from_s")) & (pl.col("agents") >= 0)
        bad = frame.filter(~sound.fill_null(value=False))
        if bad.height:
            raise LogError(
                f"{path}: row {bad[ROW][0]}: needs start_at before end_at and a whole "
                "agents_count of at least 0"
            )
        parts.append(frame)
    rows = pl.concat(parts)
    count = rows["agents"].to_numpy()
    ends = (np.repeat(rows[name].to_numpy(), count) for name in ("from_s", "until_s"))
    return Presence.of_anybody(*ends)
