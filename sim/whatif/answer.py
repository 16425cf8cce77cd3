"""The approximate answer: what a scenario leads to, in well under a second and without a draw.

`approximate` puts the expected flows (flows.py), the floor (floor.py) and the money (money.py)
together and gives the measures the names and units of the simulation's metrics. It is an
approximation: benchmarks/bench_whatif.py measures how far it lies from the simulation, and
tests/test_whatif.py holds it to that.
"""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from scenarios.scenario import Scenario
from scenarios.words import CHANNELS, GUARANTEES
from sim.columns import Floats
from sim.consumers.contacts import PHONE
from sim.support.roster import Roster
from sim.whatif.floor import Crowd, Work, crowd
from sim.whatif.flows import Flows, day_sums, expected_flows
from sim.whatif.money import Payouts, claimants, expected_dues, expected_payouts
from sim.whatif.work import LEVEL_QUANTILES, usual_roster, work_of

IM: Final = 1 - PHONE
Measure = tuple[float, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a scenario leads to, approximately; days are those that count."""

    measures: dict[str, Measure]
    """Value and unit, by the metric's name in the simulation."""
    first_day: int
    """Lunar day of the first row of the arrays."""
    service_level_ratio: Floats
    """Answered within the threshold / offered; shape (days, 24, channels); NaN without contacts."""
    load_agents: Floats
    """Agents that contacts would keep busy if nobody waited; shape (days, 24)."""
    agents_available: Floats
    """Productive agents there; shape (days, 24)."""
    held_ratio: Floats
    """Chance that a day meets every target; shape (days,)."""
    exhausted_ratio: dict[str, float]
    """Chance that the pot runs dry, by guarantee."""


def approximate(scenario: Scenario) -> Answer:
    """The approximate answer for the days of the horizon."""
    flows = expected_flows(scenario)
    dues = expected_dues(
        scenario,
        claimants(scenario, flows.by_self, flows.by_person, flows.others),
        escalated_ratio=0.0,
    )
    roster = usual_roster(scenario)
    work = work_of(scenario, flows, dues, roster)
    walked = by_channel(crowd(scenario, work))
    heard, escalated = _heard(scenario, walked)
    dues = expected_dues(
        scenario,
        claimants(scenario, flows.by_self, flows.by_person * heard, flows.others),
        escalated_ratio=escalated,
    )
    return _answer(scenario, flows, work, walked, roster, expected_payouts(scenario, dues))


def by_channel(walked: Crowd) -> Crowd:
    """A crowd's queues added up to channels; shape (ticks, channels, levels)."""
    return Crowd(*(_channels(getattr(walked, field.name)) for field in fields(Crowd)))


def _channels(flow: Floats) -> Floats:
    """Sums over the skills of each channel; (ticks, queues, ...) to (ticks, channels, ...)."""
    return np.asarray(flow.reshape(len(flow), -1, len(CHANNELS), *flow.shape[2:]).sum(axis=1))


def _heard(scenario: Scenario, walked: Crowd) -> tuple[float, float]:
    """(share of human claims that are decided at all, share of all claims settled escalated)."""
    returns = scenario.consumers.returns
    fresh = float((walked.offered - walked.redials - walked.reconnects - walked.escalations).sum())
    lost = float(walked.given_up.sum()) / max(fresh, 1e-300)
    escalated = lost * (returns.escalation_ratio if scenario.loops.abandonment_returns else 0.0)
    silent = (lost - escalated) * (1.0 - returns.fallback_ratio)
    return 1.0 - silent, escalated


def _answer(
    scenario: Scenario,
    flows: Flows,
    work: Work,
    walked: Crowd,
    roster: Roster,
    payouts: Payouts,
) -> Answer:
    horizon = scenario.horizon
    first = horizon.warm_up_days * horizon.ticks_per_day
    sessions = np.array([1.0, scenario.support.im.sessions_per_agent_count])
    hours = (horizon.days_count - horizon.warm_up_days, 24, -1, len(CHANNELS))

    def by_hour(flow: Floats) -> Floats:
        return np.asarray(flow[first:].reshape(hours))

    offered = by_hour(walked.offered.mean(axis=-1)).sum(axis=2)
    in_time = by_hour(walked.in_time.mean(axis=-1)).sum(axis=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        service_level_ratio = np.where(offered > 0.0, in_time / offered, np.nan)
    load = _channels((work.fresh_per_s * work.handle_s).mean(axis=-1)) / sessions
    of_team = np.array([team.first % len(CHANNELS) for team in work.teams])
    slots = np.stack([work.slots[:, of_team == c].sum(axis=1) for c in (PHONE, IM)], axis=1)
    held = _held(*_margins(scenario, walked))
    return Answer(
        measures={
            **_flow_measures(scenario, flows, first),
            **_floor_measures(walked, slots, sessions, first),
            "enough_probability_ratio": (float(held.prod()), "ratio"),
            **_money_measures(payouts, roster, first),
        },
        first_day=horizon.first_day,
        service_level_ratio=service_level_ratio,
        load_agents=by_hour(load).mean(axis=2).sum(axis=-1),
        agents_available=by_hour(slots / sessions).mean(axis=2).sum(axis=-1),
        held_ratio=held,
        exhausted_ratio=dict(zip(GUARANTEES, payouts.exhausted_ratio.tolist(), strict=True)),
    )


def _flow_measures(scenario: Scenario, flows: Flows, first: int) -> dict[str, Measure]:
    true_ratio = 1.0 - scenario.monitoring.false_alarm_ratio
    return {
        "orders_count": (float(flows.orders[first:].sum()), "orders"),
        "incidents_count": (float(flows.incidents[first:].sum()), "incidents"),
        "alerts_count": (float(flows.alerts[first:].sum()) / true_ratio, "alerts"),
    }


def _floor_measures(
    walked: Crowd, slots: Floats, sessions: Floats, first: int
) -> dict[str, Measure]:
    """Sums over ticks and channels, means over levels."""

    def count(flow: Floats, channel: int | None = None) -> float:
        chosen = flow[first:] if channel is None else flow[first:, channel]
        return float(chosen.sum()) / int(flow.shape[-1])

    def level_of(channel: int) -> float:
        return count(walked.in_time, channel) / max(count(walked.offered, channel), 1e-9)

    busy = (walked.busy.mean(axis=-1) / sessions)[first:].sum()
    return {
        "contacts_offered_count": (count(walked.offered), "contacts"),
        "contacts_abandoned_count": (count(walked.abandoned), "contacts"),
        "abandoned_ratio": (
            count(walked.abandoned) / max(count(walked.offered), 1e-9),
            "ratio",
        ),
        "service_level_phone_ratio": (level_of(PHONE), "ratio"),
        "service_level_im_ratio": (level_of(IM), "ratio"),
        "occupancy_ratio": (float(busy / max((slots / sessions)[first:].sum(), 1e-9)), "ratio"),
        "redials_count": (count(walked.redials), "contacts"),
        "reconnects_count": (count(walked.reconnects), "contacts"),
        "escalations_count": (count(walked.escalations), "contacts"),
    }


def _money_measures(payouts: Payouts, roster: Roster, first: int) -> dict[str, Measure]:
    gross, back = float(payouts.gross_fen.sum()), float(payouts.recovered_fen.sum())
    return {
        "payout_gross_fen": (gross, "fen"),
        "payout_recovered_fen": (back, "fen"),
        "payout_net_fen": (gross - back, "fen"),
        "wage_fen": (float(roster.wage_fen[first:].sum()), "fen"),
        "pots_exhausted_ratio": (float(payouts.exhausted_ratio.mean()), "ratio"),
    }


def _margins(scenario: Scenario, walked: Crowd) -> tuple[Floats, Floats]:
    """By how much each day keeps its targets: service levels by (days, channels, levels), and
    abandonment by (days, levels)."""
    horizon, targets = scenario.horizon, scenario.support.targets

    def by_day(flow: Floats) -> Floats:
        return day_sums(scenario, flow)[horizon.warm_up_days :]

    offered = by_day(walked.offered)
    level = by_day(walked.in_time) / np.maximum(offered, 1e-9)
    lost = by_day(walked.abandoned).sum(axis=1) / np.maximum(offered.sum(axis=1), 1e-9)
    wanted = np.array([targets.phone.service_level_ratio, targets.im.service_level_ratio])
    return level - wanted[:, None], targets.abandoned_ratio - lost


def _held(level_margin: Floats, lost_margin: Floats) -> Floats:
    """Chance that a day keeps all targets: the level of the day at which the first one breaks.

    Margins by (days, channels, levels) and (days, levels), falling with the level; between two
    quantiles of the level the margin is taken as straight.
    """
    margin = np.minimum(level_margin.min(axis=1), lost_margin)
    held = []
    for row in margin:
        if row[0] < 0.0 or row[-1] >= 0.0:
            held.append(float(row[0] >= 0.0))
            continue
        last = int(np.flatnonzero(row >= 0.0)[-1])
        part = row[last] / (row[last] - row[last + 1])
        held.append(float(LEVEL_QUANTILES[last] + part * np.diff(LEVEL_QUANTILES)[0]))
    return np.array(held)


def changes(baseline: Answer, answer: Answer) -> dict[str, float]:
    """What the answer has more of than the baseline, by measure."""
    return {
        name: value - baseline.measures[name][0] for name, (value, _) in answer.measures.items()
    }
