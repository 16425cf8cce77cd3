"""What becomes of the orders of a block: warned, silent, claimed by self-service or brought to a
person.

Every answer is drawn at birth from a stream of its own. A warned consumer takes the alternative,
cancels with compensation, or goes anyway; whoever changed plans has no incident left to claim.
Self-service needs the guarantee API: a failed claim turns to a person or comes back later, and a
share of the failed is owed goodwill for the broken promise of an instant answer.
"""

from dataclasses import dataclass

import numpy as np

from scenarios.scenario import Scenario
from scenarios.words import ALERT_RESPONSES, CLAIM_PATHS, SURFACES
from sim.columns import Bools, Columns, Floats, Ints, pick
from sim.consumers.contacts import draw_contacts, topic_habits
from sim.market.conduct import DISSATISFACTION
from sim.market.fleet import Fleet
from sim.market.incidents import Block, opportunism_multiple
from sim.market.shocks import ShockField
from sim.streams import Streams

ALTERNATIVE = ALERT_RESPONSES.index("alternative")
CANCELLED = ALERT_RESPONSES.index("cancelled")
WENT_ANYWAY = ALERT_RESPONSES.index("went_anyway")
SILENT, SELF_SERVICE, HUMAN = (CLAIM_PATHS.index(p) for p in ("silent", "self_service", "human"))
FALSE_ADVERTISING = 3


@dataclass(frozen=True, slots=True)
class Fates:
    """The fates of one block. `incident_row` points into `incidents`."""

    incidents: Columns
    """One row an incident that was not prevented or spared; columns of the table but for ids."""
    self_claims: Columns
    """One row an upheld claim by self-service: claim columns and `decided_s`."""
    contacts: Columns
    """One row a consumer who turns to a person."""
    contact_claims: Columns
    """What each of them claims: claim columns, `upheld` and `fallback_delay_s`."""
    contacts_saved_count: int
    """Consumers whom an alert kept from turning to a person."""


def responses(scenario: Scenario, uniform: Floats, alerted: Bools) -> Ints:
    """What warned consumers do; 0 for those who were not warned."""
    monitoring = scenario.monitoring
    answer = np.where(
        uniform < monitoring.alternative_ratio,
        ALTERNATIVE,
        np.where(
            uniform < monitoring.alternative_ratio + monitoring.cancel_ratio,
            CANCELLED,
            WENT_ANYWAY,
        ),
    )
    if not scenario.loops.alerts_save_contacts:
        answer = np.full(uniform.size, WENT_ANYWAY)
    return np.asarray(np.where(alerted, answer, 0))


def order_value_fen(scenario: Scenario, category: int, z: Floats) -> Ints:
    """Lognormal prices with the category's mean and CV, at least 1 fen."""
    cv = scenario.demand.order_value_cv.row()[category]
    sigma = np.sqrt(np.log1p(cv * cv))
    mean = scenario.demand.order_value_fen.row()[category]
    price = np.maximum(np.rint(mean * np.exp(sigma * z - sigma**2 / 2.0)), 1.0)
    return np.asarray(price.astype(np.int64))


class _Draws:
    """The streams of one block: draw i belongs to incident i, or to its i-th claimant."""

    def __init__(self, streams: Streams, block: Block) -> None:
        self._streams = streams
        self._name = block.name

    def uniform(self, decision: str, count: int) -> Floats:
        return self._streams.rng(f"{decision}/{self._name}").random(count)

    def normal(self, decision: str, count: int) -> Floats:
        return self._streams.rng(f"{decision}/{self._name}").standard_normal(count)

    def exponential(self, decision: str, count: int) -> Floats:
        return self._streams.rng(f"{decision}/{self._name}").standard_exponential(count)


