"""The sender against a scripted host: times, dependent steps, drops, outcomes, repeats, the end.

Nothing here asserts how long something took: inequalities between times hold on any machine.
"""

import os
import ssl
from pathlib import Path
from time import monotonic_ns

import gevent
import polars as pl
import pytest

from loadtests.journal import NOT_REACHED
from loadtests.recorder import PartFile, part_paths
from loadtests.sender import LEASE_OVER, POOL_FULL, Sender
from loadtests.trace import Trace
from tests.replay_cases import MS, TLS, Asked, answer, send
from tests.trace_cases import claim_steps, small_trace


def claims_only(count: int, *, step_ns: int = MS) -> Trace:
    """A trace that opens claims and does nothing else."""
    opened = claim_steps(count).filter(pl.col("operation") == "open_claim")
    columns = {"step": pl.int_range(count), "intended_ns": pl.int_range(count) * step_ns}
    return Trace(opened.with_columns(**columns), "a test", "")


def outcomes(rows: pl.DataFrame) -> dict[str, int]:
    return dict(rows["outcome"].value_counts().iter_rows())


def test_every_step_leaves_once_in_order_and_never_early(tmp_path: Path) -> None:
    sent = send(tmp_path, claims_only(50), lambda _: answer())
    assert outcomes(sent.rows) == {"ok": 50}
    asked = [one.headers["idempotency-key"] for one in sent.host.asked]
    assert sorted(asked) == sorted(f"open-{number}" for number in range(50))
    rows = sent.rows
    assert rows["sent_ns"].is_sorted()
    assert (rows["intended_ns"] <= rows["sent_ns"]).all()
    assert (rows["sent_ns"] <= rows["done_ns"]).all()
    assert (rows["response_ns"] >= rows["service_ns"]).all()
    assert rows["attempts"].to_list() == [1] * 50
    # What Locust is told is the journal's response time.
    assert [one[1] for one in sorted(sent.told, key=lambda one: one[1] or 0)] == (
        rows["response_ns"].sort().to_list()
    )


def test_speed_divides_times_and_keeps_order(tmp_path: Path) -> None:
    rows = send(tmp_path, claims_only(20, step_ns=30 * MS), lambda _: answer(), speed=30.0).rows
    assert rows["intended_ns"].to_list() == [number * MS for number in range(20)]
    assert rows["sent_ns"].is_sorted()


def test_an_answer_gives_the_identifier_that_the_next_step_needs(tmp_path: Path) -> None:
    def script(asked: Asked) -> bytes:
        number = 100 + int(asked.headers.get("idempotency-key", "-0").split("-")[1])
        return answer(201, claim_id=number)

    sent = send(tmp_path, small_trace(5), script, speed=50.0)
    assert outcomes(sent.rows) == {"ok": 15}
    lines = {one.line for one in sent.host.asked}
    assert {f"GET /v1/claims/{100 + one} HTTP/1.1" for one in range(5)} <= lines
    assert {f"POST /v1/claims/{100 + one}/resolution HTTP/1.1" for one in range(5)} <= lines
    first = sent.rows.row(0, named=True)
    assert (first["answer_id"], first["answer_state"], first["answer_fen"]) == (
        "100",
        "approved",
        120,
    )


def test_a_step_waits_for_its_parent_and_keeps_its_intended_time(tmp_path: Path) -> None:
    held: list[Asked] = []

    def script(asked: Asked) -> bytes | None:
        if "POST /v1/claims HTTP/1.1" in asked.line:
            held.append(asked)
            gevent.spawn_later(0.3, asked.send, answer(201))
            return None
        return answer()

    rows = send(tmp_path, small_trace(1), script, speed=20.0).rows
    parent, *children = rows.iter_rows(named=True)
    assert outcomes(rows) == {"ok": 3}
    for child in children:
        assert child["ready_ns"] >= parent["done_ns"] > child["intended_ns"]
        assert child["response_ns"] == child["done_ns"] - child["intended_ns"]


@pytest.mark.parametrize(("status", "parent"), [(422, "fail"), (503, "unknown")])
def test_what_depends_on_a_failed_step_is_dropped(tmp_path: Path, status: int, parent: str) -> None:
    rows = send(tmp_path, small_trace(1), lambda _: answer(status), speed=50.0).rows
    assert rows["outcome"].to_list() == [parent, "dropped", "dropped"]
    assert rows["reason"].to_list() == [
        f"HTTP {status}",
        *["the step that it depends on failed"] * 2,
    ]


