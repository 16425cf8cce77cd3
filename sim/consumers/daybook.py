"""A day of consumers: every incident, claim and contact that the day's market gives rise to.

Puts the blocks of a market day in order of time, numbers incidents and cases, and splits what
follows: claims that need no person (with the time of their decision), consumers who turn to a
person (with the time of their arrival), and counts for the tables `alerts` and `merchants_daily`.
"""

from dataclasses import dataclass

import numpy as np

from scenarios.scenario import Scenario
from scenarios.words import TRIGGERS
from sim.columns import Columns, Floats, Ints, stack
from sim.consumers.alerts import alert_claims, alert_day
from sim.consumers.claims import report_claims, rights_claims
from sim.consumers.fates import SILENT, Fates, draw_fates
from sim.consumers.inquiries import inquiries_day
from sim.market.demand import Demand
from sim.market.fleet import Fleet
from sim.market.incidents import MarketDay
from sim.market.patrol import PatrolDay
from sim.market.shocks import ShockField
from sim.money.orders import order_of_incident
from sim.streams import Streams

CONTACT_COLUMNS = (
    "arrived_s",
    "queue",
    "priority",
    "topic",
    "patience_s",
    "redial_delay_s",
    "handle_s",
    "reconnect_delay_s",
    "escalation_delay_s",
    "escalation_handle_s",
)


@dataclass(frozen=True, slots=True)
class Generosity:
    """Refund shares relative to those at which the opportunistic shares hold, by category."""

    dissatisfaction: Floats
    cancellation: Floats


@dataclass(frozen=True, slots=True)
class ConsumerDay:
    """What a day gives rise to."""

    incidents: Columns
    """Columns of the table, without `case_id`; numbered block by block."""
    claims: list[Columns]
    """Claims that need no person, in batches."""
    contacts: list[Columns]
    """Consumers who turn to a person, in batches: CONTACT_COLUMNS and `category`."""
    contact_claims: list[Columns]
    """Claim columns, `upheld` and `fallback_delay_s` for each row of `contacts`; trigger and
    incident_id -1 = nothing to claim."""
    alerts: Columns
    """Rows of the table `alerts`, without costs."""
    false_alarms_by_type: Ints
    """Stores falsely marked, shape (categories, store types)."""


def generosity(scenario: Scenario) -> Generosity:
    """How generous the terms in force are; 0 where a right is withdrawn."""
    opportunism = scenario.consumers.opportunism

    def ratios(trigger: str, reference: float) -> Floats:
        table = scenario.guarantees.table()
        row = table.row[TRIGGERS.index(trigger)]
        terms = [term for _, _, term in scenario.guarantees.promises()]
        return np.array([terms[i].refund_ratio / reference if i >= 0 else 0.0 for i in row])

    return Generosity(
        dissatisfaction=ratios(
            "dissatisfaction", opportunism.reference_dissatisfaction_refund_ratio
        ),
        cancellation=ratios("cancellation", opportunism.reference_cancellation_refund_ratio),
    )


def consumer_day(
    scenario: Scenario,
    streams: Streams,
    market: MarketDay,
    *,
    fleet: Fleet,
    demand: Demand,
    shocks: ShockField,
    patrol: PatrolDay,
    terms: Generosity,
    first_incident_id: int,
) -> ConsumerDay:
    """Draw everything that the day's market gives rise to."""
    fates = [
        draw_fates(
            scenario,
            streams,
            block,
            fleet=fleet,
            shocks=shocks,
            refund_generosity=float(terms.dissatisfaction[block.category]),
        )
        for block in market.blocks
    ]
    starts = first_incident_id + np.cumsum([0] + [f.incidents["occurred_s"].size for f in fates])
    incidents = stack([f.incidents for f in fates])
    incidents["incident_id"] = np.arange(starts[0], starts[-1])
    incidents["order_id"] = order_of_incident(incidents["incident_id"])
    for fate, start in zip(fates, starts, strict=False):
        for claims in (fate.self_claims, fate.contact_claims):
            claims["incident_id"] = claims.pop("incident_row") + start
    asked = inquiries_day(
        scenario, streams, demand=demand, shocks=shocks, lunar_day=market.lunar_day
    )
    alerts = alert_day(
        scenario,
        streams,
        market,
        fleet=fleet,
        incidents=incidents,
        saved=[f.contacts_saved_count for f in fates],
    )
    return ConsumerDay(
        incidents=incidents,
        claims=[
            *(f.self_claims for f in fates),
            alert_claims(scenario, streams, incidents, lunar_day=market.lunar_day),
            report_claims(scenario, streams, patrol, market.lunar_day),
            *rights_claims(
                scenario,
                streams,
                market,
                fleet=fleet,
                cancellation_generosity=terms.cancellation,
            ),
            *alerts.false_alarm_claims,
        ],
        contacts=[*(f.contacts for f in fates), asked],
        contact_claims=[
            *(f.contact_claims for f in fates),
            _nothing(asked["arrived_s"].size, fates),
        ],
        alerts=alerts.rows,
        false_alarms_by_type=alerts.false_alarms_by_type,
    )


def _nothing(count: int, fates: list[Fates]) -> Columns:
    """What `count` inquiries claim."""
    template = fates[0].contact_claims
    rows = {name: np.zeros(count, dtype=values.dtype) for name, values in template.items()}
    for name in ("incident_id", "trigger"):
        rows[name] -= 1
    return rows


def established(incidents: Columns) -> tuple[Ints, Ints]:
    """(store, kind) of every violation that the day's claims establish."""
    rows = (incidents["path"] != SILENT) & incidents["upheld"] & ~incidents["opportunistic"]
    return incidents["store_id"][rows].astype(np.int64), incidents["incident"][rows].astype(
        np.int64
    )
