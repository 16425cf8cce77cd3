"""The pots: claim by claim in plain Python against the vectorised draw, and deposits likewise.

Goal: the rule of sim/money/pots.py, written out a second time as a loop, pays the same claims; no
purse is ever below zero, and nothing is refused before exhaustion.
"""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scenarios.words import GUARANTEES
from sim.money.pots import PotBook
from sim.money.recourse import draw_on_deposits
from tests.money_cases import pots
from tests.plain_settlement import PlainPot

A, B = 0, 1
LIMIT = st.integers(0, 60)
CLAIMS = st.lists(st.tuples(st.sampled_from([A, B]), st.integers(0, 25)), max_size=12)


def draw(book: PotBook, claims: list[tuple[int, int]]) -> list[bool]:
    pot = np.array([pot for pot, _ in claims], dtype=np.int8)
    paid: list[bool] = book.draw(pot, np.array([due for _, due in claims], dtype=np.int64)).tolist()
    return paid


@given(LIMIT, LIMIT, LIMIT, LIMIT, st.lists(st.lists(CLAIMS, max_size=4), max_size=4))
def test_pays_what_a_plain_loop_pays(
    day_a: int, more_a: int, day_b: int, more_b: int, days: list[list[list[tuple[int, int]]]]
) -> None:
    limits = {GUARANTEES[A]: (day_a, day_a + more_a), GUARANTEES[B]: (day_b, day_b + more_b)}
    book = PotBook(pots(**{name: (*limit, "stop") for name, limit in limits.items()}))
    plain = [PlainPot(*limits[GUARANTEES[A]]), PlainPot(*limits[GUARANTEES[B]])]
    for ticks in days:
        book.open_day()
        for pot in plain:
            pot.open_day()
        for claims in ticks:
            assert draw(book, claims) == [plain[pot].pays(due_fen) for pot, due_fen in claims]
            assert book.balance_fen[:2].tolist() == [pot.balance_fen for pot in plain]
            assert book.day_left_fen[:2].tolist() == [pot.left_fen for pot in plain]
            assert book.exhausted[:2].tolist() == [pot.exhausted for pot in plain]
            assert book.exhausted_for_good[:2].tolist() == [pot.for_good for pot in plain]


def one_pot(day_fen: int, total_fen: int) -> PotBook:
    return PotBook(pots(**{GUARANTEES[A]: (day_fen, total_fen, "stop")}))


def test_the_last_fen_can_be_paid() -> None:
    book = one_pot(100, 100)
    assert draw(book, [(A, 60), (A, 40)]) == [True, True]
    assert not book.exhausted.any()


def test_a_refused_claim_shuts_the_pot_even_if_a_smaller_one_would_fit() -> None:
    book = one_pot(100, 1000)
    assert draw(book, [(A, 60), (A, 41), (A, 1), (B, 1)]) == [True, False, False, True]
    assert book.exhausted.tolist() == [True] + [False] * 10
    assert not book.exhausted_for_good.any()
    assert draw(book, [(A, 1)]) == [False]


def test_a_new_day_opens_the_pot_without_what_the_day_before_left() -> None:
    book = one_pot(100, 1000)
    draw(book, [(A, 60), (A, 41)])
    book.open_day()
    assert draw(book, [(A, 101)]) == [False]
    book.open_day()
    assert draw(book, [(A, 100)]) == [True]
    assert book.balance_fen[A] == 840


def test_a_claim_over_the_balance_shuts_the_pot_for_good() -> None:
    book = one_pot(100, 150)
    assert draw(book, [(A, 100)]) == [True]
    book.open_day()
    assert draw(book, [(A, 51)]) == [False]
    book.open_day()
    assert book.exhausted_for_good[A]
    assert draw(book, [(A, 1)]) == [False]
    assert book.balance_fen[A] == 50


@given(LIMIT, st.lists(st.lists(st.integers(1, 25), max_size=8), max_size=5))
def test_reserve_pays_until_the_first_that_does_not_fit(
    reserve_fen: int, ticks: list[list[int]]
) -> None:
    book = PotBook(pots(reserve_fen=reserve_fen))
    left_fen, shut = reserve_fen, False
    for claims in ticks:
        expected = []
        for due_fen in claims:
            shut = shut or due_fen > left_fen
            expected.append(not shut)
            left_fen -= 0 if shut else due_fen
        assert book.draw_reserve(np.array(claims, dtype=np.int64)).tolist() == expected
        assert (book.reserve_left_fen, book.reserve_exhausted) == (left_fen, shut)


@given(
    st.lists(st.integers(0, 30), min_size=3, max_size=3),
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 20)), max_size=12),
)
def test_deposits_are_drawn_first_come_first_served(
    deposits: list[int], asked: list[tuple[int, int]]
) -> None:
    deposit_fen = np.array(deposits, dtype=np.int64)
    taken = draw_on_deposits(
        deposit_fen,
        np.array([store for store, _ in asked], dtype=np.int32),
        np.array([sum_fen for _, sum_fen in asked], dtype=np.int64),
    )
    expected = []
    for store, sum_fen in asked:
        expected.append(min(sum_fen, deposits[store]))
        deposits[store] -= expected[-1]
    assert taken.tolist() == expected
    assert deposit_fen.tolist() == deposits
