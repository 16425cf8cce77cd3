"""Several workers: one leads, the others follow, over Locust's own messages.

Decides who sends which share, when all of them start, and when a worker counts as lost. Workers on
one machine share its monotonic clock, so that the start is exact; those on another machine are told
by the wall clock. Locust's runners carry the messages and merge what its page shows; the figures of
the replay come from the journals.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, Final

import gevent

from loadtests import user
from loadtests.job import Ending, Watch
from loadtests.recorder import Recorder, add_to_part, part_paths
from loadtests.schedule import ScheduleError
from loadtests.sender import COUNTED, Sender

if TYPE_CHECKING:
    from loadtests.replay import Order, Prepared

JOIN_S_MAX: Final = 120.0
PART_BYTES: Final = 1 << 20
_POLL_S: Final = 0.1
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


class ClusterError(Exception):
    """Workers do not come together; the message says why, for the user."""


def lead(prepared: "Prepared", watch: Watch) -> list[Ending]:
    """Replay with several workers, started here or elsewhere. Raises ClusterError."""
    leader = _Leader(prepared)
    try:
        leader.gather()
        leader.start()
        leader.watch_over(watch)
        return leader.endings()
    finally:
        leader.quit()


def follow(prepared: "Prepared", master_host: str, master_port: int) -> None:
    """Send a share for a leader elsewhere, until it says that it is over. Raises ClusterError."""
    environment = user.environment_of(prepared.job())
    try:
        runner: Any = environment.create_worker_runner(master_host, master_port)
    except OSError as error:
        raise ClusterError(f"no master at {master_host}:{master_port}: {error}") from None
    follower = _Follower(prepared, runner, user.Totals(environment.stats))
    try:
        runner.greenlet.join()
    except KeyboardInterrupt:
        follower.stop("interrupted")
        runner.greenlet.join()
    finally:
        runner.quit()


class _Leader:
    """One replay on the side that leads."""

    def __init__(self, prepared: "Prepared") -> None:
        order = prepared.order
        self._prepared, self._count = prepared, order.processes
        self._job = prepared.job()
        self._environment = user.environment_of(self._job)
        port = order.master_port or _free_port()
        try:
            self._runner: Any = self._environment.create_master_runner(
                "*" if order.elsewhere else "127.0.0.1", port
            )
        except SystemExit:
            raise ClusterError(f"port {port} for the workers is taken") from None
        for name in ("hello", "ready", "progress", "part", "ended"):
            self._runner.register_message(f"replay_{name}", getattr(self, f"_on_{name}"))
        user.open_page(self._environment, self._job)
        self._children = [] if order.elsewhere else _children(order, port)
        self._processes: dict[str, int] = {}
        """Process of each worker, by the name that Locust gave it."""
        self._nodes: list[str] = []
        """Locust's names, by the number of the share."""
        self._planned: dict[int, int] = {}
        self._refused: list[str] = []
        self._counts: dict[int, tuple[dict[str, int], int]] = {}
        self._ended: dict[int, Ending] = {}
        self._start_ns = self._started_unix_ns = 0

    def gather(self) -> None:
        """Wait for the workers and give each its share."""
        self._until(lambda: len(self._processes) >= self._count, "joined")
        self._nodes = sorted(self._processes)[: self._count]
        for worker, node in enumerate(self._nodes):
            share = {
                "worker": worker,
                "shards": self._count,
                "digest": self._prepared.digest,
                "boot": _boot(),
                "leader": os.getpid(),
            }
            self._runner.send_message("replay_share", share, client_id=node)
        self._until(lambda: len(self._planned) + len(self._refused) >= self._count, "got ready")
        if self._refused:
            raise ClusterError("\n".join(self._refused))

    def start(self) -> None:
        """Agree on the start."""
        self._runner.start(self._count, self._count)
        self._start_ns = monotonic_ns() + user.LEAD_NS
        self._started_unix_ns = time.time_ns() + user.LEAD_NS
        when = {"boot": _boot(), "mono": self._start_ns, "unix": self._started_unix_ns}
        self._runner.send_message("replay_start", when)

    def watch_over(self, watch: Watch) -> None:
        """Until every worker has ended or is lost; Ctrl-C ends all of them early."""
        told_ns = 0
        with user.interrupted(lambda: self._runner.send_message("replay_stop", {})):
            while len(self._ended) < self._count:
                gevent.sleep(_POLL_S)
                self._miss()
                if monotonic_ns() - told_ns > user.WATCH_S * 1e9:
                    told_ns = monotonic_ns()
                    seen = list(self._counts.values())
                    total = {name: sum(one[name] for one, _ in seen) for name in COUNTED}
                    watch(total, max((lag_ns for _, lag_ns in seen), default=0))

    def endings(self) -> list[Ending]:
        """One for each worker, in order."""
        self._runner.quit()
        user.write_tables(self._environment, self._job.folder)
        user.hold_page(self._environment)
        return [self._ended[worker] for worker in range(self._count)]

    def quit(self) -> None:
        """Leave no worker behind."""
        self._runner.quit()
        for child in self._children:
            try:
                child.wait(timeout=user.GRACE_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def _until(self, there: Callable[[], bool], did: str) -> None:
        until_ns = monotonic_ns() + int(JOIN_S_MAX * 1e9)
        while not there():
            if any(child.poll() is not None for child in self._children):
                raise ClusterError(f"a worker ended before all had {did}; what it said is above")
            if monotonic_ns() > until_ns:
                raise ClusterError(
                    f"not all of the {self._count} workers {did} within {JOIN_S_MAX:g} s"
                )
            gevent.sleep(_POLL_S)

    def _miss(self) -> None:
        """Give up workers that Locust misses, or whose process here is gone."""
        gone = {child.pid for child in self._children if child.poll() is not None}
        clients = self._runner.clients
        for worker, node in enumerate(self._nodes):
            missed = node not in clients or clients[node].state == "missing"
            if worker not in self._ended and (missed or self._processes[node] in gone):
                self._ended[worker] = Ending(
                    worker=worker,
                    planned_count=self._planned[worker],
                    stopped="",
                    lost_ns=monotonic_ns() - self._start_ns,
                    started_unix_ns=self._started_unix_ns,
                )

    def _on_hello(self, *, msg: Any, **_: Any) -> None:
        self._processes[msg.node_id] = msg.data["process"]

    def _on_ready(self, *, msg: Any, **_: Any) -> None:
        if msg.data["refused"]:
            self._refused.append(msg.data["refused"])
        else:
            self._planned[msg.data["worker"]] = msg.data["planned_count"]

    def _on_progress(self, *, msg: Any, **_: Any) -> None:
        self._counts[msg.data["worker"]] = msg.data["counts"], msg.data["lag_ns"]

    def _on_part(self, *, msg: Any, **_: Any) -> None:
        add_to_part(self._job.folder, msg.data["worker"], msg.data["data"])

    def _on_ended(self, *, msg: Any, **_: Any) -> None:
        ending = Ending(**msg.data, started_unix_ns=self._started_unix_ns)
        self._ended.setdefault(ending.worker, ending)


class _Follower:
    """One worker."""

    def __init__(self, prepared: "Prepared", runner: Any, totals: user.Totals) -> None:
        self._prepared, self._runner, self._job = prepared, runner, prepared.job()
        self._totals = totals
        self._share: dict[str, Any] = {}
        self._sender: Sender | None = None
        self._recorder: Recorder | None = None
        self._planned_count = 0
        for name in ("share", "start", "stop"):
            # In greenlets of their own: what takes its time must not hold up the heartbeat.
            self._runner.register_message(
                f"replay_{name}", getattr(self, f"_on_{name}"), concurrent=True
            )
        self._tell("hello", process=os.getpid())

    def stop(self, reason: str) -> None:
        """End early."""
        if self._sender is not None:
            self._sender.stop(reason, grace_s=user.GRACE_S)

    def _tell(self, name: str, **data: Any) -> None:
        self._runner.send_message(f"replay_{name}", data)

    def _on_share(self, *, msg: Any, **_: Any) -> None:
        share, refused = msg.data, ""
        try:
            if share["digest"] != self._prepared.digest:
                raise ClusterError("a worker has another trace than its master")
            requests = self._prepared.share(share["worker"], share["shards"])
            self._planned_count = len(requests)
            self._sender, self._recorder = user.sender_of(self._job, requests, share["worker"])
        except (OSError, ScheduleError, ClusterError) as error:
            refused = str(error)
        self._share = share
        told = {"worker": share["worker"], "planned_count": self._planned_count}
        self._tell("ready", refused=refused, **told)

    def _on_start(self, *, msg: Any, **_: Any) -> None:
        assert self._sender is not None
        assert self._recorder is not None
        when = msg.data
        wait_ns = when["unix"] - time.time_ns()
        start_ns = when["mono"] if when["boot"] == _boot() else monotonic_ns() + wait_ns
        self._sender.start(start_ns)
        user.watch_over(self._sender, self._job, self._progress, self._totals)
        self._recorder.close()
        if self._share["boot"] != _boot():
            for part in part_paths(self._job.folder):
                data = part.read_bytes()
                for at in range(0, len(data), PART_BYTES):
                    piece = data[at : at + PART_BYTES]
                    self._tell("part", worker=self._share["worker"], data=piece)
        # Before the end, not when Locust next reports: the leader writes Locust's tables once all
        # have ended, and messages of one worker arrive in order.
        user.report(self._runner)
        self._tell(
            "ended",
            worker=self._share["worker"],
            planned_count=self._planned_count,
            stopped=self._sender.stopped,
            lost_ns=self._sender.elapsed_ns if self._recorder.failure else None,
        )

    def _on_stop(self, **_: Any) -> None:
        self.stop("interrupted")

    def _progress(self, counts: dict[str, int], lag_ns: int) -> None:
        self._tell("progress", worker=self._share["worker"], counts=counts, lag_ns=lag_ns)
        if self._share["boot"] == _boot() and not Path(f"/proc/{self._share['leader']}").exists():
            self.stop("the master is gone")
            self._runner.quit()


def _children(order: "Order", port: int) -> list[subprocess.Popen[bytes]]:
    """Workers on this machine, in sessions of their own: Ctrl-C is for the leader."""
    words = [sys.executable, "-m", "springpeak", "replay", *order.words()]
    words += ["--worker", "--master-port", str(port)]
    return [
        subprocess.Popen(words, stdout=subprocess.DEVNULL, start_new_session=True)
        for _ in range(order.processes)
    ]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
    return port


def _boot() -> str:
    """Names the machine and its monotonic clock; empty where there is no such name."""
    return _BOOT.read_text(encoding="ascii").strip() if _BOOT.exists() else ""
