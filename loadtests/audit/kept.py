"""Whether what was acknowledged is kept: each claim once, with its amount and state; refused ones
not at all; nobody-knows ones at most once; and merchants' last statuses.

A merchant's status is a register: its final value must be that of a write that no acknowledged
write followed (one that was sent after the other was answered).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from loadtests.audit.books import Row
from loadtests.audit.history import FOREVER_NS, History, Write
from loadtests.audit.verdict import ALTERED, DOUBLED, LOST, PHANTOM, STALE, Finding

SAME = ("merchant_id", "consumer_id", "category", "trigger", "order_value_fen")
ENDS = {"settle": "settled", "release": "released"}


def claims_kept(history: History, claims: Iterable[Row]) -> Iterator[Finding]:
    """Findings on claims that were opened."""
    by_id = {claim["claim_id"]: claim for claim in claims}
    by_order: dict[int, list[Row]] = defaultdict(list)
    for claim in by_id.values():
        by_order[claim["order_id"]].append(claim)
    sent = Counter(write.asked["order_id"] for write in history.openings)
    possible = Counter(
        write.asked["order_id"] for write in history.openings if write.outcome != "no"
    )
    judged: set[int] = set()
    for write in history.openings:
        order_id = write.asked["order_id"]
        there = by_order.get(order_id, [])
        if write.outcome == "ok":
            mine = by_id.get(write.answer_id)
            if mine is None or mine["order_id"] != order_id:
                yield _lost(write, mine)
            else:
                yield from _unchanged(write, mine, history.endings.get(write.step))
        if order_id not in judged and len(there) > possible[order_id]:
            worth_fen = sum(one["refund_fen"] + one["extra_fen"] for one in there)
            ids = ", ".join(str(one["claim_id"]) for one in there)
            kind = PHANTOM if possible[order_id] < sent[order_id] else DOUBLED
            expected = f"order {order_id} has at most {possible[order_id]} claims"
            yield Finding(kind, str(write), expected, f"there are claims {ids}", worth_fen)
        judged.add(order_id)


def _lost(write: Write, other: Row | None) -> Finding:
    found = "there is none"
    if other is not None:
        found = f"claim {write.answer_id} is for order {other['order_id']}"
    order_id = write.asked["order_id"]
    expected = f"claim {write.answer_id} for order {order_id} was acknowledged"
    return Finding(LOST, str(write), expected, found, write.answer_fen or 0)


def _unchanged(write: Write, claim: Row, end: Write | None) -> Iterator[Finding]:
    """Amount, what was asked for, and the state after its end."""
    subject = f"{write}, claim {claim['claim_id']}"
    amount_fen = claim["refund_fen"] + claim["extra_fen"]
    for said in (write, end):
        if said is not None and said.outcome == "ok" and said.answer_fen not in (None, amount_fen):
            assert said.answer_fen is not None
            apart_fen = abs(amount_fen - said.answer_fen)
            expected = f"{said.answer_fen} fen were acknowledged"
            yield Finding(ALTERED, subject, expected, f"it holds {amount_fen}", apart_fen)
            break
    for name in SAME:
        if name in write.asked and claim.get(name) != write.asked[name]:
            expected = f"{name} {write.asked[name]} was asked for"
            yield Finding(ALTERED, subject, expected, f"it is {claim.get(name)}", amount_fen)
    states = {write.answer_state}
    if end is not None and end.outcome == "ok":
        states = {end.answer_state}
    elif end is not None and end.outcome == "unknown":
        states.add(ENDS[end.asked["outcome"]])
    if claim["state"] not in states:
        lost = end is not None and end.outcome == "ok" and claim["state"] == write.answer_state
        expected = f"its state was acknowledged as {' or '.join(sorted(states))}"
        subject = str(end) if lost else subject
        found = f"claim {claim['claim_id']} is {claim['state']}"
        yield Finding(LOST if lost else ALTERED, subject, expected, found, amount_fen)


def possible_statuses(writes: Iterable[Write]) -> dict[int, set[str | None]]:
    """Statuses that each merchant may have at the end; None: none, as before the first write."""
    by_merchant: dict[int, list[tuple[Write, str]]] = defaultdict(list)
    for write in writes:
        if write.outcome == "no":
            continue
        if write.operation == "merchant_status":
            by_merchant[int(write.target)].append((write, write.asked["status"]))
        else:
            # The last one of a bulk counts.
            final = {one["merchant_id"]: one["status"] for one in write.asked["updates"]}
            for merchant_id, status in final.items():
                by_merchant[merchant_id].append((write, status))
    possible: dict[int, set[str | None]] = {}
    for merchant_id, those in by_merchant.items():
        sure_ns = [write.sent_ns for write, _ in those if write.done_ns < FOREVER_NS]
        last_ns = max(sure_ns, default=0)
        statuses: set[str | None] = {status for write, status in those if write.done_ns >= last_ns}
        if not sure_ns:
            statuses.add(None)
        possible[merchant_id] = statuses
    return possible


def statuses_kept(
    possible: dict[int, set[str | None]], found: dict[int, str | None]
) -> Iterator[Finding]:
    """Findings on merchants. One that no acknowledged write touched may be as it was before."""
    for merchant_id, status in found.items():
        allowed = possible[merchant_id]
        if status in allowed or None in allowed:
            continue
        words = sorted(str(one) for one in allowed)
        expected = f"the last acknowledged status is {' or '.join(words)}"
        yield Finding(STALE, f"merchant {merchant_id}", expected, f"it is {status}")
