"""The support pool: contacts as entries of an agenda of plain numbers, driven by SimPy's calendar.

Decides who is answered when and by which team; draws no random number and computes no statistic.
SimPy is the clock: the pool is one event whose callback handles everything on its agenda up to the
calendar's next event (`env.peek()`), which nobody outside can tell from an event for each. An entry
is an attempt's arrival, its end, or, only when it has to wait, the end of its patience. The agenda
is a calendar queue (Brown, CACM 31, 1988): buckets of some seconds, sorted when they open. Rules: a
free agent serves lines by priority, then by its team's preference, FCFS within a line; a team takes
a contact of a further queue only while more than its overflow reserve is free; priorities are
non-pre-emptive; when slots are taken away, contacts in hand are finished; at one instant ends come
before arrivals and arrivals before lost patience (grant wins), equals by case. Times in seconds on
the grid of sim/support/cases.py.
"""

from bisect import insort
from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from math import floor, inf, nan, nextafter
from typing import Final

import numpy as np
import simpy

from sim.support.attempts import NO_TEAM, AttemptLog, Attempts, Outcomes
from sim.support.cases import (
    ATTEMPT_COLUMNS,
    GRID_MAGIC,
    HORIZON_LIMIT_S,
    CaseFile,
    Cases,
    on_grid,
)
from sim.support.entries import ARRIVAL, END, PACK, PATIENCE, Contact, Entry
from sim.support.key import (
    CODES,
    abandonments,
    escalation_key,
    reconnect_key,
    redial_key,
    row_of,
)
from sim.support.layout import Layout
from sim.support.returns import Returns

BUCKETS_PER_S: Final = 1 / 32  # a power of two: t x rate is exact