def draw_fates(
    scenario: Scenario,
    streams: Streams,
    block: Block,
    *,
    fleet: Fleet,
    shocks: ShockField,
    refund_generosity: float,
) -> Fates:
    """Draw the fates of a block's incidents."""
    draws = _Draws(streams, block)
    count = block.stores.size
    consumers = scenario.consumers
    response = np.zeros(count, dtype=np.int64)
    if block.alerted.any():
        response = responses(scenario, draws.uniform("alert.response", count), block.alerted)
    solved = (response == ALTERNATIVE) | (response == CANCELLED)
    path = _path(scenario, block, draws, fleet=fleet, shocks=shocks)
    claimants = np.flatnonzero(path != SILENT)
    delay_s = consumers.claim_delay_median_s.row()[block.kind] * np.exp(
        consumers.claim_delay_sigma_ratio * draws.normal("claim.delay", claimants.size)
    )
    way, claim_s, owed_goodwill = _meet_api(
        scenario,
        draws,
        shocks=shocks,
        path=path[claimants],
        claim_s=block.occurred_s[claimants] + delay_s,
    )
    path[claimants] = way
    path[solved] = SILENT
    opportunistic_ratio = _opportunistic_ratio(scenario, block.kind, refund_generosity)
    opportunistic = np.zeros(count, dtype=np.bool_)
    if opportunistic_ratio > 0.0:
        opportunistic = draws.uniform("claim.opportunistic", count) < opportunistic_ratio
    incidents: Columns = {
        **_circumstances(scenario, block, draws, fleet=fleet),
        "alert_response": response.astype(np.int8),
        "path": path.astype(np.int8),
        "upheld": draws.uniform("claim.upheld", count) < consumers.upheld_ratio.row()[block.kind],
        "opportunistic": opportunistic,
    }
    kept = block.kept
    claims = _claims(incidents, draws, claimants=claimants, kept=kept)
    claims["escalated"] = owed_goodwill
    live = kept[claimants] & ~solved[claimants]
    helps_self = live & (way == SELF_SERVICE) & claims["upheld"]
    self_claims = {name: claims[name][helps_self] for name in claims if name != "upheld"}
    comes = live & (way == HUMAN)
    contacts = draw_contacts(
        scenario,
        streams,
        topic_habits(scenario, block.kind),
        block=block.name,
        arrived_s=claim_s,
        comes=np.flatnonzero(comes),
    )
    contact_claims = pick(claims, comes)
    contact_claims["fallback_delay_s"] = contacts.pop("fallback_delay_s")
    contacts["category"] = contact_claims["category"]
    return Fates(
        incidents=incidents if kept.all() else pick(incidents, kept),
        self_claims={**self_claims, "decided_s": claim_s[helps_self]},
        contacts=contacts,
        contact_claims=contact_claims,
        contacts_saved_count=int(((way == HUMAN) & kept[claimants] & solved[claimants]).sum()),
    )


def _claims(incidents: Columns, draws: _Draws, *, claimants: Ints, kept: Bools) -> Columns:
    """Claim columns of those who claim; the uniforms decide amounts and recourse later."""
    count = claimants.size
    return {
        "incident_row": (np.cumsum(kept) - 1)[claimants],
        "trigger": incidents["incident"][claimants],
        "category": incidents["category"][claimants],
        "store_id": incidents["store_id"][claimants],
        "order_value_fen": incidents["order_value_fen"][claimants],
        "upheld": incidents["upheld"][claimants],
        "opportunistic": incidents["opportunistic"][claimants],
        "severity_u": draws.uniform("claim.severity", count),
        "legal_u": draws.uniform("claim.legal", count),
        "recourse_u": draws.uniform("claim.recourse", count),
        "recourse_lag_u": draws.uniform("claim.recourse_lag", count),
    }


