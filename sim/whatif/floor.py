"""The support floor in expectation: a channel as one crowd of slots, minute by minute.

Contacts in the system are taken as normal with mean m and variance v, which follow
    m' = L - mu E min(X, n) - a                  v' = L + mu E min(X, n) + a - 2 v (mu P + h (1 - P))
                                                      + what hours of random level add
with n slots, arrivals L (fresh, redials, reconnects, escalations), P = P(X < n) and abandonment a =
L F(w), h the hazard at w, where w solves L H(w) = E(X - n)+, H(w) = E min(patience, w): exact for
stationary crowds in overload, and a queue's memory from one hour to the next is kept. Redials,
reconnects and escalations wait in pools that empty exponentially. Every trajectory runs at its own
level of the day. Sources: Mandelbaum, Massey, Reiman, Rider and Stolyar, Telecommunication Systems
21 (2002), retrials; Massey and Pender, Queueing Systems 75 (2013), the normal closure; Whitt,
Operations Research 54 (2006), fluid abandonment. Left out: skills within a channel (they help each
other), priorities, and that a consumer tries three times at most. Rates per second.
"""

from dataclasses import dataclass, fields
from math import exp, sqrt
from typing import Final

import numpy as np
from scipy.special import ndtr

from scenarios.scenario import Scenario
from scenarios.words import CHANNELS
from sim.columns import Floats
from sim.theory.patience import Patience

STEP_S: Final = 300.0
PHONE: Final = CHANNELS.index("phone")
# Patience is tabulated at these mean waits; beyond the last nobody is left.
GRID_S: Final = np.concatenate([[0.0], np.geomspace(0.1, 50_000.0, 600)])
# Autocorrelation time of levels that are drawn hour by hour.
HOUR_MEMORY_S: Final = 1800.0
ROOT_2_PI: Final = sqrt(2.0 * np.pi)


@dataclass(frozen=True, slots=True)
class Work:
    """What the floor is given; shape (ticks, channels, levels) unless said otherwise."""

    fresh_per_s: Floats
    """Fresh contacts, incidents and inquiries, at each level."""
    incident_ratio: Floats
    """Share of the fresh that have an incident to escalate; (ticks, channels)."""
    handle_s: Floats
    """Mean time that a contact takes a slot."""
    escalated_s: float
    """Mean handle time of an escalation."""
    slots: Floats
    """Slots there; (ticks, channels)."""
    hour_cv: float
    """Spread of an hour's level."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """What came of it by tick: counts, agents' slots and shares; shape (ticks, channels, levels)."""

    offered: Floats
    abandoned: Floats
    in_time: Floats
    """Offered contacts that are answered within the channel's threshold."""
    busy: Floats
    queue: Floats
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
            "phone": (own.phone_median_s, own.phone_sigma_ratio),
            "im": (own.im_median_s, own.im_sigma_ratio),
        }
        self._gone, self._hazard, self._mean = [], [], []
        for channel in CHANNELS:
            median_s, sigma = laws[channel]
            cv = min(max(sqrt(exp(sigma**2) - 1.0), 0.02), 10.0)
            law = Patience("lognormal", median_s * exp(sigma**2 / 2.0), cv)
            w = np.concatenate([[0.0], np.geomspace(0.05, 500_000.0, 2000)])
            endured = np.maximum.accumulate(law.endured(w)) + np.arange(w.size) * 1e-12
            at = np.interp(GRID_S, endured, w)
            gone = law.gone(at)
            self._gone.append(gone)
            slope = np.gradient(law.gone(w), w) / np.maximum(law.staying(w), 1e-12)
            self._hazard.append(np.interp(at, w, slope))

    def at(self, mean_wait_s: Floats) -> tuple[Floats, Floats]:
        """(share gone, hazard) for mean waits of shape (channels, levels)."""
        gone = [np.interp(row, GRID_S, t) for row, t in zip(mean_wait_s, self._gone, strict=True)]
        hazard = [
            np.interp(row, GRID_S, t) for row, t in zip(mean_wait_s, self._hazard, strict=True)
        ]
        return np.array(gone), np.array(hazard)


