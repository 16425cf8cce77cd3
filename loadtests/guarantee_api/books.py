"""The books of one batch: what was read from the store, what the batch adds, in two phases.

Decides whether a pot can pay, and moves money: hold (pot -> hold), then settle (hold -> consumer)
or release (hold -> pot), each hold ending once. Does not decide what is owed (programme.py) and
knows no SQL (the stores read what a batch needs and append what it adds, in one transaction).

Money int fen, amounts above 0. Every movement is one entry with a debit (receives) and a credit
(gives); balances kept beside the entries follow from them, which `proof.py` checks. Unlike the
simulation, where the first claim that does not fit closes the pot for the day, here each claim
is tried by itself: a release gives money back, so that "closed" would not be true for long.
Words hold, settle, release: two-phase transfers as in TigerBeetle (pending, post, void).
"""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from loadtests.guarantee_api.commands import Answer
from loadtests.guarantee_api.programme import RESERVE, Programme
from loadtests.guarantee_api.words import (
    ACCOUNTS,
    FROM_NOWHERE,
    FROM_POT,
    FROM_RESERVE,
    POSTING_KINDS,
    REJECTED,
    RELEASED,
    SETTLED,
)

PLATFORM, POT, RESERVE_ACCOUNT, CONSUMER, DEPOSIT, RECEIVABLE, RECOURSE_INCOME = range(7)
HOLD, MERCHANT = ACCOUNTS.index("hold"), ACCOUNTS.index("merchant")
FUNDING, PAYOUT, CLAIM_BACK, RECOVERY = range(4)
HELD, RELEASE, OPENING = (POSTING_KINDS.index(word) for word in ("hold", "release", "deposit"))
NONE: Final = -1


class ClaimRow(NamedTuple):
    """A claim as the store keeps it."""

    claim_id: int
    state: int
    reason: int
    guarantee: int
    trigger: int
    category: int
    order_id: int
    merchant_id: int
    consumer_id: int
    order_value_fen: int
    refund_fen: int
    extra_fen: int
    legal_fen: int
    source: int
    day: int
    created_ms: int
    resolved_ms: int | None

    @property
    def amount_fen(self) -> int:
        return self.refund_fen + self.extra_fen


class EntryRow(NamedTuple):
    """An entry of the ledger; -1 where no guarantee, claim or merchant is meant."""

    kind: int
    debit: int
    credit: int
    guarantee: int
    claim_id: int
    merchant_id: int
    amount_fen: int
    day: int
    posted_ms: int


class AnswerRow(NamedTuple):
    """An answer kept for repetitions of its request."""

    key_hash: bytes
    digest: bytes
    created_ms: int
    status: int
    header: str
    body: bytes


class MerchantRow(NamedTuple):
    """A merchant's status."""

    merchant_id: int
    status: int
    version: int
    changed_ms: int


@dataclass(slots=True)
class Pot:
    """Balances of a pot or of the reserve: funded = available + held + settled."""

    funded_fen: int
    available_fen: int
    held_fen: int
    settled_fen: int

    def check(self) -> None:
        assert min(self.available_fen, self.held_fen, self.settled_fen) >= 0, self
        assert self.funded_fen == self.available_fen + self.held_fen + self.settled_fen, self


def pot_rows(pots: dict[int, Pot]) -> list[tuple[int, ...]]:
    """Pots as the stores keep them."""
    return [
        (number, pot.funded_fen, pot.available_fen, pot.held_fen, pot.settled_fen)
        for number, pot in pots.items()
    ]


@dataclass(slots=True)
class Needs:
    """What a batch has to know before it can be decided."""

    key_hashes: list[bytes] = field(default_factory=list)
    orders: list[tuple[int, int]] = field(default_factory=list)
    """(order_id, trigger) of claims to be opened."""
    claim_ids: list[int] = field(default_factory=list)
    merchant_ids: list[int] = field(default_factory=list)
    days: set[int] = field(default_factory=set)
    moves_money: bool = False


