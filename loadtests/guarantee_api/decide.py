"""The decision of every write of a batch, in order, as one contact: at once and for good.

Decides approved, in review or rejected; what a repetition, a conflict and an unknown claim are
answered. Pure: from commands and what the store knows to answers and changes; the stores carry it
out in one transaction, so that two batches never decide on the same money.

Order of the rules for a claim: no promise -> rejected; the order has a live claim for that trigger
-> rejected; nobody can pay -> rejected; said by the consumer and to be found true, or the pot is
dry under policy review -> in review; else approved. Approved and in review both hold the money.
"""

from collections.abc import Sequence

from loadtests.guarantee_api.books import (
    AnswerRow,
    Books,
    ClaimRow,
    Found,
    MerchantRow,
    Needs,
)
from loadtests.guarantee_api.commands import (
    Answer,
    Command,
    OpenClaim,
    Probe,
    Resolve,
    SetStatus,
    SetStatuses,
    Write,
)
from loadtests.guarantee_api.messages import Claim, Merchant, StatusesAnswer, encode
from loadtests.guarantee_api.problems import TITLES, problem
from loadtests.guarantee_api.programme import Owed, Programme, day_of
from loadtests.guarantee_api.words import (
    ALREADY_CLAIMED,
    APPROVED,
    BUDGET_EXHAUSTED,
    FROM_NOWHERE,
    FROM_RESERVE,
    IN_REVIEW,
    NEEDS_A_PERSON,
    NOT_PROMISED,
    POT_EXHAUSTED,
    REASONS,
    REJECTED,
    SOURCES,
    STATES,
    STATUSES,
    WITHIN_TERMS,
)
from scenarios.words import CATEGORIES, GUARANTEES, TRIGGERS


class Decider:
    """Decides batches under one programme."""

    def __init__(self, programme: Programme, *, key_lifetime_ms: int) -> None:
        self.programme = programme
        self._key_lifetime_ms = key_lifetime_ms

    def expired_before_ms(self, now_ms: int) -> int:
        """Answers kept at or before this time are forgotten."""
        return now_ms - self._key_lifetime_ms

    @staticmethod
    def needs(writes: Sequence[Write]) -> Needs:
        """What must be read before `decide`."""
        needs = Needs()
        for write in writes:
            command = write.command
            if write.key_hash:
                needs.key_hashes.append(write.key_hash)
            if isinstance(command, OpenClaim):
                needs.orders.append((command.order_id, command.trigger))
                needs.days.add(day_of(write.now_ms))
                needs.moves_money = True
            elif isinstance(command, Resolve):
                needs.claim_ids.append(command.claim_id)
                needs.moves_money = True
            elif isinstance(command, SetStatus):
                needs.merchant_ids.append(command.merchant_id)
        return needs

    def decide(self, writes: Sequence[Write], found: Found) -> tuple[list[Answer], Books]:
        """Answers in the order of `writes`, and the books with what changed."""
        books = Books(self.programme, found)
        claims = [one.command for one in writes if isinstance(one.command, OpenClaim)]
        owed = iter(self.programme.owed(claims))
        answers = []
        for write in writes:
            due = next(owed) if isinstance(write.command, OpenClaim) else None
            answers.append(self._answer(books, write, due))
        for number in books.changes.pots:
            books.found.pots[number].check()
        return answers, books

    def _answer(self, books: Books, write: Write, due: Owed | None) -> Answer:
        if isinstance(write.command, Probe):
            books.changes.probed_ms = write.now_ms
            return Answer(200, "", b"")
        first = books.answers.get(write.key_hash)
        if first is not None and write.now_ms - first.created_ms >= self._key_lifetime_ms:
            books.forget_answer(write.key_hash)
            first = None
        if first is not None:
            if first.digest != write.digest:
                return Answer(TITLES["key-reused"][0], "", problem("key-reused"))
            return Answer(first.status, first.header, first.body, replayed=True)
        status, header, body = _carry_out(books, write.command, write.now_ms, due)
        return books.keep_answer(
            AnswerRow(write.key_hash, write.digest, write.now_ms, status, header, body)
        )


def _carry_out(
    books: Books, command: Command, now_ms: int, due: Owed | None
) -> tuple[int, str, bytes]:
    """Status, header and body of a command that was not seen before."""
    if isinstance(command, OpenClaim):
        assert due is not None
        claim = _open(books, command, now_ms, due)
        return 201, f"location /v1/claims/{claim.claim_id}", encode(view(claim))
    if isinstance(command, Resolve):
        return _resolve(books, command, now_ms)
    if isinstance(command, SetStatus):
        return _set_status(books, command, now_ms)
    assert isinstance(command, SetStatuses)
    books.changes.statuses |= {
        merchant_id: (status, now_ms) for merchant_id, status in command.rows
    }
    return 200, "", encode(StatusesAnswer(merchants_count=len(command.rows)))


