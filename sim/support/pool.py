"""The support pool: contacts as events with callbacks on SimPy's own calendar, over drawn columns.

Decides who is answered when and by which team; draws no random number and computes no statistic.
A contact costs one event for its end, one for its patience only when it has to wait, one for coming
back; arrivals before the calendar's next event are handled in one event. Events are used again
after they have fired. Rules: a free agent serves lines by priority, then by its team's preference,
FCFS within a line; a team takes a contact of a further queue only while more than its overflow
reserve is free; priorities are non-pre-emptive; when slots are taken away, contacts in hand are
finished; at one instant ends come before arrivals and arrivals before lost patience (grant wins).
Times in seconds on the grid of sim/support/cases.py, which makes now + (t - now) equal t.
"""

from collections import deque
from collections.abc import Sequence
from math import floor, inf, nan
from typing import Final, TypeAlias, TypeVar

import numpy as np
import simpy
from simpy.events import EventCallbacks, EventPriority

from sim.support.attempts import (
    ABANDONMENT,
    COUNT_MASK,
    ESCALATION,
    FOLLOWED,
    KIND,
    NO_TEAM,
    RECONNECT,
    REDIAL,
    AttemptLog,
    Attempts,
    Outcomes,
    Record,
)
from sim.support.cases import (
    ATTEMPT_COLUMNS,
    GRID_MAGIC,
    HORIZON_LIMIT_S,
    CaseFile,
    Cases,
)
from sim.support.layout import Layout

AnyEvent = TypeVar("AnyEvent", bound=simpy.Event)

# Order of what happens at one instant.
END_FIRST: Final = EventPriority(0)
ARRIVAL_NEXT: Final = EventPriority(1)
PATIENCE_LAST: Final = EventPriority(2)
# (arrived_s, case row, code, line, topic, handle_s, patience_s, delay to the next attempt)
Contact: TypeAlias = tuple[float, int, int, int, int, float, float, float]


class _Slot(simpy.Event):
    """The end of one contact in hand."""

    record: Record
    again_s: float


class _Wait(simpy.Event):
    """The end of one waiting contact's patience; `contact` is None once it no longer waits."""

    contact: Contact | None


class _Return(simpy.Event):
    """The next attempt of a case."""

    row: int
    code: int


