"""Tables of a run directory, read lazily, and refused where another version wrote them.

Decides nothing; reads. Raises RunError with the file, what is wrong and what to do.
"""

from typing import Final

import polars as pl

from scenarios.payout_tables import columns_of
from sim.experiment.files import RunError
from sim.experiment.rundir import RunDirectory

# The replication whose single claims, incidents, contacts and entries a run keeps: the first.
KEPT: Final = 0


def scan(directory: RunDirectory, table: str) -> pl.LazyFrame:
    """A table as it stands."""
    file = directory.table(table)
    frame = pl.scan_parquet(file)
    there = frame.collect_schema().names()
    missing = [column.name for column in columns_of(table) if column.name not in there]
    if missing:
        raise RunError(
            f"{file} has no column {', '.join(missing)}: it was written by another version of "
            "springpeak; run the command that wrote it again"
        )
    return frame


def kept_rows(directory: RunDirectory, table: str) -> pl.LazyFrame:
    """Rows of single things of the replication that keeps them."""
    return scan(directory, table).filter(pl.col("replication") == KEPT)
