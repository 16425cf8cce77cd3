"""Claims that need no person and no incident: rights, valid reports.

Every row has the columns of sim/money/settlement.py's `DueClaims`. Rights are Poisson counts: a
share of the day's orders is cancelled without a reason, a share of cinema orders was granted the
right to return the ticket and uses it. Their opportunistic part grows with the generosity of the
terms.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios.scenario import Scenario
from scenarios.words import CATEGORIES, TRIGGERS
from sim.columns import Bools, Columns, Floats, Ints
from sim.consumers.fates import order_value_fen
from sim.market.fleet import Fleet
from sim.market.incidents import MarketDay, opportunism_multiple, pick_stores
from sim.market.patrol import PatrolDay
from sim.streams import Streams, poisson_count

CANCELLATION, TICKET_REFUND, VALID_REPORT = (
    TRIGGERS.index(name) for name in ("cancellation", "ticket_refund", "valid_report")
)
MOVIE = CATEGORIES.index("movie")
CATERING = CATEGORIES.index("catering")
_DRAWS = ("severity_u", "legal_u", "recourse_u", "recourse_lag_u")


def claim_rows(
    *,
    decided_s: Floats,
    trigger: int | NDArray[Any],
    category: int | NDArray[Any],
    incident_id: Ints | None,
    store_id: Ints,
    order_value_fen: Ints,
    draws: dict[str, Floats],
    opportunistic: Bools | None = None,
) -> Columns:
    """Claims as columns; not escalated."""
    count = decided_s.size
    none = np.zeros(count, dtype=np.bool_)
    return {
        "decided_s": decided_s,
        "trigger": np.broadcast_to(np.asarray(trigger, dtype=np.int8), (count,)),
        "category": np.broadcast_to(np.asarray(category, dtype=np.int8), (count,)),
        "incident_id": np.full(count, -1, np.int64) if incident_id is None else incident_id,
        "store_id": store_id.astype(np.int32),
        "order_value_fen": order_value_fen,
        **{name: draws[name] for name in _DRAWS},
        "escalated": none,
        "opportunistic": none if opportunistic is None else opportunistic,
    }


def day_draws(streams: Streams, name: str, count: int) -> dict[str, Floats]:
    return {draw: streams.rng(f"{name}.{draw}").random(count) for draw in _DRAWS}


def day_rows(
    scenario: Scenario,
    streams: Streams,
    market: MarketDay,
    *,
    name: str,
    category: int,
    trigger: int,
    mean: float,
    opportunistic_ratio: float = 0.0,
) -> Columns:
    """A Poisson number of claims at the order hours of a category, at stores by popularity."""
    stream = f"{name}/d{market.lunar_day:+d}/{CATEGORIES[category]}"
    count = poisson_count(streams.rng(f"{stream}.count").random(), mean)
    cum = np.cumsum(scenario.demand.hour_profile.row()[category])
    target = streams.rng(f"{stream}.time").random(count) * cum[-1]
    hour = np.minimum(np.searchsorted(cum, target, side="right"), 23)
    within = streams.rng(f"{stream}.minute").random(count)
    midnight_s = (market.lunar_day - scenario.horizon.start_day) * 86400.0
    store_cum = market.selling_cum[category]
    stores = pick_stores(store_cum, streams.rng(f"{stream}.store").random(count))
    value_z = streams.rng(f"{stream}.value").standard_normal(count)
    return claim_rows(
        decided_s=midnight_s + (hour + within) * 3600.0,
        trigger=trigger,
        category=category,
        incident_id=None,
        store_id=stores,
        order_value_fen=order_value_fen(scenario, category, value_z),
        draws=day_draws(streams, stream, count),
        opportunistic=streams.rng(f"{stream}.opportunistic").random(count) < opportunistic_ratio,
    )


def rights_claims(
    scenario: Scenario,
    streams: Streams,
    market: MarketDay,
    *,
    fleet: Fleet,
    cancellation_generosity: Floats,
) -> list[Columns]:
    """Cancellations without a reason by category, and returned cinema tickets."""
    rights, opportunism = scenario.rights, scenario.consumers.opportunism
    orders = market.orders_count.sum(axis=1)
    parts = []
    for category, ratio in enumerate(rights.cancellation_ratio.row()):
        if ratio == 0.0:
            continue
        share = opportunism.cancellation_ratio
        generosity = float(cancellation_generosity[category])
        growth = opportunism_multiple(share, generosity, opportunism.elasticity_ratio)
        rows = day_rows(
            scenario,
            streams,
            market,
            name="cancellation",
            category=category,
            trigger=CANCELLATION,
            mean=float(orders[category]) * ratio * growth,
            opportunistic_ratio=1.0 - (1.0 - share) / growth if growth > 0.0 else 0.0,
        )
        parts.append(at_category_rows(rows, fleet, category))
    used = rights.ticket_refund_granted_ratio * rights.ticket_refund_used_ratio
    rows = day_rows(
        scenario,
        streams,
        market,
        name="ticket_refund",
        category=MOVIE,
        trigger=TICKET_REFUND,
        mean=float(orders[MOVIE]) * used,
    )
    parts.append(at_category_rows(rows, fleet, MOVIE))
    return parts


def at_category_rows(rows: Columns, fleet: Fleet, category: int) -> Columns:
    """Store numbers within the category turned into numbers within the fleet."""
    rows["store_id"] = (rows["store_id"] + fleet.rows(category).start).astype(np.int32)
    return rows


def report_claims(scenario: Scenario, streams: Streams, patrol: PatrolDay, day: int) -> Columns:
    """Bounties for the day's valid reports."""
    count = patrol.reported_s.size
    return claim_rows(
        decided_s=(day - scenario.horizon.start_day) * 86400.0 + patrol.reported_s,
        trigger=VALID_REPORT,
        category=CATERING,
        incident_id=None,
        store_id=patrol.reported_stores,
        order_value_fen=np.full(count, scenario.demand.order_value_fen.catering, dtype=np.int64),
        draws=day_draws(streams, f"bounty/d{day:+d}", count),
    )