def crowd(scenario: Scenario, work: Work) -> Crowd:
    """Walk through the horizon, from an empty floor."""
    returns, targets = scenario.consumers.returns, scenario.support.targets
    patience = _Patience(scenario)
    threshold_s = np.array([targets.phone.threshold_s, targets.im.threshold_s])[:, None]
    ticks, _, levels = work.fresh_per_s.shape
    comes_back = scenario.loops.abandonment_returns
    redial_ratio = returns.redial_ratio if comes_back else 0.0
    escalation_ratio = returns.escalation_ratio if comes_back else 0.0
    reconnect_s = returns.reconnect_delay_median_s * exp(
        returns.reconnect_delay_sigma_ratio**2 / 2.0
    )
    shape = (len(CHANNELS), levels)
    inside, spread = np.zeros(shape), np.full(shape, 1e-6)
    redial_pool, reconnect_pool, escalation_pool = (np.zeros(shape) for _ in range(3))
    sums = {field.name: np.zeros((ticks, *shape)) for field in fields(Crowd)}
    steps = max(1, round(scenario.horizon.tick_s / STEP_S))
    dt = scenario.horizon.tick_s / steps
    for tick in range(ticks):
        fresh, slots = work.fresh_per_s[tick], work.slots[tick][:, None]
        escalates = work.incident_ratio[tick][:, None] * escalation_ratio
        for _ in range(steps):
            redials = redial_pool / max(returns.redial_delay_mean_s, dt)
            reconnects = reconnect_pool / max(reconnect_s, dt)
            escalations = escalation_pool / max(returns.escalation_delay_mean_s, dt)
            arrivals = fresh + redials + reconnects + escalations
            share = np.where(arrivals > 0.0, escalations / np.maximum(arrivals, 1e-12), 0.0)
            mean_s = work.handle_s[tick] * (1.0 - share) + work.escalated_s * share
            mu = 1.0 / np.maximum(mean_s, 1.0)
            sigma = np.sqrt(spread)
            z = (slots - inside) / sigma
            below = ndtr(z)
            density = np.exp(-0.5 * np.minimum(z * z, 700.0)) / ROOT_2_PI
            queue = np.maximum(sigma * density - (slots - inside) * (1.0 - below), 0.0)
            busy = np.maximum(inside - queue, 0.0)
            gone, hazard = patience.at(queue / np.maximum(arrivals, 1e-9))
            abandons = arrivals * gone
            served = mu * busy
            ready = np.maximum(slots * (1.0 + mu * threshold_s), 1.0)
            in_time = np.where(slots > 0.0, ndtr((ready - 0.5 - inside) / sigma), 0.0)
            lost = abandons * (1.0 - redial_ratio)
            raised = lost * escalates
            found = {
                "offered": arrivals,
                "abandoned": abandons,
                "in_time": arrivals * np.minimum(in_time, 1.0 - gone),
                "busy": busy / dt,
                "queue": queue / dt,
                "redials": redials,
                "reconnects": reconnects,
                "escalations": escalations,
                "given_up": lost,
            }
            for name, value in found.items():
                sums[name][tick] += value * dt
            shaking = arrivals**2 * (2.0 * work.hour_cv**2 * HOUR_MEMORY_S)
            shaking /= 1.0 + mu * HOUR_MEMORY_S
            pull = mu * below + hazard * (1.0 - below)
            grown = spread + dt * (arrivals + served + abandons + shaking)
            spread = np.maximum(grown / (1.0 + 2.0 * dt * pull), 1e-6)
            inside = np.maximum(inside + dt * (arrivals - served - abandons), 0.0)
            redial_pool = redial_pool + dt * (abandons * redial_ratio - redials)
            reconnect_pool = reconnect_pool + dt * (
                served * (1.0 - returns.fcr_ratio) * (1.0 - share) - reconnects
            )
            escalation_pool = escalation_pool - dt * escalations
            # Specialists take escalations up on the phone, whatever the channel was.
            escalation_pool[PHONE] += dt * raised.sum(axis=0)
    for name in ("busy", "queue"):
        sums[name] /= steps
    return Crowd(**sums)
