"""`springpeak replay-worker` as a command: what it refuses, Ctrl-C, a machine that is too small, a
clock that shows another time."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

import springpeak
from loadtests import journal
from loadtests.cluster.wire import version
from loadtests.port import free_port
from tests.api_server import ROOT
from tests.replay_processes import (
    ended,
    listens,
    started,
    target,
    until_written,
    working,
    written,
)


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    return written(tmp_path)


def refused(*words: str) -> str:
    """What a worker says, in one line, when it cannot begin."""
    done = CliRunner().invoke(springpeak.app, ["replay-worker", *words, "--wait-s", "0.1"])
    assert done.exit_code == 2, done.output
    return " ".join(done.output.split())


def test_a_worker_without_a_master_says_so() -> None:
    at = f"127.0.0.1:{free_port()}"
    assert f"no master at {at}, after 0.1 s: Connection refused" in refused("--master", at)
    assert "is not known" in refused("--master", "no.such.host.invalid")
    assert "is no address" in refused("--master", "here:and:there")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        said = refused("--master", f"127.0.0.1:{silent.getsockname()[1]}")
    assert "is no master of a replay: it does not answer" in said


def test_a_master_says_where_it_cannot_listen_and_who_did_not_come(
    tmp_path: Path, files: list[str]
) -> None:
    def said(*words: str) -> str:
        process = started(tmp_path, *files, "--host", url, "--out", str(tmp_path / "o"), *words)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 2
        return " ".join(err.split())

    with target() as url, socket.create_server(("127.0.0.1", 0)) as taken:
        at = f"127.0.0.1:{taken.getsockname()[1]}"
        assert "cannot be listened at" in said("--expect-workers", "2", "--bind", at)
        at = f"127.0.0.1:{free_port()}"
        few = said("--expect-workers", "2", "--bind", at, "--wait-s", "0.1")
        assert f"0 of 2 workers joined {at} within 0.1 s: start each with" in few
    assert not (tmp_path / "o" / "parts").exists()


def test_workers_come_from_here_or_from_elsewhere_and_strangers_on_purpose(
    files: list[str],
) -> None:
    rest, elsewhere = [*files, "--host", "http://127.0.0.1:1"], ["--expect-workers", "2"]
    for words, said in (
        ([*elsewhere, "--bind", "0.0.0.0:1"], "give --i-trust-this-network"),
        ([*elsewhere, "--processes", "2"], "takes workers from elsewhere"),
        (["--processes", "2", "--bind", "127.0.0.1:1"], "go with --expect-workers N"),
    ):
        done = CliRunner().invoke(springpeak.app, ["replay", *rest, *words])
        assert done.exit_code == 2
        assert said in " ".join(done.output.split())


def test_a_worker_of_another_version_is_turned_away_and_the_next_one_is_taken(
    tmp_path: Path, files: list[str]
) -> None:
    """The other version is this one with a comment more."""
    other = tmp_path / "other"
    shutil.copytree(ROOT / "loadtests", other / "loadtests")
    with (other / "loadtests" / "job.py").open("a") as file:
        file.write("# another version\n")
    out, at = tmp_path / "out", f"127.0.0.1:{free_port()}"
    words = [sys.executable, "-m", "springpeak", "replay-worker", "--master", at]
    with target() as url:
        same = [*files, "--host", url, "--out", str(out), "--bind", at, "--speed", "12"]
        same += ["--lag-limit-ms", "10000", "--json", "--expect-workers", "1"]
        master = started(tmp_path, *same)
        turned = subprocess.run(
            words,
            cwd=other,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        worker = working(tmp_path, at)
        status, said = ended(master)
        worker.communicate(timeout=60)
    assert turned.returncode == 2
    assert f"its master {version()}" in " ".join(turned.stderr.split())
    assert (status, said["ok"], worker.returncode) == (0, 3000, 0)


def test_a_worker_that_cannot_send_its_share_says_so_on_both_sides(
    tmp_path: Path, files: list[str]
) -> None:
    """Its machine allows fewer open files than the master's."""
    at = f"127.0.0.1:{free_port()}"
    with target() as url:
        same = [*files, "--host", url, "--out", str(tmp_path / "out"), "--bind", at]
        master = started(tmp_path, *same, "--expect-workers", "1", "--connections", "500")
        limited = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (400, 400));"
        limited += "import springpeak; springpeak.main()"
        worker = subprocess.run(
            [sys.executable, "-c", limited, "replay-worker", "--master", at],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        _, err = master.communicate(timeout=60)
    assert (master.returncode, worker.returncode) == (2, 2)
    for said in (err, worker.stderr):
        assert "--connections 500: this machine allows 400 open files" in " ".join(said.split())
    assert "worker 0 on " in err


def test_ctrl_c_on_a_worker_keeps_what_it_sent_and_the_others_go_on(
    tmp_path: Path, files: list[str]
) -> None:
    out, at = tmp_path / "out", f"127.0.0.1:{free_port()}"
    with target() as url:
        same = [*files, "--host", url, "--out", str(out), "--bind", at, "--json", "--speed", "2"]
        master = started(tmp_path, *same, "--expect-workers", "2", "--lag-limit-ms", "10000")
        workers = [working(tmp_path, at), working(tmp_path, at)]
        until_written(out, 2)
        while workers[0].poll() is None:  # again and again, until it has left
            workers[0].send_signal(signal.SIGINT)
            time.sleep(0.02)
        status, said = ended(master)
        for one in workers:
            one.communicate(timeout=60)
    # The last one may come when all is handed over and the process is about to leave.
    assert workers[0].returncode in (130, -signal.SIGINT)
    assert (status, workers[1].returncode) == (3, 0)
    (reason,) = said["reasons"]
    assert reason.endswith("was interrupted")
    rows = journal.read(out).rows
    stopped = rows.filter(pl.col("outcome") == "dropped")
    assert set(stopped["reason"]) == {journal.NOT_REACHED}
    assert stopped["worker"].n_unique() == 1
    assert said["ok"] + stopped.height == 3000


def test_ctrl_c_on_a_master_that_still_waits_leaves_nothing(
    tmp_path: Path, files: list[str]
) -> None:
    port = free_port()
    with target() as url:
        same = [*files, "--host", url, "--out", str(tmp_path / "out")]
        same += ["--bind", f"127.0.0.1:{port}", "--expect-workers", "2"]
        master = started(tmp_path, *same)
        while not listens(port):
            assert master.poll() is None
            time.sleep(0.05)
        master.send_signal(signal.SIGINT)
        _, err = master.communicate(timeout=60)
    assert master.returncode == 130
    assert "interrupted before anything was sent" in err
    assert list((tmp_path / "out").iterdir()) == []


def test_a_worker_whose_clock_shows_another_time_keeps_the_schedule(
    tmp_path: Path, files: list[str]
) -> None:
    """Its monotonic clock is a day ahead (a time namespace); half a second of start and one second
    of steps would last a day, or no time at all, if it were taken for the master's."""
    elsewhen = ["unshare", "--time", "--monotonic", "86400", "--fork", "--kill-child"]
    if subprocess.run([*elsewhen, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no time namespaces here: `unshare --time` needs root and Linux 5.6")
    out, at = tmp_path / "out", f"127.0.0.1:{free_port()}"
    with target() as url:
        same = [*files, "--host", url, "--out", str(out), "--bind", at, "--json", "--speed", "12"]
        master = started(tmp_path, *same, "--expect-workers", "2", "--lag-limit-ms", "10000")
        words = [sys.executable, str(ROOT / "springpeak.py"), "replay-worker", "--master", at]
        env = os.environ | {"PYTHONPATH": str(ROOT)}
        workers = [subprocess.Popen([*before, *words], env=env) for before in ([], elsewhen)]
        status, said = ended(master)
        assert [one.wait(timeout=60) for one in workers] == [0, 0]
    assert (status, said["ok"]) == (0, 3000)
    for one in said["clocks"]:
        assert abs(one["offset_ms"]) <= 2 * one["uncertainty_ms"]
    sent = (
        journal.read(out)
        .rows.group_by("worker")
        .agg(pl.col("sent_ns").min().alias("first"), pl.col("sent_ns").max().alias("last"))
    )
    assert sent["first"].max() < sent["last"].min()  # type: ignore[operator]
