"""What master and workers are made of: bytes in pieces, clocks compared, addresses, a share that
came damaged."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests import journal, mapping, schedule, trace
from loadtests.cluster import clock, parcel, share, wire
from loadtests.cluster.clock import Exchange, Instant, Reading
from loadtests.cluster.follower import _Follower
from loadtests.cluster.parcel import Incoming, Outgoing
from loadtests.cluster.wire import Address, ClusterError
from loadtests.sender import Limits
from tests.replay_cases import TOKENS
from tests.trace_cases import claim_steps

MS = 1_000_000


@given(
    added=st.lists(st.binary(max_size=9)),
    luck=st.lists(st.sampled_from(["lost", "lost on the way back", "twice", "arrives"])),
)
def test_what_goes_through_is_the_same_whatever_gets_lost(
    added: list[bytes], luck: list[str]
) -> None:
    under_way: list[tuple[int, bytes]] = []
    taken = bytearray()
    incoming = Incoming(taken.extend)
    outgoing = Outgoing(lambda at, data: under_way.append((at, data)))
    fates = iter(luck)
    queue = list(added)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parcel, "PIECE_BYTES", 4)
        while queue or not outgoing.is_through:
            if queue:
                outgoing.add(queue.pop(0))
            outgoing.push()
            while under_way:
                at, data = under_way.pop(0)
                fate = next(fates, "arrives")
                if fate == "lost":
                    continue
                for _ in range(2 if fate == "twice" else 1):
                    here = incoming.take(at, data)
                if fate != "lost on the way back":
                    outgoing.had(here)
            outgoing.nudge()  # two without progress send again
    assert bytes(taken) == b"".join(added)
    assert (incoming.bytes_count, incoming.digest) == (outgoing.bytes_count, outgoing.digest)


def test_one_piece_is_under_way_at_a_time() -> None:
    sent: list[int] = []
    outgoing = Outgoing(lambda at, _: sent.append(at))
    outgoing.add(bytes(3 * parcel.PIECE_BYTES))
    for _ in range(3):
        outgoing.push()
    assert sent == [0]
    outgoing.had(parcel.PIECE_BYTES)
    outgoing.had(parcel.PIECE_BYTES)
    assert sent == [0, parcel.PIECE_BYTES]


def exchange(offset_ns: int, wall_ns: int, there_ns: int, back_ns: int, think_ns: int) -> Exchange:
    """An exchange with a master whose clocks show so much more, and so long ways."""
    sent = Instant(10, 1_000)
    received = Instant(10 + there_ns + offset_ns, 1_000 + there_ns + wall_ns)
    answered = Instant(received.monotonic_ns + think_ns, received.unix_ns + think_ns)
    whole_ns = there_ns + think_ns + back_ns
    return Exchange(sent, received, answered, Instant(10 + whole_ns, 1_000 + whole_ns))


@given(
    offset_ns=st.integers(-(10**18), 10**18),
    wall_ns=st.integers(-(10**18), 10**18),
    ways=st.lists(
        st.tuples(*[st.integers(0, 10**9)] * 3), min_size=1, max_size=clock.EXCHANGES_COUNT
    ),
)
def test_an_offset_is_known_as_well_as_it_says(
    offset_ns: int, wall_ns: int, ways: list[tuple[int, int, int]]
) -> None:
    found = clock.reading([exchange(offset_ns, wall_ns, *one) for one in ways])
    assert abs(found.offset_ns - offset_ns) <= found.uncertainty_ns
    assert abs(found.wall_offset_ns - wall_ns) <= found.uncertainty_ns
    assert found.uncertainty_ns == min(there + back for there, back, _ in ways) // 2 + 1


def test_a_clock_that_runs_differently_is_found_at_the_end() -> None:
    """A worker's clock that gains 3 ms: its schedule runs ahead of its master's by so much."""
    before, after = Reading(0, -7 * MS, MS // 10), Reading(-3 * MS, -10 * MS, MS // 5)
    found = clock.compared(before, after)
    assert (found.offset_ns, found.uncertainty_ns) == (-3 * MS, MS // 5)
    assert found.wall_offset_ns == 7 * MS
    assert found.off_ns_max == 3 * MS + MS // 5
    assert isinstance(found, journal.Clock)


@pytest.mark.parametrize("text", ["", ":1", "a:", "a:b", "a:0", "a:65536", "a:-1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ClusterError, match="is no address: write one such as"):
        wire.address(text)


def test_a_master_listens_beyond_this_machine_only_on_purpose() -> None:
    assert wire.bound("localhost", trusted=False) == Address("127.0.0.1", wire.MASTER_PORT)
    with pytest.raises(ClusterError, match="--i-trust-this-network"):
        wire.bound("0.0.0.0:5557", trusted=False)
    assert str(wire.bound("0.0.0.0:5557", trusted=True)) == "0.0.0.0:5557"
    with pytest.raises(ClusterError, match="is not known"):
        wire.bound("no.such.host.invalid:5557", trusted=True)


@pytest.mark.parametrize("workers_count", [1, 3])
def test_a_worker_sends_byte_for_byte_what_its_master_would_send_for_it(
    workers_count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a mapping of its own, and a speed: the worker has nothing but the bytes of its share."""
    shipped = mapping.load()
    renamed = shipped.operations["open_claim"].model_copy(update={"rename": {"order_id": "order"}})
    own = shipped.model_copy(
        update={
            "headers": {"x-of": "ours"},
            "operations": shipped.operations | {"open_claim": renamed},
        }
    )
    made = trace.Trace(claim_steps(40), "a test", "")
    planned = schedule.plan(made, speed=3.0, shards=workers_count)
    orders = share.Orders(
        url="http://127.0.0.1:8080/base",
        anywhere=False,
        mapping=own.model_dump_json(),
        staff=TOKENS.staff,
        consumers=TOKENS.consumers,
        limits=Limits(connections_count_max=7, timeout_ns=8, attempts_count_max=9),
        stop_at_lag_ns=None,
        otel=False,
    )
    tried: list[tuple[str, object]] = []
    monkeypatch.setattr(share.target, "probe", lambda _, path, tokens: tried.append((path, tokens)))
    seen = 0
    for worker in range(workers_count):
        mine = schedule.share(made, planned, worker)
        here = schedule.schedule(
            mine, mapping=own, tokens=TOKENS, host_header="127.0.0.1:8080", base_path="/base"
        )
        task = share.unpack(share.pack(worker, orders, mine))
        assert task.worker == worker
        assert (task.job.mapping, task.job.limits) == (
            own,
            Limits(connections_count_max=7, timeout_ns=8, attempts_count_max=9),
        )
        for at in range(0, len(here), schedule.BLOCK):
            assert task.schedule.block(at) == here.block(at)
        seen += len(here)
        assert b"/base/v1/claims" in task.schedule.block(0)[0][2]
        assert b'"order":' in task.schedule.block(0)[0][2]
    assert seen == 120
    assert tried == [(own.probe, {"agent": TOKENS.staff["agent"]})] * workers_count


def test_a_share_that_came_damaged_is_refused_on_both_sides() -> None:
    told: list[tuple[str, Any]] = []
    runner = SimpleNamespace(
        environment=SimpleNamespace(stats=SimpleNamespace()),
        register_message=lambda *_: None,
        send_message=lambda name, data: told.append((name, data)),
    )
    one = _Follower(runner, Address("here", 1), told.append)
    one._on_piece(msg=SimpleNamespace(data={"at": 0, "data": b"a share"}))
    one._on_shared(msg=SimpleNamespace(data={"digest": "of another one"}))
    with pytest.raises(ClusterError, match="came damaged"):
        one._unpacked()
    assert told[0] == ("replay_have", {"bytes_count": 7})
    assert told[1][0] == "replay_refused"
    assert "came damaged: another hash" in told[1][1]["why"]
