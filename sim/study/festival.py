"""The festival as a model to study: what a point asks, and a season of it in a worker process.

Decides which tables a replication has to make for the metrics that are looked at; all metrics that
these tables allow are kept. A point is a scenario file with overlays and `key=value` on top, so
that a worker, on whatever machine that sees the same files, loads it by itself.
"""

import gc
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from scenarios.loader import shipped
from scenarios.scenario import Scenario
from sim.experiment import measures, subjects
from sim.experiment.frames import to_frame
from sim.replication import simulate

Metrics = Mapping[str, tuple[float, str]]
_FLOOR_TABLES: Final = ("intervals", "contacts", "staffing")
_MONEY: Final = (
    "claims_count", "claims_uncovered_count", "claims_reviewed_count", "payout_due_fen",
    "payout_gross_fen", "payout_recovered_fen", "payout_net_fen", "payout_legal_fen",
    "payout_opportunistic_fen", "payout_reserve_fen", "payout_shortfall_fen",
    "recourse_written_off_fen", "recourse_open_fen", "fines_fen", "pots_exhausted_ratio",
)  # fmt: skip
_FLOOR: Final = (
    "contacts_fresh_count", "contacts_offered_count", "contacts_answered_count",
    "contacts_abandoned_count", "abandoned_ratio", "service_level_phone_ratio",
    "service_level_im_ratio", "asa_phone_s", "asa_im_s", "aht_phone_s", "aht_im_s",
    "occupancy_ratio", "redials_count", "reconnects_count", "escalations_count",
    "cross_answered_count", "heads_paid_count", "seats_count", "heads_rostered_mean",
    "heads_present_mean", "agents_available_mean", "wage_fen",
)  # fmt: skip
_MARKET: Final = {
    "demand": ("orders_count",),
    "alerts": (
        "alerts_count", "false_alarms_count", "contacts_saved_count", "alert_cost_fen",
        "alert_compensation_fen", "prevented_count",
    ),
    "merchants_daily": ("delisted_merchants_count",),
    "incidents": (
        "incidents_count", "self_service_claims_count", "no_room_count",
        "misconduct_incidents_count",
    ),
}  # fmt: skip
_VERDICT: Final = (subjects.HOURS_ON_TARGET, subjects.WORST_HOUR_PHONE, subjects.ENOUGH)
# Metric -> the tables that a replication makes for it.
TABLES_OF: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(_MONEY, ()),
    **dict.fromkeys(_FLOOR, _FLOOR_TABLES),
    **{metric: (table,) for table, metrics in _MARKET.items() for metric in metrics},
    **dict.fromkeys(_VERDICT, (*_FLOOR_TABLES, "alerts")),
}


@dataclass(frozen=True, slots=True)
class Question:
    """What a point asks of a season."""

    scenario: str
    """Name, or path of a file."""
    overlays: tuple[str, ...]
    sets: tuple[str, ...]
    seed: int
    tables: tuple[str, ...]


def tables_for(metrics: Iterable[str]) -> tuple[str, ...]:
    """The tables behind these metrics, by name."""
    return tuple(sorted({table for metric in metrics for table in TABLES_OF[metric]}))


def season(question: Question, replication: int) -> Metrics:
    """Simulate one replication of a point; called in worker processes."""
    scenario = _scenario(question.scenario, question.overlays, question.sets)
    result = simulate(
        scenario, seed=question.seed, replication=replication, tables=question.tables
    )
    found = dict(result.metrics)
    if all(name in question.tables for name in measures.SEASON_TABLES):
        frames = {
            name: to_frame(name, result.tables[name], replication=replication)
            for name in measures.SEASON_TABLES
        }
        verdict = measures.season(frames, targets=scenario.support.targets)
        found |= {name: (verdict[name], subjects.UNITS[name]) for name in _VERDICT}
    # A world holds itself in cycles; without this the next one is built beside it.
    del result
    gc.collect()
    return found


@lru_cache(maxsize=1)
def _scenario(name: str, overlays: tuple[str, ...], sets: tuple[str, ...]) -> Scenario:
    """Loaded once for the seasons of a point."""
    return shipped().load(name, overlays=overlays, sets=sets)