def test_a_full_pool_drops_and_never_waits(tmp_path: Path) -> None:
    def release(sender: Sender) -> None:
        while sender.counts["dropped"] < 7:
            gevent.sleep(0.01)
        for one in list(asked):
            one.send(answer())

    asked: list[Asked] = []
    sent = send(tmp_path, claims_only(10), asked.append, connections=3, during=release)
    assert outcomes(sent.rows) == {"ok": 3, "dropped": 7}
    dropped = sent.rows.filter(pl.col("outcome") == "dropped")
    assert set(dropped["reason"]) == {POOL_FULL}
    assert dropped["sent_ns"].is_null().all()
    assert sent.host.connections_count == 3


def test_a_stall_of_the_host_is_in_everybodys_response_time(tmp_path: Path) -> None:
    asked: list[Asked] = []

    def thaw(_: Sender) -> None:
        while len(asked) < 40:
            gevent.sleep(0.01)
        for one in asked:
            one.send(answer())

    rows = send(tmp_path, claims_only(40, step_ns=5 * MS), asked.append, during=thaw).rows
    assert outcomes(rows) == {"ok": 40}
    thawed_ns = rows["sent_ns"].max()
    assert (rows["done_ns"] >= thawed_ns).all()
    assert (rows["response_ns"] >= thawed_ns - rows["intended_ns"]).all()


def test_without_an_answer_a_write_is_unknown_and_a_read_failed(tmp_path: Path) -> None:
    steps = claim_steps(1).with_columns(intended_ns=pl.int_range(3) * MS)

    def script(asked: Asked) -> bytes | None:
        return answer(201) if "POST /v1/claims HTTP" in asked.line else None

    rows = send(tmp_path, Trace(steps, "a test", ""), script, timeout_s=0.2).rows
    assert rows["outcome"].to_list() == ["ok", "fail", "unknown"]
    assert rows["reason"].to_list() == ["", *["no answer in time"] * 2]
    assert rows["response_ns"].min() is not None


def test_a_lost_answer_is_asked_for_again_with_the_same_key(tmp_path: Path) -> None:
    seen: dict[str, int] = {}

    def script(asked: Asked) -> bytes:
        key = asked.headers["idempotency-key"]
        seen[key] = seen.get(key, 0) + 1
        if seen[key] == 1:
            return b""
        return answer(503) if seen[key] == 2 else answer(201)

    sent = send(tmp_path, claims_only(5), script, attempts=3)
    assert outcomes(sent.rows) == {"ok": 5}
    assert sent.rows["attempts"].to_list() == [3] * 5
    assert set(seen.values()) == {3}
    keys = {}
    for one in sent.host.asked:
        assert keys.setdefault(one.headers["idempotency-key"], one.body) == one.body


def test_repeats_end_and_the_write_stays_unknown(tmp_path: Path) -> None:
    sent = send(tmp_path, claims_only(2), lambda _: b"", attempts=2)
    assert sent.rows["outcome"].to_list() == ["unknown"] * 2
    assert sent.rows["attempts"].to_list() == [2] * 2


def test_a_host_that_refuses_connections_kept_nothing(tmp_path: Path) -> None:
    sent = send(tmp_path, claims_only(3), lambda _: answer(), listening=False)
    assert outcomes(sent.rows) == {"fail": 3}
    assert set(sent.rows["reason"]) == {"Connection refused"}


@pytest.mark.parametrize(
    ("raw", "outcome", "reason"),
    [
        (b"HTTP/1.1 201 X\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", "ok", ""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + answer(201), "ok", ""),
        (b"HTTP/1.1 201 X\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}", "ok", ""),
        (b"HTTP/1.1 204 X\r\n\r\n", "ok", ""),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "unknown", "the answer is not HTTP/1.1"),
        (answer(409), "fail", "HTTP 409"),
    ],
)
def test_answers_of_all_kinds(tmp_path: Path, raw: bytes, outcome: str, reason: str) -> None:
    rows = send(tmp_path, claims_only(3), lambda _: raw).rows
    assert rows["outcome"].to_list() == [outcome] * 3
    assert rows["reason"].to_list() == [reason] * 3


def test_stopped_early_keeps_what_was_finished(tmp_path: Path) -> None:
    def stop(sender: Sender) -> None:
        while sender.counts["ok"] < 5:
            gevent.sleep(0.005)
        sender.stop("interrupted", grace_s=1.0)

    sent = send(tmp_path, claims_only(5000, step_ns=5 * MS), lambda _: answer(), during=stop)
    assert sent.sender.stopped == "interrupted"
    assert sent.rows.height == 5000
    found = outcomes(sent.rows)
    assert found["ok"] >= 5
    assert found["dropped"] == 5000 - found["ok"]
    assert set(sent.rows.filter(pl.col("outcome") == "dropped")["reason"]) == {NOT_REACHED}


