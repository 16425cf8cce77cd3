"""The proof of the books: what must hold to the fen at the end of every run.

Decides nothing; raises AssertionError with the two figures that differ. Every sum is taken more
than one way: from the claims, from the ledger's entries, and from the pots' own trail. Source:
the rules of double-entry bookkeeping.
"""

import numpy as np
import numpy.typing as npt

from scenarios.words import GUARANTEES
from sim.money import ledger as book
from sim.money.books import Books
from sim.money.columns import sums_by
from sim.money.statements import Table, is_recovery


def _equal(what: str, one: int, other: int) -> None:
    assert one == other, f"{what}: {one} fen is not {other} fen"


def check_books(books: Books, statements: dict[str, Table]) -> None:
    """Claims = payouts = pots = ledger, to the fen."""
    books.ledger.check_balanced()
    books.ledger.check_recomputed()
    _check_claims(statements["claims"])
    _check_sums(statements)
    _check_pots(statements["pots"])
    _check_recoveries(books)
    _check_balances(books)


def _check_claims(claims: Table) -> None:
    due_fen, paid_fen, extra_fen = claims["due_fen"], claims["paid_fen"], claims["extra_fen"]
    assert np.array_equal(claims["refund_fen"] + extra_fen, due_fen), "refund + extra is not due"
    assert ((claims["legal_fen"] >= 0) & (claims["legal_fen"] <= extra_fen)).all(), "legal part"
    # A claim is paid whole or not at all: a pot never pays a part.
    assert ((paid_fen == 0) | (paid_fen == due_fen)).all(), "a claim was paid in part"
    recovered_fen = claims["recovered_fen"]
    assert ((recovered_fen >= 0) & (recovered_fen <= paid_fen)).all(), "recovered over paid"


def _by_guarantee(table: Table, column: str) -> npt.NDArray[np.int64]:
    return sums_by(table["guarantee"], table[column], codes_count=len(GUARANTEES))


def _check_sums(statements: dict[str, Table]) -> None:
    """Guarantee by guarantee, the four tables say the same."""
    claims, ledger = statements["claims"], statements["ledger"]
    payouts, pots = statements["payouts"], statements["pots"]

    def posted_fen(rows: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        picked = {name: ledger[name][rows] for name in ("guarantee", "amount_fen")}
        return _by_guarantee(picked, "amount_fen")

    paid_fen = posted_fen(ledger["kind"] == book.PAYOUT)
    received_fen = posted_fen(is_recovery(ledger))
    due_fen = _by_guarantee(claims, "due_fen")
    reserve_fen = _by_guarantee(pots, "reserve_paid_fen")
    for what, one_fen, other_fen in (
        ("paid, claims and ledger", _by_guarantee(claims, "paid_fen"), paid_fen),
        ("paid, payouts and ledger", _by_guarantee(payouts, "gross_fen"), paid_fen),
        ("paid, pots and ledger", _by_guarantee(pots, "paid_fen") + reserve_fen, paid_fen),
        ("recovered, claims", _by_guarantee(claims, "recovered_fen"), received_fen),
        ("recovered, payouts", _by_guarantee(payouts, "recovered_fen"), received_fen),
        ("due, pots", _by_guarantee(pots, "due_fen"), due_fen),
        ("due, payouts", _by_guarantee(payouts, "due_fen"), due_fen),
        ("shortfall, pots", _by_guarantee(pots, "shortfall_fen"), due_fen - paid_fen),
        ("shortfall, payouts", _by_guarantee(payouts, "shortfall_fen"), due_fen - paid_fen),
    ):
        for position, name in enumerate(GUARANTEES):
            _equal(f"{name}, {what}", int(one_fen[position]), int(other_fen[position]))


def _check_pots(pots: Table) -> None:
    assert pots["balance_fen"].min(initial=0) >= 0
    assert pots["day_left_fen"].min(initial=0) >= 0
    # No shortfall and nothing from the reserve before the pot's first exhaustion; afterwards a
    # review may be paid or refused on a later day, when the pot itself is open again.
    shape = (-1, len(GUARANTEES))
    exhausted_so_far = np.logical_or.accumulate(pots["exhausted"].reshape(shape), axis=0)
    for column in ("shortfall_fen", "reserve_paid_fen"):
        assert not (pots[column].reshape(shape)[~exhausted_so_far]).any()


def _check_recoveries(books: Books) -> None:
    """No money back before the payment, and receivables end as money or as a loss, once."""
    ledger, claims_count = books.ledger, books.claims.claims_count
    kind, claim_id = ledger.column("kind"), ledger.column("claim_id")
    posted_s, amount_fen = ledger.column("posted_s"), ledger.column("amount_fen")
    paid_s = np.full(claims_count, np.inf)
    paid_out = kind == book.PAYOUT
    paid_s[claim_id[paid_out]] = posted_s[paid_out]
    ended = (kind == book.RECOVERY) | (kind == book.WRITE_OFF)
    assert (posted_s[ended] >= paid_s[claim_id[ended]]).all()
    raised = ledger.column("debit") == book.RECEIVABLE
    cleared = ledger.column("credit") == book.RECEIVABLE
    on_receivable_fen = sums_by(
        claim_id[raised], amount_fen[raised], codes_count=claims_count
    ) - sums_by(claim_id[cleared], amount_fen[cleared], codes_count=claims_count)
    assert on_receivable_fen.min(initial=0) >= 0
    _equal("open receivables", int(on_receivable_fen.sum()), ledger.balance_fen(book.RECEIVABLE))


def _check_balances(books: Books) -> None:
    ledger = books.ledger
    taken_fen = -ledger.balance_fen(book.MERCHANT_DEPOSIT)
    left_fen = int(books.deposit_fen.sum())
    _equal("deposits at the start", left_fen + taken_fen, books.deposit_start_fen)
    assert books.deposit_fen.min(initial=0) >= 0
    assert np.array_equal(ledger.balances_fen(book.POT), books.pots.balance_fen)
    _equal("reserve", ledger.balance_fen(book.RESERVE), books.pots.reserve_left_fen)
