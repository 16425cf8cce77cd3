"""The double-entry ledger: every fen that moves is one entry with a debit and a credit account.

Decides nothing; records. Appended only: entries are never changed, balances follow from them. The
debited account receives, the credited account gives (balance = debits - credits). Money int fen,
times seconds from the horizon's start. Source: double entry as in TigerBeetle (debit and credit
totals per account, amounts above 0, history never edited).

A recovery is two entries of kind "recovery": merchant_deposit -> platform is the money;
recourse_income against receivable clears the claim on the merchant. Sums of recovered money count
the first only.
"""

from typing import Final, TypedDict

import numpy as np
import numpy.typing as npt

from scenarios.words import ACCOUNTS, GUARANTEES, POSTING_KINDS
from sim.money.columns import Array, GrowingColumns, sums_by

NONE: Final = -1
(
    PLATFORM,
    POT,
    RESERVE,
    CONSUMER,
    MERCHANT_DEPOSIT,
    RECEIVABLE,
    RECOURSE_INCOME,
    RECOURSE_LOSS,
    FINES,
) = range(len(ACCOUNTS))
FUNDING, PAYOUT, CLAIM_BACK, RECOVERY, WRITE_OFF, FINE = range(len(POSTING_KINDS))

# Room for ten national days without a copy; beyond it the columns grow.
_ROWS_NATIONAL_COUNT: Final = 1 << 22
_DTYPES: Final = {
    "posted_s": np.float64,
    "kind": np.int8,
    "guarantee": np.int8,
    "claim_id": np.int32,
    "store_id": np.int32,
    "debit": np.int8,
    "credit": np.int8,
    "amount_fen": np.int64,
}


class EntryRows(TypedDict):
    """What differs from entry to entry within one posting; `amount_fen` sets how many there are."""

    posted_s: Array
    guarantee: Array
    claim_id: Array | int
    store_id: Array | int
    amount_fen: npt.NDArray[np.int64]


class Ledger:
    """Entries in order of posting; totals by account and guarantee (column 0: no guarantee)."""

    def __init__(self) -> None:
        self._entries = GrowingColumns(_DTYPES, capacity_count=_ROWS_NATIONAL_COUNT)
        shape = (len(ACCOUNTS), len(GUARANTEES) + 1)
        self._debits_fen = np.zeros(shape, dtype=np.int64)
        self._credits_fen = np.zeros(shape, dtype=np.int64)

    @property
    def entries_count(self) -> int:
        return self._entries.rows_count

    def post(
        self,
        *,
        kind: int,
        debit: int,
        credit: int,
        posted_s: Array,
        guarantee: Array,
        claim_id: Array | int,
        store_id: Array | int,
        amount_fen: npt.NDArray[np.int64],
    ) -> None:
        """Appends one entry per amount. Amounts must be above 0; the accounts must differ."""
        if amount_fen.size == 0:
            return
        assert debit != credit
        assert amount_fen.min() > 0
        self._entries.append(
            amount_fen.size,
            {
                "posted_s": posted_s,
                "kind": kind,
                "guarantee": guarantee,
                "claim_id": claim_id,
                "store_id": store_id,
                "debit": debit,
                "credit": credit,
                "amount_fen": amount_fen,
            },
        )
        sums_fen = sums_by(guarantee + 1, amount_fen, codes_count=len(GUARANTEES) + 1)
        self._debits_fen[debit] += sums_fen
        self._credits_fen[credit] += sums_fen

    def balances_fen(self, account: int) -> npt.NDArray[np.int64]:
        """Running balances of an account by guarantee."""
        balances: npt.NDArray[np.int64] = self._debits_fen[account] - self._credits_fen[account]
        return balances[1:]

    def balance_fen(self, account: int) -> int:
        """Running balance of an account in all, with what has no guarantee."""
        return int(self._debits_fen[account].sum() - self._credits_fen[account].sum())

    def column(self, name: str) -> Array:
        """A column of all entries so far, read-only."""
        return self._entries.view(name)

    def check_balanced(self) -> None:
        """Debits equal credits, by the running totals; cheap enough for every tick."""
        debits_fen, credits_fen = int(self._debits_fen.sum()), int(self._credits_fen.sum())
        assert debits_fen == credits_fen, f"debits {debits_fen} fen, credits {credits_fen} fen"

    def check_recomputed(self) -> None:
        """Totals recomputed from the entries equal the running ones, account by account."""
        amount_fen, guarantee = self.column("amount_fen"), self.column("guarantee")
        for side, running_fen in (("debit", self._debits_fen), ("credit", self._credits_fen)):
            cell = self.column(side) * np.int16(len(GUARANTEES) + 1) + guarantee + 1
            totals_fen = sums_by(cell, amount_fen, codes_count=running_fen.size)
            assert np.array_equal(totals_fen, running_fen.ravel()), (
                f"{side} totals differ from the entries"
            )
