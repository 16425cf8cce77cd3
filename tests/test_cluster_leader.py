"""The leading side by itself, told what only a failing machine tells: a journal that came damaged,
a disk that is full, a worker that comes back."""

import os
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from loadtests import user
from loadtests.cluster import worker
from loadtests.cluster.leader import Leader, Muster
from loadtests.cluster.wire import LEASE_NS, Address, version
from loadtests.job import View
from loadtests.journal import Clock

CLOCK = [0, 1, 2]
S = 10**9


class Workers:
    """A leader's runner, and two workers that answer at once."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.heard: dict[str, Callable[..., None]] = {}
        self.told: list[tuple[str, str, Any]] = []
        self.clients = {"a": None, "b": None, "c": None}
        runner = SimpleNamespace(
            register_message=self.heard.__setitem__,
            send_message=self._answer,
            start=lambda *_: None,
            clients=self.clients,
        )
        patch.setattr(user, "environment_of", lambda _: None)
        patch.setattr(user, "open_page", lambda *_: None)
        patch.setattr(user, "master_runner", lambda *_: runner)
        view = View(url="", folder=folder, web_port=None, otel=False)
        muster = Muster(count=2, bind=Address("here", 1), wait_s=0.0)
        self.leader = Leader(muster, view, lambda _: None)
        for node in ("a", "b"):
            self.say(node, "hello", version=version(), host=f"of-{node}", process=1)
        self.leader.gather(lambda number: bytes([number]))
        self.leader.start(lambda _: None)

    def say(self, node: str, name: str, **data: Any) -> None:
        self.heard[f"replay_{name}"](msg=SimpleNamespace(node_id=node, data=data))

    def _answer(self, name: str, data: Any, client_id: str) -> None:
        self.told.append((client_id, name, data))
        if name == "replay_piece":
            self.say(client_id, "have", bytes_count=len(data["data"]))
        if name == "replay_shared":
            self.say(client_id, "ready", planned_count=10, clock=CLOCK)

    def end(self, node: str, data: bytes, stopped: str = "") -> None:
        """As a worker whose journal is `data`."""
        digest = blake2b(data, digest_size=16).hexdigest()
        told = {"bytes_count": len(data), "digest": digest, "clock": CLOCK}
        self.say(node, "ended", stopped=stopped, **told)


@pytest.fixture
def workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workers:
    return Workers(tmp_path, monkeypatch)


def test_each_worker_gets_its_share_and_others_are_turned_away(workers: Workers) -> None:
    pieces = [(node, one["data"]) for node, name, one in workers.told if name == "replay_piece"]
    assert pieces == [("a", b"\0"), ("b", b"\1")]
    workers.say("c", "hello", version=version(), host="late", process=1)
    assert workers.told[-1][:2] == ("c", "replay_over")
    assert "has its workers already" in workers.told[-1][2]["why"]
    assert "c" not in workers.clients


def test_a_journal_that_came_damaged_is_not_taken_for_whole(workers: Workers) -> None:
    workers.say("a", "ping", sent=[1, 1], elapsed_ns=3 * S, counts={}, lag_ns=0)
    workers.say("a", "part", at=0, data=b"a journam")
    workers.end("a", b"a journal")
    workers.say("b", "part", at=0, data=b"a journal")
    workers.end("b", b"a journal")
    damaged, whole = workers.leader.endings()
    assert damaged.stopped == "the journal of worker 0 came damaged: another hash than there"
    assert damaged.share.lost_ns == 3 * S + LEASE_NS
    assert (whole.stopped, whole.share.lost_ns) == ("", None)
    assert whole.share.clock == damaged.share.clock == Clock(*CLOCK)


def test_a_full_disk_at_the_master_stops_everybody(workers: Workers) -> None:
    part = workers.leader._workers[0].part
    assert part is not None
    os.dup2(os.open("/dev/full", os.O_WRONLY), part.descriptor)
    workers.say("a", "part", at=0, data=b"a journal")
    workers.say("a", "part", at=0, data=b"a journal")
    stops = [(node, one["why"]) for node, name, one in workers.told if name == "replay_stop"]
    assert [node for node, _ in stops] == ["a", "b"]
    assert all("cannot be written: No space left on device" in why for _, why in stops)
    workers.end("b", b"", stopped=stops[1][1])
    lost, stopped = workers.leader.endings()
    assert lost.stopped == stopped.stopped == stops[0][1]
    assert (lost.share.lost_ns, stopped.share.lost_ns) == (LEASE_NS, None)


def test_a_worker_given_up_is_lent_nothing_more_but_its_journal_is_taken(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers.say("a", "ping", sent=[1, 1], elapsed_ns=S, counts={}, lag_ns=0)
    assert workers.told[-1][2]["lends"] is True
    now_ns = worker.monotonic_ns() + 2 * LEASE_NS
    monkeypatch.setattr(worker, "monotonic_ns", lambda: now_ns)
    workers.leader._miss()
    lost, _ = workers.leader.endings()
    assert lost.share.lost_ns == S + LEASE_NS
    workers.say("a", "ping", sent=[1, 1], elapsed_ns=9 * S, counts={}, lag_ns=0)
    assert workers.told[-1][2]["lends"] is False
    workers.say("a", "part", at=0, data=b"a journal")
    workers.end("a", b"a journal", stopped="its lease was over")
    back, _ = workers.leader.endings()
    assert (back.stopped, back.share.lost_ns) == ("its lease was over", None)


def test_a_worker_whose_sender_is_late_stops_the_others(workers: Workers) -> None:
    workers.end("a", b"", stopped="worker 0 was interrupted")
    assert "replay_stop" not in [name for _, name, _ in workers.told]
    workers.end("a", b"", stopped=user.LATE)
    assert workers.told[-1] == ("b", "replay_stop", {"why": user.LATE})


def test_ctrl_c_stops_all_that_send(workers: Workers) -> None:
    workers.leader.interrupt()
    stops = [(node, one) for node, name, one in workers.told if name == "replay_stop"]
    assert stops == [("a", {"why": "interrupted"}), ("b", {"why": "interrupted"})]
