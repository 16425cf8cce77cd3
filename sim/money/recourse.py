"""Recourse: getting money back from merchants, out of their deposits, after a lag.

Decides when recourse falls due, how much the deposit yields and what is written off; takes fines.
Does not decide the deposit's size or what a merchant does about it (sim/market). Money int fen,
times seconds.

A payment that the merchant should bear raises a receivable at once; like all recourse it is booked
when its day ends, in the order of time. After the contest period and an exponential lag recourse
either wins (share recourse_ratio) and takes what the deposit still holds, or loses; what is not
received then is written off. Where the merchant advances, both happen at payment. What is still
open at the horizon's end stays a receivable: recourse is never booked as cash.
"""

import numpy as np
import numpy.typing as npt

from scenarios.budgets import Recourse
from scenarios.guarantees import TermTable
from sim.money import ledger as book
from sim.money.agenda import Agenda
from sim.money.claims import ClaimBook
from sim.money.columns import starts_of_runs
from sim.money.ledger import NONE, EntryRows, Ledger

Ids = npt.NDArray[np.intp]
Stores = npt.NDArray[np.int32]
Ints = npt.NDArray[np.int64]
Times = npt.NDArray[np.float64]


def draw_on_deposits(deposit_fen: Ints, store_id: Stores, asked_fen: Ints) -> Ints:
    """Takes sums from stores' deposits in the order given, each up to what is left; returns them.

    Several sums asked of one store are served first come first served.
    """
    if store_id.size == 0:
        return np.empty(0, dtype=np.int64)
    order = np.argsort(store_id, kind="stable")
    store, asked_sorted_fen = store_id.take(order).astype(np.intp), asked_fen.take(order)
    starts = starts_of_runs(store)
    sum_fen = np.cumsum(asked_sorted_fen) - asked_sorted_fen
    rows_count = np.append(starts[1:], store.size) - starts
    # What earlier rows of the same store have asked for.
    before_fen = sum_fen - np.repeat(sum_fen[starts], rows_count)
    left_fen = np.maximum(deposit_fen.take(store) - before_fen, 0)
    taken_sorted_fen = np.minimum(asked_sorted_fen, left_fen)
    deposit_fen[store[starts]] -= np.add.reduceat(taken_sorted_fen, starts)
    taken_fen = np.empty_like(taken_sorted_fen)
    taken_fen[order] = taken_sorted_fen
    return taken_fen


class RecourseDesk:
    """Receivables on their way from payment to money or write-off."""

    def __init__(
        self,
        recourse: Recourse,
        terms: TermTable,
        *,
        claims: ClaimBook,
        ledger: Ledger,
        deposit_fen: Ints,
    ) -> None:
        self._recourse = recourse
        self._terms = terms
        self._claims = claims
        self._ledger = ledger
        self._deposit_fen = deposit_fen
        self._agenda = Agenda()
        self._paid: list[tuple[Times, Ids]] = []
        self._taken: list[tuple[Stores, Ints]] = []

    def note_paid(self, paid_s: Times, ids: Ids) -> None:
        """Takes payments in; `work_off` asks who owes them."""
        if self._recourse.enabled and ids.size:
            self._paid.append((paid_s, ids))

    def work_off(self, *, day_end_s: float) -> None:
        """A day's recourse: receivables for what was paid, then what falls due before its end.

        Where merchants advance, recourse falls due with the payment.
        """
        if self._paid:
            paid_s = np.concatenate([times for times, _ in self._paid])
            ids = np.concatenate([rows for _, rows in self._paid])
            self._paid.clear()
            self._claim_back(paid_s, ids)
        self._collect(*self._agenda.take(day_end_s))

    def _claim_back(self, paid_s: Times, ids: Ids) -> None:
        term = self._claims.take("term", ids)
        owed = self._terms.merchant_bears.take(term) | self._claims.take("recourse_won", ids)
        owed &= self._claims.take("store_id", ids) != NONE
        ids, paid_s, term = ids[owed], paid_s[owed], term[owed]
        rows = self._rows(paid_s, ids, self._claims.take("paid_fen", ids))
        self._ledger.post(
            kind=book.CLAIM_BACK, debit=book.RECEIVABLE, credit=book.RECOURSE_INCOME, **rows
        )
        lag_s = self._recourse.contest_s + self._claims.take("recourse_lag_s", ids)
        at_once = self._terms.merchant_advances.take(term)
        self._agenda.add(np.where(at_once, paid_s, paid_s + lag_s), ids)

    def _collect(self, at_s: Times, ids: Ids) -> None:
        """Takes won sums from deposits in time order and writes the rest off."""
        if ids.size == 0:
            return
        store_id = self._claims.take("store_id", ids)
        asked_fen = self._claims.take("paid_fen", ids)
        won_fen = np.where(self._claims.take("recourse_won", ids), asked_fen, 0)
        taken_fen = draw_on_deposits(self._deposit_fen, store_id, won_fen)
        self._claims.note_recovered(ids, taken_fen)
        self._taken.append((store_id, taken_fen))
        received = np.flatnonzero(taken_fen)
        rows = self._rows(at_s[received], ids[received], taken_fen[received])
        self._ledger.post(
            kind=book.RECOVERY, debit=book.PLATFORM, credit=book.MERCHANT_DEPOSIT, **rows
        )
        self._ledger.post(
            kind=book.RECOVERY, debit=book.RECOURSE_INCOME, credit=book.RECEIVABLE, **rows
        )
        lost_fen = asked_fen - taken_fen
        lost = np.flatnonzero(lost_fen)
        rows = self._rows(at_s[lost], ids[lost], lost_fen[lost])
        self._ledger.post(
            kind=book.WRITE_OFF, debit=book.RECOURSE_LOSS, credit=book.RECEIVABLE, **rows
        )

    def _rows(self, posted_s: Times, ids: Ids, amount_fen: Ints) -> EntryRows:
        """What entries about these claims have in common."""
        return {
            "posted_s": posted_s,
            "guarantee": self._claims.take("guarantee", ids),
            "claim_id": ids,
            "store_id": self._claims.take("store_id", ids),
            "amount_fen": amount_fen,
        }

    def fine(self, at_s: float, store_id: Stores, amount_fen: Ints) -> Ints:
        """Takes fines from deposits, each up to what is left; returns what was taken."""
        taken_fen = draw_on_deposits(self._deposit_fen, store_id, amount_fen)
        some = taken_fen > 0
        self._ledger.post(
            kind=book.FINE,
            debit=book.FINES,
            credit=book.MERCHANT_DEPOSIT,
            posted_s=np.full(int(np.count_nonzero(some)), at_s),
            guarantee=np.full(int(np.count_nonzero(some)), NONE, dtype=np.int8),
            claim_id=NONE,
            store_id=store_id[some],
            amount_fen=taken_fen[some],
        )
        return taken_fen

    def hand_over_taken(self) -> tuple[Stores, Ints]:
        """(store_id, fen) taken by recourse since the last call, one row a claim."""
        taken, self._taken = self._taken, []
        if not taken:
            return np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int64)
        return np.concatenate([s for s, _ in taken]), np.concatenate([a for _, a in taken])
