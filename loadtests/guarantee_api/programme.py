"""What the scenario promises, ready for deciding many claims at once.

Decides which promise answers a claim and what it is owed, by the arithmetic of scenarios/terms.py
that the simulation uses too; and which budget rules are in force. Does not decide whether a pot can
pay (books.py). Money int fen; ratios in parts per million. The service's day is the calendar day
in China (UTC+8), counted from the Unix epoch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from loadtests.guarantee_api.commands import OpenClaim
from loadtests.guarantee_api.messages import GuaranteeView
from scenarios.budgets import Pots, Recourse
from scenarios.guarantees import Guarantees, TermTable
from scenarios.model import Fen, PerCategory
from scenarios.terms import amounts_known, share_fen
from scenarios.words import CATEGORIES, GUARANTEES, POLICIES, TRIGGERS

if TYPE_CHECKING:  # a second that a service with a known programme need not wait
    from scenarios.scenario import Scenario

RESERVE: Final = -1
"""The reserve stands among the pots under this number."""
CHINA_OFFSET_MS: Final = 8 * 3_600_000
DAY_MS: Final = 86_400_000


def day_of(now_ms: int) -> int:
    """The calendar day in China, counted from 1970-01-01."""
    return (now_ms + CHINA_OFFSET_MS) // DAY_MS


class Owed(NamedTuple):
    """What a claim is owed; guarantee -1 if nothing was promised."""

    guarantee: int
    refund_fen: int
    extra_fen: int
    legal_fen: int
    merchant_bears: bool


NOTHING: Final = Owed(-1, 0, 0, 0, False)


@dataclass(frozen=True, slots=True)
class PotRule:
    """Limits of one pot and its policy at exhaustion."""

    day_limit_fen: int
    total_limit_fen: int
    policy: str


class Programme:
    """Terms, budgets and recourse of one scenario."""

    def __init__(
        self,
        guarantees: Guarantees,
        pots: Pots,
        recourse: Recourse,
        deposit_fen: PerCategory[Fen],
    ) -> None:
        self._table: TermTable = guarantees.table()
        self._row: list[list[int]] = self._table.row.tolist()
        self._guarantee: list[int] = self._table.guarantee.tolist()
        self._bears: list[bool] = self._table.merchant_bears.tolist()
        self.pots = tuple(
            PotRule(pot.day_limit_fen, pot.total_limit_fen, pot.policy) for pot in pots.row()
        )
        assert all(rule.policy in POLICIES for rule in self.pots)
        self.reserve_fen = pots.reserve_fen
        self.recourse_enabled = recourse.enabled
        self.deposit_fen = deposit_fen.row()

    @classmethod
    def of(cls, scenario: "Scenario") -> "Programme":
        return cls(
            scenario.guarantees,
            scenario.pots,
            scenario.recourse,
            scenario.merchants.deposit_fen,
        )

    def owed(self, claims: Sequence[OpenClaim]) -> list[Owed]:
        """What each claim is owed under the promise that answers it."""
        found = [self._row[claim.trigger][claim.category] for claim in claims]
        answered = [position for position, row in enumerate(found) if row >= 0]
        owed = [NOTHING] * len(claims)
        if not answered:
            return owed
        asked = [claims[position] for position in answered]
        rows = np.array([found[position] for position in answered], dtype=np.intp)
        terms = self._table.columns.take(rows)
        price_fen = np.array([claim.order_value_fen for claim in asked], dtype=np.int64)
        gap_fen = np.array(
            [-1 if one.price_gap_fen is None else one.price_gap_fen for one in asked], np.int64
        )
        by_multiple_fen = share_fen(price_fen, terms.extra_ppm)
        known = terms.exponential & (gap_fen >= 0)
        found_by_law = np.array([claim.statutory for claim in asked], dtype=np.bool_)
        sums = amounts_known(
            terms,
            order_value_fen=price_fen,
            agreed_fen=np.where(known, gap_fen, by_multiple_fen),
            statutory=found_by_law & (terms.legal_ratio > 0.0),
            escalated=np.array([claim.escalated for claim in asked], dtype=np.bool_),
        )
        columns = zip(
            answered,
            rows.tolist(),
            sums.refund_fen.tolist(),
            sums.extra_fen.tolist(),
            sums.legal_fen.tolist(),
            strict=True,
        )
        for position, row, refund_fen, extra_fen, legal_fen in columns:
            owed[position] = Owed(
                self._guarantee[row], refund_fen, extra_fen, legal_fen, self._bears[row]
            )
        return owed

    def bears(self, *, trigger: int, category: int) -> bool:
        """Whether the merchant bears the claim's cost in the end; False where none is promised."""
        row = self._row[trigger][category]
        return row >= 0 and self._bears[row]

    def views(self, category: int) -> list[GuaranteeView]:
        """Terms in force for a category, in the order of triggers."""
        columns = self._table.columns
        return [
            GuaranteeView(
                guarantee=GUARANTEES[self._guarantee[row]],
                trigger=TRIGGERS[trigger],
                category=CATEGORIES[category],
                refund_ppm=int(columns.refund_ppm[row]),
                extra_ppm=int(columns.extra_ppm[row]),
                extra_is_price_gap=bool(columns.exponential[row]),
                extra_floor_fen=int(columns.extra_floor_fen[row]),
                extra_cap_fen=int(columns.extra_cap_fen[row]),
                legal_ppm=int(columns.legal_ppm[row]),
                legal_floor_fen=int(columns.legal_floor_fen[row]),
                escalated_ppm=int(columns.escalated_ppm[row]),
                goodwill_fen=int(columns.goodwill_fen[row]),
                borne_by_merchant=self._bears[row],
            )
            for trigger, by_category in enumerate(self._row)
            if (row := by_category[category]) >= 0
        ]
