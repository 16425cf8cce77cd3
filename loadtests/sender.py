"""The sender: every step of a schedule leaves at its intended time, whatever becomes of the others.

Decides when a request is sent, dropped, repeated or given up, and its outcome. An open loop:
nothing waits for an answer except a step that needs the identifier in it. Response time counts from
the intended time, so that a stall of the host is not omitted (coordinated omission: G. Tene, wrk2,
2015). All in callbacks of gevent's hub; times int ns from the agreed start.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from time import monotonic_ns
from typing import Any, Final, Protocol

import msgspec
import numpy as np

from loadtests.alarm import Alarm
from loadtests.connection import Connection, Host, TlsConnection
from loadtests.journal import NOT_REACHED, OUTCOMES
from loadtests.latency import quantile
from loadtests.mapping import Mapping, outcome
from loadtests.recorder import Ending, Recorder
from loadtests.schedule import Schedule
from scenarios.load import WRITES

OK, FAIL, UNKNOWN, DROPPED = range(4)
ANSWER_ID: Final = b"{answer_id}"
COUNTED: Final = ("sent", "waited", *OUTCOMES)
POOL_FULL: Final = "no free connection"
LEASE_OVER: Final = "its master was silent"
GRACE_S: Final = 2.0
"""For the answers that are still under way when a replay is stopped."""
_FOR_EVER_NS: Final = 1 << 62
BEAT_S: Final = 0.02
"""Between two chunks of the journal: short, so that writing one is short, too."""
_SWEEP_BEATS: Final = 12
_REACH_NS: Final = 20_000_000
"""So far ahead it is written down which steps may be sent: as often as a chunk is."""
WARM_COUNT: Final = 32
"""Connections opened before the start, so that the first second is like the others."""
_TURN: Final = 64
"""Requests sent before the hub gets a turn: a late sender must not starve the answers."""
_BACKOFF_NS: Final = 50_000_000
_BACKOFF_NS_MAX: Final = 2_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What bounds the sender."""

    connections_count_max: int
    timeout_ns: int
    attempts_count_max: int
    """How often a request without a clear answer is sent, always with the same key."""


class Task:
    """A step under way."""

    __slots__ = (
        "attempts",
        "first_sent_ns",
        "intended_ns",
        "name",
        "parent",
        "place",
        "ready_ns",
        "request",
        "step",
    )

    def __init__(
        self, place: int, step: int, intended_ns: int, request: bytes, parent: int, name: str
    ) -> None:
        self.place, self.step, self.name = place, step, name
        self.intended_ns = self.ready_ns = intended_ns
        self.request, self.parent = request, parent
        self.attempts = 0
        self.first_sent_ns = -1


class Watcher(Protocol):
    """Is told about every finished step."""

    def __call__(
        self, name: str, response_ns: int | None, answer_bytes: int, reason: str
    ) -> None: ...


