"""One replication: simulate the world once, and hand over its tables and metrics.

Tables have the columns of scenarios/tables.py as NumPy arrays; words as their position in the
vocabulary, -1 and NaN for what does not exist. The warm-up is left out of every table.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios.scenario import Scenario
from scenarios.tables import TABLES
from scenarios.words import CATEGORIES, INCIDENT_TYPES, TRIGGERS
from sim.columns import Columns, Ints, pick
from sim.consumers.fates import SELF_SERVICE
from sim.market.incidents import MISCONDUCT, NO_ROOM
from sim.market.monitoring import CLOSED
from sim.money import recoveries
from sim.streams import Streams
from sim.support import service
from sim.world import World

ALERT = TRIGGERS.index("alert")
# A metric is (value, unit).
Metrics = dict[str, tuple[float, str]]
SUPPORT_TABLES = frozenset({"intervals", "contacts", "staffing"})
MARKET_TABLES = ("incidents", "merchants_daily", "alerts", "demand")
# Metrics that are a column's sum: (metric, column, unit) by table.
_TOTALS = {
    "demand": (("orders_count", "orders_count", "orders"),),
    "alerts": (
        ("alerts_count", "alerts_count", "alerts"),
        ("false_alarms_count", "false_alarms_count", "alerts"),
        ("contacts_saved_count", "contacts_saved_count", "contacts"),
        ("alert_cost_fen", "cost_fen", "fen"),
        ("alert_compensation_fen", "compensation_fen", "fen"),
        ("prevented_count", "prevented_count", "orders"),
    ),
    "merchants_daily": (("delisted_merchants_count", "delisted_count", "stores"),),
}


@dataclass(frozen=True, slots=True)
class ReplicationResult:
    """What a replication leaves behind."""

    tables: dict[str, dict[str, NDArray[Any]]]
    metrics: Metrics


def simulate(
    scenario: Scenario,
    *,
    seed: int,
    replication: int,
    agents: Ints | None = None,
    tables: Collection[str] = tuple(TABLES),
    rows: Collection[str] = (),
) -> ReplicationResult:
    """Simulate replication `replication` of a scenario under a root seed.

    `agents` (ticks, teams), productive agents, replaces the scenario's shifts; no arrival, patience
    or handle time depends on it. Only `tables` are handed over, with the metrics that they allow
    (those of the money always), and `rows`, tables beside them without metrics. What is asked does
    not move what is simulated.
    """
    asked = frozenset((*tables, *rows))
    streams = Streams(seed=seed, replication=replication)
    world = World(scenario, streams, agents=agents, tables=asked)
    world.run()
    found = _support(world) if asked & SUPPORT_TABLES else {}
    # A national run holds a quarter of a gigabyte of draws here that nobody needs any more.
    world.dismiss_pool()
    found |= {name: world.chronicle.hand_over(name) for name in MARKET_TABLES if name in asked}
    money = world.money.tables()
    if "alerts" in asked:
        found["alerts"]["compensation_fen"] = _compensation_fen(
            world, found["alerts"], money["claims"]
        )
    found |= money
    found |= recoveries.tables(world.money.books, money, region=world.fleet.region)
    measured = {name: found[name] for name in found if name in tables}
    metrics = world.money.metrics() | _market_metrics(measured)
    if measured.keys() >= SUPPORT_TABLES:
        metrics |= service.metrics(scenario.support, measured)
    return ReplicationResult(
        tables={name: found[name] for name in found if name in asked}, metrics=metrics
    )


def _support(world: World) -> dict[str, Columns]:
    """What the floor achieved, its invariants checked."""
    return service.tables(
        world.scenario.support,
        horizon=world.scenario.horizon,
        layout=world.layout,
        roster=world.roster,
        pool=world.pool,
        case_category=np.concatenate(world.case_category),
    )


def _compensation_fen(world: World, alerts: Columns, claims: Columns) -> Ints:
    """What the claims of the warned were due, by row of the table `alerts`."""
    first_day = world.scenario.horizon.first_day
    width = len(INCIDENT_TYPES)
    kind = np.concatenate(world.incident_kind)
    paid = pick(claims, claims["trigger"] == ALERT)
    # A false alarm has no incident: it foresaw a closure.
    foreseen = np.where(paid["incident_id"] < 0, CLOSED, kind[paid["incident_id"]])

    def cell(day: Ints, category: Ints, incident: Ints) -> Ints:
        row = day.astype(np.int64) - first_day
        return (row * len(CATEGORIES) + category) * width + incident

    days = world.scenario.horizon.last_day - first_day + 1
    due_fen = np.zeros(days * len(CATEGORIES) * width, dtype=np.int64)
    np.add.at(due_fen, cell(paid["lunar_day"], paid["category"], foreseen), paid["due_fen"])
    return due_fen[cell(alerts["lunar_day"], alerts["category"], alerts["incident"])]


def _market_metrics(tables: Mapping[str, Columns]) -> Metrics:
    """Season totals of the market, of the tables that are there."""
    found: Metrics = {}
    for table, totals in _TOTALS.items():
        if table in tables:
            found |= {
                metric: (float(tables[table][column].sum()), unit)
                for metric, column, unit in totals
            }
    if "incidents" in tables:
        found |= _incident_metrics(tables["incidents"])
    return found


def _incident_metrics(incidents: Columns) -> Metrics:
    kind = incidents["incident"]
    counts = {
        "incidents_count": (kind.size, "incidents"),
        "self_service_claims_count": ((incidents["path"] == SELF_SERVICE).sum(), "claims"),
        "no_room_count": ((kind == NO_ROOM).sum(), "incidents"),
        "misconduct_incidents_count": (np.isin(kind, MISCONDUCT).sum(), "incidents"),
    }
    return {name: (float(count), unit) for name, (count, unit) in counts.items()}
