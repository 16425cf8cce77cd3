"""Proactive service: rows of the table `alerts`, false alarms, and compensation of the warned.

Who is warned is monitoring's (sim/market/monitoring.py); what the warned do is drawn with their
fate. Here alerts are counted, and those who cancelled get a claim that needs no person. The number
of false alarms on a day is Poisson with mean true alerts x f / (1 - f), f the share of false alarms
among all.
"""

from dataclasses import dataclass

import numpy as np

from scenarios.scenario import Scenario
from scenarios.words import ALERT_RESPONSES, CATEGORIES, INCIDENT_TYPES, STORE_TYPES, TRIGGERS
from sim.columns import Columns, Ints, distinct, pick
from sim.consumers.claims import at_category_rows, claim_rows, day_draws, day_rows
from sim.consumers.fates import ALTERNATIVE, CANCELLED, WENT_ANYWAY, responses
from sim.market.fleet import Fleet
from sim.market.incidents import MarketDay
from sim.market.monitoring import CLOSED, FORESEEABLE_KINDS
from sim.streams import Streams

ALERT = TRIGGERS.index("alert")
_ANSWERS = (ALTERNATIVE, CANCELLED, WENT_ANYWAY)
_KINDS = len(INCIDENT_TYPES)


@dataclass(frozen=True, slots=True)
class AlertDay:
    """A day of alerts."""

    rows: Columns
    """Rows of the table, without compensation."""
    false_alarm_claims: list[Columns]
    """Compensation of those who cancelled for nothing."""
    false_alarms_by_type: Ints
    """Stores falsely marked, shape (categories, store types)."""


def alert_claims(
    scenario: Scenario, streams: Streams, incidents: Columns, *, lunar_day: int
) -> Columns:
    """Compensation of warned consumers who cancelled; decided at the alert."""
    rows = pick(incidents, incidents["alert_response"] == CANCELLED)
    midnight_s = np.floor(rows["occurred_s"] / 86400.0) * 86400.0
    count = midnight_s.size
    return claim_rows(
        decided_s=np.maximum(rows["occurred_s"] - scenario.monitoring.notice_s, midnight_s),
        trigger=ALERT,
        category=rows["category"],
        incident_id=rows["incident_id"],
        store_id=rows["store_id"],
        order_value_fen=rows["order_value_fen"],
        draws=day_draws(streams, f"alert/d{lunar_day:+d}", count),
    )


def alert_day(
    scenario: Scenario,
    streams: Streams,
    market: MarketDay,
    *,
    fleet: Fleet,
    incidents: Columns,
    saved: list[int],
) -> AlertDay:
    """Count the day's alerts; `saved` gives the contacts that each block's alerts saved."""
    answers = _answers(incidents)
    shape = (len(CATEGORIES), _KINDS)
    prevented = np.zeros(shape, dtype=np.int64)
    contacts_saved = np.zeros(shape, dtype=np.int64)
    for block, count in zip(market.blocks, saved, strict=True):
        prevented[block.category, block.kind] += int(block.prevented.sum())
        contacts_saved[block.category, block.kind] += count
    false = np.zeros_like(answers)
    parts = []
    marked = np.zeros((len(CATEGORIES), len(STORE_TYPES)), dtype=np.int64)
    for category in range(len(CATEGORIES)):
        claims, answer = _false_alarms(
            scenario,
            streams,
            market,
            fleet=fleet,
            category=category,
            true_alerts_count=int(answers[:, category].sum()),
        )
        # A false alarm foresees a closure.
        false[:, category, CLOSED] = [(answer == response).sum() for response in _ANSWERS]
        parts.append(claims)
        stores = distinct(claims["store_id"])
        marked[category] = np.bincount(fleet.speculator[stores].astype(np.int64), minlength=2)
    total = answers + false
    cell = np.nonzero((total.sum(axis=0) + prevented) * _foreseeable())
    alerts_count = total.sum(axis=0)[cell]
    rows: Columns = {
        "lunar_day": np.full(cell[0].size, market.lunar_day),
        "category": cell[0],
        "incident": cell[1],
        "alerts_count": alerts_count,
        "false_alarms_count": false.sum(axis=0)[cell],
        "alternative_count": total[0][cell],
        "cancelled_count": total[1][cell],
        "went_anyway_count": total[2][cell],
        "prevented_count": prevented[cell],
        "contacts_saved_count": contacts_saved[cell],
        "cost_fen": alerts_count * scenario.monitoring.alert_cost_fen,
    }
    return AlertDay(rows=rows, false_alarm_claims=parts, false_alarms_by_type=marked)


def _foreseeable() -> Ints:
    """1 for the incident types that monitoring can foresee; shape (incident types,)."""
    return np.isin(np.arange(_KINDS), FORESEEABLE_KINDS).astype(np.int64)


def _answers(incidents: Columns) -> Ints:
    """Warned consumers by response, category and incident type."""
    counts = np.zeros((len(ALERT_RESPONSES), len(CATEGORIES), _KINDS), dtype=np.int64)
    np.add.at(
        counts, (incidents["alert_response"], incidents["category"], incidents["incident"]), 1
    )
    return np.asarray(counts[list(_ANSWERS)])


def _false_alarms(
    scenario: Scenario,
    streams: Streams,
    market: MarketDay,
    *,
    fleet: Fleet,
    category: int,
    true_alerts_count: int,
) -> tuple[Columns, Ints]:
    """Warnings of nothing: (compensation of those who cancelled, response of everyone warned)."""
    f = scenario.monitoring.false_alarm_ratio
    rows = day_rows(
        scenario,
        streams,
        market,
        name="false_alarm",
        category=category,
        trigger=ALERT,
        mean=true_alerts_count * f / (1.0 - f),
    )
    rows = at_category_rows(rows, fleet, category)
    count = rows["decided_s"].size
    uniform = streams.rng(
        f"false_alarm.response/d{market.lunar_day:+d}/{CATEGORIES[category]}"
    ).random(count)
    answer = responses(scenario, uniform, np.ones(count, dtype=np.bool_))
    return pick(rows, answer == CANCELLED), answer
