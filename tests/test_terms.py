"""The arithmetic of terms: a table of exact cases, a second implementation in fractions, refusals.

Goal: no rule of scenarios/terms.py can change by a fen unseen. Every expected number is worked out
by hand from the law or the term beside it.
"""

from fractions import Fraction
from math import exp, floor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from scenarios.budgets import Pot
from scenarios.guarantees import GuaranteeTerms, TermsByTrigger
from scenarios.loader import load
from scenarios.terms import PPM, TermColumns, amounts
from scenarios.words import GUARANTEES, TRIGGERS
from tests.money_cases import amounts_of_one, guarantees, pots, term

CLOSED = {"extra_ratio": 0.2, "extra_floor_fen": 500, "extra_cap_fen": 5000}
NO_ROOM = {
    "extra_ratio": 0.8,
    "extra_law": "exponential",
    "extra_floor_fen": 10000,
    "extra_cap_fen": 129000,
}
FRAUD = {"legal_ratio": 0.08, "legal_multiple": 3.0, "legal_floor_fen": 50000}
FOOD = {"legal_ratio": 0.12, "legal_multiple": 10.0, "legal_floor_fen": 100000}
RAISED = {"escalated_multiple": 1.5, "goodwill_fen": 2000}
FLAT = {"refund_ratio": 0.0, "extra_floor_fen": 10000, "extra_cap_fen": 10000}

