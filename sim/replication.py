"""One replication: simulate the world once, and hand over its tables and metrics.

Tables have the columns of scenarios/tables.py as NumPy arrays; words as their position in the
vocabulary, -1 and NaN for what does not exist. The warm-up is left out of every table.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios.scenario import Scenario
from scenarios.words import CATEGORIES, INCIDENT_TYPES, TRIGGERS
from sim.columns import Columns, Ints, pick, stack
from sim.money import recoveries
from sim.streams import Streams
from sim.support import service
from sim.world import World

ALERT = TRIGGERS.index("alert")
CLOSED = INCIDENT_TYPES.index("closed_or_refused")
# A metric is (value, unit).
Metrics = dict[str, tuple[float, str]]


@dataclass(frozen=True, slots=True)
class ReplicationResult:
    """What a replication leaves behind."""

    tables: dict[str, dict[str, NDArray[Any]]]
    metrics: Metrics


def simulate(
    scenario: Scenario, *, seed: int, replication: int, agents: Ints | None = None
) -> ReplicationResult:
    """Simulate replication `replication` of a scenario under a root seed.

    `agents` (ticks, teams), productive agents, replaces the scenario's shifts; no arrival, patience
    or handle time depends on it.
    """
    world = World(scenario, Streams(seed=seed, replication=replication), agents=agents)
    world.run()
    support = service.tables(
        scenario.support,
        horizon=scenario.horizon,
        layout=world.layout,
        roster=world.roster,
        pool=world.pool,
        case_category=np.concatenate(world.case_category),
    )
    # A national run holds a quarter of a gigabyte of draws here that nobody needs any more.
    world.dismiss_pool()
    incidents = _incidents(world)
    money = world.money.tables()
    tables: dict[str, dict[str, NDArray[Any]]] = {
        "incidents": incidents,
        "merchants_daily": stack(world.merchant_days),
        "alerts": _alerts(world, money["claims"]),
        "demand": stack(world.demand_days),
        **money,
        **recoveries.tables(world.money.books, money, region=world.fleet.region),
        **support,
    }
    metrics = {
        **service.metrics(scenario.support, support),
        **world.money.metrics(),
        **_market_metrics(tables),
    }
    return ReplicationResult(tables=tables, metrics=metrics)


def _incidents(world: World) -> Columns:
    """The table `incidents`; the world's days are given up for it."""
    table = stack(world.incidents)
    world.incidents.clear()
    return table


def _alerts(world: World, claims: Columns) -> Columns:
    """The table `alerts`: the days' rows, with the compensation that their claims were due."""
    table = stack(world.alert_days)
    first_day = world.scenario.horizon.first_day
    width = len(INCIDENT_TYPES)
    kind = np.concatenate(world.incident_kind)
    paid = pick(claims, claims["trigger"] == ALERT)
    # A false alarm has no incident: it foresaw a closure.
    foreseen = np.where(paid["incident_id"] < 0, CLOSED, kind[paid["incident_id"]])

    def cell(day: Ints, category: Ints, incident: Ints) -> Ints:
        row = day.astype(np.int64) - first_day
        return (row * len(CATEGORIES) + category) * width + incident

    days = len(world.alert_days)
    due_fen = np.zeros(days * len(CATEGORIES) * width, dtype=np.int64)
    np.add.at(due_fen, cell(paid["lunar_day"], paid["category"], foreseen), paid["due_fen"])
    rows = cell(table["lunar_day"], table["category"], table["incident"])
    return {**table, "compensation_fen": due_fen[rows]}


def _market_metrics(tables: dict[str, Columns]) -> Metrics:
    """Season totals of the market."""
    alerts, merchants = tables["alerts"], tables["merchants_daily"]

    def total(table: Columns, name: str) -> float:
        return float(table[name].sum())

    return {
        "orders_count": (total(tables["demand"], "orders_count"), "orders"),
        "incidents_count": (float(tables["incidents"]["incident_id"].size), "incidents"),
        "self_service_claims_count": (
            float((tables["incidents"]["path"] == 1).sum()),
            "claims",
        ),
        "alerts_count": (total(alerts, "alerts_count"), "alerts"),
        "false_alarms_count": (total(alerts, "false_alarms_count"), "alerts"),
        "contacts_saved_count": (total(alerts, "contacts_saved_count"), "contacts"),
        "alert_cost_fen": (total(alerts, "cost_fen"), "fen"),
        "alert_compensation_fen": (total(alerts, "compensation_fen"), "fen"),
        "prevented_count": (total(alerts, "prevented_count"), "orders"),
        "no_room_count": (float((tables["incidents"]["incident"] == 1).sum()), "incidents"),
        "delisted_merchants_count": (total(merchants, "delisted_count"), "stores"),
        "misconduct_incidents_count": (
            float(np.isin(tables["incidents"]["incident"], (2, 3, 5, 6)).sum()),
            "incidents",
        ),
    }
