"""The support floor in expectation: a queue as one crowd of slots, five minutes at a time.

Contacts of a queue (skill and channel) in the system are taken as normal with mean m and variance
v, which follow
    m' = L - mu E min(X, n) - a
    v' = L + mu E min(X, n) + a - 2 v (mu P + h (1 - P)) + what hours of random level add
with n slots, arrivals L (fresh, redials, reconnects, escalations), P = P(X < n) and abandonment
a = W F(w), h the hazard at w, where w solves W H(w) = E(X - n)+, H(w) = E min(patience, w), and W
are the arrivals that wait, those served first (priority) taken out where they find a slot. Exact
for stationary crowds in overload, and a queue's memory from one hour to the next is kept. Slots are
lent from tick to tick: what a team does not need, above its reserve, goes to its further queues in
their order. Redials, reconnects and escalations wait in pools that empty exponentially. Every
trajectory runs at its own level of the day. Sources: Mandelbaum, Massey, Reiman, Rider and Stolyar,
Telecommunication Systems 21 (2002), retrials; Massey and Pender, Queueing Systems 75 (2013), the
normal closure; Whitt, Operations Research 54 (2006), fluid abandonment. Left out: that a consumer
tries three times at most, and that urgent callers have a patience and a share of redials of their
own. Rates per second.
"""

from dataclasses import dataclass, fields
from math import exp, sqrt
from typing import Final

import numpy as np
from scipy.special import ndtr

from scenarios.scenario import Scenario
from scenarios.words import CHANNELS
from sim.columns import Floats
from sim.support.layout import QUEUES_COUNT, TeamPlan, queue_of
from sim.theory.patience import lognormal

STEP_S: Final = 300.0
ESCALATED_TO: Final = queue_of("specialist", "phone")
# A queue borrows up to so many standard deviations above its mean.
MARGIN: Final = 2.0
# Patience is tabulated at these mean waits; beyond the last nobody is left.
GRID_S: Final = np.concatenate([[0.0], np.geomspace(0.1, 50_000.0, 600)])
# Autocorrelation time of levels that are drawn hour by hour.
HOUR_MEMORY_S: Final = 1800.0
LEAST_VARIANCE: Final = 1e-6
ESCALATIONS: Final = 2
ROOT_2_PI: Final = sqrt(2.0 * np.pi)


@dataclass(frozen=True, slots=True)
class Work:
    """What the floor is given; shape (ticks, queues, levels) unless said otherwise."""

    fresh_per_s: Floats
    """Fresh contacts, incidents and inquiries, at each level."""
    incident_ratio: Floats
    """Share of the fresh that have an incident to escalate; (ticks, queues)."""
    first_ratio: Floats
    """Share of the fresh that are served before the others; (ticks, queues)."""
    handle_s: Floats
    """Mean time that a contact takes a slot."""
    escalated_s: float
    """Mean handle time of an escalation."""
    slots: Floats
    """Slots there; (ticks, teams)."""
    teams: tuple[TeamPlan, ...]
    """Whose slots these are."""
    hour_cv: float
    """Spread of an hour's level."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """What came of it by tick; shape (ticks, queues, levels)."""

    offered: Floats
    abandoned: Floats
    in_time: Floats
    """Offered contacts that are answered within the channel's threshold."""
    busy: Floats
    """Slots busy, mean over the tick."""
    redials: Floats
    reconnects: Floats
    escalations: Floats
    given_up: Floats
    """Abandoned for good."""


class _Patience:
    """Tables of the laws of patience by channel: abandonment and hazard at a mean wait."""

    def __init__(self, scenario: Scenario) -> None:
        own = scenario.consumers.patience
        laws = {
            "phone": lognormal(own.phone_median_s, own.phone_sigma_ratio),
            "im": lognormal(own.im_median_s, own.im_sigma_ratio),
        }
        self._gone: list[Floats] = []
        self._hazard: list[Floats] = []
        for channel in CHANNELS:
            law = laws[channel]
            w = np.concatenate([[0.0], np.geomspace(0.05, 500_000.0, 2000)])
            endured = np.maximum.accumulate(law.endured(w)) + np.arange(w.size) * 1e-12
            at = np.interp(GRID_S, endured, w)
            self._gone.append(law.gone(at))
            slope = np.gradient(law.gone(w), w) / np.maximum(law.staying(w), 1e-12)
            self._hazard.append(np.interp(at, w, slope))

    def at(self, mean_wait_s: Floats) -> tuple[Floats, Floats]:
        """(share gone, hazard) for mean waits of shape (queues, levels)."""
        gone, hazard = np.empty_like(mean_wait_s), np.empty_like(mean_wait_s)
        for channel in range(len(CHANNELS)):
            rows = slice(channel, None, len(CHANNELS))
            gone[rows] = np.interp(mean_wait_s[rows], GRID_S, self._gone[channel])
            hazard[rows] = np.interp(mean_wait_s[rows], GRID_S, self._hazard[channel])
        return gone, hazard


def crowd(scenario: Scenario, work: Work) -> Crowd:
    """Walk through the horizon, from an empty floor."""
    ticks, queues, levels = work.fresh_per_s.shape
    names = [field.name for field in fields(Crowd)]
    sums = np.zeros((ticks, len(names), queues, levels))
    steps = max(1, round(scenario.horizon.tick_s / STEP_S))
    walk = _Walk(scenario, work, step_s=scenario.horizon.tick_s / steps)
    for tick in range(ticks):
        walk.lend(tick)
        for _ in range(steps):
            walk.step(tick, sums[tick])
    sums *= walk.step_s
    sums[:, names.index("busy")] /= scenario.horizon.tick_s
    return Crowd(*(sums[:, k] for k in range(len(names))))