class Sender:
    """Sends one schedule once."""

    def __init__(
        self,
        schedule: Schedule,
        *,
        loop: Any,
        host: Host,
        mapping: Mapping,
        limits: Limits,
        recorder: Recorder,
        finished: Watcher,
        ended: Callable[[], None],
    ) -> None:
        self._schedule, self._limits, self._recorder = schedule, limits, recorder
        self._loop, self._host = loop, host
        self._operations = mapping.operations
        self._finished, self._ended = finished, ended
        self._connect: type[Connection] = TlsConnection if host.tls else Connection
        self._alarm = Alarm(loop, self._ring)
        self._beat = loop.timer(BEAT_S, BEAT_S)
        self._place = 0
        self._block: list[tuple[int, int, bytes, int, str]] = []
        self._block_place = 0
        self._open: dict[Connection, None] = {}
        self._idle: list[Connection] = []
        self._retries: list[tuple[int, int, Task]] = []
        self._awaited = set(schedule.parents.tolist()) - {-1}
        self._answer_ids: dict[int, str | None] = {}
        self._waiting: dict[int, list[Task]] = {}
        self._start_ns = 0
        self._lease_ns = _FOR_EVER_NS
        self._reach_ns = 0
        self._give_up_ns: int | None = None
        self._closed = False
        self._said = cache(self._outcome)
        self._sent_count = self._waited_count = 0
        self._outcome_counts = [0] * len(OUTCOMES)
        self._beats_count = 0
        self._lags_ns: list[int] = []
        self.stopped = ""
        """Why it stopped before the end; empty if it did not."""

    def warm(self) -> None:
        """Open some connections before the start."""
        for _ in range(min(WARM_COUNT, self._limits.connections_count_max)):
            self._idle.append(self._new_connection())

    def start(self, start_ns: int) -> None:
        """Begin; `start_ns` is the agreed start on time.monotonic_ns()."""
        self._start_ns = start_ns
        self._beat.start(self._on_beat)
        self._alarm.at(start_ns)

    def stop(self, reason: str, *, grace_s: float) -> None:
        """Send nothing new, wait `grace_s` for answers, then give up the rest; nothing if the
        schedule has ended."""
        if not self.stopped and not self._closed:
            self.stopped = reason
            self._place = len(self._schedule)
            self._block = []
            self._alarm.at(0)
            self._give_up_ns = monotonic_ns() + int(grace_s * 1e9)

    def lend(self, until_ns: int) -> None:
        """Send no step that is planned for then (on time.monotonic_ns()) or later, but stop, unless
        lent for longer until then."""
        self._lease_ns = until_ns

    @property
    def counts(self) -> dict[str, int]:
        """Of COUNTED, so far."""
        counts = (self._sent_count, self._waited_count, *self._outcome_counts)
        return dict(zip(COUNTED, counts, strict=True))

    @property
    def elapsed_ns(self) -> int:
        """Time since the agreed start, negative before it."""
        return monotonic_ns() - self._start_ns

    def take_lag_p99_ns(self) -> int:
        """Of what was finished since it was last asked for; 0 if nothing was."""
        lags_ns, self._lags_ns = self._lags_ns, []
        value_ns = quantile(np.sort(np.array(lags_ns)), 0.99)
        return 0 if value_ns is None else int(value_ns)

    @property
    def under_way_count(self) -> int:
        """Requests without an answer yet."""
        return len(self._open) - len(self._idle)

    def _ring(self) -> None:
        """Send what is due, at most a turn's worth, and set the alarm for the next."""
        start_ns, now_ns = self._start_ns, monotonic_ns() - self._start_ns
        lease_ns = self._lease_ns - start_ns
        if now_ns >= lease_ns:
            self.stop(LEASE_OVER, grace_s=GRACE_S)
        if self.stopped:
            return
        left, next_ns = _TURN, 0
        while left:
            left -= 1
            if self._retries and self._retries[0][0] <= now_ns:
                self._send(heapq.heappop(self._retries)[2])
                continue
            at = self._place - self._block_place
            if at >= len(self._block) and not self._next_block():
                break
            at = self._place - self._block_place
            step, intended_ns, request, parent, name = self._block[at]
            if intended_ns > now_ns:
                now_ns = min(monotonic_ns() - start_ns, lease_ns - 1)
                if intended_ns > now_ns:
                    next_ns = start_ns + intended_ns
                    break
            if not self._reaches(intended_ns):
                return
            task = Task(self._place, step, intended_ns, request, parent, name)
            self._place += 1
            if parent < 0:
                self._send(task)
            else:
                self._due(task)
        else:
            next_ns = 1  # more is due: at once, after the hub's turn
        if self._retries:
            retry_ns = start_ns + self._retries[0][0]
            next_ns = min(next_ns, retry_ns) if next_ns else retry_ns
        self._alarm.at(next_ns)

    def _reaches(self, intended_ns: int) -> bool:
        """Whether a step may be sent: how far the schedule comes is written down before."""
        if intended_ns >= self._reach_ns:
            self._reach_ns = intended_ns + _REACH_NS
            if not self._recorder.reach(self._reach_ns):
                self.stop(self._recorder.failure, grace_s=0.0)
                return False
        return True

    def _next_block(self) -> bool:
        self._block_place = self._place
        self._block = self._schedule.block(self._place) if not self.stopped else []
        return bool(self._block)

    def _due(self, task: Task) -> None:
        """Its time has come; what it depends on may not have been answered."""
        if task.parent in self._answer_ids:
            self._send_dependent(task)
        else:
            self._waited_count += 1
            self._waiting.setdefault(task.parent, []).append(task)

    def _send_dependent(self, task: Task) -> None:
        answer_id = self._answer_ids[task.parent]
        if self.stopped:
            self._drop(task, NOT_REACHED)
            return
        if answer_id is None:
            self._drop(task, "the step that it depends on failed")
            return
        task.request = task.request.replace(ANSWER_ID, answer_id.encode(), 1)
        self._send(task)

    def _send(self, task: Task) -> None:
        if self._idle:
            connection = self._idle.pop()
        elif len(self._open) < self._limits.connections_count_max:
            connection = self._new_connection()
        else:
            if task.attempts:
                self._finish(task, UNKNOWN, POOL_FULL)
            else:
                self._drop(task, POOL_FULL)
            return
        connection.task = task
        task.attempts += 1
        connection.sent_ns = sent_ns = monotonic_ns() - self._start_ns
        if task.first_sent_ns < 0:
            task.first_sent_ns = sent_ns
            self._sent_count += 1
        connection.send(task.request)

    def _new_connection(self) -> Connection:
        connection = self._connect(self._loop, self._host, self._answered, self._lost)
        self._open[connection] = None
        return connection

    def _answered(self, connection: Connection) -> None:
        """An answer is whole."""
        done_ns = monotonic_ns() - self._start_ns
        task: Task = connection.task
        connection.task = None
        status, body = connection.status, connection.body
        if connection.keep_alive:
            self._idle.append(connection)
        else:
            self._forget(connection)
        if status >= 500 and self._retried(task, done_ns):
            return
        said = self._said(task.name, status)
        reason = "" if said == OK else f"HTTP {status}"
        answer_id, state, fen = "", "", -1
        if said == OK and status < 300:
            try:
                answer = self._operations[task.name].answer(body)
            except msgspec.MsgspecError as error:
                said = UNKNOWN if task.name in WRITES else FAIL
                reason = f"the answer is not as mapped: {error}"
            else:
                answer_id = "" if answer.id is None else str(answer.id)
                state, fen = answer.state or "", -1 if answer.fen is None else answer.fen
        ending = (status, said, reason, answer_id, state, fen, task.attempts)
        self._record(task, done_ns, ending, len(body))

    def _outcome(self, name: str, status: int) -> int:
        """Index of the outcome that a status means."""
        return OUTCOMES.index(outcome(name, self._operations[name], status))

    def _lost(self, connection: Connection, why: str) -> None:
        """A connection is gone, perhaps with a request under way."""
        now_ns = monotonic_ns() - self._start_ns
        task, handed = connection.task, connection.handed
        self._forget(connection)
        if task is not None and not self._retried(task, now_ns):
            maybe = handed or task.attempts > 1
            self._finish(task, UNKNOWN if maybe and task.name in WRITES else FAIL, why)

    def _retried(self, task: Task, now_ns: int) -> bool:
        """Whether a request without a clear answer will be sent again."""
        if task.attempts >= self._limits.attempts_count_max or self.stopped:
            return False
        wait_ns = min(_BACKOFF_NS << (task.attempts - 1), _BACKOFF_NS_MAX)
        heapq.heappush(self._retries, (now_ns + wait_ns, task.step, task))
        if self._retries[0][2] is task:
            self._alarm.at(1)
        return True

    def _drop(self, task: Task, reason: str) -> None:
        self._finish(task, DROPPED, reason)

    def _finish(self, task: Task, said: int, reason: str) -> None:
        """A step ends without an answer."""
        done_ns = -1 if said == DROPPED else monotonic_ns() - self._start_ns
        self._record(task, done_ns, (0, said, reason, "", "", -1, task.attempts), 0)

    def _record(self, task: Task, done_ns: int, ending: Ending, answer_bytes: int) -> None:
        self._recorder.add((task.step, task.ready_ns, task.first_sent_ns, done_ns, *ending))
        _, said, reason, answer_id, *_ = ending
        self._outcome_counts[said] += 1
        response_ns = None if said == DROPPED else done_ns - task.intended_ns
        self._finished(task.name, response_ns, answer_bytes, reason)
        if task.place in self._awaited:
            self._answer_ids[task.place] = answer_id if said == OK and answer_id else None
            for child in self._waiting.pop(task.place, ()):
                child.ready_ns = max(child.intended_ns, monotonic_ns() - self._start_ns)
                self._send_dependent(child)

    def _forget(self, connection: Connection) -> None:
        connection.task = None
        self._open.pop(connection, None)
        if connection in self._idle:
            self._idle.remove(connection)
        connection.close()

    def _on_beat(self) -> None:
        """Write what is finished, now and then give up what took too long, see whether it ends."""
        self._beats_count += 1
        if self._beats_count % _SWEEP_BEATS == 0:
            self._sweep()
        rows = self._recorder.flush()
        self._lags_ns += [sent - ready for _, ready, sent, *_ in rows if sent >= 0]
        if self._recorder.failure and not self.stopped:
            self.stop(self._recorder.failure, grace_s=0.0)
        if self._place >= len(self._schedule) and not (self._retries or self.under_way_count):
            self._close()

    def _sweep(self) -> None:
        now_ns = monotonic_ns()
        given_up = self._give_up_ns is not None and now_ns >= self._give_up_ns
        oldest_ns = now_ns - self._start_ns - self._limits.timeout_ns
        for connection in list(self._open):
            if connection.task is not None and (given_up or connection.sent_ns < oldest_ns):
                self._lost(connection, self.stopped if given_up else "no answer in time")
        if self.stopped:
            for _, _, task in self._retries:
                said = UNKNOWN if task.name in WRITES else FAIL
                self._finish(task, said, self.stopped)
            self._retries.clear()

    def _close(self) -> None:
        self._closed = True
        self._beat.stop()
        self._beat.close()
        self._alarm.close()
        for connection in list(self._open):
            self._forget(connection)
        self._recorder.flush()
        self._ended()
