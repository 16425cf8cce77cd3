"""Small, hand-made money worlds for the tests: terms, guarantees, pots, claims."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scenarios.budgets import Pot, Pots, Recourse
from scenarios.guarantees import Guarantees, GuaranteeTerms, TermsByTrigger
from scenarios.terms import Term, TermColumns, amounts
from scenarios.words import CATEGORIES, GUARANTEES, TRIGGERS
from sim.money import ledger as book
from sim.money.claims import DueClaims
from sim.money.settlement import Settlement

HOUR_S = 3600
DAY_S = 86400
INSTANT = "instant_compensation"
BORNE = {"borne_by": "merchant", "recourse_ratio": 0.6}
AT_NOON = DAY_S + 12 * HOUR_S  # of the first day that counts

PLAIN_TERM: dict[str, Any] = {
    "categories": ["catering"],
    "refund_ratio": 1.0,
    "extra_ratio": 0.0,
    "extra_law": "fixed",
    "extra_floor_fen": 0,
    "extra_cap_fen": 0,
    "legal_ratio": 0.0,
    "legal_multiple": 0.0,
    "legal_floor_fen": 0,
    "escalated_multiple": 1.0,
    "goodwill_fen": 0,
    "advanced_by": "platform",
    "borne_by": "platform",
    "recourse_ratio": 0.0,
    "recourse_lag_mean_s": 0.0,
}
# A guarantee, the trigger that it answers here, and in which categories.
PROMISES: tuple[tuple[str, str, list[str]], ...] = (
    ("instant_compensation", "closed_or_refused", ["catering", "hotel"]),
    ("advance_payout", "price_anomaly", list(CATEGORIES)),
    ("no_reason_cancellation", "cancellation", ["hotel"]),
    ("free_if_dissatisfied", "dissatisfaction", ["catering", "hotel"]),
    ("ticket_refund_right", "ticket_refund", ["movie"]),
    ("second_booking", "closed_or_refused", ["daytour_scenic"]),
    ("ticket_assurance", "closed_or_refused", ["show"]),
    ("laundry_assurance", "closed_or_refused", ["laundry_home"]),
    ("beauty_assurance", "closed_or_refused", ["beauty"]),
    ("report_bounty", "valid_report", list(CATEGORIES)),
    ("alert_compensation", "alert", list(CATEGORIES)),
)


def term(**changes: Any) -> Term:
    """A term that refunds the whole price and nothing else, but for the changes."""
    return Term.model_validate(PLAIN_TERM | changes)


def guarantees(**changes: dict[str, Any]) -> Guarantees:
    """All eleven, one plain term each; `changes` by guarantee go into its term."""
    blocks = {}
    for name, trigger, categories in PROMISES:
        row = term(**{"categories": categories} | changes.get(name, {}))
        blocks[name] = GuaranteeTerms(granted=True, terms=TermsByTrigger(**{trigger: row}))
    return Guarantees(**blocks)


def pots(
    *, reserve_fen: int = 0, review_delay_s: float = 0.0, **limits: tuple[int, int, str]
) -> Pots:
    """Pots with (day limit, total limit, policy) by guarantee; the others are bottomless."""
    rows = {}
    for name in GUARANTEES:
        day_fen, total_fen, policy = limits.get(name, (10**14, 10**14, "stop"))
        rows[name] = Pot.model_validate(
            {"day_limit_fen": day_fen, "total_limit_fen": total_fen, "policy": policy}
        )
    return Pots(
        reserve_fen=reserve_fen,
        review_delay_s=review_delay_s,
        review_approved_ratio=1.0,
        review_approved_opportunistic_ratio=0.0,
        review_handle_multiple=1.5,
        **rows,
    )


RECOURSE = Recourse(enabled=True, contest_s=float(DAY_S))


@dataclass(frozen=True)
class Days:
    """One warm-up day and two that count, in ticks of an hour."""

    first_day: int = 0
    last_day: int = 1
    warm_up_days: int = 1
    tick_s: int = HOUR_S


@dataclass(frozen=True)
class Claim:
    """One claim in words; uniforms 0.5 unless told."""

    decided_s: float
    price_fen: int = 1000
    trigger: str = "closed_or_refused"
    category: str = "catering"
    store: int = 0
    recourse_u: float = 0.5
    lag_u: float = 0.5
    escalated: bool = False
    opportunistic: bool = False


def due(claims: Sequence[Claim]) -> DueClaims:
    """Claims as columns, sorted by time."""
    rows = sorted(claims, key=lambda claim: claim.decided_s)
    half = np.full(len(rows), 0.5)
    return DueClaims(
        decided_s=np.array([c.decided_s for c in rows], dtype=np.float64),
        trigger=np.array([TRIGGERS.index(c.trigger) for c in rows], dtype=np.int8),  # type: ignore[arg-type]
        category=np.array([CATEGORIES.index(c.category) for c in rows], dtype=np.int8),  # type: ignore[arg-type]
        incident_id=np.full(len(rows), -1, dtype=np.int64),
        store_id=np.array([c.store for c in rows], dtype=np.int32),
        order_value_fen=np.array([c.price_fen for c in rows], dtype=np.int64),
        severity_u=half,
        legal_u=half,
        recourse_u=np.array([c.recourse_u for c in rows], dtype=np.float64),
        recourse_lag_u=np.array([c.lag_u for c in rows], dtype=np.float64),
        escalated=np.array([c.escalated for c in rows], dtype=np.bool_),
        opportunistic=np.array([c.opportunistic for c in rows], dtype=np.bool_),
    )


def run(settlement: Settlement, claims: Sequence[Claim]) -> Settlement:
    """Settles all ticks of the horizon, each with the claims decided in it."""
    horizon = settlement.books.horizon
    days_count = horizon.warm_up_days + horizon.last_day - horizon.first_day + 1
    for tick in range(days_count * DAY_S // horizon.tick_s):
        start_s = tick * horizon.tick_s
        end_s = start_s + horizon.tick_s
        within = [c for c in claims if start_s <= c.decided_s < end_s]
        settlement.settle(float(start_s), float(end_s), due(within))
    return settlement


def world(
    *,
    terms: Guarantees | None = None,
    budget: Pots | None = None,
    recourse: Recourse = RECOURSE,
    deposit_fen: Sequence[int] = (10**9,),
    horizon: Days | None = None,
) -> Settlement:
    """A settlement that differs from the plainest one only in what is given."""
    return Settlement(
        terms or guarantees(),
        budget or pots(),
        recourse,
        horizon=horizon or Days(),
        deposit_fen=np.array(deposit_fen, dtype=np.int64),
    )


def claims_at(*prices_fen: int, start_s: float = AT_NOON, **changes: Any) -> list[Claim]:
    """Claims one minute after the other."""
    return [Claim(start_s + 60.0 * i, price, **changes) for i, price in enumerate(prices_fen)]


def of_claims(settlement: Settlement, name: str) -> list[Any]:
    column: list[Any] = settlement.tables()["claims"][name].tolist()
    return column


def of_pot(settlement: Settlement, name: str, guarantee: str = INSTANT) -> np.ndarray[Any, Any]:
    table = settlement.tables()["pots"]
    column: np.ndarray[Any, Any] = table[name][
        table["guarantee"] == GUARANTEES.index(guarantee)  # type: ignore[arg-type]
    ]
    return column


def metric(settlement: Settlement, name: str) -> float:
    return settlement.metrics()[name][0]


def ledger_rows(settlement: Settlement) -> list[tuple[str, int, int, int]]:
    ledger = settlement.tables()["ledger"]
    names = ("kind", "debit", "credit", "amount_fen")
    rows = zip(*(ledger[name].tolist() for name in names), strict=True)
    return [row for row in rows if row[0] != book.FUNDING]


def amounts_of_one(
    term: Term, *, order_value_fen: int, severity_u: float, legal_u: float, escalated: bool
) -> tuple[int, int, int]:
    """Refund, extra and legal part of a single claim: the same arithmetic on columns of one row."""
    owed = amounts(
        TermColumns.of((term,)),
        order_value_fen=np.array([order_value_fen], dtype=np.int64),
        severity_u=np.array([severity_u]),
        legal_u=np.array([legal_u]),
        escalated=np.array([escalated]),
    )
    return int(owed.refund_fen[0]), int(owed.extra_fen[0]), int(owed.legal_fen[0])
