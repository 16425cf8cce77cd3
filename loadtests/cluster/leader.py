"""The side that leads: who sends which share, when all start, who is lost, one journal of all.

The workers are processes that it starts itself or that come from other machines; what it says to
them is the same. Locust's runners carry the messages and merge what its page shows; the figures of
the replay come from the journals, which arrive while the workers send.
"""

import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic_ns
from typing import Any, Final

import gevent

from loadtests import user
from loadtests.cluster.parcel import Incoming, Outgoing
from loadtests.cluster.wire import (
    LEASE_NS,
    POLL_S,
    SLACK_NS,
    Address,
    ClusterError,
    version,
)
from loadtests.job import Ending, View, Watch
from loadtests.journal import Clock, Share
from loadtests.recorder import PartFile
from loadtests.sender import COUNTED

LOOPBACK: Final = "127.0.0.1"
LEAVE_S_MAX: Final = 5.0
"""Workers on this machine may take so long to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Muster:
    """Which workers a replay has."""

    count: int
    bind: Address | None
    """Where those from other machines come to; None starts them here."""
    wait_s: float


@dataclass(slots=True, kw_only=True)
class _Worker:
    """What the leader knows of one worker."""

    node: str
    """The name that Locust gave it."""
    host: str
    process: int
    number: int = -1
    outgoing: Outgoing | None = None
    incoming: Incoming | None = None
    part: PartFile | None = None
    planned_count: int = -1
    """-1 until it is ready."""
    clock: Clock | None = None
    refused: str = ""
    heard_ns: int = field(default_factory=monotonic_ns)
    elapsed_ns: int = 0
    """How far its schedule had come, on its own clock, when it was last heard."""
    counts: dict[str, int] = field(default_factory=dict)
    lag_ns: int = 0
    left: bool = False
    """Whether it said that it goes."""
    lost: bool = False
    ending: Ending | None = None

    def __str__(self) -> str:
        return f"worker {self.number} on {self.host}"

    @property
    def is_silent(self) -> bool:
        return monotonic_ns() - self.heard_ns > LEASE_NS + SLACK_NS


Packed = Callable[[int], bytes]
"""A worker's share, by its number."""


def lead(
    muster: Muster, packed: Packed, *, view: View, watch: Watch, say: Callable[[str], None]
) -> list[Ending]:
    """Replay with several workers; one ending each. Raises ClusterError, OSError, and
    KeyboardInterrupt before the start."""
    leader = Leader(muster, view, say)
    try:
        with user.interrupted(leader.interrupt):
            leader.gather(packed)
            leader.start()
        leader.watch_over(watch)
        leader.finish()
        return leader.endings()
    finally:
        leader.quit()


