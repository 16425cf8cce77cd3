"""One worker: it joins a master, is given its share, sends it, and hands its journal over.

It lives in the main greenlet, one step after the other; Locust's messages only leave their contents
here. What it sends is lent to it (wire.py): cut off from its master it stops by itself.
"""

import os
import socket
import time
from collections.abc import Callable
from dataclasses import astuple
from time import monotonic_ns
from typing import Any, Final

import gevent
from gevent.event import Event

from loadtests import user
from loadtests.cluster import clock
from loadtests.cluster.clock import Exchange, Instant, Reading
from loadtests.cluster.parcel import Incoming, Outgoing
from loadtests.cluster.share import Task, unpack
from loadtests.cluster.wire import (
    BEAT_S,
    GIVE_UP_NS,
    LEASE_NS,
    POLL_S,
    Address,
    ClusterError,
    version,
)
from loadtests.recorder import Recorder
from loadtests.sender import GRACE_S, LEASE_OVER, Sender

HAND_OVER_S: Final = 0.25
"""Between two pieces of the journal: so much of it is lost with a machine that loses power."""
INTERRUPTED: Final = "interrupted"


def follow(master: Address, *, wait_s: float, say: Callable[[str], None]) -> bool:
    """Send a share for a master; whether all of it was sent. Raises ClusterError, and
    KeyboardInterrupt once the journal is handed over."""
    _until_reached(master, wait_s)
    environment = user.environment_of(None)
    try:
        runner = user.worker_runner(environment, master.host, master.port, wait_s=wait_s)
    except OSError as error:
        raise ClusterError(str(error)) from None
    follower = _Follower(runner, master, say)
    with user.interrupted(follower.interrupt):
        try:
            return follower.work()
        finally:
            follower.leave()


def _until_reached(master: Address, wait_s: float) -> None:
    """Wait until something listens there. Raises ClusterError."""
    until_ns = monotonic_ns() + int(wait_s * 1e9)
    while True:
        try:
            left_s = (until_ns - monotonic_ns()) / 1e9
            socket.create_connection((master.host, master.port), timeout=max(left_s, 1.0)).close()
            return
        except socket.gaierror as error:
            raise ClusterError(f"{master}: {master.host} is not known: {error}") from None
        except OSError as error:
            if monotonic_ns() >= until_ns:
                raise ClusterError(
                    f"no master at {master}, after {wait_s:g} s: {error.strerror or error}"
                ) from None
        time.sleep(POLL_S)


