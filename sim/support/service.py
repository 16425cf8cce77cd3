"""What the floor achieved: the tables `intervals`, `contacts` and `staffing`, and the metrics.

The one place where the support record becomes statistics, after the run; nothing is simulated here.
Contacts count in the interval in which they arrive. Service level = answered within the channel's
threshold / offered; abandoned ratio = abandoned / offered; ASA = mean wait of the answered, without
escalations, whose consumers are called back and wait on no line; occupancy = busy / available agent
time (an agent with one of three IM sessions taken is busy by a third; contacts in hand at a shift's
end may lift it over 1). Warm-up days are left out.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from scenarios.demand import Horizon
from scenarios.support import Support
from scenarios.words import CHANNELS
from sim.columns import Columns
from sim.support import invariants
from sim.support.attempts import (
    ABANDONED,
    ANSWERED,
    ESCALATION,
    FRESH,
    IN_SYSTEM,
    RECONNECT,
    REDIAL,
    Attempts,
)
from sim.support.cases import Floats
from sim.support.integrals import open_integral
from sim.support.layout import QUEUES_COUNT, Layout
from sim.support.pool import Pool
from sim.support.roster import Roster

DAY_S: Final = 86400.0
PHONE: Final = CHANNELS.index("phone")
IM: Final = CHANNELS.index("im")
CHANNEL_OF: Final = np.arange(QUEUES_COUNT) % len(CHANNELS)
SKILL_OF: Final = np.arange(QUEUES_COUNT) // len(CHANNELS)


def tables(
    support: Support,
    *,
    horizon: Horizon,
    layout: Layout,
    roster: Roster,
    pool: Pool,
    case_category: NDArray[np.integer[Any]],
) -> dict[str, Columns]:
    """The three tables of a finished run, whose invariants are checked on the way.

    `case_category` gives the order's category by case_id.
    """
    attempts = pool.attempts()
    invariants.check(
        attempts,
        cases=pool.cases(),
        layout=layout,
        staffed=pool.staffed(),
        end_s=horizon.end_s,
    )
    return {
        "intervals": _intervals(support, horizon, layout, roster, attempts),
        "contacts": _contacts(horizon, layout, attempts, case_category),
        "staffing": _staffing(horizon, roster),
    }


def _intervals(
    support: Support, horizon: Horizon, layout: Layout, roster: Roster, attempts: Attempts
) -> Columns:
    """One row an interval, skill and channel."""
    ticks_count = horizon.days_count * horizon.ticks_per_day
    tick_s = float(horizon.tick_s)
    targets = support.targets
    threshold_s = np.array([targets.phone.threshold_s, targets.im.threshold_s])
    waits_until_s = np.where(attempts.outcome == ABANDONED, attempts.ended_s, attempts.answered_s)
    wait_s = waits_until_s - attempts.arrived_s
    tick = (attempts.arrived_s / tick_s).astype(np.int64)
    cell = tick * QUEUES_COUNT + attempts.queue
    shape = (ticks_count, QUEUES_COUNT)

    def count(chosen: NDArray[np.bool_]) -> NDArray[np.int32]:
        counts = np.bincount(cell[chosen], minlength=shape[0] * shape[1])
        return counts.reshape(shape).astype(np.int32)

    def total(values: Floats, chosen: NDArray[np.bool_]) -> Floats:
        sums = np.bincount(cell[chosen], weights=values[chosen], minlength=shape[0] * shape[1])
        return sums.reshape(shape).astype(np.float64)

    answered = attempts.outcome == ANSWERED
    abandoned = attempts.outcome == ABANDONED
    short = wait_s <= threshold_s[CHANNEL_OF[attempts.queue]]
    handled = ~np.isnan(attempts.ended_s) & answered
    queued = ~(wait_s == 0.0)
    queue_len_s = open_integral(
        group=attempts.queue[queued],
        groups_count=QUEUES_COUNT,
        start_s=attempts.arrived_s[queued],
        end_s=np.where(np.isnan(waits_until_s), np.inf, waits_until_s)[queued],
        interval_s=tick_s,
        intervals_count=ticks_count,
    )
    available, busy = _agents(horizon, layout, roster, attempts)
    columns: dict[str, NDArray[Any]] = {
        "fresh_count": count(attempts.kind == FRESH),
        "offered_count": count(np.ones(len(attempts), dtype=bool)),
        "answered_count": count(answered),
        "abandoned_count": count(abandoned),
        "in_system_count": count(attempts.outcome == IN_SYSTEM),
        "answered_within_threshold_count": count(answered & short),
        "abandoned_within_threshold_count": count(abandoned & short),
        "redial_count": count(attempts.kind == REDIAL),
        "reconnect_count": count(attempts.kind == RECONNECT),
        "escalation_count": count(attempts.kind == ESCALATION),
        "wait_answered_s_sum": total(wait_s, answered),
        "wait_s_sum": total(wait_s, answered | abandoned),
        "handle_s_sum": total(attempts.ended_s - attempts.answered_s, handled),
        "queue_len_mean": queue_len_s / tick_s,
        "agents_available": available,
        "agents_busy": busy,
    }
    first = horizon.warm_up_days * horizon.ticks_per_day
    ticks = np.arange(first, ticks_count)
    starts_s = np.repeat(ticks * tick_s, QUEUES_COUNT)
    return {
        "interval_start_s": starts_s,
        "lunar_day": _lunar_day(horizon, starts_s),
        "skill": np.tile(SKILL_OF, len(ticks)).astype(np.int8),
        "channel": np.tile(CHANNEL_OF, len(ticks)).astype(np.int8),
        **{name: values[first:].ravel() for name, values in columns.items()},
    }


def _agents(
    horizon: Horizon, layout: Layout, roster: Roster, attempts: Attempts
) -> tuple[Floats, Floats]:
    """Available and busy agents by interval and first queue of their team."""
    answered = attempts.team >= 0
    busy_s = open_integral(
        group=attempts.team[answered],
        groups_count=len(layout.teams),
        start_s=attempts.answered_s[answered],
        end_s=np.where(np.isnan(attempts.ended_s), np.inf, attempts.ended_s)[answered],
        interval_s=float(horizon.tick_s),
        intervals_count=horizon.days_count * horizon.ticks_per_day,
    )
    sessions = np.array([team.sessions_per_agent_count for team in layout.teams])
    serves_first = np.zeros((len(layout.teams), QUEUES_COUNT))
    serves_first[np.arange(len(layout.teams)), [team.first for team in layout.teams]] = 1.0
    busy = busy_s / horizon.tick_s / sessions
    return roster.agents_available @ serves_first, busy @ serves_first


def _contacts(
    horizon: Horizon,
    layout: Layout,
    attempts: Attempts,
    case_category: NDArray[np.integer[Any]],
) -> Columns:
    """One row an attempt that arrived after the warm-up."""
    rows = slice(int(np.searchsorted(attempts.arrived_s, horizon.warm_up_s)), None)
    team = attempts.team[rows]
    queue = attempts.queue[rows]
    names = np.array([*(plan.name for plan in layout.teams), None], dtype=object)
    first = np.array([*(plan.first for plan in layout.teams), -1])
    return {
        "case_id": attempts.case_id[rows],
        "attempt_count": attempts.attempt[rows],
        "kind": attempts.kind[rows],
        "topic": attempts.topic[rows],
        "category": case_category[attempts.case_id[rows]],
        "skill": SKILL_OF[queue].astype(np.int8),
        "channel": CHANNEL_OF[queue].astype(np.int8),
        "priority": attempts.priority[rows],
        "lunar_day": _lunar_day(horizon, attempts.arrived_s[rows]),
        "arrived_s": attempts.arrived_s[rows],
        "answered_s": attempts.answered_s[rows],
        "ended_s": attempts.ended_s[rows],
        "outcome": attempts.outcome[rows],
        "team": names[team],
        "cross_answered": (team >= 0) & (first[team] != queue),
        "patience_s": attempts.patience_s[rows],
        "resolved": attempts.resolved[rows],
    }


def _staffing(horizon: Horizon, roster: Roster) -> Columns:
    """One row an interval and team."""
    first = horizon.warm_up_days * horizon.ticks_per_day
    ticks_count, teams_count = roster.slots.shape
    starts_s = np.repeat(np.arange(first, ticks_count) * float(horizon.tick_s), teams_count)
    return {
        "interval_start_s": starts_s,
        "lunar_day": _lunar_day(horizon, starts_s),
        "team": np.tile(np.array(roster.team_names, dtype=object), ticks_count - first),
        "heads_rostered_count": roster.heads_rostered[first:].ravel().astype(np.int32),
        "heads_present_count": roster.heads_present[first:].ravel().astype(np.int32),
        "overtime_count": roster.overtime[first:].ravel().astype(np.int32),
        "agents_available": roster.agents_available[first:].ravel(),
        "new_hire_ratio": roster.new_hire_ratio[first:].ravel(),
        "wage_fen": roster.wage_fen[first:].ravel(),
    }


def _lunar_day(horizon: Horizon, at_s: Floats) -> NDArray[np.int8]:
    day: NDArray[np.int8] = (horizon.start_day + np.floor(at_s / DAY_S)).astype(np.int8)
    return day


def metrics(support: Support, found: dict[str, Columns]) -> dict[str, tuple[float, str]]:
    """Season totals from the tables. A ratio without a denominator is NaN."""
    intervals, staffing = found["intervals"], found["staffing"]

    def total(name: str, channel: int | None = None) -> float:
        chosen = slice(None) if channel is None else intervals["channel"] == channel
        return float(intervals[name][chosen].sum())

    def ratio(part: float, whole: float) -> float:
        return part / whole if whole > 0.0 else np.nan

    def service_level(channel: int) -> float:
        within = total("answered_within_threshold_count", channel)
        return ratio(within, total("offered_count", channel))

    contacts = found["contacts"]
    waited = (contacts["outcome"] == ANSWERED) & (contacts["kind"] != ESCALATION)

    def asa_s(channel: int) -> float:
        chosen = waited & (contacts["channel"] == channel)
        wait_s = (contacts["answered_s"] - contacts["arrived_s"])[chosen]
        return ratio(float(wait_s.sum()), float(chosen.sum()))

    def aht_s(channel: int) -> float:
        chosen = (contacts["channel"] == channel) & ~np.isnan(contacts["ended_s"])
        chosen &= contacts["outcome"] == ANSWERED
        handle_s = (contacts["ended_s"] - contacts["answered_s"])[chosen]
        return ratio(float(handle_s.sum()), float(chosen.sum()))

    intervals_count = len(np.unique(staffing["interval_start_s"]))

    def mean_heads(name: str) -> float:
        return float(staffing[name].sum()) / intervals_count

    offered = total("offered_count")
    return {
        "contacts_fresh_count": (total("fresh_count"), "contacts"),
        "contacts_offered_count": (offered, "contacts"),
        "contacts_answered_count": (total("answered_count"), "contacts"),
        "contacts_abandoned_count": (total("abandoned_count"), "contacts"),
        "abandoned_ratio": (ratio(total("abandoned_count"), offered), "ratio"),
        "service_level_phone_ratio": (service_level(PHONE), "ratio"),
        "service_level_im_ratio": (service_level(IM), "ratio"),
        "asa_phone_s": (asa_s(PHONE), "s"),
        "asa_im_s": (asa_s(IM), "s"),
        "aht_phone_s": (aht_s(PHONE), "s"),
        "aht_im_s": (aht_s(IM), "s"),
        "occupancy_ratio": (ratio(total("agents_busy"), total("agents_available")), "ratio"),
        "redials_count": (total("redial_count"), "contacts"),
        "reconnects_count": (total("reconnect_count"), "contacts"),
        "escalations_count": (total("escalation_count"), "contacts"),
        "cross_answered_count": (float(found["contacts"]["cross_answered"].sum()), "contacts"),
        "heads_paid_count": (float(support.heads_count), "agents"),
        "seats_count": (float(support.seats_count), "seats"),
        "heads_rostered_mean": (mean_heads("heads_rostered_count"), "agents"),
        "heads_present_mean": (mean_heads("heads_present_count"), "agents"),
        "agents_available_mean": (mean_heads("agents_available"), "agents"),
        "wage_fen": (float(staffing["wage_fen"].sum()), "fen"),
    }