def _open(books: Books, command: OpenClaim, now_ms: int, due: Owed) -> ClaimRow:
    day = day_of(now_ms)
    amount_fen = due.refund_fen + due.extra_fen
    source = FROM_NOWHERE
    state, reason = REJECTED, NOT_PROMISED
    if due.guarantee >= 0:
        if (command.order_id, command.trigger) in books.found.live_orders:
            reason = ALREADY_CLAIMED
        else:
            source = books.source_for(guarantee=due.guarantee, day=day, amount_fen=amount_fen)
            policy = books.programme.pots[due.guarantee].policy
            state, reason = _state(command, source, policy)
    claim = ClaimRow(
        claim_id=books.next_claim_id(),
        state=state,
        reason=reason,
        guarantee=due.guarantee,
        trigger=command.trigger,
        category=command.category,
        order_id=command.order_id,
        merchant_id=command.merchant_id,
        consumer_id=command.consumer_id,
        order_value_fen=command.order_value_fen,
        refund_fen=due.refund_fen,
        extra_fen=due.extra_fen,
        legal_fen=due.legal_fen,
        source=source,
        day=day,
        created_ms=now_ms,
        resolved_ms=None,
    )
    books.open(claim)
    return claim


def _state(command: OpenClaim, source: int, policy: str) -> tuple[int, int]:
    if source == FROM_NOWHERE:
        return REJECTED, BUDGET_EXHAUSTED
    if command.needs_a_person:
        return IN_REVIEW, NEEDS_A_PERSON
    if source == FROM_RESERVE and policy == "review":
        return IN_REVIEW, POT_EXHAUSTED
    return APPROVED, WITHIN_TERMS


def _resolve(books: Books, command: Resolve, now_ms: int) -> tuple[int, str, bytes]:
    claim = books.found.claims.get(command.claim_id)
    stranger = claim is not None and command.consumer_id not in (None, claim.consumer_id)
    if claim is None or stranger:
        return _refused("not-found")
    if claim.state not in (APPROVED, IN_REVIEW):
        return _refused("resolved", f"it is {STATES[claim.state]}")
    if claim.state == IN_REVIEW and command.settles and command.consumer_id is not None:
        return _refused("forbidden", "an agent decides a claim in review")
    end = books.settle if command.settles else books.release
    return 200, "", encode(view(end(claim, now_ms)))


def _set_status(books: Books, command: SetStatus, now_ms: int) -> tuple[int, str, bytes]:
    merchant_id = command.merchant_id
    before = books.found.merchants.get(merchant_id)
    bulk = books.changes.statuses.pop(merchant_id, None)
    if bulk is not None:  # an update of the same batch came first
        version = before.version + 1 if before else 1
        before = MerchantRow(merchant_id, bulk[0], version, bulk[1])
        books.found.merchants[merchant_id] = books.changes.merchants[merchant_id] = before
    version = before.version if before else 0
    if command.expected is not None and command.expected != version:
        return _refused("changed", f"its version is {version}")
    row = MerchantRow(merchant_id, command.status, version + 1, now_ms)
    books.found.merchants[merchant_id] = books.changes.merchants[merchant_id] = row
    return 200, f'etag "{row.version}"', encode(merchant_view(row))


def _refused(kind: str, detail: str = "") -> tuple[int, str, bytes]:
    return TITLES[kind][0], "", problem(kind, detail)


def view(row: ClaimRow) -> Claim:
    """A claim as it is sent."""
    return Claim(
        claim_id=row.claim_id,
        state=STATES[row.state],
        reason=REASONS[row.reason],
        guarantee=GUARANTEES[row.guarantee] if row.guarantee >= 0 else None,
        trigger=TRIGGERS[row.trigger],
        category=CATEGORIES[row.category],
        order_id=row.order_id,
        merchant_id=row.merchant_id,
        consumer_id=row.consumer_id,
        order_value_fen=row.order_value_fen,
        refund_fen=row.refund_fen,
        extra_fen=row.extra_fen,
        legal_fen=row.legal_fen,
        paid_from=SOURCES[row.source],
        created_ms=row.created_ms,
        resolved_ms=row.resolved_ms,
    )


def merchant_view(row: MerchantRow) -> Merchant:
    """A merchant as it is sent."""
    return Merchant(
        merchant_id=row.merchant_id,
        status=STATUSES[row.status],
        version=row.version,
        changed_ms=row.changed_ms,
    )