# what, term, price, severity_u, legal_u, escalated -> refund, extra, legal part of extra
CASES: list[tuple[str, dict[str, Any], int, float, float, bool, tuple[int, int, int]]] = [
    ("whole refund", {}, 7800, 0.5, 0.5, False, (7800, 0, 0)),
    ("free order", {}, 0, 0.5, 0.5, False, (0, 0, 0)),
    ("60 % refund", {"refund_ratio": 0.6}, 13500, 0.5, 0.5, False, (8100, 0, 0)),
    ("half a fen goes up", {"refund_ratio": 0.5}, 101, 0.5, 0.5, False, (51, 0, 0)),
    ("less than half goes down", {"refund_ratio": 0.4}, 1, 0.5, 0.5, False, (0, 0, 0)),
    ("three quarters go up", {"refund_ratio": 0.25}, 99, 0.5, 0.5, False, (25, 0, 0)),
    ("one millionth", {"refund_ratio": 0.000001}, 500000, 0.5, 0.5, False, (1, 0, 0)),
    ("closed: 20 %", CLOSED, 7800, 0.5, 0.5, False, (7800, 1560, 0)),
    ("closed: floor", CLOSED, 1000, 0.5, 0.5, False, (1000, 500, 0)),
    ("closed: cap", CLOSED, 43000, 0.5, 0.5, False, (43000, 5000, 0)),
    ("closed: exactly at the cap", CLOSED, 25000, 0.5, 0.5, False, (25000, 5000, 0)),
    ("fixed law ignores the draw", CLOSED, 7800, 0.99, 0.5, False, (7800, 1560, 0)),
    ("gap: mean", NO_ROOM, 43000, 1.0 - exp(-1.0), 0.5, False, (43000, 34400, 0)),
    ("gap: none, so the floor", NO_ROOM, 43000, 0.0, 0.5, False, (43000, 10000, 0)),
    ("gap: huge, so the cap", NO_ROOM, 43000, 0.999999, 0.5, False, (43000, 129000, 0)),
    ("gap: largest draw there is", NO_ROOM, 10**9, 1 - 2**-53, 0.5, False, (10**9, 129000, 0)),
    ("fraud: 500 CNY at least", FRAUD, 10000, 0.5, 0.0, False, (10000, 50000, 50000)),
    ("fraud: three times", FRAUD, 20000, 0.5, 0.07, False, (20000, 60000, 60000)),
    ("fraud: not proven", FRAUD, 20000, 0.5, 0.08, False, (20000, 0, 0)),
    ("food: 1,000 CNY at least", FOOD, 7800, 0.5, 0.1, False, (7800, 100000, 100000)),
    ("food: ten times", FOOD, 12000, 0.5, 0.1, False, (12000, 120000, 120000)),
    ("law over cap", CLOSED | FRAUD, 25000, 0.5, 0.0, False, (25000, 75000, 70000)),
    ("law under agreed", NO_ROOM | FRAUD, 43000, 1 - 2**-53, 0.0, False, (43000, 129000, 0)),
    ("escalated: half more", CLOSED | RAISED, 7800, 0.5, 0.5, True, (7800, 2340, 0)),
    ("escalated: goodwill", CLOSED | RAISED, 1000, 0.5, 0.5, True, (1000, 2000, 0)),
    ("escalated: above the cap", CLOSED | RAISED, 43000, 0.5, 0.5, True, (43000, 7500, 0)),
    ("escalated: no extra agreed", RAISED, 7800, 0.5, 0.5, True, (7800, 2000, 0)),
    ("escalated: law higher", RAISED | FRAUD, 10000, 0.5, 0.0, True, (10000, 50000, 48000)),
    ("not escalated: no goodwill", RAISED, 7800, 0.5, 0.5, False, (7800, 0, 0)),
    ("bounty", FLAT, 0, 0.5, 0.5, False, (0, 10000, 0)),
    ("bounty, whatever the price", FLAT, 99999, 0.5, 0.5, False, (0, 10000, 0)),
    (
        "excess charged: back, and once more",
        {"refund_ratio": 0.25, "extra_ratio": 0.25, "extra_cap_fen": 30000},
        16500, 0.5, 0.5, False, (4125, 4125, 0),
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "price_fen", "severity_u", "legal_u", "escalated", "owed"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_table_of_cases(
    changes: dict[str, Any],
    price_fen: int,
    severity_u: float,
    legal_u: float,
    escalated: bool,
    owed: tuple[int, int, int],
) -> None:
    found = amounts_of_one(
        term(**changes),
        order_value_fen=price_fen,
        severity_u=severity_u,
        legal_u=legal_u,
        escalated=escalated,
    )
    assert found == owed
    assert all(type(part) is int for part in found)


def test_columns_give_what_one_by_one_gives() -> None:
    columns = TermColumns.of(tuple(term(**case[1]) for case in CASES))
    owed = amounts(
        columns.take(np.arange(len(CASES))),
        order_value_fen=np.array([case[2] for case in CASES], dtype=np.int64),
        severity_u=np.array([case[3] for case in CASES]),
        legal_u=np.array([case[4] for case in CASES]),
        escalated=np.array([case[5] for case in CASES]),
    )
    rows = zip(*(part.tolist() for part in owed), strict=True)
    assert list(rows) == [case[6] for case in CASES]


PPM_SHARE = st.integers(0, PPM).map(lambda ppm: ppm / PPM)
MULTIPLE = st.integers(0, 12 * PPM).map(lambda ppm: ppm / PPM)
PRICE = st.integers(0, 10**7)
SUM = st.integers(0, 10**6)


@st.composite
def fixed_terms(draw: st.DrawFn) -> dict[str, Any]:
    low, high = sorted((draw(SUM), draw(SUM)))
    return {
        "refund_ratio": draw(PPM_SHARE),
        "extra_ratio": draw(MULTIPLE),
        "extra_floor_fen": low,
        "extra_cap_fen": high,
        "legal_ratio": draw(PPM_SHARE),
        "legal_multiple": draw(MULTIPLE),
        "legal_floor_fen": draw(SUM),
        "escalated_multiple": 1.0 + draw(MULTIPLE),
        "goodwill_fen": draw(SUM),
    }


def _share(amount: int, ratio: float) -> int:
    exact = amount * Fraction(round(ratio * PPM), PPM)
    return floor(exact + Fraction(1, 2))


def _by_hand(
    t: dict[str, Any], price: int, legal_u: float, escalated: bool
) -> tuple[int, int, int]:
    agreed = min(max(_share(price, t["extra_ratio"]), t["extra_floor_fen"]), t["extra_cap_fen"])
    if escalated:
        agreed = max(_share(agreed, t["escalated_multiple"]), t["goodwill_fen"])
    statute = 0
    if legal_u < t["legal_ratio"]:
        statute = max(_share(price, t["legal_multiple"]), t["legal_floor_fen"])
    extra = max(agreed, statute)
    return _share(price, t["refund_ratio"]), extra, extra - agreed


@given(fixed_terms(), PRICE, st.floats(0.0, 1.0, exclude_max=True), st.booleans())
def test_equals_exact_fractions(
    changes: dict[str, Any], price_fen: int, legal_u: float, escalated: bool
) -> None:
    found = amounts_of_one(
        term(**changes),
        order_value_fen=price_fen,
        severity_u=0.5,
        legal_u=legal_u,
        escalated=escalated,
    )
    assert found == _by_hand(changes, price_fen, legal_u, escalated)


@given(fixed_terms(), PRICE, st.floats(0.0, 1.0, exclude_max=True), st.booleans())
def test_a_dearer_order_is_never_owed_less(
    changes: dict[str, Any], price_fen: int, u: float, escalated: bool
) -> None:
    row = term(**changes | {"extra_law": "exponential"})
    draws = {"severity_u": u, "legal_u": u, "escalated": escalated}
    cheap = amounts_of_one(row, order_value_fen=price_fen, **draws)
    dear = amounts_of_one(row, order_value_fen=price_fen + 1000, **draws)
    assert dear[0] >= cheap[0]
    assert dear[1] >= cheap[1]
    assert cheap[0] <= price_fen
    assert 0 <= cheap[2] <= cheap[1]


@given(
    st.sampled_from(["fixed", "exponential"]),
    st.integers(0, 1000),
    st.floats(0.0, 0.999),
    st.sampled_from([10, 100, 1000]),
    st.booleans(),
)
def test_all_money_times_k_gives_amounts_times_k(
    law: str, price_cny: int, u: float, k: int, escalated: bool
) -> None:
    """Exact where no rounding hits: prices of whole 10,000 CNY make every ppm a whole fen."""
    sums = {"extra_floor_fen": 700, "extra_cap_fen": 90_000, "legal_floor_fen": 500}
    sums["goodwill_fen"] = 300
    shares = {"refund_ratio": 0.75, "extra_ratio": 0.125, "extra_law": law, "legal_ratio": 0.3}
    draws = {"severity_u": u, "legal_u": u, "escalated": escalated}
    price_fen = price_cny * PPM
    small = term(**shares | sums | {"legal_multiple": 3.0})
    large = term(**shares | {n: v * k for n, v in sums.items()} | {"legal_multiple": 3.0})
    if price_fen * k <= 10**9:
        one = amounts_of_one(small, order_value_fen=price_fen, **draws)
        many = amounts_of_one(large, order_value_fen=price_fen * k, **draws)
        assert many == tuple(part * k for part in one)


def test_exponential_multiple_has_its_mean() -> None:
    """Midpoint rule over 100,000 uniforms; its error for -ln(1-u) is below 1 / (2n) = 5e-6."""
    n = 100_000
    columns = TermColumns.of((term(extra_ratio=0.8, extra_law="exponential", extra_cap_fen=10**9),))
    owed = amounts(
        columns,
        order_value_fen=np.full(n, 10**6, dtype=np.int64),
        severity_u=(np.arange(n) + 0.5) / n,
        legal_u=np.full(n, 0.5),
        escalated=np.zeros(n, dtype=np.bool_),
    )
    assert owed.extra_fen.mean() == pytest.approx(800_000, rel=1e-5)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"extra_floor_fen": 600, "extra_cap_fen": 500}, "extra_cap_fen 500 is below"),
        ({"refund_ratio": 0.1234567}, "at most six decimals"),
        ({"refund_ratio": 1.5}, "less than or equal to 1"),
        ({"extra_ratio": -0.1}, "greater than or equal to 0"),
        ({"escalated_multiple": 0.9}, "greater than or equal to 1"),
        ({"extra_law": "normal"}, "fixed"),
        ({"categories": []}, "at least 1 item"),
        ({"categories": ["catering", "catering"]}, "names a category twice"),
        ({"categories": ["bakery"]}, "catering"),
        ({"advanced_by": "insurer"}, "platform"),
        ({"extra_cap_fen": 100.5}, "valid integer"),
        ({"extra_bonus_fen": 1}, "Extra inputs"),
    ],
)
def test_wrong_terms_are_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        term(**changes)


