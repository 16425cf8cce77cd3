"""Several workers: shares by key, one start, one journal; a worker killed, a replay interrupted."""

import signal
from pathlib import Path

import numpy as np
import polars as pl
import psutil
import pytest

from loadtests import journal, schedule, trace
from loadtests.noise import intervals
from tests.api_postgres import free_port
from tests.api_server import ROOT
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
    out = tmp_path / "out"
    rest = ["--processes", "2", "--speed", "6", "--lag-limit-ms", "10000", "--json"]
    with target() as url:
        process = started(tmp_path, *files, "--host", url, "--out", str(out), *rest)
        status, said = ended(process)
    assert (status, said["verdict"], said["ok"]) == (0, "valid", 3000)
    found = journal.read(out)
    assert [one.worker for one in found.about.shares] == [0, 1]
    assert found.rows["worker"].unique().sort().to_list() == [0, 1]
    # One clock: what the two sent lies between each other in time.
    first = found.rows.group_by("worker").agg(pl.col("sent_ns").min(), pl.col("done_ns").max())
    assert first["sent_ns"].max() < first["done_ns"].min()
    table = (out / "locust.csv").read_text(encoding="utf-8").splitlines()
    assert table[-1].startswith(",Aggregated,3000,0,")


def test_two_workers_merge_to_the_percentiles_of_one(tmp_path: Path, files: list[str]) -> None:
    """The host's delays are the same for both, so that a difference beyond noise is the merging's
    fault: of replays with independent delays 5 % would differ by more, these far less often."""
    rest = ["--speed", "6", "--lag-limit-ms", "10000", "--json"]
    found = {}
    with target(delay_ms=40.0) as url:
        for count in ("1", "2"):
            out = tmp_path / count
            same = [*files, "--host", url, "--out", str(out), *rest, "--processes", count]
            status, said = ended(started(tmp_path, *same))
            assert (status, said["ok"]) == (0, 3000)
            rows = journal.read(out).rows
            found[count] = intervals(rows)
            for name, (low_ms, high_ms) in said["intervals"].items():
                assert low_ms <= said[name] <= high_ms
            parents = rows.with_columns(parent=pl.col("step") // 3).group_by("parent")
            assert parents.agg(pl.col("worker").n_unique())["worker"].max() == 1
    for name, one in found["1"].items():
        low_ms, high_ms = found["2"][name].minus(one)
        assert low_ms <= 0.0 <= high_ms, name


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
