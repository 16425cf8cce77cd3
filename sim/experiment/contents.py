"""What a run keeps: the tables that it asks of its replications, under a name.

A replication computes what the tables asked for need and nothing more. Draws, decisions and money
do not depend on what is asked, so equal seeds give equal rows whatever else a run keeps.
"""

from dataclasses import dataclass
from typing import Final

from sim.experiment.rundir import MERGED, REPLICATIONS, ROW_TABLES


@dataclass(frozen=True, slots=True)
class Contents:
    """A named set of tables, in the order in which they are merged."""

    name: str
    tables: tuple[str, ...]
    """Computed in every replication, with the metrics that they allow."""

    @property
    def merged(self) -> tuple[str, ...]:
        """The tables that the run has in the end: single things of its first replications, too."""
        return tuple(name for name in MERGED if name in self.tables or name in ROW_TABLES)


ALL: Final = Contents("all", MERGED)
# What sim/payout reads: money, and the orders that a bridge explains it with.
PAYOUT: Final = Contents(
    "payout",
    ("demand", "payouts", "payouts_by_region", "cash", "pots", "recourse", REPLICATIONS),
)
