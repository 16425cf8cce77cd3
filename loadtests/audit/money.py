"""Whether the money adds up: every entry, every claim's entries, every pot at every moment.

The ledger is replayed entry by entry; balances that the target reports must follow from it. Account
and posting names are those of the published contract.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from loadtests.audit.books import Books, Row
from loadtests.audit.verdict import DOUBLED, OVERDRAWN, UNBALANCED, Finding

POTS = ("pot", "reserve")
HOLD, CONSUMER = "hold", "consumer"
MONEY = ("funded_fen", "available_fen", "held_fen", "settled_fen")
LIVE = ("approved", "in_review", "settled")
DAY_MS, CHINA_OFFSET_MS = 86_400_000, 8 * 3_600_000


def money_adds_up(books: Books) -> Iterator[Finding]:
    """All findings on the books alone."""
    sound = []
    last = 0
    for entry in books.entries:
        wrong = _entry_is_wrong(entry, last)
        if wrong:
            yield Finding(
                UNBALANCED, f"entry {entry.get('entry_id')}", "an entry gives what another account "
                "receives", wrong, _fen(entry),
            )  # fmt: skip
        else:
            sound.append(entry)
            last = entry["entry_id"]
    yield from _claims_follow(books.claims, sound)
    yield from _pots(books, sound)
    yield from _days(books)


def _fen(entry: Row) -> int:
    amount = entry.get("amount_fen")
    return abs(amount) if isinstance(amount, int) else 0


def _entry_is_wrong(entry: Row, last: int) -> str:
    """What is wrong with an entry by itself; empty if nothing is."""
    debit, credit, amount = entry.get("debit"), entry.get("credit"), entry.get("amount_fen")
    if not debit or not credit:
        return f"it has no {'debit' if not debit else 'credit'} side"
    if debit == credit:
        return f"both sides are {debit}"
    if not isinstance(amount, int) or amount <= 0:
        return f"its amount is {amount}"
    number = entry.get("entry_id")
    if not isinstance(number, int) or number <= last:
        return f"it follows entry {last}"
    return ""


def _claims_follow(claims: Sequence[Row], entries: Sequence[Row]) -> Iterator[Finding]:
    """Each claim is held, then paid or released, once and whole."""
    moved: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for entry in entries:
        if entry["claim_id"] is not None:
            moved[entry["claim_id"]][entry["kind"]].append(entry["amount_fen"])
    for claim in claims:
        amount_fen = claim["refund_fen"] + claim["extra_fen"]
        # Nothing is held, and nothing moves, for a claim of nothing.
        due = [amount_fen] if amount_fen else []
        state = claim["state"]
        expected = {
            "hold": [] if state == "rejected" else due,
            "payout": due if state == "settled" else [],
            "release": due if state == "released" else [],
        }
        kinds = moved.pop(claim["claim_id"], {})
        for kind, wanted in expected.items():
            found = kinds.get(kind, [])
            if found != wanted:
                twice = kind == "payout" and sum(found) > sum(wanted) and len(found) > 1
                yield Finding(
                    DOUBLED if twice else UNBALANCED,
                    f"claim {claim['claim_id']} ({state}, {amount_fen} fen)",
                    f"{kind} entries are {wanted}",
                    f"they are {found}",
                    abs(sum(found) - sum(wanted)),
                )
        if sum(kinds.get("claim_back", [])) > sum(kinds.get("payout", [])):
            back = sum(kinds["claim_back"])
            subject = f"claim {claim['claim_id']}"
            yield Finding(
                UNBALANCED, subject, "no more is claimed back than paid", f"{back} fen are", back
            )
    for claim_id, kinds in moved.items():
        total_fen = sum(map(sum, kinds.values()))
        words = ", ".join(sorted(kinds))
        subject = f"claim {claim_id}"
        yield Finding(
            UNBALANCED, subject, "every entry's claim is there", f"only {words} are", total_fen
        )


def _pots(books: Books, entries: Sequence[Row]) -> Iterator[Finding]:
    """No pot below zero at any moment; reported balances follow from the entries."""
    available: dict[str | None, int] = defaultdict(int)
    low: dict[str | None, tuple[int, int]] = {}
    held_fen = settled_fen = 0
    for entry in entries:
        amount_fen = entry["amount_fen"]
        for side, sign in (("debit", 1), ("credit", -1)):
            account = entry[side]
            if account in POTS:
                name = None if account == "reserve" else entry["guarantee"]
                available[name] += sign * amount_fen
                if available[name] < low.get(name, (0, 0))[0]:
                    low[name] = available[name], entry["entry_id"]
            elif account == HOLD:
                held_fen += sign * amount_fen
            elif account == CONSUMER:
                settled_fen += sign * amount_fen
    for name, (balance_fen, entry_id) in low.items():
        yield Finding(
            OVERDRAWN, _pot(name), "it never gives more than it has",
            f"entry {entry_id} leaves {balance_fen} fen", -balance_fen,
        )  # fmt: skip
    for budget in books.budgets:
        yield from _budget(budget, available[budget["guarantee"]])
    for key, entered in (("held_fen", held_fen), ("settled_fen", settled_fen)):
        told = sum(budget[key] for budget in books.budgets)
        if told != entered:
            expected = f"entries make {entered} fen {key.removesuffix('_fen')}"
            yield Finding(UNBALANCED, "all pots", expected, f"they say {told}", abs(told - entered))


def _budget(budget: Row, entered_fen: int) -> Iterator[Finding]:
    """What a pot says of itself, against what its entries leave available."""
    subject = _pot(budget["guarantee"])
    funded_fen, *parts = (budget[key] for key in MONEY)
    if min(parts) < 0:
        said = ", ".join(f"{key} {value}" for key, value in zip(MONEY[1:], parts, strict=True))
        yield Finding(OVERDRAWN, subject, "no balance is below 0", f"there are {said}", -min(parts))
    if funded_fen != sum(parts):
        apart_fen = abs(funded_fen - sum(parts))
        expected = f"funded {funded_fen} fen is available + held + settled"
        yield Finding(UNBALANCED, subject, expected, f"those are {parts}", apart_fen)
    if parts[0] != entered_fen:
        apart_fen = abs(parts[0] - entered_fen)
        expected = f"entries leave {entered_fen} fen available"
        yield Finding(UNBALANCED, subject, expected, f"it says {parts[0]}", apart_fen)


def _days(books: Books) -> Iterator[Finding]:
    """No pot gives more on a day (in China) than its limit."""
    limits = {one["guarantee"]: one["day_limit_fen"] for one in books.budgets}
    used: dict[tuple[str, int], int] = defaultdict(int)
    for claim in books.claims:
        if claim["state"] in LIVE and claim["paid_from"] == "pot":
            day = (claim["created_ms"] + CHINA_OFFSET_MS) // DAY_MS
            used[claim["guarantee"], day] += claim["refund_fen"] + claim["extra_fen"]
    for (name, day), amount_fen in used.items():
        limit_fen = limits.get(name)
        if limit_fen is not None and amount_fen > limit_fen:
            yield Finding(
                OVERDRAWN, f"{_pot(name)}, day {day} since 1970", f"at most {limit_fen} fen a day",
                f"{amount_fen} were promised", amount_fen - limit_fen,
            )  # fmt: skip


def _pot(name: str | None) -> str:
    return "the reserve" if name is None else f"the pot of {name}"
