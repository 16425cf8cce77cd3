"""A logged day once more: same arrivals, same staffing, patience drawn.

Decides what a replay takes from the log (arrivals, who was present, how long contacts took) and
what it draws (patience, how long agents take between contacts, how long those would have taken who
abandoned, how available the agents were in each hour). Days are replayed one by one and start
empty. Does not judge: sim/backtest does. Seconds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.fit.floor import Callers, Staff, walked
from sim.fit.hours import HOUR_S
from sim.fit.leaving import LeavingLaw
from sim.fit.likelihood import Floats
from sim.fit.logs import ContactLog
from sim.fit.presence import LONGEST_HANDLE_S, Presence
from sim.fit.turns import TurnLaws
from sim.fit.waiting import Waiting

DAY_S: Final = 86400.0
# Contacts still in the system at midnight have so long to come to an end.
AFTERMATH_S: Final = 7200.0
TICK_S: Final = 60.0
# Who abandoned would have taken as long as one of so many answered contacts before or after. Close
# ones are longer than others, since many abandon while long contacts keep agents busy: with 20 the
# availability of made logs came out 0.7 % too high, with 400 right, but hours of real logs differ.
NEIGHBOURS: Final = 40


@dataclass(frozen=True, slots=True)
class FloorLaw:
    """What a fit says of a floor and of those who wait."""

    waiting: Waiting
    """Ratio and credit by queue and priority."""
    leaving: LeavingLaw
    availability: float
    """What the time present is multiplied with, beside turns."""
    availability_hour_cv: float
    turns: TurnLaws
    """Times from a contact's end until its agent is free."""

    @property
    def turn_s(self) -> float:
        """Their mean."""
        return self.turns.mean_s


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of every contact of the log, in its order."""

    wait_s: Floats
    abandoned: NDArray[np.bool_]


def replay(
    log: ContactLog, presence: Presence, law: FloorLaw, rng: np.random.Generator
) -> Replayed:
    """Every day of the log."""
    hazard, credit_s, queue = law.waiting.draw(log, law.leaving.queues, rng)
    handle_s = _handle_times(log, rng) + law.turns.draw(log, rng)
    serves, line = _lines(log, presence)
    wait_s = np.full(len(log), np.nan)
    abandoned = np.zeros(len(log), dtype=np.bool_)
    for _, rows in by_day(log):
        spread = law.availability_hour_cv
        noise = np.exp(spread * rng.standard_normal(48) - spread**2 / 2.0)
        # The wall clock's midnight; presence and contacts live on the clock that never changes.
        start_s = float(log.arrived_s[rows[0]] - log.local_s[rows[0]] % DAY_S)
        came_s = log.arrived_s[rows] - start_s
        found = walked(
            Callers(
                came_s, hazard[rows], handle_s[rows], line[rows], credit_s[rows],
                queue[rows], law.leaving,
            ),
            _staffed(
                presence.between(start_s, start_s + DAY_S + AFTERMATH_S),
                law.availability * noise,
                serves,
            ),
            until_s=DAY_S + AFTERMATH_S,
        )
        left = np.isnan(found.answered_s)
        wait_s[rows] = np.where(left, found.leaves_s, found.answered_s) - came_s
        abandoned[rows] = left
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


def _lines(log: ContactLog, presence: Presence) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Queues that the same teams serve are one line: who serves which, and each contact's line."""
    serves = np.array([[queue not in no for queue in log.queues] for no in presence.refuses])
    serves, line = np.unique(serves, axis=1, return_inverse=True)
    return serves, line.reshape(-1)[log.queue]


def _staffed(
    presence: Presence, availability_by_hour: Floats, serves: NDArray[np.bool_]
) -> Staff:
    """As many agents as are present; each works at the pace of the hour's availability."""
    steps = np.floor(np.concatenate([presence.from_s, presence.until_s]) / TICK_S) * TICK_S
    hours = np.arange(0.0, DAY_S + AFTERMATH_S, HOUR_S)
    ticks = np.unique(np.concatenate([steps, hours]))
    change = np.zeros((len(ticks), len(serves)), dtype=np.int64)
    place, team = np.searchsorted(ticks, steps), np.tile(presence.team, 2)
    np.add.at(change, (place, team), np.repeat([1, -1], len(presence.from_s)))
    agents = np.cumsum(change, axis=0)
    pace = 1.0 / availability_by_hour[(ticks // HOUR_S).astype(np.int64)]
    return Staff(ticks, agents, pace, serves)
