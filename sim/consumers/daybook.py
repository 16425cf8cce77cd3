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
from sim.consumers.claims import report_claims, rights_claims, self_service_claims
from sim.consumers.fates import SILENT, draw_fates
from sim.consumers.inquiries import inquiries_day
from sim.market.demand import Demand
from sim.market.fleet import Fleet
from sim.market.incidents import MarketDay
from sim.market.patrol import PatrolDay
from sim.market.shocks import ShockField
from sim.streams import Streams

CLAIM_COLUMNS = (
    "incident_id",
    "category",
    "store_id",
    "order_value_fen",
    "severity_u",
    "legal_u",
    "recourse_u",
    "recourse_lag_u",
    "upheld",
    "opportunistic",
)
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
    """Columns of the table, without `case_id`, plus the draws of their claims; in order of the
    blocks, `incident_id` counts in order of time."""
    claims: Columns
    """Claims that need no person."""
    contacts: Columns
    """Consumers who turn to a person: CONTACT_COLUMNS and `category`."""
    contact_claims: Columns
    """CLAIM_COLUMNS, `trigger` and `fallback_delay_s` for each row of `contacts`; trigger -1 =
    nothing to claim."""
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
    starts = np.cumsum([0] + [f.incidents["occurred_s"].size for f in fates])
    incidents = stack([f.incidents for f in fates])
    for fate, start in zip(fates, starts, strict=False):
        fate.contacts["incident_row"] += start
    order = np.argsort(incidents["occurred_s"], kind="stable")
    incident_id = np.empty(order.size, dtype=np.int64)
    incident_id[order] = first_incident_id + np.arange(order.size)
    incidents["incident_id"] = incident_id
    asked = inquiries_day(
        scenario, streams, demand=demand, shocks=shocks, lunar_day=market.lunar_day
    )
    contacts = stack([*(f.contacts for f in fates), asked])
    alerts = alert_day(
        scenario,
        streams,
        market,
        fleet=fleet,
        incidents=incidents,
        saved=[f.contacts_saved_count for f in fates],
    )
    claims = stack(
        [
            self_service_claims(incidents),
            alert_claims(scenario, incidents),
            report_claims(scenario, streams, patrol, market.lunar_day),
            *rights_claims(
                scenario,
                streams,
                market,
                fleet=fleet,
                cancellation_generosity=terms.cancellation,
            ),
            *alerts.false_alarm_claims,
        ]
    )
    return ConsumerDay(
        incidents=incidents,
        claims=claims,
        contacts={name: contacts[name] for name in (*CONTACT_COLUMNS, "category")},
        contact_claims=_contact_claims(incidents, contacts),
        alerts=alerts.rows,
        false_alarms_by_type=alerts.false_alarms_by_type,
    )


def _contact_claims(incidents: Columns, contacts: Columns) -> Columns:
    """What each consumer who turns to a person will claim; inquiries claim nothing."""
    row = contacts["incident_row"]
    asks = row < 0
    at = np.where(asks, 0, row)
    claims = {name: incidents[name][at] for name in CLAIM_COLUMNS}
    claims["upheld"] = claims["upheld"] & ~asks
    claims["fallback_delay_s"] = contacts["fallback_delay_s"]
    claims["trigger"] = np.where(asks, -1, incidents["incident"][at]).astype(np.int8)
    claims["incident_id"] = np.where(asks, -1, claims["incident_id"])
    return claims


def established(incidents: Columns) -> tuple[Ints, Ints]:
    """(store, kind) of every violation that the day's claims establish."""
    rows = (incidents["path"] != SILENT) & incidents["upheld"] & ~incidents["opportunistic"]
    return incidents["store_id"][rows].astype(np.int64), incidents["incident"][rows].astype(
        np.int64
    )
