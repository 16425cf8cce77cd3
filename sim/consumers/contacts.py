"""What a consumer who turns to a person will do, all of it drawn at birth.

Columns as in sim/support/cases.py: patience before each attempt, whether and when a redial follows
an abandonment, handle times, whether and when a reconnect follows an answer, escalation after
giving up. Lognormal durations are written as scale x exp(sigma z), so that a rescaled scenario
rescales them exactly.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr

from scenarios.scenario import Scenario
from scenarios.words import CHANNELS, INCIDENT_TYPES, PRIORITIES, SKILLS, TOPICS
from sim.columns import Bools, Columns, Floats, Ints
from sim.streams import Streams

PHONE = CHANNELS.index("phone")
INQUIRY = TOPICS.index("inquiry")
TRIES = 3


@dataclass(frozen=True, slots=True)
class TopicHabits:
    """What depends on the topic alone."""

    topic: int
    skill: int
    priority: int
    phone_ratio: float
    handle_phone_s: float
    handle_im_s: float
    redial_ratio: float
    escalates: bool
    urgent: bool


def topic_habits(scenario: Scenario, topic: int) -> TopicHabits:
    """The habits of a topic: an incident type, or the inquiry."""
    consumers = scenario.consumers
    if topic == INQUIRY:
        inquiries = consumers.inquiries
        return TopicHabits(
            topic=topic,
            skill=SKILLS.index(inquiries.skill),
            priority=PRIORITIES.index("inquiry"),
            phone_ratio=inquiries.phone_ratio,
            handle_phone_s=inquiries.handle_phone_s,
            handle_im_s=inquiries.handle_im_s,
            redial_ratio=consumers.returns.redial_ratio,
            escalates=False,
            urgent=False,
        )
    urgent = INCIDENT_TYPES[topic] in consumers.urgent
    returns = consumers.returns
    return TopicHabits(
        topic=topic,
        skill=SKILLS.index(consumers.skill.row()[topic]),
        priority=PRIORITIES.index("urgent" if urgent else "incident"),
        phone_ratio=consumers.phone_ratio.row()[topic],
        handle_phone_s=consumers.handle_phone_s.row()[topic],
        handle_im_s=consumers.handle_im_s.row()[topic],
        redial_ratio=returns.redial_urgent_ratio if urgent else returns.redial_ratio,
        escalates=True,
        urgent=urgent,
    )


class _Draws:
    """The streams of one block: draw i belongs to the i-th who may come; only the draws of those
    who do come are handed out."""

    def __init__(self, streams: Streams, block: str, *, drawn_count: int, comes: Ints) -> None:
        self._streams = streams
        self._block = block
        self._drawn_count = drawn_count
        self.comes = comes

    def _rng(self, decision: str) -> np.random.Generator:
        return self._streams.rng(f"contact.{decision}/{self._block}")

    def _shape(self, tries: int | None) -> int | tuple[int, int]:
        return self._drawn_count if tries is None else (self._drawn_count, tries)

    def _of_comers(self, values: Floats) -> Floats:
        everyone = self.comes.size == self._drawn_count
        return values if everyone else values.take(self.comes, axis=0)

    def uniform(self, decision: str, tries: int | None = None) -> Floats:
        return self._of_comers(self._rng(decision).random(self._shape(tries)))

    def normal(self, decision: str, tries: int | None = None) -> Floats:
        return self._of_comers(self._rng(decision).standard_normal(self._shape(tries)))

    def exponential(self, decision: str, tries: int | None = None) -> Floats:
        return self._of_comers(self._rng(decision).standard_exponential(self._shape(tries)))


def draw_contacts(
    scenario: Scenario,
    streams: Streams,
    habits: TopicHabits,
    *,
    block: str,
    arrived_s: Floats,
    comes: Ints,
) -> Columns:
    """Columns of the consumers `comes`, in ascending order, among the `arrived_s.size` who may come
    with this topic; `block` names the streams."""
    draws = _Draws(streams, block, drawn_count=arrived_s.size, comes=comes)
    phone = draws.uniform("channel") < habits.phone_ratio
    channel = np.where(phone, PHONE, 1 - PHONE)
    sigma = scenario.consumers.handle_sigma_ratio
    efficiency = scenario.support.im.efficiency_ratio
    mean_s = np.where(phone, habits.handle_phone_s, habits.handle_im_s / efficiency)
    z = draws.normal("handle", TRIES)
    return {
        "arrived_s": arrived_s.take(comes),
        "queue": (habits.skill * len(CHANNELS) + channel).astype(np.int8),
        "priority": np.full(comes.size, habits.priority, dtype=np.int8),
        "topic": np.full(comes.size, habits.topic, dtype=np.int8),
        "patience_s": _patience_s(scenario, habits, draws, phone=phone),
        "handle_s": mean_s[:, None] * np.exp(sigma * z - sigma**2 / 2.0),
        **_returns(scenario, habits, draws),
    }


def _patience_s(
    scenario: Scenario, habits: TopicHabits, draws: _Draws, *, phone: Bools
) -> Floats:
    """Patience of each attempt (s), shape (n, tries); exponential for urgent calls: -ln Phi(-z)."""
    patience = scenario.consumers.patience
    z = draws.normal("patience", TRIES)
    sigma = np.where(phone, patience.phone_sigma_ratio, patience.im_sigma_ratio)
    median_s = np.where(phone, patience.phone_median_s, patience.im_median_s)
    patience_s = median_s[:, None] * np.exp(sigma[:, None] * z)
    if habits.urgent:
        patience_s[phone] = patience.urgent_mean_s * -log_ndtr(-z[phone])
    return np.asarray(patience_s)


def _returns(scenario: Scenario, habits: TopicHabits, draws: _Draws) -> Columns:
    """Redials, reconnects, escalation, falling back on self-service; inf = does not happen. The
    last redial and the last reconnect never happen."""
    returns = scenario.consumers.returns
    loops = scenario.loops.abandonment_returns
    count = draws.comes.size
    redials = draws.uniform("redial", TRIES - 1) < habits.redial_ratio
    redial_delay_s = np.full((count, TRIES), np.inf)
    redial_delay_s[:, :-1] = np.where(
        redials & loops,
        returns.redial_delay_mean_s * draws.exponential("redial_delay", TRIES - 1),
        np.inf,
    )
    stays_open = draws.uniform("resolved", TRIES - 1) >= returns.fcr_ratio
    z = draws.normal("reconnect_delay", TRIES - 1)
    reconnect_delay_s = np.full((count, TRIES), np.inf)
    reconnect_delay_s[:, :-1] = np.where(
        stays_open,
        returns.reconnect_delay_median_s * np.exp(returns.reconnect_delay_sigma_ratio * z),
        np.inf,
    )
    escalates = draws.uniform("escalation") < (
        returns.escalation_ratio if habits.escalates and loops else 0.0
    )
    delay_s = returns.escalation_delay_mean_s * draws.exponential("escalation_delay")
    falls_back = draws.uniform("fallback") < returns.fallback_ratio
    falls_back &= habits.escalates
    fallback_s = returns.fallback_delay_mean_s * draws.exponential("fallback_delay")
    sigma = scenario.consumers.handle_sigma_ratio
    z = draws.normal("escalation_handle")
    mean_s = habits.handle_phone_s * returns.escalation_handle_multiple
    return {
        "redial_delay_s": redial_delay_s,
        "reconnect_delay_s": reconnect_delay_s,
        "escalation_delay_s": np.where(escalates, delay_s, np.inf),
        "fallback_delay_s": np.where(falls_back, fallback_s, np.inf),
        "escalation_handle_s": mean_s * np.exp(sigma * z - sigma**2 / 2.0),
    }