def _circumstances(
    scenario: Scenario, block: Block, draws: _Draws, *, fleet: Fleet
) -> Columns:
    """What happened, when, where and to an order of what price."""
    count = block.stores.size
    return {
        "occurred_s": block.occurred_s,
        "lunar_day": np.full(count, block.lunar_day, dtype=np.int8),
        "category": np.full(count, block.category, dtype=np.int8),
        "region": fleet.region[block.stores],
        "incident": np.full(count, block.kind, dtype=np.int8),
        "surface": _surface(scenario, block.kind, draws, count),
        "store_id": block.stores.astype(np.int32),
        "store_type": fleet.speculator[block.stores].astype(np.int8),
        "order_value_fen": order_value_fen(
            scenario, block.category, draws.normal("order.value", count)
        ),
    }


def _path(
    scenario: Scenario, block: Block, draws: _Draws, *, fleet: Fleet, shocks: ShockField
) -> Ints:
    """Silent, self-service or a person; shocks raise only what reaches a person."""
    consumers = scenario.consumers
    tick = _tick(scenario, shocks, block.occurred_s)
    urge = shocks.contact_multiple[tick, block.category, fleet.region[block.stores]]
    claims = consumers.contact_ratio.row()[block.kind] * consumers.contact_multiple
    by_self = min(1.0, claims * consumers.self_service_ratio.row()[block.kind])
    by_person = claims * (1.0 - consumers.self_service_ratio.row()[block.kind]) * urge
    uniform = draws.uniform("claim.path", block.stores.size)
    path = np.full(uniform.size, SILENT)
    path[uniform < by_self + by_person] = HUMAN
    path[uniform < by_self] = SELF_SERVICE
    return path


def _tick(scenario: Scenario, shocks: ShockField, at_s: Floats) -> Ints:
    """Tick of each time; the last one for what lies beyond the horizon."""
    tick = (at_s / scenario.horizon.tick_s).astype(np.int64)
    return np.minimum(tick, shocks.api_failed_ratio.size - 1)


def _meet_api(
    scenario: Scenario, draws: _Draws, *, shocks: ShockField, path: Ints, claim_s: Floats
) -> tuple[Ints, Floats, Bools]:
    """Self-service claims that the API fails: (path, time of the claim, whether it will be settled
    on the terms of an escalation). They turn to a person or come later; with the loop off they all
    come later, and nothing is owed for it."""
    count = path.size
    failed_ratio = shocks.api_failed_ratio[_tick(scenario, shocks, claim_s)]
    if not failed_ratio.any():
        return path, claim_s, np.zeros(count, dtype=np.bool_)
    failed = (draws.uniform("api.failed", count) < failed_ratio) & (path == SELF_SERVICE)
    turns = failed & (draws.uniform("api.failover", count) < scenario.api.failover_ratio)
    turns &= scenario.loops.api_failover
    goodwill = failed & (draws.uniform("api.goodwill", count) < scenario.api.goodwill_ratio)
    goodwill &= scenario.loops.api_failover
    retry_s = scenario.api.retry_delay_mean_s * draws.exponential("api.retry", count)
    claim_s = np.where(failed & ~turns, claim_s + retry_s, claim_s)
    return np.where(turns, HUMAN, path), claim_s, goodwill


def _surface(scenario: Scenario, kind: int, draws: _Draws, count: int) -> Ints:
    """Where false advertising stood; -1 for other kinds."""
    if kind != FALSE_ADVERTISING:
        return np.full(count, -1, dtype=np.int8)
    uniform = draws.uniform("incident.surface", count)
    conduct = scenario.conduct
    edges = np.cumsum((conduct.surface_share_short_video, conduct.surface_share_live_room))
    return np.minimum(np.searchsorted(edges, uniform, side="right"), len(SURFACES) - 1).astype(
        np.int8
    )


def _opportunistic_ratio(scenario: Scenario, kind: int, generosity: float) -> float:
    """Share of claims of a kind without a grievance, given the generosity of the terms."""
    if kind != DISSATISFACTION:
        return 0.0
    opportunism = scenario.consumers.opportunism
    share = opportunism.dissatisfaction_ratio
    total = opportunism_multiple(share, generosity, opportunism.elasticity_ratio)
    return 1.0 - (1.0 - share) / total if total > 0.0 else 0.0
