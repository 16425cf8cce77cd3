"""The side that leads: who sends which share, when all start, who is lost, one journal of all.

The workers are processes that it starts itself or that come from other machines; what it says to
them is the same. Locust's runners carry the messages and merge what its page shows; the figures of
the replay come from the journals, which arrive while the workers send.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic_ns
from typing import Any, Final, TypeVar

import gevent

from loadtests import user
from loadtests.cluster.wire import POLL_S, Address, ClusterError, version
from loadtests.cluster.worker import Worker
from loadtests.job import Begin, Ending, View, Watch
from loadtests.journal import Clock
from loadtests.port import LOOPBACK
from loadtests.sender import COUNTED

T = TypeVar("T")
LEAVE_S_MAX: Final = 5.0
"""Workers on this machine may take so long to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Muster:
    """Which workers a replay has."""

    count: int
    bind: Address | None
    """Where those from other machines come to; None starts them here."""
    wait_s: float


Packed = Callable[[int], bytes]
"""A worker's share, by its number."""


@contextmanager
def led(
    muster: Muster,
    packed: Packed,
    *,
    view: View,
    begin: Begin,
    watch: Watch,
    say: Callable[[str], None],
) -> Iterator[list[Ending]]:
    """Replay with several workers, for as long as their endings are dealt with: one each. Ctrl-C
    ends all of them early, and breaks nothing off. Raises ClusterError, OSError, and
    KeyboardInterrupt before the start."""
    leader = Leader(muster, view, say)
    with user.interrupted(leader.interrupt):
        try:
            leader.gather(packed)
            leader.start(begin)
            leader.watch_over(watch)
        finally:
            leader.quit()
        yield leader.endings()
        leader.write_tables()  # last: the journal counts, should the disk be full
    leader.hold_page()


