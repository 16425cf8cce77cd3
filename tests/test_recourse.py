"""Recourse and fines by hand: lag, loss, empty deposits, who advances and who bears.

Goal: each way in which money comes back, or does not, has a case whose entries can be followed
with a pencil.
"""

import numpy as np
import pytest

from scenarios.budgets import Recourse
from sim.money import ledger as book
from tests.money_cases import (
    AT_NOON,
    BORNE,
    DAY_S,
    claims_at,
    guarantees,
    ledger_rows,
    metric,
    of_claims,
    run,
    world,
)


def test_recourse_comes_after_contest_and_lag_and_clears_the_receivable() -> None:
    terms = guarantees(instant_compensation=BORNE | {"recourse_lag_mean_s": 7200.0})
    settlement = run(world(terms=terms, deposit_fen=[5000]), claims_at(800, lag_u=0.5))
    assert ledger_rows(settlement) == [
        (book.PAYOUT, book.CONSUMER, book.POT, 800),
        (book.CLAIM_BACK, book.RECEIVABLE, book.RECOURSE_INCOME, 800),
        (book.RECOVERY, book.PLATFORM, book.MERCHANT_DEPOSIT, 800),
        (book.RECOVERY, book.RECOURSE_INCOME, book.RECEIVABLE, 800),
    ]
    ledger = settlement.tables()["ledger"]
    lag_s = DAY_S + 7200.0 * np.log(2.0)
    received_s = ledger["posted_s"][ledger["kind"] == book.RECOVERY]
    assert received_s == pytest.approx(AT_NOON + lag_s, abs=0.01)
    assert of_claims(settlement, "recovered_fen") == [800]
    assert settlement.books.deposit_fen.tolist() == [4200]
    payouts = settlement.tables()["payouts"]
    by_day = {
        day: int(payouts["recovered_fen"][payouts["lunar_day"] == day].sum()) for day in (0, 1)
    }
    assert by_day == {0: 0, 1: 800}


def test_lost_recourse_is_written_off() -> None:
    terms = guarantees(instant_compensation=BORNE)
    settlement = run(world(terms=terms), claims_at(800, recourse_u=0.6))
    assert ledger_rows(settlement)[2:] == [
        (book.WRITE_OFF, book.RECOURSE_LOSS, book.RECEIVABLE, 800)
    ]
    assert metric(settlement, "recourse_written_off_fen") == 800
    assert metric(settlement, "payout_net_fen") == 800


def test_an_exhausted_deposit_is_written_off() -> None:
    terms = guarantees(instant_compensation=BORNE)
    settlement = run(world(terms=terms, deposit_fen=[1000]), claims_at(700, 500, 400))
    assert of_claims(settlement, "recovered_fen") == [700, 300, 0]
    assert metric(settlement, "recourse_written_off_fen") == 200 + 400
    assert settlement.books.deposit_fen.tolist() == [0]
    stores, taken_fen = settlement.hand_over_recourse()
    assert (stores.tolist(), taken_fen.tolist()) == ([0, 0, 0], [700, 300, 0])
    assert settlement.hand_over_recourse()[0].size == 0


def test_where_the_merchant_advances_the_money_comes_at_payment() -> None:
    terms = guarantees(instant_compensation=BORNE | {"advanced_by": "merchant"})
    settlement = run(
        world(terms=terms, deposit_fen=[5000]), claims_at(800) + claims_at(50, recourse_u=0.9)
    )
    ledger = settlement.tables()["ledger"]
    times = ledger["posted_s"][ledger["kind"] != book.FUNDING]
    assert set(times.tolist()) == {AT_NOON}
    assert sorted(of_claims(settlement, "recovered_fen")) == [0, 800]
    assert metric(settlement, "recourse_written_off_fen") == 50


def test_what_the_platform_bears_comes_back_only_by_good_will() -> None:
    terms = guarantees(instant_compensation={"recourse_ratio": 0.05})
    settlement = run(
        world(terms=terms), claims_at(800, recourse_u=0.5) + claims_at(90, recourse_u=0.01)
    )
    assert sorted(of_claims(settlement, "recovered_fen")) == [0, 90]
    assert metric(settlement, "recourse_written_off_fen") == 0


def test_what_is_open_at_the_end_stays_a_receivable() -> None:
    terms = guarantees(instant_compensation=BORNE | {"recourse_lag_mean_s": 30.0 * DAY_S})
    settlement = run(world(terms=terms), claims_at(800))
    assert metric(settlement, "recourse_open_fen") == 800
    assert metric(settlement, "payout_recovered_fen") == 0


def test_recourse_can_be_switched_off() -> None:
    terms = guarantees(instant_compensation=BORNE)
    off = Recourse(enabled=False, contest_s=0.0)
    settlement = run(world(terms=terms, recourse=off), claims_at(800))
    assert ledger_rows(settlement) == [(book.PAYOUT, book.CONSUMER, book.POT, 800)]


def test_fines_come_out_of_deposits_as_far_as_they_go() -> None:
    settlement = world(deposit_fen=[1000, 50])
    stores = np.array([0, 1, 0], dtype=np.int32)
    assert settlement.fine(5.0, stores, np.array([300, 80, 900])) == 300 + 50 + 700
    assert settlement.books.deposit_fen.tolist() == [0, 0]
    stores, taken_fen = settlement.hand_over_fines()
    assert (stores.tolist(), taken_fen.tolist()) == ([0, 1, 0], [300, 50, 700])
    assert settlement.books.ledger.balance_fen(book.FINES) == 1050