class _Follower:
    """A worker between joining and leaving."""

    def __init__(self, runner: Any, master: Address, say: Callable[[str], None]) -> None:
        self._runner, self._master, self._say = runner, master, say
        self._totals = user.Totals(runner.environment.stats)
        self._packed = bytearray()
        self._incoming = Incoming(self._packed.extend)
        self._digest = ""
        """Of the whole share, which the master tells last."""
        self._outgoing = Outgoing(lambda at, data: self._tell("part", at=at, data=data))
        self._sender: Sender | None = None
        self._counts: dict[str, int] = {}
        self._lag_ns = 0
        self._exchanges: list[Exchange] = []
        self._heard_ns = monotonic_ns()
        self._start_ns = 0
        """The master's, on the master's clock."""
        self._over = ""
        self._told_to_stop = self._runs = self._interrupted = False
        self._shared, self._started, self._ended = Event(), Event(), Event()
        self._ponged, self._taken = Event(), Event()
        for name in ("piece", "shared", "pong", "start", "have", "stop", "over"):
            runner.register_message(f"replay_{name}", getattr(self, f"_on_{name}"))

    def work(self) -> bool:
        """Everything from hello to the end; whether all was sent. Raises ClusterError."""
        self._tell("hello", version=version(), host=socket.gethostname(), process=os.getpid())
        beats = gevent.spawn(self._beat)
        try:
            task, sender, before = self._prepare()
            sender.start(self._start_ns - before.offset_ns)
            self._runs = True
            user.watch_over(sender, task.job, self._note, self._totals)
            return self._finish(task, sender, before)
        finally:
            beats.kill()

    def interrupt(self) -> None:
        """Send nothing more, but hand over what was sent; where there is none, wait no longer."""
        if self._sender is not None and self._runs:
            self._sender.stop(INTERRUPTED, grace_s=GRACE_S)
        else:
            self._interrupted = True

    def leave(self) -> None:
        """Tell the master that nothing more is sent."""
        self._tell("left")
        user.leave(self._runner)

    def _prepare(self) -> tuple[Task, Sender, Reading]:
        """Everything up to the master's word that it starts."""
        self._wait(self._shared)
        task = self._unpacked()
        self._say(f"worker {task.worker} of {self._master}: {len(task.schedule)} steps")
        recorder = Recorder(self._outgoing.add)
        self._sender = sender = user.sender_of(task.job, task.schedule, recorder)
        before = self._read_clock()
        self._totals.ahead_s = -before.wall_offset_ns / 1e9
        clock_now = astuple(clock.compared(before, None))
        self._tell("ready", planned_count=len(task.schedule), clock=clock_now)
        self._wait(self._started)
        return task, sender, before

    def _unpacked(self) -> Task:
        """The share; a worker that cannot send it says so and leaves."""
        try:
            if self._incoming.digest != self._digest:
                raise ClusterError("its share came damaged: another hash than at the master")
            # Aside: reading a long share must not hold up the beats.
            task: Task = gevent.get_hub().threadpool.apply(unpack, (bytes(self._packed),))
            if task.otel:
                user.export()
        except (ClusterError, OSError) as error:
            self._tell("refused", why=str(error))
            raise ClusterError(str(error)) from None
        self._packed.clear()
        return task

    def _finish(self, task: Task, sender: Sender, before: Reading) -> bool:
        """Hand over what is left, say how it ended, and wait for the master's word."""
        stopped = sender.stopped
        mine = stopped == INTERRUPTED and not self._told_to_stop
        if mine:
            stopped = f"worker {task.worker} was interrupted"
        elif stopped == LEASE_OVER:
            stopped = f"worker {task.worker} stopped because {LEASE_OVER}"
        while not self._outgoing.is_through:
            self._taken.clear()
            self._outgoing.push()
            self._wait(self._taken)
        after = self._read_clock()
        # Before the end, not when Locust next reports: the leader writes Locust's tables once all
        # have ended, and messages of one worker arrive in order.
        user.report(self._runner)
        self._tell(
            "ended",
            stopped=stopped,
            bytes_count=self._outgoing.bytes_count,
            digest=self._outgoing.digest,
            clock=astuple(clock.compared(before, after)),
        )
        self._runs = False
        self._say(f"{sender.counts['sent']} steps sent; the master has their journal")
        if mine:
            raise KeyboardInterrupt
        self._wait(self._ended)
        return not stopped

    def _wait(self, there: Event) -> None:
        """Raises ClusterError if the master ends, or says nothing for long; KeyboardInterrupt."""
        while not there.wait(timeout=POLL_S):
            if self._interrupted:
                raise KeyboardInterrupt
            if self._ended.is_set():
                raise ClusterError(self._over or f"{self._master} ended before this worker")
            if monotonic_ns() - self._heard_ns > GIVE_UP_NS:
                raise ClusterError(
                    f"the master at {self._master} has been silent for {GIVE_UP_NS / 1e9:g} s; "
                    "what it had not taken of the journal is lost"
                )
        if self._over:
            raise ClusterError(self._over)

    def _beat(self) -> None:
        """Tell the master how far the schedule has come, hand over what was sent since."""
        beaten_ns = 0
        while True:
            now_ns = monotonic_ns()
            if now_ns - beaten_ns >= BEAT_S * 1e9:
                beaten_ns = now_ns
                self._ping()
                self._outgoing.nudge()
            self._outgoing.push()
            gevent.sleep(HAND_OVER_S)

    def _read_clock(self) -> Reading:
        self._exchanges.clear()
        while len(self._exchanges) < clock.EXCHANGES_COUNT:
            self._ponged.clear()
            self._ping()
            self._wait(self._ponged)
        return clock.reading(self._exchanges)

    def _ping(self) -> None:
        now = _now()
        elapsed_ns = self._sender.elapsed_ns if self._sender is not None and self._runs else 0
        self._tell(
            "ping",
            sent=[now.monotonic_ns, now.unix_ns],
            elapsed_ns=elapsed_ns,
            counts=self._counts,
            lag_ns=self._lag_ns,
        )

    def _note(self, counts: dict[str, int], lag_ns: int) -> None:
        self._counts, self._lag_ns = counts, lag_ns

    def _tell(self, name: str, **data: Any) -> None:
        self._runner.send_message(f"replay_{name}", data)

    def _on_pong(self, *, msg: Any, **_: Any) -> None:
        back = _now()
        sent, received, answered = (
            Instant(*msg.data[name]) for name in ("sent", "received", "answered")
        )
        self._heard_ns = back.monotonic_ns
        self._exchanges.append(Exchange(sent, received, answered, back))
        self._ponged.set()
        if msg.data["lends"] and self._sender is not None:
            self._sender.lend(sent.monotonic_ns + LEASE_NS)

    def _on_piece(self, *, msg: Any, **_: Any) -> None:
        self._heard_ns = monotonic_ns()
        self._tell("have", bytes_count=self._incoming.take(msg.data["at"], msg.data["data"]))

    def _on_shared(self, *, msg: Any, **_: Any) -> None:
        self._digest = msg.data["digest"]
        self._shared.set()

    def _on_start(self, *, msg: Any, **_: Any) -> None:
        self._start_ns = msg.data["start_ns"]
        self._started.set()

    def _on_have(self, *, msg: Any, **_: Any) -> None:
        self._outgoing.had(msg.data["bytes_count"])
        self._taken.set()

    def _on_stop(self, *, msg: Any, **_: Any) -> None:
        self._told_to_stop = True
        if self._sender is not None:
            self._sender.stop(msg.data["why"], grace_s=GRACE_S)

    def _on_over(self, *, msg: Any, **_: Any) -> None:
        self._over = msg.data["why"]
        self._ended.set()
        if self._sender is not None:
            self._sender.stop(self._over or "its master ended", grace_s=0.0)


def _now() -> Instant:
    return Instant(monotonic_ns(), time.time_ns())