def test_an_answer_after_the_stop_sends_none_of_those_that_waited_for_it(tmp_path: Path) -> None:
    """All of them are due; the host answers the first one only once the sender is stopped."""
    opened: list[Asked] = []

    def hold(asked: Asked) -> bytes | None:
        opened.append(asked)
        return None

    def stop(sender: Sender) -> None:
        while not (opened and sender.counts["waited"] == 2):
            gevent.sleep(0.005)
        sender.stop("interrupted", grace_s=30.0)
        opened[0].send(answer())

    sent = send(tmp_path, small_trace(1), hold, speed=100.0, during=stop)
    assert sent.rows["outcome"].to_list() == ["ok", "dropped", "dropped"]
    assert sent.rows["reason"].to_list() == ["", NOT_REACHED, NOT_REACHED]
    assert len(sent.host.asked) == 1


def test_an_alarm_that_rings_after_the_stop_sends_nothing(tmp_path: Path) -> None:
    def stop(sender: Sender) -> None:
        while not sender.counts["ok"]:
            gevent.sleep(0.01)
        sender.stop("enough", grace_s=0.0)
        sent_count = sender.counts["sent"]
        sender._ring()  # the hub calls it when the timer ran out in the turn of the stop
        assert sender.counts["sent"] == sent_count

    sent = send(tmp_path, claims_only(5000, step_ns=5 * MS), lambda _: answer(), during=stop)
    assert 0 < outcomes(sent.rows)["ok"] < 5000


def test_a_sender_sends_no_step_planned_after_its_lease_even_if_it_wakes_late(
    tmp_path: Path,
) -> None:
    """The process is stopped while the lease ends: the steps that are due when it wakes are not
    sent, and without a longer lease it stops."""
    ends_ns = 0

    def sleep_over_it(sender: Sender) -> None:
        nonlocal ends_ns
        while sender.counts["ok"] < 3:
            gevent.sleep(0.005)
        ends_ns = sender.elapsed_ns + 20 * MS
        sender.lend(monotonic_ns() + 20 * MS)
        while sender.elapsed_ns < ends_ns + 100 * MS:
            pass  # the whole hub stands, as with SIGSTOP

    steps = claims_only(500, step_ns=5 * MS)
    sent = send(tmp_path, steps, lambda _: answer(), during=sleep_over_it)
    assert sent.sender.stopped == LEASE_OVER
    assert sent.rows.filter(pl.col("sent_ns").is_not_null())["intended_ns"].max() < ends_ns + MS
    assert set(sent.rows["outcome"]) == {"ok", "dropped"}


@pytest.mark.parametrize("which", ["descriptor", "reach_descriptor"])
def test_a_full_disk_stops_the_replay_and_keeps_the_finished_part(
    tmp_path: Path, which: str
) -> None:
    part = PartFile(tmp_path, 0)

    def fill(_: Sender) -> None:
        while not part_paths(tmp_path)[0].stat().st_size:
            gevent.sleep(0.01)
        os.dup2(os.open("/dev/full", os.O_WRONLY), getattr(part, which))

    sent = send(
        tmp_path,
        claims_only(5000, step_ns=5 * MS),
        lambda _: answer(),
        during=fill,
        part=part,
    )
    assert "No space left on device" in sent.sender.stopped
    found = outcomes(sent.rows)
    assert found["ok"] > 0
    assert found["unknown"] > 0  # sent, but not written down
    assert found["dropped"] > 0


def test_requests_and_long_answers_go_over_tls(tmp_path: Path) -> None:
    trusting = ssl.create_default_context(cafile=str(TLS / "certificate.pem"))
    long = answer(201, note="x" * 300_000)
    sent = send(tmp_path, claims_only(20), lambda _: long, tls=trusting)
    assert outcomes(sent.rows) == {"ok": 20}


@pytest.mark.filterwarnings("ignore")  # the host complains about clients that hang up
def test_a_certificate_that_is_not_trusted_fails_before_anything_is_sent(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sent = send(tmp_path, claims_only(3), lambda _: answer(), tls=ssl.create_default_context())
    assert set(sent.rows["reason"]) == {"CERTIFICATE_VERIFY_FAILED"}
    assert outcomes(sent.rows) == {"fail": 3}
    assert sent.host.asked == []
    capfd.readouterr()
