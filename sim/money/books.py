"""The books of one replication: everything about money that outlives a tick.

Decides nothing; holds ledger, claims, pots and their trail together, for settlement to write and
for statements and the proof to read. Money int fen, times seconds from the horizon's start.
"""

from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from scenarios.budgets import Pots
from scenarios.guarantees import TermTable
from sim.money.agenda import Agenda
from sim.money.claims import ClaimBook
from sim.money.ledger import Ledger
from sim.money.pots import PotBook
from sim.money.trail import PotTrail

DAY_S: Final = 86400


class HorizonLike(Protocol):
    """What the money side needs to know of scenarios.demand.Horizon."""

    @property
    def first_day(self) -> int: ...
    @property
    def last_day(self) -> int: ...
    @property
    def warm_up_days(self) -> int: ...
    @property
    def tick_s(self) -> int: ...


@dataclass(slots=True)
class Books:
    """`first_claim` and `first_entry` are the first of the horizon proper, after the warm-up."""

    horizon: HorizonLike
    terms: TermTable
    deposit_fen: npt.NDArray[np.int64]
    deposit_start_fen: int
    claims: ClaimBook
    pots: PotBook
    trail: PotTrail
    ledger: Ledger = field(default_factory=Ledger)
    reviews: Agenda = field(default_factory=Agenda)
    first_claim: int = 0
    first_entry: int = 0

    @classmethod
    def opened(
        cls,
        terms: TermTable,
        pots: Pots,
        *,
        horizon: HorizonLike,
        deposit_fen: npt.NDArray[np.int64],
    ) -> "Books":
        """Empty books; pots are full, but not yet funded in the ledger."""
        days_count = horizon.warm_up_days + horizon.last_day - horizon.first_day + 1
        return cls(
            horizon=horizon,
            terms=terms,
            deposit_fen=deposit_fen,
            deposit_start_fen=int(deposit_fen.sum()),
            claims=ClaimBook(terms),
            pots=PotBook(pots),
            trail=PotTrail(days_count * DAY_S // horizon.tick_s),
        )

    @property
    def warm_up_s(self) -> int:
        return self.horizon.warm_up_days * DAY_S