class _Walk:
    """The state between steps; arrays by (queues, levels)."""

    def __init__(self, scenario: Scenario, work: Work, *, step_s: float) -> None:
        returns, targets = scenario.consumers.returns, scenario.support.targets
        self._work, self.step_s = work, step_s
        self._patience = _Patience(scenario)
        thresholds_s = (targets.phone.threshold_s, targets.im.threshold_s)
        self._threshold_s = np.tile(thresholds_s, QUEUES_COUNT // 2)[:, None]
        loop = scenario.loops.abandonment_returns
        self._redial_ratio = returns.redial_ratio if loop else 0.0
        self._escalation_ratio = returns.escalation_ratio if loop else 0.0
        self._reconnect_ratio = 1.0 - returns.fcr_ratio
        sigma = returns.reconnect_delay_sigma_ratio
        delays_s = (
            returns.redial_delay_mean_s,
            returns.reconnect_delay_median_s * exp(sigma**2 / 2.0),
            returns.escalation_delay_mean_s,
        )
        self._delays_s = np.maximum(np.array(delays_s), step_s)[:, None, None]
        shape = work.fresh_per_s.shape[1:]
        self._inside, self._spread = np.zeros(shape), np.full(shape, LEAST_VARIANCE)
        self._pools = np.zeros((len(delays_s), *shape))
        self._slots = np.zeros(shape)

    def lend(self, tick: int) -> None:
        """Deal the tick's slots: each team's to its first queue, what that does not need to others.
        """
        slots, teams = self._work.slots[tick], self._work.teams
        own = np.zeros(QUEUES_COUNT)
        np.add.at(own, [team.first for team in teams], slots)
        spare = np.maximum(own[:, None] - self._inside, 0.0)
        wanting = self._inside + MARGIN * np.sqrt(self._spread) - own[:, None]
        wanting = np.maximum(wanting, 0.0)
        dealt = np.repeat(own[:, None], spare.shape[1], axis=1)
        for team, count in zip(teams, slots.tolist(), strict=True):
            if count == 0.0 or not team.further:
                continue
            reserve = team.overflow_reserve_ratio * count
            free = np.maximum(spare[team.first] * (count / own[team.first]) - reserve, 0.0)
            for queue in team.further:
                lent = np.minimum(free, wanting[queue])
                dealt[team.first] -= lent
                dealt[queue] += lent
                wanting[queue] -= lent
                free = free - lent
        self._slots = dealt

    def step(self, tick: int, sums: Floats) -> None:
        """One step; adds the rates and states of Crowd's fields to `sums`."""
        work, step_s = self._work, self.step_s
        slots = self._slots
        back = self._pools / self._delays_s
        arrivals = work.fresh_per_s[tick] + back.sum(axis=0)
        raised = back[ESCALATIONS] / np.maximum(arrivals, 1e-12)
        mean_s = work.handle_s[tick] * (1.0 - raised) + work.escalated_s * raised
        mu = 1.0 / np.maximum(mean_s, 1.0)
        sigma = np.sqrt(self._spread)
        z = (slots - self._inside) / sigma
        below = ndtr(z)
        density = np.exp(-0.5 * np.minimum(z * z, 700.0)) / ROOT_2_PI
        queue = np.maximum(sigma * (density - z * (1.0 - below)), 0.0)
        busy = np.maximum(self._inside - queue, 0.0)
        # Who is served first finds only its like before it; the others wait for what those leave.
        first = arrivals * work.first_ratio[tick][:, None]
        before = np.minimum(self._inside, first * mean_s)
        ready = slots * (1.0 + mu * self._threshold_s) - 0.5
        at_once = ndtr((ready - before) / np.sqrt(np.maximum(before, LEAST_VARIANCE)))
        ready = slots + np.maximum(slots * mu - first, 0.0) * self._threshold_s - 0.5
        in_turn = ndtr((ready - self._inside) / sigma)
        waiting = np.maximum(arrivals - first * at_once, 1e-9)
        gone, hazard = self._patience.at(queue / waiting)
        abandons, served = waiting * gone, mu * busy
        in_time = first * at_once + (arrivals - first) * np.minimum(in_turn, 1.0 - gone)
        met = np.where(slots > 0.0, in_time, 0.0)
        lost = abandons * (1.0 - self._redial_ratio)
        incidents = arrivals * work.incident_ratio[tick][:, None] - first * at_once
        escalate = lost * np.clip(incidents / waiting, 0.0, 1.0) * self._escalation_ratio
        sums += np.stack((arrivals, abandons, met, busy, *back, lost))
        shaking = arrivals**2 * (2.0 * work.hour_cv**2 * HOUR_MEMORY_S)
        grown = arrivals + served + abandons + shaking / (1.0 + mu * HOUR_MEMORY_S)
        pull = mu * below + hazard * (1.0 - below)
        grown = (self._spread + step_s * grown) / (1.0 + 2.0 * step_s * pull)
        self._spread = np.maximum(grown, LEAST_VARIANCE)
        self._inside = np.maximum(self._inside + step_s * (arrivals - served - abandons), 0.0)
        self._pools += step_s * (
            np.stack(
                (
                    abandons * self._redial_ratio,
                    served * self._reconnect_ratio * (1.0 - raised),
                    np.zeros_like(lost),
                )
            )
            - back
        )
        # Specialists take escalations up on the phone, whatever the channel was.
        self._pools[ESCALATIONS, ESCALATED_TO] += step_s * escalate.sum(axis=0)
