"""The support pool: what the world does to its floor and sees of it, driven by SimPy's calendar.

Decides when the rules of the floor (sim/support/kernel.py) are applied, not what they are; draws no
random number and computes no statistic. SimPy is the clock: the pool is one event whose callback
handles everything up to the calendar's next event (`env.peek()`), which nobody outside can tell
from an event for each. Times in seconds on the grid of sim/support/cases.py.
"""

from collections.abc import Sequence
from math import floor, inf, nextafter
from weakref import WeakMethod

import numpy as np
import simpy

from sim.support.attempts import ESCALATION, Attempts, Outcomes
from sim.support.cases import HORIZON_LIMIT_S, CaseFile, Cases
from sim.support.kernel import (
    ATTEMPTS,
    ESCALATED,
    GIVEN_UP,
    NEEDS_ROOM,
    OFFERED,
    RESOLVED,
    serve_waiting,
    walk,
)
from sim.support.layout import Layout
from sim.support.state import State


class Pool:
    """The floor: lines of waiting contacts, free slots by team, and the record of what happened."""

    def __init__(self, env: simpy.Environment, layout: Layout) -> None:
        self._env = env
        self._layout = layout
        self._state = State(layout)
        self._slots = np.zeros(len(layout.teams), dtype=np.int64)
        self._reserve_ratios = [team.overflow_reserve_ratio for team in layout.teams]
        self._pace = np.ones(len(layout.teams))
        self._surcharge = np.ones(layout.topics_count)
        self._wakes_s = inf
        self._last_arrived_s = env.now
        self._staffed: list[tuple[float, tuple[int, ...]]] = []

    # What the world does to the floor.

    def staff(self, slots_by_team: Sequence[int], pace_by_team: Sequence[float]) -> None:
        """Sets slots and pace (a multiple of handle times) from now on; contacts in hand stay."""
        slots = tuple(int(count) for count in slots_by_team)
        if len(slots) != len(self._slots) or len(pace_by_team) != len(self._slots):
            raise ValueError(f"slots and pace are needed for each of {len(self._slots)} teams")
        if min(slots) < 0 or min(pace_by_team) <= 0.0:
            raise ValueError(f"slots {slots} or pace {tuple(pace_by_team)} are out of range")
        self._staffed.append((self._env.now, slots))
        state = self._state
        state.teams["free"] += np.array(slots) - self._slots
        state.teams["reserve"] = [
            floor(ratio * count) for ratio, count in zip(self._reserve_ratios, slots, strict=True)
        ]
        self._slots = np.array(slots)
        self._pace = np.array(pace_by_team, dtype=np.float64)
        self._set_factors()
        while self._serve_waiting() == NEEDS_ROOM:
            state.grow()
        self._wake()

    def surcharge(self, multiple_by_topic: Sequence[float]) -> None:
        """Multiplies the handle time of contacts by topic, for handling that starts from now on."""
        if len(multiple_by_topic) != self._layout.topics_count:
            raise ValueError(f"a multiple is needed for each of {self._layout.topics_count} topics")
        self._surcharge = np.array(multiple_by_topic, dtype=np.float64)
        self._set_factors()

    def offer(self, cases: Cases) -> None:
        """Takes in the cases of the coming interval, all of them arriving from now on."""
        if len(cases) == 0:
            return
        cases = cases.checked()
        earliest_s = max(self._last_arrived_s, self._env.now)
        if cases.arrived_s[0] < earliest_s or cases.arrived_s[-1] >= HORIZON_LIMIT_S:
            raise ValueError(f"cases must arrive between {earliest_s} s and {HORIZON_LIMIT_S} s")
        self._last_arrived_s = float(cases.arrived_s[-1])
        self._state.cases.add(cases)
        self._state.counts[OFFERED] = self._state.cases.rows_count
        self._wake()

    # What the world sees of it.

    def collect(self) -> Outcomes:
        """Cases that came to an end since the last call."""
        state = self._state
        # `take` copies records twenty times faster than an index in brackets.
        resolved, given_up, escalated = (
            state.attempts.take(state.take_ended(what)) for what in (RESOLVED, GIVEN_UP, ESCALATED)
        )
        case_id = state.cases.case_id
        return Outcomes(
            resolved_case_id=case_id.take(resolved["row"]),
            resolved_s=resolved["ended_s"],
            resolved_escalated=resolved["kind"] == ESCALATION,
            given_up_case_id=case_id.take(given_up["row"]),
            given_up_s=given_up["ended_s"],
            escalated_case_id=case_id.take(escalated["row"]),
            escalated_s=escalated["ended_s"] + escalated["next_delay_s"],
        )

    def attempts(self) -> Attempts:
        """Every attempt so far, those in the system included, in order of arrival."""
        state = self._state
        return Attempts.of(state.attempts[: state.counts[ATTEMPTS]], state.cases.case_id)

    def cases(self) -> CaseFile:
        """All cases offered so far."""
        return self._state.cases

    def staffed(self) -> tuple[tuple[float, tuple[int, ...]], ...]:
        """Every change of staff so far: time and slots by team."""
        return tuple(self._staffed)

    # The clock.

    def _wake(self) -> None:
        """Asks SimPy for a call when something happens next, unless an earlier one is coming."""
        next_s = self._state.next_s()
        if next_s < self._wakes_s:
            self._wakes_s = next_s
            # The calendar must not keep a pool alive that nobody can look at any more: it holds a
            # quarter of a gigabyte in a national run.
            called = WeakMethod(self._called)
            wake = self._env.timeout(next_s - self._env.now)
            wake.callbacks.append(lambda _: (call := called()) and call())

    def _called(self) -> None:
        """Handles everything that comes before the calendar's next event."""
        if self._env.now >= self._wakes_s:
            self._wakes_s = inf
        limit_s = max(self._env.peek(), nextafter(self._env.now, inf))
        while self._walk(limit_s) == NEEDS_ROOM:
            self._state.grow()
        self._wake()

    def _walk(self, limit_s: float) -> int:
        state = self._state
        return walk(
            limit_s,
            self._layout.escalation_queue,
            state.cases.records,
            state.attempts,
            state.agenda,
            state.ended,
            state.teams,
            state.lines,
            state.routes,
            state.preferences,
            state.factors,
            state.counts,
        )

    def _serve_waiting(self) -> int:
        state = self._state
        return serve_waiting(
            self._env.now,
            state.cases.records,
            state.attempts,
            state.agenda,
            state.teams,
            state.lines,
            state.preferences,
            state.factors,
            state.counts,
        )

    def _set_factors(self) -> None:
        self._state.factors = np.outer(self._pace, self._surcharge)
