"""Several workers: shares by key, one start, one journal; a worker killed, a replay interrupted."""

import json
import signal
import time
from pathlib import Path

import numpy as np
import polars as pl
import psutil
import pytest

from benchmarks.replay_target import delay_s
from loadtests import journal, schedule, trace
from loadtests.port import free_port
from scenarios.load import PERCENTILES
from tests.api_server import ROOT
from tests.replay_cases import MS
from tests.replay_processes import ended, started, target, until_written, working, written
from tests.trace_cases import claim_steps


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    return written(tmp_path)


@pytest.mark.parametrize("shards", [1, 2, 7])
def test_shares_are_even_and_never_part_a_step_from_its_parent(shards: int) -> None:
    made = trace.Trace(claim_steps(3000), "a test", "")
    planned = schedule.plan(made, speed=2.0, shards=shards)
    workers = planned["worker"].to_numpy()
    parents = made.steps["depends_on"].to_numpy()
    dependent = parents >= 0
    assert (workers[dependent] == workers[parents[dependent]]).all()
    counts = np.bincount(workers, minlength=shards)
    assert counts.min() > 0.9 * made.steps.height / shards
    assert (planned["intended_ns"] == made.steps["intended_ns"] // 2).all()


def test_two_workers_leave_one_journal(tmp_path: Path, files: list[str]) -> None:
    """The figures are those of all requests together, as if one worker had sent them: nearest ranks
    by another program's rule (NumPy), and none is shorter than the host took. How busy the machine
    is moves the figures, and both sides of each comparison with them; `bench_replay` compares the
    times of two replays."""
    out, median_ms = tmp_path / "out", 40.0
    rest = ["--processes", "2", "--speed", "6", "--lag-limit-ms", "10000", "--json"]
    with target(delay_ms=median_ms) as url:
        process = started(tmp_path, *files, "--host", url, "--out", str(out), *rest)
        status, said = ended(process)
    assert (status, said["verdict"], said["ok"]) == (0, "valid", 3000)
    found = journal.read(out)
    rows = found.rows
    assert [one.worker for one in found.about.shares] == [0, 1]
    assert rows["worker"].unique().sort().to_list() == [0, 1]
    claims = rows.with_columns(claim=pl.col("step") // 3).group_by("claim")
    assert claims.agg(pl.col("worker").n_unique())["worker"].max() == 1
    # One clock: what the two sent lies between each other in time.
    first = rows.group_by("worker").agg(pl.col("sent_ns").min(), pl.col("done_ns").max())
    assert first["sent_ns"].max() < first["done_ns"].min()
    for kind in ("response", "service"):
        for name, ratio in PERCENTILES.items():
            rank_ns = np.quantile(rows[f"{kind}_ns"].to_numpy(), ratio, method="inverted_cdf")
            assert said[f"{name}_{kind}_ms"] == rank_ns / MS
    for name, (low_ms, high_ms) in said["intervals"].items():
        assert low_ms <= said[name] <= high_ms
    # libuv's timers count whole milliseconds of a time that was read up to one before.
    took_ns = [delay_s(key.encode(), median_ms / 1e3) * 1e9 - 2 * MS for key in rows["key"]]
    assert (rows["service_ns"] > pl.Series(took_ns)).all()
    assert (rows["response_ns"] >= rows["service_ns"]).all()
    table = (out / "locust.csv").read_text(encoding="utf-8").splitlines()
    assert table[-1].startswith(",Aggregated,3000,0,")


@pytest.mark.parametrize("processes", ["1", "2"])
def test_ctrl_c_again_and_again_keeps_what_was_sent(
    tmp_path: Path, files: list[str], processes: str
) -> None:
    """Until there is a journal: also while workers end, and while it is written."""
    out = tmp_path / "out"
    rest = ["--processes", processes, "--lag-limit-ms", "10000", "--json"]
    with target() as url:
        process = started(tmp_path, *files, "--host", url, "--out", str(out), *rest)
        until_written(out, int(processes))
        while not (out / journal.FILE_NAME).exists() and process.poll() is None:
            process.send_signal(signal.SIGINT)
            time.sleep(0.01)
        process.communicate(timeout=120)
    # The last one may come when all is done and the process is about to leave.
    assert process.returncode in (130, -signal.SIGINT)
    said = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert said["reasons"] == ["interrupted"]
    rows = journal.read(out).rows
    assert 0 < said["ok"] == rows.filter(pl.col("outcome") == "ok").height
    assert said["ok"] + said["dropped"] == rows.height == 3000


def test_a_killed_worker_makes_the_run_invalid_and_its_share_dropped(
    tmp_path: Path, files: list[str]
) -> None:
    out = tmp_path / "out"
    rest = ["--processes", "2", "--speed", "2", "--json", "--lag-limit-ms", "10000"]
    with target() as url:
        process = started(tmp_path, *files, "--host", url, "--out", str(out), *rest)
        until_written(out, 2)
        workers = psutil.Process(process.pid).children()
        workers[0].kill()
        status, said = ended(process)
    assert (status, said["verdict"]) == (3, "invalid")
    assert "was lost at" in said["reasons"][0]
    rows = journal.read(out).rows
    assert rows.height == said["planned"] == 3000
    lost = rows.filter(pl.col("reason") == journal.WORKER_LOST)
    assert lost["worker"].n_unique() == 1
    kept = rows.filter(pl.col("worker") != lost["worker"][0])
    assert set(kept["outcome"]) == {"ok"}
    assert set(lost["outcome"]) <= {"dropped", "unknown"}
    assert said["dropped"] == lost.filter(pl.col("outcome") == "dropped").height > 0
    assert not [one for one in workers if one.is_running()]


def test_workers_elsewhere_and_ctrl_c(tmp_path: Path, files: list[str]) -> None:
    out, at = tmp_path / "out", f"127.0.0.1:{free_port()}"
    with target() as url:
        same = [*files, "--host", url, "--out", str(out), "--bind", at]
        same += ["--lag-limit-ms", "10000"]
        master = started(tmp_path, *same, "--expect-workers", "1", "--json")
        worker = working(tmp_path, at)
        until_written(out, 1)
        master.send_signal(signal.SIGINT)
        status, said = ended(master)
        worker.communicate(timeout=60)
    assert worker.returncode == 1
    assert (status, said["verdict"]) == (130, "invalid")
    assert said["reasons"] == ["interrupted"]
    assert said["ok"] > 0
    assert said["ok"] + said["dropped"] == 3000


def test_until_lag_stops_a_sender_that_is_late(tmp_path: Path, files: list[str]) -> None:
    own = (ROOT / "loadtests" / "guarantee_api.toml").read_text(encoding="utf-8")
    (tmp_path / "own.toml").write_text('thresholds = ["dropped_ratio <= 0"]\n' + own)
    rest = ["--until-lag", "--lag-limit-ms", "0", "--mapping", str(tmp_path / "own.toml"), "--json"]
    with target() as url:
        process = started(tmp_path, *files, "--host", url, "--out", str(tmp_path / "o"), *rest)
        status, said = ended(process)
    assert status == 3
    assert said["reasons"][0] == "the send lag rose above its limit"
    assert 0 < said["sent"] < said["planned"]
    assert [(one["text"], one["held"]) for one in said["thresholds"]] == [
        ("dropped_ratio <= 0", False)
    ]