class Leader:
    """One replay on the side that leads."""

    def __init__(self, muster: Muster, view: View, say: Callable[[str], None]) -> None:
        self._muster, self._view, self._say = muster, view, say
        self._environment = user.environment_of(view)
        self._at = muster.bind or Address(LOOPBACK, _free_port())
        self._runner = user.master_runner(self._environment, self._at.host, self._at.port)
        self._joined: dict[str, _Worker] = {}
        self._workers: list[_Worker] = []
        """Those with a share, by its number."""
        for name in ("hello", "have", "refused", "ready", "ping", "part", "ended", "left"):
            self._runner.register_message(f"replay_{name}", getattr(self, f"_on_{name}"))
        user.open_page(self._environment, view)
        self._children = [] if muster.bind else _children(muster, self._at)
        self._start_ns = self._started_unix_ns = 0
        self._interrupted = False
        self._why_over = "the replay ended before it began: see its master"

    def interrupt(self) -> None:
        """Stop waiting for workers."""
        self._interrupted = True

    def gather(self, packed: Packed) -> None:
        """Wait for the workers and give each its share."""
        count = self._muster.count
        until_ns = monotonic_ns() + int(self._muster.wait_s * 1e9)
        while len(self._joined) < count:
            self._say(f"{len(self._joined)} of {count} workers joined at {self._at}")
            if monotonic_ns() > until_ns:
                raise ClusterError(
                    f"{len(self._joined)} of {count} workers joined {self._at} within "
                    f"{self._muster.wait_s:g} s: start each with `springpeak replay-worker`"
                )
            self._pause()
        self._workers = sorted(self._joined.values(), key=lambda one: one.node)
        for number, worker in enumerate(self._workers):
            worker.number = number
            self._hand(worker, gevent.get_hub().threadpool.apply(packed, (number,)))
        while waiting := [one for one in self._workers if one.planned_count < 0]:
            self._say(f"{len(waiting)} of {count} workers are not ready yet")
            refusals = [f"{one}: {one.refused}" for one in self._workers if one.refused]
            if refusals:
                raise ClusterError("\n".join(refusals))
            self._pause()

    def _hand(self, worker: _Worker, data: bytes) -> None:
        """Send a share."""

        def send(at: int, piece: bytes) -> None:
            self._tell(worker, "piece", at=at, data=piece)

        worker.outgoing = outgoing = Outgoing(send)
        outgoing.add(data)
        outgoing.push()

    def start(self) -> None:
        """Agree on the start."""
        self._runner.start(self._muster.count, self._muster.count)
        self._start_ns = monotonic_ns() + user.LEAD_NS
        self._started_unix_ns = time.time_ns() + user.LEAD_NS
        for worker in self._workers:
            worker.part = PartFile(self._view.folder, worker.number)
            worker.incoming = Incoming(worker.part.write)
            self._tell(worker, "start", start_ns=self._start_ns)

    def watch_over(self, watch: Watch) -> None:
        """Until every worker has ended or is lost; Ctrl-C ends all of them early."""
        told_ns = 0
        if self._interrupted:  # while the start was agreed
            self._stop("interrupted")
        with user.interrupted(lambda: self._stop("interrupted")):
            while any(one.ending is None for one in self._workers):
                gevent.sleep(POLL_S)
                self._miss()
                if monotonic_ns() - told_ns > user.WATCH_S * 1e9:
                    told_ns = monotonic_ns()
                    counts = [one.counts for one in self._workers]
                    total = {name: sum(one.get(name, 0) for one in counts) for name in COUNTED}
                    watch(total, max(one.lag_ns for one in self._workers))

    def finish(self) -> None:
        """Let the workers go, and write Locust's tables."""
        self._why_over = ""
        self.quit()
        user.write_tables(self._environment, self._view.folder)
        user.hold_page(self._environment)

    def endings(self) -> list[Ending]:
        """One for each worker, in order."""
        return [one.ending for one in self._workers if one.ending is not None]

    def quit(self) -> None:
        """Leave no worker behind."""
        for worker in self._joined.values():
            if worker.part is not None:
                worker.part.close()
                worker.part = None
            self._tell(worker, "over", why=self._why_over)
        self._joined.clear()
        self._runner.quit()
        for child in self._children:
            try:
                child.wait(timeout=LEAVE_S_MAX)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def _pause(self) -> None:
        """A moment before the start, in which nobody may go."""
        gevent.sleep(POLL_S)
        if self._interrupted:
            raise KeyboardInterrupt
        if any(child.poll() is not None for child in self._children):
            raise ClusterError("a worker ended before the start; what it said is above")
        for node, worker in list(self._joined.items()):
            if worker.left or worker.is_silent:
                del self._joined[node]
                if worker in self._workers and not worker.refused:
                    raise ClusterError(f"{worker} left before the start")

    def _miss(self) -> None:
        """Give up workers whose lease is over, or whose process here is gone."""
        gone = {child.pid for child in self._children if child.poll() is not None}
        for worker in self._workers:
            away = worker.left or worker.is_silent or worker.process in gone
            if worker.ending is None and away:
                self._lose(worker)

    def _lose(self, worker: _Worker, why: str = "") -> None:
        """From now on it sends nothing that was planned after the lease's end."""
        worker.lost = True
        worker.ending = self._ending(worker, why, lost_ns=worker.elapsed_ns + LEASE_NS)

    def _ending(self, worker: _Worker, stopped: str, *, lost_ns: int | None) -> Ending:
        share = Share(
            worker=worker.number,
            planned_count=worker.planned_count,
            lost_ns=lost_ns,
            host=worker.host,
            clock=worker.clock,
        )
        return Ending(share=share, stopped=stopped, started_unix_ns=self._started_unix_ns)

    def _stop(self, why: str) -> None:
        for worker in self._workers:
            self._tell(worker, "stop", why=why)

    def _tell(self, worker: _Worker, name: str, **data: Any) -> None:
        self._runner.send_message(f"replay_{name}", data, client_id=worker.node)

    def _on_hello(self, *, msg: Any, **_: Any) -> None:
        worker = _Worker(node=msg.node_id, host=msg.data["host"], process=msg.data["process"])
        if msg.data["version"] != version():
            why = f"the worker on {worker.host} is {msg.data['version']}, its master {version()}"
            self._say(f"turned away: {why}")
            self._turn_away(worker, why)
        elif self._workers or len(self._joined) == self._muster.count:
            self._turn_away(worker, f"the replay at {self._at} has its workers already")
        else:
            self._joined[worker.node] = worker

    def _turn_away(self, worker: _Worker, why: str) -> None:
        self._tell(worker, "over", why=why)
        del self._runner.clients[worker.node]  # Locust would count on it

    def _on_left(self, *, msg: Any, **_: Any) -> None:
        if msg.node_id in self._joined:
            self._joined[msg.node_id].left = True

    def _on_have(self, *, msg: Any, **_: Any) -> None:
        worker = self._joined.get(msg.node_id)
        if worker is None or worker.outgoing is None:
            return
        worker.outgoing.had(msg.data["bytes_count"])
        if worker.outgoing.is_through:
            self._tell(worker, "shared", digest=worker.outgoing.digest)

    def _on_refused(self, *, msg: Any, **_: Any) -> None:
        if msg.node_id in self._joined:
            self._joined[msg.node_id].refused = msg.data["why"]

    def _on_ready(self, *, msg: Any, **_: Any) -> None:
        worker = self._joined.get(msg.node_id)
        if worker is not None:
            worker.clock = Clock(*msg.data["clock"])
            worker.planned_count = msg.data["planned_count"]

    def _on_ping(self, *, msg: Any, **_: Any) -> None:
        received = [monotonic_ns(), time.time_ns()]
        worker = self._joined.get(msg.node_id)
        if worker is None:
            return
        if not worker.lost:
            worker.heard_ns, worker.elapsed_ns = received[0], msg.data["elapsed_ns"]
            worker.counts, worker.lag_ns = msg.data["counts"], msg.data["lag_ns"]
            if worker.outgoing is not None:
                worker.outgoing.nudge()
        answered = [monotonic_ns(), time.time_ns()]
        times = {"sent": msg.data["sent"], "received": received, "answered": answered}
        self._tell(worker, "pong", lends=not worker.lost, **times)

    def _on_part(self, *, msg: Any, **_: Any) -> None:
        worker = self._joined.get(msg.node_id)
        if worker is None or worker.incoming is None or worker.part is None:
            return
        try:
            bytes_count = worker.incoming.take(msg.data["at"], msg.data["data"])
        except OSError as error:
            worker.part.close()
            worker.part = None  # half a piece may be written: nothing may follow it
            self._lose(worker, str(error))
            self._stop(str(error))
        else:
            self._tell(worker, "have", bytes_count=bytes_count)

    def _on_ended(self, *, msg: Any, **_: Any) -> None:
        """Also of a worker that was given up, if it comes back in time: then all of it is known."""
        worker = self._joined.get(msg.node_id)
        if worker is None or worker.incoming is None:
            return
        here = worker.incoming
        if (here.bytes_count, here.digest) != (msg.data["bytes_count"], msg.data["digest"]):
            self._lose(worker, f"the journal of {worker} came damaged: another hash than there")
            return
        worker.clock = Clock(*msg.data["clock"])
        worker.ending = self._ending(worker, msg.data["stopped"], lost_ns=None)


def _children(muster: Muster, at: Address) -> list[subprocess.Popen[bytes]]:
    """Workers on this machine, in sessions of their own: Ctrl-C is for the leader."""
    words = [sys.executable, "-m", "springpeak", "replay-worker", "--master", str(at), "--quiet"]
    return [
        subprocess.Popen(words, stdout=subprocess.DEVNULL, start_new_session=True)
        for _ in range(muster.count)
    ]


def _free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as one:
        port: int = one.getsockname()[1]
    return port
