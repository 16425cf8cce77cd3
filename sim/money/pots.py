"""The pots: which claims the budgets can pay, in time order, and when a pot runs dry.

Decides from which purse a claim is paid. Does not decide what follows at exhaustion
(sim/money/settlement.py). Money int fen.

Rule: claims are paid whole, in time order. The first that does not fit into what is left of the
day's limit exhausts the pot for the rest of the day; if it does not fit into the pot's balance
either, for good. An unspent day's limit does not roll over. The reserve has no day limit: the
first claim that does not fit exhausts it for good. Nothing is ever overdrawn.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from scenarios.budgets import Pots
from scenarios.words import GUARANTEES, POLICIES
from sim.money.columns import starts_of_runs, sums_by

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

RESERVE_POLICY, REVIEW_POLICY, STOP_POLICY = range(len(POLICIES))
_NOTHING_FITS: Final = -1


class PotBook:
    """Balances of the pots and the reserve."""

    def __init__(self, pots: Pots) -> None:
        rows = pots.row()
        self.policy = np.array([POLICIES.index(pot.policy) for pot in rows], dtype=np.int8)
        self.day_limit_fen = np.array([pot.day_limit_fen for pot in rows], dtype=np.int64)
        self.total_limit_fen = np.array([pot.total_limit_fen for pot in rows], dtype=np.int64)
        self.reserve_limit_fen = pots.reserve_fen
        self.fill()

    def fill(self) -> None:
        """Every pot and the reserve as at the start."""
        self.balance_fen = self.total_limit_fen.copy()
        self.reserve_left_fen = self.reserve_limit_fen
        self.reserve_exhausted = False
        self.exhausted_for_good: Bools = np.zeros(len(GUARANTEES), dtype=np.bool_)
        self.open_day()

    def open_day(self) -> None:
        """A new day: the day's limits are whole again, the balances are not."""
        self.day_left_fen = self.day_limit_fen.copy()
        self.exhausted = self.exhausted_for_good.copy()

    def draw(self, guarantee: npt.NDArray[np.int8], due_fen: Ints) -> Bools:
        """Pays claims (in time order) from their pots; True where paid."""
        limit_fen = np.minimum(self.day_left_fen, self.balance_fen)
        limit_fen[self.exhausted] = _NOTHING_FITS
        asked_fen = sums_by(guarantee, due_fen, codes_count=len(GUARANTEES))
        not_asked = np.bincount(guarantee, minlength=len(GUARANTEES)) == 0
        if (not_asked | (asked_fen <= limit_fen)).all():
            # Where everything fits, the order does not matter: most ticks of a sound budget.
            self._book(asked_fen)
            return np.ones(due_fen.size, dtype=np.bool_)
        order = np.argsort(guarantee, kind="stable")
        pot, due_sorted_fen = guarantee.take(order).astype(np.intp), due_fen.take(order)
        sum_fen = np.cumsum(due_sorted_fen)
        starts = starts_of_runs(pot)
        before_fen = np.zeros(len(GUARANTEES), dtype=np.int64)
        before_fen[pot[starts]] = sum_fen[starts] - due_sorted_fen[starts]
        fits_sorted = sum_fen <= (limit_fen + before_fen).take(pot)
        paid_fen = np.where(fits_sorted, due_sorted_fen, 0)
        self._book(sums_by(pot, paid_fen, codes_count=len(GUARANTEES)))
        self._exhaust(pot[~fits_sorted], due_sorted_fen[~fits_sorted])
        fits = np.empty_like(fits_sorted)
        fits[order] = fits_sorted
        return fits

    def _book(self, spent_fen: Ints) -> None:
        self.day_left_fen -= spent_fen
        self.balance_fen -= spent_fen
        assert self.day_left_fen.min() >= 0
        assert self.balance_fen.min() >= 0

    def _exhaust(self, pot: npt.NDArray[np.intp], refused_fen: Ints) -> None:
        """Marks the pots of refused claims, given sorted by pot and, within one, by time."""
        refused_pots, firsts = np.unique(pot, return_index=True)
        newly = ~self.exhausted[refused_pots]
        refused_pots, firsts = refused_pots[newly], firsts[newly]
        self.exhausted[refused_pots] = True
        too_large = refused_fen[firsts] > self.balance_fen[refused_pots]
        self.exhausted_for_good[refused_pots[too_large]] = True

    def draw_reserve(self, due_fen: Ints) -> Bools:
        """Pays claims (in time order) from the reserve; True where paid."""
        left_fen = _NOTHING_FITS if self.reserve_exhausted else self.reserve_left_fen
        fits: Bools = np.cumsum(due_fen) <= left_fen
        self.reserve_left_fen -= int(due_fen[fits].sum())
        assert self.reserve_left_fen >= 0
        self.reserve_exhausted = self.reserve_exhausted or not bool(fits.all())
        return fits
