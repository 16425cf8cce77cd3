"""Settlement written out a second time, one claim after the other, as the reference of the tests.

Short and slow on purpose: no columns, no sorting tricks, the rules of sim/money in the order in
which they are documented. Money int fen, times seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scenarios.budgets import Pots, Recourse
from scenarios.guarantees import Guarantees
from scenarios.terms import Term
from scenarios.words import GUARANTEES
from tests.money_cases import DAY_S, PROMISES, Claim, Days, amounts_of_one


class PlainPot:
    """One pot, one claim at a time."""

    def __init__(self, day_fen: int, total_fen: int) -> None:
        self.day_fen, self.left_fen, self.balance_fen = day_fen, day_fen, total_fen
        self.exhausted = self.for_good = False

    def open_day(self) -> None:
        self.left_fen, self.exhausted = self.day_fen, self.for_good

    def pays(self, due_fen: int) -> bool:
        if self.exhausted:
            return False
        if due_fen > min(self.left_fen, self.balance_fen):
            self.exhausted = True
            self.for_good = due_fen > self.balance_fen
            return False
        self.left_fen -= due_fen
        self.balance_fen -= due_fen
        return True


@dataclass
class PlainClaim:
    """A claim on its way."""

    claim: Claim
    guarantee: str
    term: Term
    due_fen: int
    paid_fen: int = 0
    recovered_fen: int = 0
    reviewed: bool = False


class PlainSettlement:
    """All money of a small world."""

    def __init__(
        self,
        terms: Guarantees,
        budget: Pots,
        recourse: Recourse,
        deposits: Sequence[int],
        horizon: Days,
    ) -> None:
        self.terms, self.budget, self.recourse = terms, budget, recourse
        self.horizon = horizon
        self.deposits = list(deposits)
        self.claims: list[PlainClaim] = []
        self.reviews: list[tuple[float, PlainClaim]] = []
        self.receivables: list[tuple[float, PlainClaim]] = []
        self.fill()

    def fill(self) -> None:
        rows = zip(GUARANTEES, self.budget.row(), strict=True)
        self.pots = {g: PlainPot(row.day_limit_fen, row.total_limit_fen) for g, row in rows}
        self.reserve_fen, self.reserve_shut = self.budget.reserve_fen, False

    def run(self, claims: Sequence[Claim]) -> None:
        claims = sorted(claims, key=lambda claim: claim.decided_s)
        horizon = self.horizon
        days_count = horizon.warm_up_days + horizon.last_day - horizon.first_day + 1
        for tick in range(days_count * DAY_S // horizon.tick_s):
            start_s, end_s = tick * horizon.tick_s, (tick + 1) * horizon.tick_s
            if start_s == horizon.warm_up_days * DAY_S:
                self.from_reserve([], float("inf"))
                self.fill()
            if start_s % DAY_S == 0:
                for pot in self.pots.values():
                    pot.open_day()
            self.settle([c for c in claims if start_s <= c.decided_s < end_s], end_s)
            if end_s % DAY_S == 0:
                self.collect_due(end_s)

    def settle(self, claims: Sequence[Claim], end_s: float) -> None:
        to_reserve: list[tuple[float, PlainClaim]] = []
        paid: list[tuple[float, PlainClaim]] = []
        for claim in claims:
            row = self.admit(claim)
            if self.pots[row.guarantee].pays(row.due_fen):
                paid.append((claim.decided_s, row))
                continue
            policy = getattr(self.budget, row.guarantee).policy
            if policy == "reserve":
                to_reserve.append((claim.decided_s, row))
            if policy == "review":
                row.reviewed = True
                self.reviews.append((claim.decided_s + self.budget.review_delay_s, row))
        for at_s, row in paid:
            self.pay(at_s, row)
        self.from_reserve(to_reserve, end_s)

    def admit(self, claim: Claim) -> PlainClaim:
        name = next(g for g, t, cs in PROMISES if t == claim.trigger and claim.category in cs)
        term: Term = getattr(getattr(self.terms, name).terms, claim.trigger)
        refund_fen, extra_fen, _ = amounts_of_one(
            term,
            order_value_fen=claim.price_fen,
            severity_u=0.5,
            legal_u=0.5,
            escalated=claim.escalated,
        )
        self.claims.append(PlainClaim(claim, name, term, refund_fen + extra_fen))
        return self.claims[-1]

    def from_reserve(self, rows: list[tuple[float, PlainClaim]], until_s: float) -> None:
        due = sorted((r for r in self.reviews if r[0] < until_s), key=lambda r: r[0])
        self.reviews = [r for r in self.reviews if r[0] >= until_s]
        # `money_cases.pots` approves every genuine claim and no opportunistic one.
        approved = [r for r in due if not r[1].claim.opportunistic]
        for at_s, row in sorted(rows + approved, key=lambda r: r[0]):
            self.reserve_shut = self.reserve_shut or row.due_fen > self.reserve_fen
            if not self.reserve_shut:
                self.reserve_fen -= row.due_fen
                self.pay(at_s, row)

    def pay(self, paid_s: float, row: PlainClaim) -> None:
        row.paid_fen = row.due_fen
        won = row.claim.recourse_u < row.term.recourse_ratio
        owes = row.term.borne_by == "merchant" or won
        if not (owes and self.recourse.enabled and row.paid_fen and row.claim.store >= 0):
            return
        if row.term.advanced_by == "merchant":
            self.receivables.append((paid_s, row))
            return
        lag_s = -np.log1p(-row.claim.lag_u) * row.term.recourse_lag_mean_s
        due_s = paid_s + (self.recourse.contest_s + float(np.float32(lag_s)))
        self.receivables.append((due_s, row))

    def collect_due(self, until_s: float) -> None:
        due = sorted((r for r in self.receivables if r[0] < until_s), key=lambda r: r[0])
        self.receivables = [r for r in self.receivables if r[0] >= until_s]
        for _, row in due:
            self.collect(row)

    def collect(self, row: PlainClaim) -> None:
        if row.claim.recourse_u < row.term.recourse_ratio:
            row.recovered_fen = min(row.paid_fen, self.deposits[row.claim.store])
            self.deposits[row.claim.store] -= row.recovered_fen
