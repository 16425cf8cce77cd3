"""Which assumptions are worth a simulation: those with a wide range over much of the money.

A first ranking, before anything is simulated. The keys that claims are proportional to, at first
order, are weighed by exposure: the share of the payout that they stand behind (the claims kept
by the run, told apart by the categories, triggers and guarantees that the key names) times the
width of their range, (high - low) / base. What really moves is then simulated (sim/payout/
tornado.py). Ranges are those that the scenario's source comments state.
"""

from collections.abc import Sequence
from typing import Any, Final

import polars as pl

from scenarios.assumptions import origin
from scenarios.ranges import Ranged, ranged
from scenarios.sources import Source
from scenarios.words import CATEGORIES, GUARANTEES, INCIDENT_TYPES, TRIGGERS
from sim.experiment.files import RunError
from sim.payout.seasons import Seasons

# Keys to which claims, or what is paid for them, are proportional at first order.
PROPORTIONAL: Final = (
    "demand.orders_multiple",
    "demand.orders_per_day.",
    "demand.category_multiple.",
    "demand.order_value_fen.",
    "demand.day_multiplier.",
    "incidents.ratio.",
    "incidents.day_factor.",
    "consumers.contact_multiple",
    "consumers.contact_ratio.",
    "consumers.upheld_ratio.",
    "rights.",
    "conduct.misconduct_multiple",
    "opening.closure_multiple",
    "stock.oversell_multiple",
)
# Their parts of a term: what they change of a claim.
OF_A_TERM: Final = {
    "refund_ratio": "refund_fen",
    "extra_ratio": "extra_fen",
    "legal_ratio": "legal_fen",
    "recourse_ratio": "recovered_fen",
}
# Triggers of the levers that name none.
TRIGGERS_OF: Final = {
    "consumers.contact_multiple": INCIDENT_TYPES,
    "rights.cancellation_ratio": ("cancellation",),
    "rights.ticket_refund": ("ticket_refund",),
    "conduct.misconduct_multiple": (
        "service_no_show", "false_advertising", "price_anomaly", "food_safety"
    ),
    "opening.closure_multiple": ("closed_or_refused",),
    "stock.oversell_multiple": ("no_room",),
}  # fmt: skip


def movers(seasons: Seasons, *, count: int, asked: Sequence[str] = ()) -> tuple[Ranged, ...]:
    """The assumptions asked for, else the `count` with the largest exposure.

    Raises RunError for a key without a range.
    """
    name = str(seasons.scenario["name"]).partition("+")[0]
    known, _ = origin(name)
    if asked:
        return tuple(_asked(seasons.scenario, known, key) for key in asked)
    claims = seasons.table("claims")
    total = float(claims["paid_fen"].sum())
    if total <= 0.0:
        return ()
    weighed = []
    for key, source in known.items():
        mover = ranged(seasons.scenario, key, source)
        if mover is not None and mover.base > 0.0 and (mover.high > mover.low):
            exposed = _behind(claims, key) / total * (mover.high - mover.low) / mover.base
            if exposed > 0.0:
                weighed.append((exposed, mover))
    weighed.sort(key=lambda pair: (-pair[0], pair[1].key))
    return tuple(mover for _, mover in weighed[:count])


def _asked(scenario: dict[str, Any], known: dict[str, Source], key: str) -> Ranged:
    mover = ranged(scenario, key, known.get(key))
    if mover is None:
        raise RunError(
            f"{key} has no range to move in: right would be a key whose source is "
            '"A: low/base/high", as `springpeak scenarios show` lists them'
        )
    return mover


def _behind(claims: pl.DataFrame, key: str) -> float:
    """Payout, in fen, of the claims that a key stands behind; 0 for keys of other kinds."""
    parts = key.split(".")
    amount = pl.col("paid_fen")
    if parts[0] == "guarantees" and parts[-1] in OF_A_TERM:
        amount = pl.col(OF_A_TERM[parts[-1]])
    elif not key.startswith(PROPORTIONAL):
        return 0.0
    chosen = pl.lit(value=True)
    for column, words in (
        ("category", CATEGORIES), ("trigger", TRIGGERS), ("guarantee", GUARANTEES)
    ):  # fmt: skip
        named = [part for part in parts if part in words]
        if named:
            chosen &= pl.col(column).cast(pl.String).is_in(named)
    for start, triggers in TRIGGERS_OF.items():
        if key.startswith(start):
            chosen &= pl.col("trigger").cast(pl.String).is_in(triggers)
    return float(claims.filter(chosen).select(amount.sum()).item() or 0.0)