class Pool:
    """The floor: lines of waiting contacts, free slots by team, and the record of what happened."""

    def __init__(self, env: simpy.Environment, layout: Layout) -> None:
        teams_count = len(layout.teams)
        self._env = env
        self._layout = layout
        self._slots = [0] * teams_count
        self._free = [0] * teams_count  # negative while more contacts are in hand than slots left
        # A contact may be taken while free > floor: entries [0, teams) for first queues, which know
        # no reserve, entries [teams, 2 teams) for further ones.
        self._floors = [0] * (2 * teams_count)
        self._pace = (1.0,) * teams_count
        self._surcharge = (1.0,) * layout.topics_count
        self._factors = [[1.0] * layout.topics_count for _ in range(teams_count)]
        self._routes = [
            tuple(
                (t, t if layout.teams[t].first == line % layout.queues_count else teams_count + t)
                for t in layout.routes[line % layout.queues_count]
            )
            for line in range(layout.lines_count)
        ]
        # Lines that are not empty are bits of `_mask`; `_picks` remembers the choice for a mask.
        self._lines: list[deque[_Wait]] = [deque() for _ in range(layout.lines_count)]
        self._waiting = [0] * layout.lines_count
        self._mask = 0
        self._first_mask = [
            sum(1 << line for line in lines if line % layout.queues_count == team.first)
            for lines, team in zip(layout.preferences, layout.teams, strict=True)
        ]
        self._all_mask = [sum(1 << line for line in lines) for lines in layout.preferences]
        self._picks: list[dict[int, int]] = [{} for _ in range(teams_count)]
        self._coming: deque[Contact] = deque()
        self._file = CaseFile()
        self._log = AttemptLog(self._file)
        self._staffed: list[tuple[float, tuple[int, ...]]] = []
        # Events are born triggered on a calendar of their own: here they only need `schedule`.
        self._nursery = simpy.Environment()
        self._all_slots: list[_Slot] = []
        self._idle_slots: list[_Slot] = []
        self._idle_waits: list[_Wait] = []
        self._idle_returns: list[_Return] = []
        self._on_end: EventCallbacks = [self._end]
        self._on_patience: EventCallbacks = [self._lose_patience]
        self._on_return: EventCallbacks = [self._come_back]
        self._on_arrival: EventCallbacks = [self._arrive]
        self._arrival = self._new(simpy.Event)

    # What the world does to the floor.

    def staff(self, slots_by_team: Sequence[int], pace_by_team: Sequence[float]) -> None:
        """Sets slots and pace (a multiple of handle times) from now on; contacts in hand stay."""
        slots = tuple(int(count) for count in slots_by_team)
        if len(slots) != len(self._slots) or len(pace_by_team) != len(self._slots):
            raise ValueError(f"slots and pace are needed for each of {len(self._slots)} teams")
        if min(slots) < 0 or min(pace_by_team) <= 0.0:
            raise ValueError(f"slots {slots} and pace {tuple(pace_by_team)} must not be negative")
        self._staffed.append((self._env.now, slots))
        teams_count = len(slots)
        for team, count in enumerate(slots):
            self._free[team] += count - self._slots[team]
            self._slots[team] = count
            reserve_ratio = self._layout.teams[team].overflow_reserve_ratio
            self._floors[teams_count + team] = floor(reserve_ratio * count)
        self._pace = tuple(float(pace) for pace in pace_by_team)
        self._refactor()
        now_s = self._env.now
        for team in range(teams_count):
            while line := self._next_line(team):
                self._free[team] -= 1
                self._answer(self._take(line - 1), team, now_s, now_s, self._new_slot())

    def surcharge(self, multiple_by_topic: Sequence[float]) -> None:
        """Multiplies the handle time of contacts by topic, for handling that starts from now on."""
        if len(multiple_by_topic) != self._layout.topics_count:
            raise ValueError(f"a multiple is needed for each of {self._layout.topics_count} topics")
        self._surcharge = tuple(float(multiple) for multiple in multiple_by_topic)
        self._refactor()

    def offer(self, cases: Cases) -> None:
        """Takes in the cases of the coming interval, all of them arriving from now on."""
        if len(cases) == 0:
            return
        cases = cases.checked()
        last_s = self._coming[-1][0] if self._coming else self._env.now
        if cases.arrived_s[0] < last_s or cases.arrived_s[-1] >= HORIZON_LIMIT_S:
            raise ValueError(f"cases must arrive between {last_s} s and {HORIZON_LIMIT_S} s")
        start = self._file.add(cases)
        waiting_before = bool(self._coming)
        lines = cases.priority.astype(np.int64) * self._layout.queues_count + cases.queue
        self._coming.extend(
            zip(
                cases.arrived_s.tolist(),
                range(start, start + len(cases)),
                [0] * len(cases),
                lines.tolist(),
                cases.topic.tolist(),
                cases.handle_s[:, 0].tolist(),
                cases.patience_s[:, 0].tolist(),
                cases.reconnect_delay_s[:, 0].tolist(),
                strict=True,
            )
        )
        if not waiting_before:
            self._arrival.callbacks = self._on_arrival
            delay_s = self._coming[0][0] - self._env.now
            self._env.schedule(self._arrival, ARRIVAL_NEXT, delay_s)

    # What the world sees of it.

    def collect(self) -> Outcomes:
        """Cases that came to an end since the last call."""
        return self._log.outcomes()

    def attempts(self) -> Attempts:
        """Every attempt so far, those in the system included, in order of arrival."""
        idle = set(map(id, self._idle_slots))
        open_records: list[Record] = []
        for slot in self._all_slots:
            if id(slot) not in idle:
                row, code, team, arrived_s, answered_s, _ = slot.record
                open_records.append((row, code, team, arrived_s, answered_s, nan))
        for waits in self._lines:
            for contact in (wait.contact for wait in waits):
                if contact is not None:
                    open_records.append((contact[1], contact[2], NO_TEAM, contact[0], nan, nan))
        return self._log.attempts(open_records, self._layout.escalation_queue)

    def staffed(self) -> tuple[tuple[float, tuple[int, ...]], ...]:
        """Every change of staff so far: time and slots by team."""
        return tuple(self._staffed)

    # Events.

    def _arrive(self, event: simpy.Event) -> None:
        """All arrivals that come before anything else on the calendar."""
        env = self._env
        coming = self._coming
        now_s = env.now
        while True:
            self._seek(coming.popleft(), now_s)
            if not coming:
                return
            arrived_s = coming[0][0]
            if arrived_s >= env.peek():
                break
        event.callbacks = self._on_arrival
        env.schedule(event, ARRIVAL_NEXT, arrived_s - now_s)

    def _seek(self, contact: Contact, now_s: float) -> None:
        """A contact finds a free agent, or waits. `now_s` is the time on the calendar."""
        arrived_s = contact[0]
        line = contact[3]
        free = self._free
        floors = self._floors
        for team, floor_index in self._routes[line]:
            if free[team] > floors[floor_index]:
                free[team] -= 1
                idle = self._idle_slots
                slot = idle.pop() if idle else self._new_slot()
                self._answer(contact, team, arrived_s, now_s, slot)
                return
        wait = self._idle_waits.pop() if self._idle_waits else self._new(_Wait)
        wait.contact = contact
        self._lines[line].append(wait)
        self._waiting[line] += 1
        self._mask |= 1 << line
        patience_s = contact[6]
        if patience_s != inf:
            wait.callbacks = self._on_patience
            self._env.schedule(wait, PATIENCE_LAST, arrived_s + patience_s - now_s)

    def _answer(self, contact: Contact, team: int, at_s: float, now_s: float, slot: _Slot) -> None:
        """Puts the contact in hand. The caller has counted the slot."""
        arrived_s, row, code, _, topic, handle_s, _, again_s = contact
        # on_grid() written out: this line runs once an answer.
        ends_s = (at_s + handle_s * self._factors[team][topic] + GRID_MAGIC) - GRID_MAGIC
        slot.record = (row, code, team, arrived_s, at_s, ends_s)
        slot.again_s = again_s
        slot.callbacks = self._on_end
        self._env.schedule(slot, END_FIRST, ends_s - now_s)

    def _end(self, slot: _Slot) -> None:
        """A contact is handled: its case is resolved or comes back; the agent looks for more."""
        record = slot.record
        team = record[2]
        ended_s = record[5]
        if slot.again_s == inf:
            self._log.entries += record
        else:
            row, code, _, arrived_s, answered_s, _ = record
            self._log.entries += (row, code + FOLLOWED, team, arrived_s, answered_s, ended_s)
            counts = code % KIND + 1
            self._return_after(slot.again_s, row, RECONNECT * KIND + counts)
        self._free[team] += 1
        if self._mask and (line := self._next_line(team)):
            self._free[team] -= 1
            self._answer(self._take(line - 1), team, ended_s, ended_s, slot)
        else:
            self._idle_slots.append(slot)

    def _lose_patience(self, wait: _Wait) -> None:
        """A contact that still waits abandons: redial, escalation, or gone for good."""
        contact = wait.contact
        if contact is None:  # it was answered in time
            self._idle_waits.append(wait)
            return
        wait.contact = None  # the wait itself stays in the line until it comes to the head
        arrived_s, row, code, line, _, _, patience_s, _ = contact
        self._leave(line)
        cases, i = self._file.find(row)
        counts = code % KIND + ABANDONMENT
        j = counts // ABANDONMENT - 1
        delay_s = float(cases.redial_delay_s[i, j]) if j < ATTEMPT_COLUMNS else inf
        kind = REDIAL
        if delay_s == inf:
            delay_s, kind = float(cases.escalation_delay_s[i]), ESCALATION
        if delay_s != inf:
            code += FOLLOWED
            self._return_after(delay_s, row, kind * KIND + counts)
        self._log.entries += (row, code, NO_TEAM, arrived_s, nan, arrived_s + patience_s)

    def _come_back(self, event: _Return) -> None:
        """The next attempt of a case arrives."""
        row, code = event.row, event.code
        self._idle_returns.append(event)
        now_s = self._env.now
        cases, i = self._file.find(row)
        topic = int(cases.topic[i])
        if code // KIND == ESCALATION:
            line = self._layout.escalation_queue
            handle_s = float(cases.escalation_handle_s[i])
            self._seek((now_s, row, code, line, topic, handle_s, inf, inf), now_s)
            return
        answers = code & COUNT_MASK
        attempt = min(code % KIND // ABANDONMENT + answers, ATTEMPT_COLUMNS - 1)
        contact = (
            now_s,
            row,
            code,
            int(cases.priority[i]) * self._layout.queues_count + int(cases.queue[i]),
            topic,
            float(cases.handle_s[i, answers]),
            float(cases.patience_s[i, attempt]),
            float(cases.reconnect_delay_s[i, answers]),
        )
        self._seek(contact, now_s)

    # Parts of the events.

    def _next_line(self, team: int) -> int:
        """1 + the line that a free agent of the team serves now; 0 = none."""
        free = self._free[team]
        if free > self._floors[len(self._slots) + team]:
            eligible = self._mask & self._all_mask[team]
        elif free > 0:
            eligible = self._mask & self._first_mask[team]
        else:
            return 0
        if not eligible:
            return 0
        picks = self._picks[team]
        if eligible not in picks:
            lines = self._layout.preferences[team]
            picks[eligible] = 1 + next(line for line in lines if eligible >> line & 1)
        return picks[eligible]

    def _take(self, line: int) -> Contact:
        """Removes the first waiting contact of a line that is not empty."""
        waits = self._lines[line]
        while (contact := (wait := waits.popleft()).contact) is None:
            self._idle_waits.append(wait)
        wait.contact = None
        if contact[6] == inf:  # no event will bring the wait back
            self._idle_waits.append(wait)
        self._leave(line)
        return contact

    def _leave(self, line: int) -> None:
        """Counts one contact out of a line."""
        self._waiting[line] -= 1
        if self._waiting[line] == 0:
            self._mask ^= 1 << line
            self._idle_waits.extend(self._lines[line])
            self._lines[line].clear()

    def _return_after(self, delay_s: float, row: int, code: int) -> None:
        event = self._idle_returns.pop() if self._idle_returns else self._new(_Return)
        event.row = row
        event.code = code
        event.callbacks = self._on_return
        self._env.schedule(event, ARRIVAL_NEXT, delay_s)

    def _refactor(self) -> None:
        self._factors = [[pace * multiple for multiple in self._surcharge] for pace in self._pace]

    def _new(self, kind: type[AnyEvent]) -> AnyEvent:
        event = kind(self._nursery)
        event.succeed()
        self._nursery.step()
        return event

    def _new_slot(self) -> _Slot:
        slot = self._new(_Slot)
        self._all_slots.append(slot)
        return slot