def test_nothing_is_promised_twice() -> None:
    with pytest.raises(ValidationError, match="promised twice, by instant_compensation and by"):
        guarantees(second_booking={"categories": ["hotel"]})


def test_a_withdrawn_guarantee_frees_its_place() -> None:
    values = guarantees().model_dump()
    values["instant_compensation"]["granted"] = False
    values["second_booking"]["terms"]["closed_or_refused"]["categories"] = ["hotel"]
    table = type(guarantees()).model_validate(values).table()
    assert table.row[0, 0] == -1
    assert table.row[0, 1] != -1


def test_a_guarantee_needs_a_term() -> None:
    with pytest.raises(ValidationError, match="at least one trigger"):
        GuaranteeTerms(granted=True, terms=TermsByTrigger())


def test_wrong_pots_are_refused() -> None:
    with pytest.raises(ValidationError, match="above total_limit_fen"):
        Pot(day_limit_fen=2, total_limit_fen=1, policy="stop")
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        Pot(day_limit_fen=-1, total_limit_fen=1, policy="stop")
    values = pots().model_dump()
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        type(pots()).model_validate(values | {"review_handle_multiple": 0.9})


def test_base_promises_something_for_whatever_can_happen() -> None:
    base = load("spring-festival-2026")
    row = base.guarantees.table().row
    for category, ratios in enumerate(base.incidents.ratio.row()):
        for trigger, ratio in enumerate(ratios.row()):
            assert ratio == 0.0 or row[trigger, category] != -1
    cancelled = base.rights.cancellation_ratio.row()
    for category, ratio in enumerate(cancelled):
        assert ratio == 0.0 or row[TRIGGERS.index("cancellation"), category] != -1
    assert {name for name, _, _ in base.guarantees.promises()} == set(GUARANTEES)
