"""A logged day once more, through the support pool: same arrivals, same staffing, patience drawn.

Decides what a replay takes from the log (arrivals, who was present, how long contacts took) and
what it draws (patience, how long those would have taken who abandoned, how available the agents
were in each hour). Days are replayed one by one and start empty. Does not judge: sim/backtest
does. Seconds.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import simpy
from numpy.typing import NDArray

from sim.fit.hours import HOUR_S, Hours
from sim.fit.likelihood import Floats
from sim.fit.logs import ContactLog
from sim.fit.patience import draw
from sim.fit.presence import LONGEST_HANDLE_S, Presence
from sim.support.attempts import ABANDONED, ANSWERED
from sim.support.cases import ATTEMPT_COLUMNS, Cases
from sim.support.layout import Layout, TeamPlan
from sim.support.pool import Pool

DAY_S: Final = 86400.0
# Contacts still in the system at midnight have so long to come to an end.
AFTERMATH_S: Final = 7200.0
TICK_S: Final = 60.0
# Who abandoned would have taken as long as one of so many answered contacts around.
NEIGHBOURS: Final = 20
FLOOR: Final = Layout(
    teams=(TeamPlan("all", 0, (), 0.0, 1),), escalation_queue=0, queues_count=1, topics_count=1
)


@dataclass(frozen=True, slots=True)
class FloorLaw:
    """What a fit says of a floor and of those who wait."""

    patience: dict[str, tuple[float, float]]
    """mu and sigma of ln seconds by queue, in hours whose load is 1."""
    load_slope: float
    """Patience shrinks with the load of the hour to this power."""
    longest_wait_s: float
    """Nobody in the fitted log waited longer."""
    availability: float
    availability_hour_cv: float
    after_call_s: float


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of every contact of the log, in its order."""

    wait_s: Floats
    abandoned: NDArray[np.bool_]


def replay(
    log: ContactLog, presence: Presence, law: FloorLaw, rng: np.random.Generator,
    *, days: NDArray[np.int64] | None = None,
) -> Replayed:
    """Every day of the log, or the chosen ones (others stay NaN and False)."""
    load = Hours.of(log, presence).load_ratio(law.after_call_s)
    patience_s = draw(law.patience, log, rng) * load**-law.load_slope
    patience_s = np.minimum(patience_s, law.longest_wait_s)
    handle_s = _handle_times(log, rng) + law.after_call_s
    wait_s = np.full(len(log), np.nan)
    abandoned = np.zeros(len(log), dtype=np.bool_)
    for day, rows in by_day(log):
        spread = law.availability_hour_cv
        noise = np.exp(spread * rng.standard_normal(48) - spread**2 / 2.0)
        if days is not None and day not in days:
            continue
        # The wall clock's midnight; presence and contacts live on the clock that never changes.
        start_s = float(log.arrived_s[rows[0]] - log.local_s[rows[0]] % DAY_S)
        pool = _run(
            _cases(log.arrived_s[rows] - start_s, patience_s[rows], handle_s[rows]),
            presence.between(start_s, start_s + DAY_S + AFTERMATH_S),
            law.availability * noise,
        )
        attempts = pool.attempts()
        place = rows[attempts.case_row]
        seen_s = np.where(attempts.outcome == ANSWERED, attempts.answered_s, DAY_S + AFTERMATH_S)
        seen_s = np.where(attempts.outcome == ABANDONED, attempts.ended_s, seen_s)
        wait_s[place] = seen_s - attempts.arrived_s
        abandoned[place] = attempts.outcome != ANSWERED
    return Replayed(wait_s, abandoned)


def by_day(log: ContactLog) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Local dates with the rows of their contacts, in order of arrival."""
    day = log.day
    order = np.argsort(day, kind="stable")
    values, first = np.unique(day[order], return_index=True)
    yield from zip(values.tolist(), np.split(order, first[1:]), strict=True)


def _handle_times(log: ContactLog, rng: np.random.Generator) -> Floats:
    """As logged; for who abandoned, that of an answered contact around."""
    handle_s = np.minimum(log.handle_s, LONGEST_HANDLE_S)
    known, gone = np.flatnonzero(~log.abandoned), np.flatnonzero(log.abandoned)
    shift = rng.integers(-NEIGHBOURS, NEIGHBOURS + 1, len(gone))
    place = np.clip(np.searchsorted(known, gone) + shift, 0, len(known) - 1)
    handle_s[gone] = handle_s[known[place]]
    return handle_s


def _cases(arrived_s: Floats, patience_s: Floats, handle_s: Floats) -> Cases:
    """One attempt each: those who come back are in the log themselves."""
    n = len(arrived_s)
    never = np.full((n, ATTEMPT_COLUMNS), np.inf)
    zeros = np.zeros(n, dtype=np.int8)
    return Cases(
        case_id=np.arange(n),
        arrived_s=arrived_s,
        queue=zeros,
        priority=zeros,
        topic=zeros,
        patience_s=np.repeat(patience_s[:, np.newaxis], ATTEMPT_COLUMNS, axis=1),
        redial_delay_s=never,
        handle_s=np.repeat(handle_s[:, np.newaxis], ATTEMPT_COLUMNS, axis=1),
        reconnect_delay_s=never,
        escalation_delay_s=never[:, 0],
        escalation_handle_s=np.ones(n),
    )


def _run(cases: Cases, presence: Presence, availability_by_hour: Floats) -> Pool:
    """The floor with as many agents as are present; each works at the pace of his availability."""
    steps = np.floor(np.concatenate([presence.from_s, presence.until_s]) / TICK_S) * TICK_S
    order = np.argsort(steps, kind="stable")
    change = np.repeat([1, -1], len(presence.from_s))[order]
    hours = np.arange(0.0, DAY_S + AFTERMATH_S, HOUR_S)
    ticks = np.unique(np.concatenate([steps, hours]))
    levels = np.concatenate([[0], np.cumsum(change)])
    agents = levels[np.searchsorted(steps[order], ticks, side="right")]
    env = simpy.Environment()
    pool = Pool(env, FLOOR)

    def floor() -> Generator[simpy.Event, Any, None]:
        pool.staff((0,), (1.0,))
        pool.offer(cases)
        for at_s, count in zip(ticks.tolist(), agents.tolist(), strict=True):
            if at_s > env.now:
                yield env.timeout(at_s - env.now)
            pool.staff((count,), (1.0 / availability_by_hour[int(at_s // HOUR_S)],))

    env.process(floor())
    env.run(until=DAY_S + AFTERMATH_S)
    return pool