class Leader:
    """One replay on the side that leads."""

    def __init__(self, muster: Muster, view: View, say: Callable[[str], None]) -> None:
        self._muster, self._view, self._say = muster, view, say
        self._environment = user.environment_of(view)
        at = muster.bind or Address(LOOPBACK, 0)
        self._runner = user.master_runner(self._environment, at.host, at.port)
        self._at = muster.bind or Address(LOOPBACK, self._runner.server.port)
        self._joined: dict[str, Worker] = {}
        self._workers: list[Worker] = []
        """Those with a share, by its number."""
        self._children: list[subprocess.Popen[bytes]] = []
        for name in ("hello", "have", "refused", "ready", "ping", "part", "ended", "left"):
            self._runner.register_message(f"replay_{name}", getattr(self, f"_on_{name}"))
        user.open_page(self._environment, view)
        self._interrupted = False
        self._why_over = "the replay ended before it began: see its master"

    def interrupt(self) -> None:
        """Stop waiting for workers; those that send stop early."""
        self._interrupted = True
        self._stop("interrupted")

    def gather(self, packed: Packed) -> None:
        """Wait for the workers and give each its share."""
        count = self._muster.count
        if self._muster.bind is None:
            self._children = _children(count, self._at)
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
            share = gevent.get_hub().threadpool.apply(packed, (number,))
            worker.give(share, self._sends_pieces_to(worker))
        while waiting := [one for one in self._workers if one.planned_count < 0]:
            self._say(f"{len(waiting)} of {count} workers are not ready yet")
            refusals = [f"{one}: {one.refused}" for one in self._workers if one.refused]
            if refusals:
                raise ClusterError("\n".join(refusals))
            self._pause()

    def start(self, begin: Begin) -> None:
        """Agree on the start. Raises OSError."""
        self._runner.start(self._muster.count, self._muster.count)
        begin(time.time_ns() + user.LEAD_NS)
        start_ns, started_unix_ns = monotonic_ns() + user.LEAD_NS, time.time_ns() + user.LEAD_NS
        for worker in self._workers:
            worker.open(self._view.folder, started_unix_ns=started_unix_ns)
            self._tell(worker, "start", start_ns=start_ns)

    def watch_over(self, watch: Watch) -> None:
        """Until every worker has ended or is lost."""
        told_ns = 0
        while any(one.ending is None for one in self._workers):
            gevent.sleep(POLL_S)
            self._miss()
            if monotonic_ns() - told_ns > user.WATCH_S * 1e9:
                told_ns = monotonic_ns()
                counts = [one.counts for one in self._workers]
                total = {name: sum(one.get(name, 0) for one in counts) for name in COUNTED}
                watch(total, max(one.lag_ns for one in self._workers))
        self._why_over = ""

    def write_tables(self) -> None:
        """Locust's own, of all workers."""
        user.write_tables(self._environment, self._view.folder)

    def hold_page(self) -> None:
        """Locust's, until Ctrl-C."""
        user.hold_page(self._environment)

    def endings(self) -> list[Ending]:
        """One for each worker, in order."""
        return [one.ending for one in self._workers if one.ending is not None]

    def quit(self) -> None:
        """Leave no worker behind."""
        for worker in self._joined.values():
            worker.close()
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
                worker.lose()

    def _stop(self, why: str) -> None:
        for worker in self._workers:
            if worker.ending is None or worker.lost:
                self._tell(worker, "stop", why=why)

    def _sends_pieces_to(self, worker: Worker) -> Callable[[int, bytes], None]:
        return lambda at, piece: self._tell(worker, "piece", at=at, data=piece)

    def _tell(self, worker: Worker, name: str, **data: Any) -> None:
        self._runner.send_message(f"replay_{name}", data, client_id=worker.node)

    def _on_hello(self, *, msg: Any, **_: Any) -> None:
        worker = Worker(node=msg.node_id, host=msg.data["host"], process=msg.data["process"])
        if msg.data["version"] != version():
            why = f"the worker on {worker.host} is {msg.data['version']}, its master {version()}"
            self._say(f"turned away: {why}")
            self._turn_away(worker, why)
        elif self._workers or len(self._joined) == self._muster.count:
            self._turn_away(worker, f"the replay at {self._at} has its workers already")
        else:
            self._joined[worker.node] = worker

    def _turn_away(self, worker: Worker, why: str) -> None:
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
            self._writing(worker, worker.reach)
        answered = [monotonic_ns(), time.time_ns()]
        times = {"sent": msg.data["sent"], "received": received, "answered": answered}
        self._tell(worker, "pong", lends=not worker.lost, **times)

    def _on_part(self, *, msg: Any, **_: Any) -> None:
        worker = self._joined.get(msg.node_id)
        if worker is None or worker.part is None:
            return
        bytes_count = self._writing(worker, lambda: worker.take(msg.data["at"], msg.data["data"]))
        if bytes_count is not None:
            self._tell(worker, "have", bytes_count=bytes_count)

    def _writing(self, worker: Worker, write: Callable[[], T]) -> T | None:
        """What `write` gives; where the disk takes no more, the worker is given up and all stop."""
        try:
            return write()
        except OSError as error:
            worker.lose(str(error))
            self._stop(str(error))
            return None

    def _on_ended(self, *, msg: Any, **_: Any) -> None:
        worker = self._joined.get(msg.node_id)
        if worker is None or worker.incoming is None:
            return
        told = msg.data
        worker.end(
            told["stopped"],
            Clock(*told["clock"]),
            bytes_count=told["bytes_count"],
            digest=told["digest"],
        )
        if told["stopped"] == user.LATE:  # whatever the others still sent, the run is invalid
            self._stop(user.LATE)


def _children(count: int, at: Address) -> list[subprocess.Popen[bytes]]:
    """Workers on this machine, in sessions of their own: Ctrl-C is for the leader."""
    words = [sys.executable, "-m", "springpeak", "replay-worker", "--master", str(at), "--quiet"]
    return [
        subprocess.Popen(words, stdout=subprocess.DEVNULL, start_new_session=True)
        for _ in range(count)
    ]
