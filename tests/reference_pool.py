"""The support floor as one would write it first: a SimPy process for each consumer.

Goal: an independent second path for the rules of sim/support/pool.py, short enough to be believed
by reading. Method: the same draws, plain processes and events, FIFO lists; no batching, no re-used
events. It knows Layout (who serves what) and Cases (the draws) only. Rows are lists that fill up as
things happen: [case row, attempt, kind, queue, priority, arrived_s, answered_s, ended_s, team,
resolved].
"""

from collections import deque
from collections.abc import Generator, Sequence
from math import floor, inf, nan
from typing import Any

import simpy

from sim.support.attempts import ESCALATION, FRESH, RECONNECT, REDIAL
from sim.support.cases import ATTEMPT_COLUMNS, Cases, on_grid
from sim.support.layout import Layout

Process = Generator[simpy.Event, Any, None]


class ReferencePool:
    """The same narrow interface as the pool: staff, surcharge, offer, and `rows` to look at."""

    def __init__(self, env: simpy.Environment, layout: Layout) -> None:
        self.env = env
        self.layout = layout
        self.slots = [0] * len(layout.teams)
        self.busy = [0] * len(layout.teams)
        self.pace: Sequence[float] = [1.0] * len(layout.teams)
        self.multiple: Sequence[float] = [1.0] * layout.topics_count
        self.lines: list[deque[simpy.Event]] = [deque() for _ in range(layout.lines_count)]
        self.rows: list[list[Any]] = []
        self.cases_count = 0

    def staff(self, slots_by_team: Sequence[int], pace_by_team: Sequence[float]) -> None:
        self.slots = list(slots_by_team)
        self.pace = pace_by_team
        for team in range(len(self.slots)):
            while self.serve_next(team):
                pass

    def surcharge(self, multiple_by_topic: Sequence[float]) -> None:
        self.multiple = multiple_by_topic

    def offer(self, cases: Cases) -> None:
        self.env.process(self.arrivals(cases.checked(), self.cases_count))
        self.cases_count += len(cases)

    def arrivals(self, cases: Cases, first_row: int) -> Process:
        for i in range(len(cases)):
            yield self.env.timeout(cases.arrived_s[i] - self.env.now)
            self.env.process(self.consumer(cases, i, first_row + i))

    def may_serve(self, team: int, queue: int) -> bool:
        plan = self.layout.teams[team]
        free = self.slots[team] - self.busy[team]
        reserve = floor(plan.overflow_reserve_ratio * self.slots[team])
        return free > (0 if queue == plan.first else reserve)

    def serve_next(self, team: int) -> bool:
        """Hands the first contact of the team's best line to one of its agents, if there is one."""
        for line in self.layout.preferences[team]:
            if self.lines[line] and self.may_serve(team, line % self.layout.queues_count):
                self.busy[team] += 1
                self.lines[line].popleft().succeed(team)
                return True
        return False

    def ask(self, queue: int, priority: int) -> simpy.Event:
        """An event that carries the team once an agent takes the contact."""
        turn = self.env.event()
        for team in self.layout.routes[queue]:
            if self.may_serve(team, queue):
                self.busy[team] += 1
                return turn.succeed(team)
        self.lines[priority * self.layout.queues_count + queue].append(turn)
        return turn

    def attempt(
        self,
        row: list[Any],
        queue: int,
        priority: int,
        *,
        patience_s: float,
        handle_s: float,
        topic: int,
    ) -> Generator[simpy.Event, Any, bool]:
        """Waits, and is handled or abandons. Returns whether it was answered."""
        self.rows.append(row)
        turn = self.ask(queue, priority)
        if not turn.triggered:
            yield turn | self.env.timeout(patience_s) if patience_s < inf else turn
        if not turn.triggered:
            self.lines[priority * self.layout.queues_count + queue].remove(turn)
            row[7] = self.env.now
            return False
        team = turn.value
        now_s = self.env.now
        row[6], row[8] = now_s, team
        ends_s = on_grid(now_s + handle_s * (self.pace[team] * self.multiple[topic]))
        yield self.env.timeout(ends_s - now_s)
        row[7] = self.env.now
        self.busy[team] -= 1
        self.serve_next(team)
        return True

    def consumer(self, cases: Cases, i: int, case: int) -> Process:
        """A case from its first attempt to its resolution, or until it gives up."""
        abandoned = answered = 0
        kind = FRESH
        queue, priority, topic = int(cases.queue[i]), int(cases.priority[i]), int(cases.topic[i])
        while True:
            number = abandoned + answered
            row = [case, number + 1, kind, queue, priority, self.env.now, nan, nan, -1, False]
            if (
                yield from self.attempt(
                    row,
                    queue,
                    priority,
                    topic=topic,
                    patience_s=cases.patience_s[i, min(number, ATTEMPT_COLUMNS - 1)],
                    handle_s=cases.handle_s[i, answered],
                )
            ):
                delay_s = cases.reconnect_delay_s[i, answered]
                answered, kind = answered + 1, RECONNECT
                if delay_s == inf:
                    row[9] = True
                    return
            else:
                delay_s = cases.redial_delay_s[i, abandoned] if abandoned < ATTEMPT_COLUMNS else inf
                abandoned, kind = abandoned + 1, REDIAL
                if delay_s == inf:
                    break
            yield self.env.timeout(delay_s)
        if cases.escalation_delay_s[i] == inf:
            return
        yield self.env.timeout(cases.escalation_delay_s[i])
        queue = self.layout.escalation_queue
        number = abandoned + answered + 1
        row = [case, number, ESCALATION, queue, 0, self.env.now, nan, nan, -1, False]
        yield from self.attempt(
            row,
            queue,
            0,
            topic=topic,
            patience_s=inf,
            handle_s=cases.escalation_handle_s[i],
        )
        row[9] = True
