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
from sim.columns import Bools, Columns, Floats
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


def draw_contacts(
    scenario: Scenario, streams: Streams, habits: TopicHabits, *, block: str, arrived_s: Floats
) -> Columns:
    """Columns of `arrived_s.size` consumers with this topic; `block` names the streams."""
    count = arrived_s.size
    phone = streams.rng(f"contact.channel/{block}").random(count) < habits.phone_ratio
    channel = np.where(phone, PHONE, 1 - PHONE)
    sigma = scenario.consumers.handle_sigma_ratio
    efficiency = scenario.support.im.efficiency_ratio
    mean_s = np.where(phone, habits.handle_phone_s, habits.handle_im_s / efficiency)
    z = streams.rng(f"contact.handle/{block}").standard_normal((count, TRIES))
    return {
        "arrived_s": arrived_s,
        "queue": (habits.skill * len(CHANNELS) + channel).astype(np.int8),
        "priority": np.full(count, habits.priority, dtype=np.int8),
        "topic": np.full(count, habits.topic, dtype=np.int8),
        "patience_s": _patience_s(scenario, streams, habits, block=block, phone=phone),
        "handle_s": mean_s[:, None] * np.exp(sigma * z - sigma**2 / 2.0),
        **_returns(scenario, streams, habits, block=block, count=count),
    }


def _patience_s(
    scenario: Scenario, streams: Streams, habits: TopicHabits, *, block: str, phone: Bools
) -> Floats:
    """Patience of each attempt (s), shape (n, tries); exponential for urgent calls: -ln Phi(-z)."""
    patience = scenario.consumers.patience
    z = streams.rng(f"contact.patience/{block}").standard_normal((phone.size, TRIES))
    if habits.urgent:
        on_phone = patience.urgent_mean_s * -log_ndtr(-z)
    else:
        on_phone = patience.phone_median_s * np.exp(patience.phone_sigma_ratio * z)
    in_im = patience.im_median_s * np.exp(patience.im_sigma_ratio * z)
    return np.asarray(np.where(phone[:, None], on_phone, in_im))


def _returns(
    scenario: Scenario, streams: Streams, habits: TopicHabits, *, block: str, count: int
) -> Columns:
    """Redials, reconnects, escalation, falling back on self-service; inf = does not happen. The
    last redial and the last reconnect never happen."""
    returns = scenario.consumers.returns
    loops = scenario.loops.abandonment_returns
    shape = (count, TRIES - 1)
    redials = streams.rng(f"contact.redial/{block}").random(shape) < habits.redial_ratio
    redial_delay_s = streams.rng(f"contact.redial_delay/{block}").standard_exponential(shape)
    redial_delay_s *= returns.redial_delay_mean_s
    redial_delay_s[~(redials & loops)] = np.inf
    stays_open = streams.rng(f"contact.resolved/{block}").random(shape) >= returns.fcr_ratio
    reconnect_z = streams.rng(f"contact.reconnect_delay/{block}").standard_normal(shape)
    reconnect_delay_s = np.full(shape, np.inf)
    reconnect_delay_s[stays_open] = returns.reconnect_delay_median_s * np.exp(
        returns.reconnect_delay_sigma_ratio * reconnect_z[stays_open]
    )
    never = np.full((count, 1), np.inf)
    escalates = streams.rng(f"contact.escalation/{block}").random(count) < (
        returns.escalation_ratio if habits.escalates and loops else 0.0
    )
    delay_s = returns.escalation_delay_mean_s * streams.rng(
        f"contact.escalation_delay/{block}"
    ).standard_exponential(count)
    falls_back = streams.rng(f"contact.fallback/{block}").random(count) < returns.fallback_ratio
    falls_back &= habits.escalates
    fallback_s = returns.fallback_delay_mean_s * streams.rng(
        f"contact.fallback_delay/{block}"
    ).standard_exponential(count)
    sigma = scenario.consumers.handle_sigma_ratio
    z = streams.rng(f"contact.escalation_handle/{block}").standard_normal(count)
    mean_s = habits.handle_phone_s * returns.escalation_handle_multiple
    return {
        "redial_delay_s": np.concatenate((redial_delay_s, never), axis=1),
        "reconnect_delay_s": np.concatenate((reconnect_delay_s, never), axis=1),
        "escalation_delay_s": np.where(escalates, delay_s, np.inf),
        "fallback_delay_s": np.where(falls_back, fallback_s, np.inf),
        "escalation_handle_s": mean_s * np.exp(sigma * z - sigma**2 / 2.0),
    }
