"""Which assumptions are worth a simulation: those with a wide range over much of the money.

A first ranking, before anything is simulated. The keys that claims are proportional to, at first
order, are weighed by exposure: the share of the payout that they stand behind (the claims kept
by the run, told apart by the categories, triggers and guarantees that the key names) times the
width of their range, (high - low) / base. What really moves is then simulated (sim/payout/
tornado.py). Ranges are those that the scenario's source comments state.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from scenarios.assumptions import origin
from scenarios.overlays import at
from scenarios.sources import Source
from scenarios.words import CATEGORIES, GUARANTEES, INCIDENT_TYPES, TRIGGERS
from sim.experiment.rundir import RunError
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


@dataclass(frozen=True, slots=True)
class Mover:
    """An assumption with its range; of an array low, base and high are multiples."""

    key: str
    low: float
    base: float
    high: float
    source: str
    is_array: bool
    is_whole: bool

    def sets(self, scenario: dict[str, Any], value: float) -> str:
        """The `key=value` that moves the scenario to a case of the range."""
        there = at(scenario, self.key)
        if self.is_array:
            return f"{self.key}={[float(entry) * value for entry in there]!r}"
        return f"{self.key}={round(value) if self.is_whole else float(value)!r}"


def movers(seasons: Seasons, *, count: int, asked: Sequence[str] = ()) -> tuple[Mover, ...]:
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
        mover = _mover(seasons.scenario, key, source)
        if mover is not None and mover.base > 0.0 and (mover.high > mover.low):
            exposed = _behind(claims, key) / total * (mover.high - mover.low) / mover.base
            if exposed > 0.0:
                weighed.append((exposed, mover))
    weighed.sort(key=lambda pair: (-pair[0], pair[1].key))
    return tuple(mover for _, mover in weighed[:count])


def _asked(scenario: dict[str, Any], known: dict[str, Source], key: str) -> Mover:
    mover = _mover(scenario, key, known[key]) if key in known else None
    if mover is None:
        raise RunError(
            f"{key} has no range to move in: right would be a key whose source is "
            '"A: low/base/high", as `springpeak scenarios show` lists them'
        )
    return mover


def _mover(scenario: dict[str, Any], key: str, source: Source) -> Mover | None:
    value = at(scenario, key)
    if source.low is None or source.high is None or value is None or isinstance(value, bool | str):
        return None
    is_array = isinstance(value, list)
    if is_array and not all(isinstance(entry, int | float) for entry in value):
        return None
    # Where a run has another value than the file, its range is as wide in proportion.
    moved = 1.0 if is_array or not source.base else float(value) / source.base
    return Mover(
        key=key,
        low=source.low * moved,
        base=1.0 if is_array else float(value),
        high=source.high * moved,
        source=str(source),
        is_array=is_array,
        is_whole=isinstance(value, int),
    )


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