@dataclass(slots=True)
class Found:
    """What the store knows of it, read inside the transaction."""

    answers: dict[bytes, AnswerRow] = field(default_factory=dict)
    live_orders: set[tuple[int, int]] = field(default_factory=set)
    claims: dict[int, ClaimRow] = field(default_factory=dict)
    merchants: dict[int, MerchantRow] = field(default_factory=dict)
    deposits_fen: dict[int, int] = field(default_factory=dict)
    pots: dict[int, Pot] = field(default_factory=dict)
    """By guarantee, the reserve under RESERVE."""
    days_fen: dict[tuple[int, int], int] = field(default_factory=dict)
    """Held or settled out of a guarantee's pot on a day."""
    last_claim_id: int = 0


@dataclass(slots=True)
class Changes:
    """What the batch adds; rows in `claims` and `entries` are new, the rest replaces by key."""

    claims: list[ClaimRow] = field(default_factory=list)
    entries: list[EntryRow] = field(default_factory=list)
    answers: list[AnswerRow] = field(default_factory=list)
    expired: list[tuple[bytes]] = field(default_factory=list)
    resolved: dict[int, ClaimRow] = field(default_factory=dict)
    pots: set[int] = field(default_factory=set)
    days: set[tuple[int, int]] = field(default_factory=set)
    deposits: set[int] = field(default_factory=set)
    merchants: dict[int, MerchantRow] = field(default_factory=dict)
    statuses: dict[int, tuple[int, int]] = field(default_factory=dict)
    """merchant_id -> (status, changed_ms), for updates that do not ask for a version."""
    probed_ms: int | None = None

    def statuses_rows(self) -> list[tuple[int, int, int]]:
        """(merchant_id, status, changed_ms), in order of number, as a B-tree likes it."""
        return [(key, *self.statuses[key]) for key in sorted(self.statuses)]


