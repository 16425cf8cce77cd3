"""The day's accounts of the market: rows of `merchants_daily` (by category and store type) and
`demand`.

Margin of a group = orders x mean price x margin ratio + misconduct x price x gain ratio - fines -
recourse: what compliant stores and speculators earn, so that their drifting apart is a number.
"""

import numpy as np

from scenarios.scenario import Scenario
from scenarios.words import CATEGORIES, REGIONS, STORE_TYPES
from sim.columns import Columns, Floats, Ints
from sim.market.conduct import CATERING, Conduct
from sim.market.demand import Demand
from sim.market.fleet import Fleet
from sim.market.incidents import MISCONDUCT, MarketDay
from sim.market.monitoring import Monitoring
from sim.market.patrol import PatrolDay
from sim.market.standing import StandingDay
from sim.market.stock import HOTEL

_TYPES = len(STORE_TYPES)
_REAL = ("conduct_ratio", "verification_work_s")


def _count(fleet: Fleet, stores: Ints, weights: Ints | Floats | None = None) -> Floats:
    """Stores (or their weights) by category and type; shape (categories, types)."""
    cell = fleet.category[stores].astype(np.int64) * _TYPES + fleet.speculator[stores]
    counts = np.bincount(cell, weights=weights, minlength=len(CATEGORIES) * _TYPES)
    return counts.reshape(len(CATEGORIES), _TYPES).astype(np.float64)


def merchant_day(
    scenario: Scenario,
    fleet: Fleet,
    market: MarketDay,
    *,
    monitoring: Monitoring,
    conduct: Conduct,
    incidents: Columns,
    patrol: PatrolDay,
    standing: StandingDay,
    false_alarms: Ints,
    fines: tuple[Ints, Ints],
    recourse: tuple[Ints, Ints],
) -> Columns:
    """The rows of one day; `fines` and `recourse` are (store, fen)."""
    hotels = fleet.rows(HOTEL)
    hotel_rows = np.arange(hotels.start, hotels.stop)
    at = incidents["store_id"].astype(np.int64)
    misconduct = np.isin(incidents["incident"], MISCONDUCT)
    price = np.array(scenario.demand.order_value_fen.row(), dtype=np.float64)[:, None]
    margin_ratio = np.array(scenario.merchants.margin_ratio.row())[:, None]
    orders = market.orders_count.sum(axis=1)
    by_type = np.rint(orders * market.speculator_share)
    orders_by_type = np.stack([orders - by_type, by_type], axis=1)
    gains = scenario.merchants.misconduct_gain_ratio * _count(
        fleet, at[misconduct], incidents["order_value_fen"][misconduct]
    )
    fines_fen = _count(fleet, *fines)
    recourse_fen = _count(fleet, *recourse)
    table: dict[str, Floats | Ints] = {
        **_standing(fleet, market, monitoring, standing),
        **_patrol(fleet, patrol),
        "false_alarms_count": false_alarms,
        "stock_out_count": _count(fleet, hotel_rows[market.rooms.stock_out]),
        "turned_away_count": _count(fleet, hotel_rows, market.rooms.turned_away_count),
        "oversold_count": _count(fleet, hotel_rows, market.rooms.oversold_count),
        "orders_count": orders_by_type,
        "incidents_count": _count(fleet, at),
        "fines_fen": fines_fen,
        "recourse_fen": recourse_fen,
        "margin_fen": orders_by_type * price * margin_ratio + gains - fines_fen - recourse_fen,
        "deposit_fen": fleet.type_sums(fleet.deposit_fen),
        "conduct_ratio": _deterrence(conduct),
    }
    cells = np.arange(len(CATEGORIES) * _TYPES)
    rows: Columns = {
        "lunar_day": np.full(cells.size, market.lunar_day),
        "category": cells // _TYPES,
        "store_type": cells % _TYPES,
    }
    for name, values in table.items():
        flat = np.asarray(values).ravel()
        rows[name] = flat if name in _REAL else np.rint(flat).astype(np.int64)
    return rows


def _standing(
    fleet: Fleet, market: MarketDay, monitoring: Monitoring, standing: StandingDay
) -> dict[str, Floats]:
    """Who sells, who is shut, who was delisted."""
    return {
        "stores_count": fleet.type_sums(fleet.listed),
        "closed_declared_count": fleet.type_sums(market.closures.declared & fleet.listed),
        "closed_undeclared_count": fleet.type_sums(market.closures.undeclared & fleet.listed),
        "marked_count": _count(fleet, _marked(fleet, market, monitoring)),
        "delisted_count": _count(fleet, standing.delisted_stores),
        "points_count": _count(fleet, standing.pointed_stores, standing.points),
    }


def _patrol(fleet: Fleet, patrol: PatrolDay) -> dict[str, Floats]:
    """The patrol's day; what is not about one store stands in the first row of catering."""
    table = {
        name: np.zeros((len(CATEGORIES), _TYPES))
        for name in ("patrol_visits_count", "reports_count", "verification_work_s")
    }
    table["patrol_visits_count"][CATERING, 0] = patrol.visits_count
    table["reports_count"][CATERING, 0] = patrol.reports_count
    table["verification_work_s"][CATERING, 0] = patrol.verification_work_s
    table["patrol_caught_count"] = _count(fleet, patrol.caught_stores)
    table["reports_valid_count"] = _count(fleet, patrol.reported_stores)
    return table


def _deterrence(conduct: Conduct) -> Floats:
    """Misconduct relative to its level at the reference penalty, by category and type."""
    by_category = [conduct.deterrence(category) for category in range(len(CATEGORIES))]
    return np.repeat(np.array(by_category)[:, None], _TYPES, axis=1)


def _marked(fleet: Fleet, market: MarketDay, monitoring: Monitoring) -> Ints:
    """Stores closed without saying so whose listing a sweep paused on the day."""
    stores = np.flatnonzero(market.closures.undeclared & fleet.listed)
    of_category = [stores[fleet.category[stores] == c] for c in range(len(CATEGORIES))]
    seen = [
        monitoring.closure_seen_s(fleet, part, category=c, lunar_day=market.lunar_day)[1]
        for c, part in enumerate(of_category)
    ]
    return np.concatenate([part[mask] for part, mask in zip(of_category, seen, strict=True)])


def demand_day(scenario: Scenario, market: MarketDay, demand: Demand) -> Columns:
    """Orders due by category and region; their value at the mean price of the category."""
    horizon = scenario.horizon
    price_fen = np.array(scenario.demand.order_value_fen.row(), dtype=np.int64)
    first = (market.lunar_day - horizon.start_day) * horizon.ticks_per_day
    ticks = slice(first, first + horizon.ticks_per_day)
    expected = np.maximum(demand.orders[ticks].sum(axis=0), 1e-300)
    burst_ratio = demand.burst_orders[ticks].sum(axis=0) / expected
    category, region = np.indices((len(CATEGORIES), len(REGIONS))).reshape(2, -1)
    return {
        "lunar_day": np.full(category.size, market.lunar_day),
        "category": category,
        "region": region,
        "orders_count": market.orders_count.ravel(),
        "order_value_fen": (market.orders_count * price_fen[:, None]).ravel(),
        "burst_orders_count": np.rint(market.orders_count * burst_ratio).astype(np.int64).ravel(),
    }
