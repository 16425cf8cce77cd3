"""Claims: what comes in to be settled, and the book in which every claim keeps its story.

Decides what each claim is owed, by looking up its term and calling scenarios/terms.py. Does not
decide what is paid. Money int fen, times seconds from the horizon's start, uniforms in [0, 1).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

from scenarios.guarantees import TermTable
from scenarios.terms import Amounts, amounts
from scenarios.words import CATEGORIES
from sim.money.columns import Array, GrowingColumns
from sim.money.ledger import NONE

Ids = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class DueClaims:
    """Upheld claims whose decision falls into one tick, sorted by decided_s.

    All uniforms are drawn at birth, so that a change of terms or pots moves no draw.
    """

    decided_s: npt.NDArray[np.float64]
    trigger: npt.NDArray[np.int8]  # position in words.TRIGGERS
    category: npt.NDArray[np.int8]  # position in words.CATEGORIES
    incident_id: npt.NDArray[np.int64]  # -1 none
    store_id: npt.NDArray[np.int32]  # -1 none
    order_value_fen: npt.NDArray[np.int64]
    severity_u: npt.NDArray[np.float64]
    legal_u: npt.NDArray[np.float64]
    recourse_u: npt.NDArray[np.float64]
    recourse_lag_u: npt.NDArray[np.float64]
    escalated: npt.NDArray[np.bool_]
    opportunistic: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return self.decided_s.size

    def take(self, rows: npt.NDArray[np.integer] | npt.NDArray[np.bool_]) -> "DueClaims":
        """The claims of these rows."""
        return DueClaims(*(getattr(self, field.name)[rows] for field in fields(self)))

    @classmethod
    def merged(cls, parts: Sequence["DueClaims"]) -> "DueClaims":
        """Several batches as one, by time; at equal times the earlier batch comes first."""
        joined = cls(
            *(np.concatenate([getattr(p, field.name) for p in parts]) for field in fields(cls))
        )
        return joined.take(np.argsort(joined.decided_s, kind="stable"))


# Room for ten national days without a copy; beyond it the columns grow.
_ROWS_NATIONAL_COUNT: Final = 1 << 21
_DTYPES: Final = {
    "decided_s": np.float64,
    "trigger": np.int8,
    "category": np.int8,
    "guarantee": np.int8,
    "term": np.int8,
    "incident_id": np.int32,
    "store_id": np.int32,
    "order_value_fen": np.int32,
    "refund_fen": np.int32,
    "extra_fen": np.int64,
    "legal_fen": np.int64,
    "paid_fen": np.int64,
    "recovered_fen": np.int64,
    "reviewed": np.bool_,
    "escalated": np.bool_,
    "opportunistic": np.bool_,
    "recourse_won": np.bool_,
    "recourse_lag_s": np.float32,
    "review_u": np.float64,
}
# A uniform has 53 random bits; those below the 24th are as good as a draw of their own.
_HIGH_BITS: Final = 2.0**24


class ClaimBook:
    """Every claim with a promise behind it; its row number is its claim_id."""

    def __init__(self, terms: TermTable) -> None:
        self._terms = terms
        self._columns = GrowingColumns(_DTYPES, capacity_count=_ROWS_NATIONAL_COUNT)
        self.uncovered_count = 0
        self.by_term_count = np.zeros(terms.guarantee.size, dtype=np.int64)

    @property
    def claims_count(self) -> int:
        return self._columns.rows_count

    def admit(self, due: DueClaims) -> Ids:
        """Enters claims with what they are owed; returns ids. The uncovered are only counted."""
        cell = due.trigger.astype(np.intp) * len(CATEGORIES) + due.category
        term = self._terms.row.take(cell).astype(np.intp)
        covered = term != NONE
        if not covered.all():
            self.uncovered_count += int(np.count_nonzero(~covered))
            due, term = due.take(covered), term[covered]
        self.by_term_count += np.bincount(term, minlength=self.by_term_count.size)
        owed = self._owed(due, term)
        first = self.claims_count
        self._columns.append(
            len(due),
            {
                "decided_s": due.decided_s,
                "trigger": due.trigger,
                "category": due.category,
                "guarantee": self._terms.guarantee.take(term),
                "term": term,
                "incident_id": due.incident_id,
                "store_id": due.store_id,
                "order_value_fen": due.order_value_fen,
                "refund_fen": owed.refund_fen,
                "extra_fen": owed.extra_fen,
                "legal_fen": owed.legal_fen,
                "paid_fen": 0,
                "recovered_fen": 0,
                "reviewed": False,
                "escalated": due.escalated,
                "opportunistic": due.opportunistic,
                "recourse_won": due.recourse_u < self._terms.recourse_ratio.take(term),
                "recourse_lag_s": -np.log1p(-due.recourse_lag_u)
                * self._terms.recourse_lag_mean_s.take(term),
                "review_u": np.modf(due.recourse_lag_u * _HIGH_BITS)[0],
            },
        )
        return np.arange(first, self.claims_count)

    def _owed(self, due: DueClaims, term: Ids) -> Amounts:
        return amounts(
            self._terms.columns.take(term),
            order_value_fen=due.order_value_fen,
            severity_u=due.severity_u,
            legal_u=due.legal_u,
            escalated=due.escalated,
        )

    def column(self, name: str) -> Array:
        """A column of all claims so far, read-only."""
        return self._columns.view(name)

    def take(self, name: str, ids: Ids) -> Array:
        """A column for these claims."""
        return self._columns.take(name, ids)

    def due_fen(self, ids: Ids) -> npt.NDArray[np.int64]:
        """Refund and extra of these claims."""
        due_fen: npt.NDArray[np.int64] = self.take("extra_fen", ids) + self.take("refund_fen", ids)
        return due_fen

    def mark_reviewed(self, ids: Ids) -> None:
        """Notes that these claims go through manual review."""
        self._columns.writable("reviewed")[ids] = True

    def note_paid(self, ids: Ids, amount_fen: npt.NDArray[np.int64]) -> None:
        """Notes a payment; a claim is paid once, in full."""
        paid_fen = self._columns.writable("paid_fen")
        assert not paid_fen[ids].any()
        paid_fen[ids] = amount_fen

    def note_recovered(self, ids: Ids, amount_fen: npt.NDArray[np.int64]) -> None:
        """Notes money received from the merchant; a claim is collected once."""
        recovered_fen = self._columns.writable("recovered_fen")
        assert not recovered_fen[ids].any()
        assert (amount_fen <= self.take("paid_fen", ids)).all()
        recovered_fen[ids] = amount_fen
