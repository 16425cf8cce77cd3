"""Settlement: each policy and each way of recourse by hand, random worlds against the plain
reference.

Goal: every rule of sim/money has a case whose figures can be followed with a pencil; on random
small worlds the vectorised settlement pays and recovers claim by claim what
tests/plain_settlement.py does; the proof of the books finds planted faults.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.budgets import Recourse
from scenarios.tables import TABLES
from scenarios.words import GUARANTEES, TOPICS
from sim.money import ledger as book
from sim.money import statements
from sim.money.proof import check_books
from tests.money_cases import (
    AT_NOON,
    BORNE,
    DAY_S,
    HOUR_S,
    Claim,
    Days,
    claims_at,
    due,
    guarantees,
    ledger_rows,
    metric,
    of_claims,
    of_pot,
    pots,
    run,
    world,
)
from tests.plain_settlement import PlainSettlement

# --- policies ------------------------------------------------------------------------------------


def test_stop_pays_in_time_order_and_then_nothing() -> None:
    budget = pots(instant_compensation=(1000, 9000, "stop"), reserve_fen=10**6)
    settlement = run(world(budget=budget), claims_at(600, 400, 1, 2))
    assert of_claims(settlement, "paid_fen") == [600, 400, 0, 0]
    assert of_pot(settlement, "shortfall_fen").sum() == 3
    assert of_pot(settlement, "reserve_paid_fen").sum() == 0
    assert metric(settlement, "payout_shortfall_fen") == 3
    assert metric(settlement, "pots_exhausted_ratio") == pytest.approx(1 / 11)


def test_exhaustion_ends_with_the_day() -> None:
    budget = pots(instant_compensation=(1000, 9000, "stop"))
    later = claims_at(900, start_s=AT_NOON + DAY_S)
    settlement = run(world(budget=budget), claims_at(600, 500) + later)
    assert of_claims(settlement, "paid_fen") == [600, 0, 900]
    exhausted = of_pot(settlement, "exhausted")
    assert exhausted.tolist() == [False] * 12 + [True] * 12 + [False] * 24
    assert of_pot(settlement, "day_left_fen")[[11, 12, 23, 24, 36]].tolist() == [
        1000, 400, 400, 1000, 100,
    ]  # fmt: skip
    assert of_pot(settlement, "balance_fen")[-1] == 9000 - 1500


def test_reserve_pays_at_once_what_the_pot_cannot() -> None:
    budget = pots(instant_compensation=(1000, 9000, "reserve"), reserve_fen=700)
    settlement = run(world(budget=budget), claims_at(800, 300, 350, 60, 50))
    assert of_claims(settlement, "paid_fen") == [800, 300, 350, 0, 0]
    assert of_pot(settlement, "reserve_paid_fen")[12] == 650
    assert of_pot(settlement, "shortfall_fen")[12] == 110
    ledger = settlement.tables()["ledger"]
    paid_out = ledger["kind"] == book.PAYOUT
    assert ledger["credit"][paid_out].tolist() == [book.POT, book.RESERVE, book.RESERVE]


def test_review_pays_later_and_only_the_genuine() -> None:
    budget = pots(
        instant_compensation=(1000, 9000, "review"), reserve_fen=10**6, review_delay_s=4.0 * HOUR_S
    )
    false_claim = Claim(AT_NOON + 300.0, 70, opportunistic=True)
    settlement = run(world(budget=budget), [*claims_at(800, 300, 350), false_claim])
    assert of_claims(settlement, "reviewed") == [False, True, True, True]
    assert of_claims(settlement, "paid_fen") == [800, 300, 350, 0]
    assert of_pot(settlement, "reserve_paid_fen")[[12, 16]].tolist() == [0, 650]
    assert of_pot(settlement, "shortfall_fen")[16] == 70
    ledger = settlement.tables()["ledger"]
    paid_s = ledger["posted_s"][ledger["kind"] == book.PAYOUT]
    assert (paid_s - AT_NOON).tolist() == [0.0, 60.0 + 4 * HOUR_S, 120.0 + 4 * HOUR_S]


def test_a_review_still_open_at_the_end_is_a_shortfall() -> None:
    budget = pots(
        instant_compensation=(100, 9000, "review"), reserve_fen=10**6, review_delay_s=4.0 * HOUR_S
    )
    last_hour_s = 3 * DAY_S - HOUR_S
    settlement = run(world(budget=budget), claims_at(300, start_s=last_hour_s))
    assert of_claims(settlement, "paid_fen") == [0]
    assert of_pot(settlement, "shortfall_fen")[-1] == 300


def test_review_lengthens_handling_by_the_share_it_touches() -> None:
    budget = pots(
        instant_compensation=(1000, 9000, "review"), second_booking=(9000, 9000, "review")
    )
    settlement = world(budget=budget)
    assert settlement.handle_multiple_by_topic() == (1.0,) * len(TOPICS)
    tours = claims_at(5, category="daytour_scenic", start_s=AT_NOON + 1.0)
    run(settlement, claims_at(500, 500, 500) + tours)
    assert not settlement.books.pots.exhausted.any()  # The second day began whole.
    settlement = world(budget=budget, horizon=Days(last_day=0))
    run(settlement, claims_at(500, 500, 500) + tours)
    assert settlement.books.pots.exhausted.tolist() == [True] + [False] * 10
    # Three of four claims of the topic are paid from the exhausted pot: 1 + 0.5 x 3/4.
    assert settlement.handle_multiple_by_topic() == (1.375, *(1.0,) * (len(TOPICS) - 1))


@pytest.mark.parametrize("policy", ["stop", "reserve"])
def test_other_policies_do_not_lengthen_handling(policy: str) -> None:
    budget = pots(instant_compensation=(1, 9000, policy))
    settlement = run(world(budget=budget, horizon=Days(last_day=0)), claims_at(500))
    assert settlement.books.pots.exhausted[0]
    assert settlement.handle_multiple_by_topic() == (1.0,) * len(TOPICS)


# --- the horizon ---------------------------------------------------------------------------------


def test_the_warm_up_stands_in_no_table_and_leaves_full_pots() -> None:
    terms = guarantees(instant_compensation=BORNE)
    budget = pots(instant_compensation=(1000, 1500, "reserve"), reserve_fen=700)
    early = claims_at(900, 600, start_s=12.0 * HOUR_S)
    settlement = world(terms=terms, budget=budget, deposit_fen=[5000])
    settlement.fine(0.0, np.array([0], dtype=np.int32), np.array([10]))
    run(settlement, early + claims_at(1000))
    assert of_claims(settlement, "paid_fen") == [1000]
    assert of_claims(settlement, "claim_id") == [2]
    assert metric(settlement, "fines_fen") == 0
    assert metric(settlement, "payout_recovered_fen") == 1000
    assert settlement.books.deposit_fen.tolist() == [5000 - 10 - 1500 - 1000]
    ledger = settlement.tables()["ledger"]
    funded = (ledger["kind"] == book.FUNDING) & (ledger["debit"] == book.POT)
    assert ledger["amount_fen"][funded & (ledger["guarantee"] == 0)].tolist() == [1500]
    assert ledger["posted_s"].min() == DAY_S


def test_an_uncovered_claim_is_counted_and_paid_nothing() -> None:
    settlement = run(world(), claims_at(800, trigger="food_safety"))
    assert of_claims(settlement, "paid_fen") == []
    assert metric(settlement, "claims_uncovered_count") == 1


def test_a_claim_of_nothing_leaves_no_entry() -> None:
    settlement = run(world(), claims_at(0))
    assert of_claims(settlement, "due_fen") == [0]
    assert ledger_rows(settlement) == []


def test_tables_have_the_columns_of_the_dictionary() -> None:
    tables = run(world(), claims_at(800, 900)).tables()
    for name, table in tables.items():
        assert {*table, "replication"} == {column.name for column in TABLES[name]}
        assert len({column.size for column in table.values()}) == 1


def test_ticks_cannot_be_skipped() -> None:
    with pytest.raises(AssertionError):
        world().settle(float(HOUR_S), 2.0 * HOUR_S, due([]))


# --- random worlds -------------------------------------------------------------------------------

CLAIM = st.builds(
    Claim,
    decided_s=st.integers(0, 3 * DAY_S - 1).map(float),
    price_fen=st.integers(0, 300),
    trigger=st.sampled_from(["closed_or_refused", "price_anomaly", "dissatisfaction"]),
    category=st.sampled_from(["catering", "hotel"]),
    store=st.integers(-1, 2),
    recourse_u=st.sampled_from([0.1, 0.5, 0.9]),
    lag_u=st.sampled_from([0.0, 0.3, 0.9]),
    escalated=st.booleans(),
    opportunistic=st.booleans(),
)
POLICY = st.sampled_from(["reserve", "review", "stop"])
LIMITS = st.tuples(st.integers(0, 900), st.integers(0, 900), POLICY).map(
    lambda row: (row[0], row[0] + row[1], row[2])
)
EXTRA = {"extra_ratio": 0.3, "extra_floor_fen": 10, "extra_cap_fen": 60, "goodwill_fen": 20}


@settings(max_examples=60)
@given(
    st.lists(CLAIM, max_size=25),
    LIMITS,
    LIMITS,
    LIMITS,
    st.integers(0, 800),
    st.sampled_from([0.0, 5400.0, 30.0 * HOUR_S]),
    st.sampled_from([0.0, 7200.0, float(DAY_S)]),
    st.lists(st.integers(0, 500), min_size=3, max_size=3),
)
def test_pays_and_recovers_what_the_plain_settlement_does(
    claims: list[Claim],
    instant: tuple[int, int, str],
    advance: tuple[int, int, str],
    free: tuple[int, int, str],
    reserve_fen: int,
    delay_s: float,
    contest_s: float,
    deposits: list[int],
) -> None:
    terms = guarantees(
        instant_compensation=BORNE | EXTRA | {"recourse_lag_mean_s": 9000.0},
        advance_payout=BORNE | {"advanced_by": "merchant", "refund_ratio": 0.25},
        free_if_dissatisfied={"recourse_ratio": 0.3, "refund_ratio": 0.6},
    )
    budget = pots(
        reserve_fen=reserve_fen,
        review_delay_s=delay_s,
        instant_compensation=instant,
        advance_payout=advance,
        free_if_dissatisfied=free,
    )
    recourse = Recourse(enabled=True, contest_s=contest_s)
    settlement = world(terms=terms, budget=budget, recourse=recourse, deposit_fen=deposits)
    run(settlement, claims).tables()
    plain = PlainSettlement(terms, budget, recourse, deposits, Days())
    plain.run(claims)
    for name in ("paid_fen", "reviewed", "recovered_fen"):
        expected = [getattr(row, name) for row in plain.claims]
        assert settlement.books.claims.column(name).tolist() == expected
    assert settlement.books.deposit_fen.tolist() == plain.deposits
    assert settlement.books.pots.reserve_left_fen == plain.reserve_fen
    expected = [plain.pots[name].balance_fen for name in GUARANTEES]
    assert settlement.books.pots.balance_fen.tolist() == expected


@settings(max_examples=20)
@given(st.lists(CLAIM, max_size=15), LIMITS, st.integers(0, 800), st.sampled_from([10, 1000]))
def test_all_money_times_k_gives_a_ledger_times_k(
    claims: list[Claim], limits: tuple[int, int, str], reserve_fen: int, k: int
) -> None:
    """Prices of whole 10 fen, so that 30 % of them is a whole fen at either scale."""
    claims = [replace(claim, price_fen=claim.price_fen * 10) for claim in claims]

    def ledger(factor: int) -> dict[str, Any]:
        sums = {name: value * factor for name, value in EXTRA.items() if name.endswith("_fen")}
        terms = guarantees(instant_compensation=BORNE | EXTRA | sums)
        day_fen, total_fen, policy = limits
        budget = pots(
            reserve_fen=reserve_fen * factor,
            instant_compensation=(day_fen * factor, total_fen * factor, policy),
        )
        settlement = world(terms=terms, budget=budget, deposit_fen=[300 * factor] * 3)
        scaled = [replace(claim, price_fen=claim.price_fen * factor) for claim in claims]
        tables = run(settlement, scaled).tables()
        return tables["ledger"]

    one, many = ledger(1), ledger(k)
    # Bottomless pots are funded with a constant that does not scale.
    rows, rows_many = one["kind"] != book.FUNDING, many["kind"] != book.FUNDING
    assert (one["amount_fen"][rows] * k).tolist() == many["amount_fen"][rows_many].tolist()
    for name in ("posted_s", "kind", "claim_id", "debit", "credit"):
        assert one[name][rows].tolist() == many[name][rows_many].tolist()


# --- the proof finds faults ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "column", "sentence"),
    [
        ("claims", "paid_fen", "paid in part"),
        ("claims", "refund_fen", "refund . extra"),
        ("claims", "recovered_fen", "recovered, claims"),
        ("payouts", "gross_fen", "paid, payouts and ledger"),
        ("payouts", "recovered_fen", "recovered, payouts"),
        ("payouts", "shortfall_fen", "shortfall, payouts"),
        ("pots", "paid_fen", "paid, pots and ledger"),
        ("pots", "due_fen", "due, pots"),
        ("ledger", "amount_fen", "ledger"),
    ],
)
def test_one_fen_too_many_anywhere_is_found(table: str, column: str, sentence: str) -> None:
    terms = guarantees(instant_compensation=BORNE)
    settlement = run(world(terms=terms), claims_at(800, 900, recourse_u=0.5))
    tables = statements.tables(settlement.books)
    check_books(settlement.books, tables)
    planted = tables[table][column].copy()
    row = (
        int(np.flatnonzero(tables["ledger"]["kind"] == book.PAYOUT)[0]) if table == "ledger" else 0
    )
    planted[row] += -1 if column == "recovered_fen" else 1
    tables[table][column] = planted
    with pytest.raises(AssertionError, match=sentence):
        check_books(settlement.books, tables)


def test_a_missing_fen_in_a_deposit_is_found() -> None:
    settlement = run(world(), claims_at(800))
    settlement.books.deposit_fen[0] -= 1
    with pytest.raises(AssertionError, match="deposits at the start"):
        settlement.tables()
