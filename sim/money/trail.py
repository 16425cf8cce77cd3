"""The trail of the pots: what was due, paid and left in every tick, per guarantee.

Decides nothing; records. Money int fen. Per pot, over the horizon, due = paid + reserve_paid +
shortfall + what still waits for a review; tables count the last as shortfall of the final tick.
"""

import numpy as np
import numpy.typing as npt

from scenarios.words import GUARANTEES
from sim.money import ledger as book
from sim.money.columns import sums_by
from sim.money.pots import PotBook

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]


def _by_pot(guarantee: Codes, amount_fen: Ints) -> Ints:
    return sums_by(guarantee, amount_fen, codes_count=len(GUARANTEES))


class PotTrail:
    """One row a tick, one column a guarantee."""

    def __init__(self, ticks_count: int) -> None:
        shape = (ticks_count, len(GUARANTEES))
        self.due_fen: Ints = np.zeros(shape, dtype=np.int64)
        self.paid_fen: Ints = np.zeros(shape, dtype=np.int64)
        self.reserve_paid_fen: Ints = np.zeros(shape, dtype=np.int64)
        self.shortfall_fen: Ints = np.zeros(shape, dtype=np.int64)
        self.day_left_fen: Ints = np.zeros(shape, dtype=np.int64)
        self.balance_fen: Ints = np.zeros(shape, dtype=np.int64)
        self.exhausted: npt.NDArray[np.bool_] = np.zeros(shape, dtype=np.bool_)
        self.ticks_closed_count = 0

    def add_due(self, tick: int, guarantee: Codes, amount_fen: Ints) -> None:
        """Claims decided in the tick."""
        self.due_fen[tick] += _by_pot(guarantee, amount_fen)

    def add_paid(self, tick: int, purse: int, guarantee: Codes, amount_fen: Ints) -> None:
        """Payments of the tick, from the pots or from the reserve in their place."""
        paid_fen = self.paid_fen if purse == book.POT else self.reserve_paid_fen
        paid_fen[tick] += _by_pot(guarantee, amount_fen)

    def add_shortfall(self, tick: int, guarantee: Codes, amount_fen: Ints) -> None:
        """Claims that will not be paid, at the tick in which that is known."""
        self.shortfall_fen[tick] += _by_pot(guarantee, amount_fen)

    def close(self, tick: int, pots: PotBook) -> None:
        """What is left at the tick's end."""
        self.day_left_fen[tick] = np.minimum(pots.day_left_fen, pots.balance_fen)
        self.balance_fen[tick] = pots.balance_fen
        self.exhausted[tick] = pots.exhausted
        self.ticks_closed_count = tick + 1