class Books:
    """Working state of one batch. What fails half-way is thrown away with it."""

    def __init__(self, programme: Programme, found: Found) -> None:
        self.programme = programme
        self.found = found
        self.changes = Changes()
        self.answers: dict[bytes, AnswerRow] = dict(found.answers)

    def next_claim_id(self) -> int:
        self.found.last_claim_id += 1
        return self.found.last_claim_id

    def source_for(self, *, guarantee: int, day: int, amount_fen: int) -> int:
        """Where the amount can be held: the pot, else the reserve if the policy draws on it."""
        if amount_fen == 0:
            return FROM_POT
        rule = self.programme.pots[guarantee]
        used_fen = self.found.days_fen.get((guarantee, day), 0)
        in_day = used_fen + amount_fen <= rule.day_limit_fen
        if in_day and self.found.pots[guarantee].available_fen >= amount_fen:
            return FROM_POT
        if rule.policy != "stop" and self.found.pots[RESERVE].available_fen >= amount_fen:
            return FROM_RESERVE
        return FROM_NOWHERE

    def open(self, claim: ClaimRow) -> None:
        """Keep a new claim and hold what it is owed."""
        self.changes.claims.append(claim)
        if claim.state == REJECTED:
            return
        # Not among `found.claims`: nobody has seen its number, so nobody resolves it in this batch.
        self.found.live_orders.add((claim.order_id, claim.trigger))
        amount_fen = claim.amount_fen
        if amount_fen == 0:
            return
        pot = self._pot(claim)
        assert 0 < amount_fen <= pot.available_fen, "a hold never overdraws"
        pot.available_fen -= amount_fen
        pot.held_fen += amount_fen
        self._use_day(claim, amount_fen)
        self._post(claim, HELD, HOLD, _account(claim), claim.created_ms)

    def settle(self, claim: ClaimRow, now_ms: int) -> ClaimRow:
        """Pay the consumer out of the hold and book recourse against the merchant."""
        amount_fen = claim.amount_fen
        if amount_fen > 0:
            pot = self._pot(claim)
            assert amount_fen <= pot.held_fen, "only what is held is paid"
            pot.held_fen -= amount_fen
            pot.settled_fen += amount_fen
            self._post(claim, PAYOUT, CONSUMER, HOLD, now_ms)
            if self.programme.recourse_enabled and self.programme.bears(
                trigger=claim.trigger, category=claim.category
            ):
                self._recourse(claim, now_ms)
        return self._end(claim._replace(state=SETTLED, resolved_ms=now_ms))

    def release(self, claim: ClaimRow, now_ms: int) -> ClaimRow:
        """Give the held money back to where it came from, and to its day's limit."""
        amount_fen = claim.amount_fen
        if amount_fen > 0:
            pot = self._pot(claim)
            assert amount_fen <= pot.held_fen, "only what is held is released"
            pot.held_fen -= amount_fen
            pot.available_fen += amount_fen
            self._use_day(claim, -amount_fen)
            self._post(claim, RELEASE, _account(claim), HOLD, now_ms)
        self.found.live_orders.discard((claim.order_id, claim.trigger))
        return self._end(claim._replace(state=RELEASED, resolved_ms=now_ms))

    def keep_answer(self, row: AnswerRow) -> Answer:
        self.answers[row.key_hash] = row
        self.changes.answers.append(row)
        return Answer(row.status, row.header, row.body)

    def forget_answer(self, key_hash: bytes) -> None:
        """The key's lifetime is over: it may be used again."""
        del self.answers[key_hash]
        self.changes.expired.append((key_hash,))

    def _recourse(self, claim: ClaimRow, now_ms: int) -> None:
        """Claim the payment back, and take at once what the merchant's deposit holds of it."""
        merchant_id = claim.merchant_id
        deposits_fen = self.found.deposits_fen
        if merchant_id not in deposits_fen:
            opening_fen = self.programme.deposit_fen[claim.category]
            deposits_fen[merchant_id] = opening_fen
            if opening_fen > 0:
                self._post(claim, OPENING, DEPOSIT, MERCHANT, now_ms, opening_fen)
        self._post(claim, CLAIM_BACK, RECEIVABLE, RECOURSE_INCOME, now_ms)
        taken_fen = min(deposits_fen[merchant_id], claim.amount_fen)
        if taken_fen > 0:
            deposits_fen[merchant_id] -= taken_fen
            self._post(claim, RECOVERY, PLATFORM, DEPOSIT, now_ms, taken_fen)
            self._post(claim, RECOVERY, RECOURSE_INCOME, RECEIVABLE, now_ms, taken_fen)
        self.changes.deposits.add(merchant_id)

    def _end(self, claim: ClaimRow) -> ClaimRow:
        self.found.claims[claim.claim_id] = claim
        self.changes.resolved[claim.claim_id] = claim
        return claim

    def _pot(self, claim: ClaimRow) -> Pot:
        number = RESERVE if claim.source == FROM_RESERVE else claim.guarantee
        self.changes.pots.add(number)
        return self.found.pots[number]

    def _use_day(self, claim: ClaimRow, amount_fen: int) -> None:
        if claim.source != FROM_POT:
            return
        key = claim.guarantee, claim.day
        used_fen = self.found.days_fen.get(key, 0) + amount_fen
        assert used_fen >= 0, "a day never gives back more than it gave"
        self.found.days_fen[key] = used_fen
        self.changes.days.add(key)

    def _post(
        self,
        claim: ClaimRow,
        kind: int,
        debit: int,
        credit: int,
        posted_ms: int,
        amount_fen: int | None = None,
    ) -> None:
        amount_fen = claim.amount_fen if amount_fen is None else amount_fen
        assert amount_fen > 0
        self.changes.entries.append(
            EntryRow(
                kind,
                debit,
                credit,
                claim.guarantee,
                claim.claim_id,
                claim.merchant_id,
                amount_fen,
                claim.day,
                posted_ms,
            )
        )


def _account(claim: ClaimRow) -> int:
    return RESERVE_ACCOUNT if claim.source == FROM_RESERVE else POT
