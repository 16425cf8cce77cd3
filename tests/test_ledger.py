"""The ledger: a state machine against a plain list of entries; the agenda against a sorted list.

Goal: whatever is posted in whatever order, debits equal credits, balances are those of the
entries, and no entry ever changes.
"""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from scenarios.words import ACCOUNTS, GUARANTEES, POSTING_KINDS
from sim.money import ledger as book
from sim.money.agenda import Agenda
from sim.money.columns import GrowingColumns, sums_by
from sim.money.ledger import NONE, Ledger

ACCOUNT = st.integers(0, len(ACCOUNTS) - 1)
ROWS = st.lists(
    st.tuples(st.integers(NONE, len(GUARANTEES) - 1), st.integers(1, 10**12)), max_size=5
)


def post(
    ledger: Ledger, *, kind: int, debit: int, credit: int, rows: list[tuple[int, int]]
) -> None:
    ledger.post(
        kind=kind,
        debit=debit,
        credit=credit,
        posted_s=np.full(len(rows), 1.5),
        guarantee=np.array([guarantee for guarantee, _ in rows], dtype=np.int8),
        claim_id=NONE,
        store_id=NONE,
        amount_fen=np.array([amount for _, amount in rows], dtype=np.int64),
    )


class LedgerMachine(RuleBasedStateMachine):
    """Posts at random; the model is a list of (debit, credit, guarantee, amount)."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.entries: list[tuple[int, int, int, int]] = []

    @rule(kind=st.integers(0, len(POSTING_KINDS) - 1), debit=ACCOUNT, credit=ACCOUNT, rows=ROWS)
    def post_rows(self, kind: int, debit: int, credit: int, rows: list[tuple[int, int]]) -> None:
        if debit == credit:
            return
        post(self.ledger, kind=kind, debit=debit, credit=credit, rows=rows)
        self.entries += [(debit, credit, guarantee, amount) for guarantee, amount in rows]

    @rule(amount=st.integers(-5, 0))
    def refuse_nothing_or_less(self, amount: int) -> None:
        with pytest.raises(AssertionError):
            post(self.ledger, kind=book.FINE, debit=0, credit=1, rows=[(NONE, amount)])

    @rule(account=ACCOUNT)
    def refuse_one_account(self, account: int) -> None:
        with pytest.raises(AssertionError):
            post(self.ledger, kind=book.FINE, debit=account, credit=account, rows=[(NONE, 1)])

    @invariant()
    def balanced(self) -> None:
        self.ledger.check_balanced()
        self.ledger.check_recomputed()

    @invariant()
    def entries_are_those_posted(self) -> None:
        names = ("debit", "credit", "guarantee", "amount_fen")
        columns = [self.ledger.column(name).tolist() for name in names]
        assert list(zip(*columns, strict=True)) == self.entries

    @invariant()
    def balances_are_those_of_the_model(self) -> None:
        balances: dict[int, int] = defaultdict(int)
        for debit, credit, _, amount in self.entries:
            balances[debit] += amount
            balances[credit] -= amount
        assert sum(balances.values()) == 0
        for account in range(len(ACCOUNTS)):
            assert self.ledger.balance_fen(account) == balances[account]


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(max_examples=30, stateful_step_count=12)


def test_a_posted_entry_cannot_be_written() -> None:
    ledger = Ledger()
    post(ledger, kind=book.FINE, debit=book.FINES, credit=book.MERCHANT_DEPOSIT, rows=[(NONE, 5)])
    with pytest.raises(ValueError, match="read-only"):
        ledger.column("amount_fen")[0] = 6


def test_a_changed_entry_is_found() -> None:
    """Planted fault: the entry is changed behind the ledger's back."""
    ledger = Ledger()
    post(ledger, kind=book.FINE, debit=book.FINES, credit=book.MERCHANT_DEPOSIT, rows=[(NONE, 5)])
    ledger._entries.writable("amount_fen")[0] = 6
    with pytest.raises(AssertionError, match="differ from the entries"):
        ledger.check_recomputed()


def test_a_one_sided_posting_is_found() -> None:
    """Planted fault: a total moves on one side only."""
    ledger = Ledger()
    ledger._debits_fen[book.POT, 1] += 7
    with pytest.raises(AssertionError, match="debits 7 fen, credits 0 fen"):
        ledger.check_balanced()


def test_columns_keep_their_rows_when_they_grow() -> None:
    columns = GrowingColumns({"number": np.int64, "flag": np.bool_}, capacity_count=7)
    for start in range(0, 300_000, 50_000):
        columns.append(50_000, {"number": np.arange(start, start + 50_000), "flag": True})
    assert np.array_equal(columns.view("number"), np.arange(300_000))
    assert columns.view("flag").all()


def test_sums_beyond_exact_floats_are_refused() -> None:
    with pytest.raises(AssertionError):
        sums_by(np.array([0]), np.array([2**53]), codes_count=1)


@given(
    st.lists(
        st.tuples(st.lists(st.floats(0.0, 4 * 86400.0), max_size=6), st.floats(0.0, 40_000.0)),
        max_size=12,
    )
)
def test_agenda_hands_out_what_a_sorted_list_would(steps: list[tuple[list[float], float]]) -> None:
    agenda, waiting, number, until_s = Agenda(), [], 0, 0.0
    for added, later_s in steps:
        ids = np.arange(number, number + len(added))
        number += len(added)
        agenda.add(np.array(added), ids)
        waiting += list(zip(added, ids.tolist(), strict=True))
        until_s += later_s
        due_s, taken = agenda.take(until_s)
        expected = [row for row in waiting if row[0] < until_s]
        waiting = [row for row in waiting if row[0] >= until_s]
        # What was already late when it was added comes out too, in order within its bucket.
        assert sorted(zip(due_s.tolist(), taken.tolist(), strict=True)) == sorted(expected)
        assert sorted(agenda.waiting().tolist()) == [
            n for _, n in sorted(waiting, key=lambda r: r[1])
        ]
        assert (np.diff(due_s) >= 0).all()