class Pool:
    """The floor: lines of waiting contacts, free slots by team, and the record of what happened."""

    def __init__(self, env: simpy.Environment, layout: Layout) -> None:
        teams_count = len(layout.teams)
        queues, topics = layout.queues_count, layout.topics_count
        places_count = layout.lines_count * topics
        self._env = env
        self._layout = layout
        self._slots = [0] * teams_count
        self._free = [0] * teams_count  # negative while more contacts are in hand than slots left
        # A contact may be taken while free > floor: entries [0, teams) for first queues, which know
        # no reserve, entries [teams, 2 teams) for further ones.
        self._floors = [0] * (2 * teams_count)
        self._pace = (1.0,) * teams_count
        self._surcharge = (1.0,) * layout.topics_count
        self._factors = [[1.0] * places_count for _ in range(teams_count)]
        # By place: the teams to ask, each with its index in `_floors`; the queue's lines as bits.
        queue_of_place = [place // topics % queues for place in range(places_count)]
        self._routes = [
            tuple(
                (team, team if layout.teams[team].first == queue else teams_count + team)
                for team in layout.routes[queue]
            )
            for queue in queue_of_place
        ]
        self._queue_mask = [
            sum(1 << line for line in range(queue, layout.lines_count, queues))
            for queue in queue_of_place
        ]
        # Waiting contacts by key, in order of arrival. Lines that are not empty are bits of
        # `_mask`; `_picks` remembers the choice for a mask.
        self._lines: list[OrderedDict[int, Contact]] = [
            OrderedDict() for _ in range(layout.lines_count)
        ]
        self._mask = 0
        self._first_mask = [
            sum(1 << line for line in lines if line % queues == team.first)
            for lines, team in zip(layout.preferences, layout.teams, strict=True)
        ]
        self._all_mask = [sum(1 << line for line in lines) for lines in layout.preferences]
        self._picks: list[dict[int, int]] = [{} for _ in range(teams_count)]
        # The agenda: what is left of the open bucket, in order, and the buckets behind it.
        self._today: list[Entry] = []
        self._bucket = int(env.now * BUCKETS_PER_S) - 1
        self._agenda: defaultdict[int, list[Entry]] = defaultdict(list)
        self._wakes_s = inf
        self._limit_s = env.now
        self._last_arrived_s = env.now
        self._file = CaseFile()
        self._returns = Returns(self._file)
        self._log = AttemptLog(self._file)
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
        teams_count = len(slots)
        for team, count in enumerate(slots):
            self._free[team] += count - self._slots[team]
            self._slots[team] = count
            reserve_ratio = self._layout.teams[team].overflow_reserve_ratio
            self._floors[teams_count + team] = floor(reserve_ratio * count)
        self._pace = tuple(float(pace) for pace in pace_by_team)
        self._refactor()
        for team in range(teams_count):
            while (contact := self._take(team)) is not None:
                self._answer(contact, team)
        self._wake()

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
        earliest_s = max(self._last_arrived_s, self._env.now)
        if cases.arrived_s[0] < earliest_s or cases.arrived_s[-1] >= HORIZON_LIMIT_S:
            raise ValueError(f"cases must arrive between {earliest_s} s and {HORIZON_LIMIT_S} s")
        self._last_arrived_s = float(cases.arrived_s[-1])
        lines = cases.priority.astype(np.int64) * self._layout.queues_count + cases.queue
        places = lines * self._layout.topics_count + cases.topic
        start = self._file.add(cases, places)
        contacts = list(
            zip(
                cases.arrived_s.tolist(),
                [ARRIVAL] * len(cases),
                range(start * CODES, (start + len(cases)) * CODES, CODES),
                places.tolist(),
                cases.handle_s[:, 0].tolist(),
                cases.patience_s[:, 0].tolist(),
                cases.reconnect_delay_s[:, 0].tolist(),
                strict=True,
            )
        )
        buckets = (cases.arrived_s * BUCKETS_PER_S).astype(np.int64)
        bounds = [0, *(np.flatnonzero(np.diff(buckets)) + 1).tolist(), len(cases)]
        for low, high in pairwise(bounds):
            if buckets[low] > self._bucket:
                self._agenda[int(buckets[low])] += contacts[low:high]
            else:
                self._today = sorted(self._today + contacts[low:high])
        self._wake()

    # What the world sees of it.

    def collect(self) -> Outcomes:
        """Cases that came to an end since the last call."""
        return self._log.outcomes()

    def attempts(self) -> Attempts:
        """Every attempt so far, those in the system included, in order of arrival."""
        buckets = (self._today, *self._agenda.values())
        in_hand = [entry for bucket in buckets for entry in bucket if entry[1] == END]
        still_open = [(nan, *entry[1:]) for entry in in_hand] + [
            (nan, PATIENCE, key, NO_TEAM, arrived_s, nan, inf)
            for line in self._lines
            for arrived_s, _, key, *_ in line.values()
        ]
        return self._log.attempts(still_open, self._layout)

    def cases(self) -> CaseFile:
        """All cases offered so far."""
        return self._file

    def staffed(self) -> tuple[tuple[float, tuple[int, ...]], ...]:
        """Every change of staff so far: time and slots by team."""
        return tuple(self._staffed)

    # The agenda.

    def _wake(self) -> None:
        """Asks SimPy for a call at the time of the next entry, unless an earlier one is coming."""
        if self._today:
            next_s = self._today[0][0]
        elif self._agenda:
            bucket = self._bucket + 1
            while bucket not in self._agenda:
                bucket += 1
            next_s = min(self._agenda[bucket])[0]
        else:
            return
        if next_s < self._wakes_s:
            self._wakes_s = next_s
            self._env.timeout(next_s - self._env.now).callbacks.append(self._called)

    def _called(self, _: simpy.Event) -> None:
        """Handles everything that comes before the calendar's next event."""
        if self._env.now >= self._wakes_s:
            self._wakes_s = inf
        self._limit_s = max(self._env.peek(), nextafter(self._env.now, inf))
        while self._walk(self._limit_s):
            bucket = self._bucket + 1
            if not self._agenda or bucket >= self._limit_s * BUCKETS_PER_S:
                break
            self._bucket = bucket
            if bucket in self._agenda:
                self._today = sorted(self._agenda.pop(bucket))
        for contact in self._returns.take_later():
            self._push(contact, 0)
        self._wake()

    def _walk(self, limit_s: float) -> bool:  # noqa: PLR0912, PLR0915 - a call costs a tenth
        """Handles the open bucket's entries before a time; False if some are left. The hot loop."""
        today = self._today
        agenda = self._agenda
        bucket = self._bucket
        log = self._log.entries
        pack = PACK
        free = self._free
        floors = self._floors
        factors = self._factors
        lines = self._lines
        routes = self._routes
        queue_mask = self._queue_mask
        reach = self._all_mask
        for position, entry in enumerate(today):
            # Named as in a Contact.
            now_s, order, key, place, handle_s, _, again_s = entry
            if now_s >= limit_s:
                self._today = today[position:]
                return False
            if order == ARRIVAL:
                # Where somebody waits already, no team that serves the queue has a slot for it.
                if self._mask & queue_mask[place]:
                    self._wait(entry, position + 1)
                    continue
                for team, floor_index in routes[place]:
                    if free[team] > floors[floor_index]:
                        break
                else:
                    self._wait(entry, position + 1)
                    continue
                free[team] -= 1
                arrived_s = now_s
            elif order == END:
                log += pack(*entry)
                team = place
                if again_s != inf:
                    self._return_at(now_s + again_s, reconnect_key(key), position + 1)
                free[team] += 1
                if not self._mask & reach[team]:
                    continue
                contact = self._take(team)
                if contact is None:
                    continue
                arrived_s, _, key, place, handle_s, _, again_s = contact
            else:
                contact = lines[place].get(key)
                if contact is not None:  # it still waits
                    self._lose_patience(contact, position + 1)
                continue
            # on_grid() written out.
            ends_s = (now_s + handle_s * factors[team][place] + GRID_MAGIC) - GRID_MAGIC
            end = (ends_s, END, key, team, arrived_s, now_s, again_s)
            end_bucket = int(ends_s * BUCKETS_PER_S)
            if end_bucket > bucket:
                agenda[end_bucket].append(end)
            else:
                insort(today, end, position + 1)
        self._today = []
        return True

    def _push(self, entry: Entry, position: int) -> None:
        """Puts an entry on the agenda; `position` is that of the open bucket's next entry."""
        bucket = int(entry[0] * BUCKETS_PER_S)
        if bucket > self._bucket:
            self._agenda[bucket].append(entry)
        else:
            insort(self._today, entry, position)

    # What happens to contacts.

    def _wait(self, contact: Contact, position: int) -> None:
        arrived_s, _, key, place, _, patience_s, _ = contact
        line = place // self._layout.topics_count
        self._lines[line][key] = contact
        self._mask |= 1 << line
        ends_s = arrived_s + patience_s
        if ends_s < HORIZON_LIMIT_S:
            lost = (ends_s, PATIENCE, key, line, nan, nan, inf)
            # _push() written out.
            bucket = int(ends_s * BUCKETS_PER_S)
            if bucket > self._bucket:
                self._agenda[bucket].append(lost)
            else:
                insort(self._today, lost, position)

    def _take(self, team: int) -> Contact | None:
        """The contact that a team's free agent serves now, out of its line; the slot is counted."""
        free = self._free[team]
        if free > self._floors[len(self._slots) + team]:
            eligible = self._mask & self._all_mask[team]
        elif free > 0:
            eligible = self._mask & self._first_mask[team]
        else:
            return None
        if not eligible:
            return None
        line = self._picks[team].get(eligible)
        if line is None:
            lines = self._layout.preferences[team]
            line = next(line for line in lines if eligible >> line & 1)
            self._picks[team][eligible] = line
        self._free[team] = free - 1
        contacts = self._lines[line]
        contact = contacts.popitem(last=False)[1]
        if not contacts:
            self._mask ^= 1 << line
        return contact

    def _answer(self, contact: Contact, team: int) -> None:
        """Puts a contact that has waited in hand when staff changes."""
        arrived_s, _, key, place, handle_s, _, again_s = contact
        now_s = self._env.now
        ends_s = on_grid(now_s + handle_s * self._factors[team][place])
        self._push((ends_s, END, key, team, arrived_s, now_s, again_s), 0)

    def _lose_patience(self, contact: Contact, position: int) -> None:
        """A contact that waits abandons: redial, escalation, or gone for good."""
        arrived_s, _, key, place, _, patience_s, _ = contact
        now_s = arrived_s + patience_s
        line = place // self._layout.topics_count
        del self._lines[line][key]
        if not self._lines[line]:
            self._mask ^= 1 << line
        row, j = row_of(key), abandonments(key)
        delay_s = self._file.redial_delay_s.item(row, j) if j < ATTEMPT_COLUMNS else inf
        if delay_s != inf:
            self._return_at(now_s + delay_s, redial_key(key), position)
        else:
            delay_s = self._file.escalation_delay_s.item(row)
            if delay_s != inf:
                self._escalate(now_s + delay_s, key, place, position)
        record = (now_s, PATIENCE, key, NO_TEAM, arrived_s, nan, delay_s)
        self._log.entries += PACK(*record)

    def _escalate(self, at_s: float, key: int, place: int, position: int) -> None:
        """Puts the specialists' taking up of a case on the agenda."""
        self._log.raised.append((row_of(key), at_s))
        if at_s < HORIZON_LIMIT_S:
            topics_count = self._layout.topics_count
            place = self._layout.escalation_queue * topics_count + place % topics_count
            handle_s = self._file.escalation_handle_s.item(row_of(key))
            escalation = (at_s, ARRIVAL, escalation_key(key), place, handle_s, inf, inf)
            self._push(escalation, position)

    def _return_at(self, at_s: float, key: int, position: int) -> None:
        """Puts a redial or reconnect on the agenda; most come late enough to wait for others."""
        if at_s < self._limit_s:
            self._push(self._returns.contact(at_s, key), position)
        else:
            self._returns.later.append((at_s, key))

    def _refactor(self) -> None:
        lines_count = self._layout.lines_count
        self._factors = [
            [pace * multiple for multiple in self._surcharge] * lines_count for pace in self._pace
        ]
