"""A drill from end to end: killed, frozen and loaded by a replay in a process of its own.

Short, because every start of a process takes a second: `springpeak drill` itself kills more often.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from loadtests import journal, trace
from tests.api_server import ROOT
from tests.replay_processes import until_written
from tests.test_cli import springpeak_says
from tests.trace_cases import small_trace


@pytest.fixture
def trace_path(tmp_path: Path) -> Path:
    path = tmp_path / "trace.parquet"
    trace.write(small_trace(400), path)
    return path


def test_kills_and_freezes_lose_nothing(trace_path: Path, tmp_path: Path) -> None:
    said = springpeak_says(
        "drill", str(trace_path), "--kill-every", "3s", "--freeze", "500ms", "--lasting", "6s",
        "--out", str(tmp_path / "drill"), "--json", "--write-overlay", str(tmp_path / "api.toml"),
        "--day", "2", "--hours", "18..21", "--threshold", "p50_response_ms <= 0",
    )  # fmt: skip
    assert said.status == 0, said
    values = json.loads(said.out)
    assert values["verdict"] == "valid"
    assert (values["planned"], values["sent"], values["dropped"]) == (1200, 1200, 0)
    assert (values["kills"], values["freezes"]) == (2, 2)
    # Thresholds are judged beside the verdict, which is on the books alone.
    assert [one["held"] for one in values["thresholds"]] == [False]
    assert (values["lost"], values["doubled"], values["overdrawn"]) == (0, 0, 0)
    # Who was due during a kill waited for the restart: that is not hidden.
    assert values["p99_response_ms"] > 500
    assert values["outage_s_mean"] > 0.4
    assert json.loads((tmp_path / "drill" / "drill.json").read_text()) == values
    overlay = tomllib.loads((tmp_path / "api.toml").read_text())["shocks"]["measured_api"]
    assert 0.05 < overlay["api_failed_ratio"] < 0.95
    assert overlay["api_latency_s"] > 0.0
    # Its keys are known there: a second drill on the same books would lose nothing, whatever broke.
    store = f"sqlite:///{tmp_path / 'drill' / 'guarantee.db'}"
    again = springpeak_says(
        "drill", str(trace_path), "--store", store, "--out", str(tmp_path / "again")
    )
    assert again.status == 2
    assert f"{store} has claims already: name an empty data base" in again.err


def test_a_planted_fault_makes_a_drill_invalid(trace_path: Path, tmp_path: Path) -> None:
    said = springpeak_says(
        "drill", str(trace_path), "--kill-every", "0s", "--lasting", "1s", "--plant", "lost_write",
        "--out", str(tmp_path / "drill"),
    )  # fmt: skip
    assert said.status == 1, said
    assert "lost: 1 (an acknowledged write is not there)" in said.out
    assert "verdict: invalid" in said.out


def test_ctrl_c_says_what_was_interrupted_and_what_is_kept(
    trace_path: Path, tmp_path: Path
) -> None:
    out = tmp_path / "drill"
    words = ["drill", str(trace_path), "--kill-every", "0s", "--lasting", "600s"]
    with subprocess.Popen(
        [sys.executable, str(ROOT / "springpeak.py"), *words, "--out", str(out)],
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "500"},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        until_written(out / "journal", 1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "interrupted (sending 1,200 requests in 600 s): no verdict." in err
    assert "journal/journal.parquet (what was sent and answered so far)" in err
    rows = journal.read(out / "journal").rows
    assert rows.height == 1200
    assert set(rows["outcome"]) >= {"ok", "dropped"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--kill-every", "6"), "--kill-every 6: no time such as 10s"),
        (("--lasting", "0s"), "above 0s"),
        (("--plant", "rust"), "one of lost_write"),
        (("trace.parquet", "--threshold", "speed > 3"), "speed is not measured"),
        (("--store", "mysql://x"), "sqlite:///FILE or postgresql://"),
        (("none.parquet",), "no such file"),
        (("trace.parquet", "--out", "trace.parquet"), "trace.parquet is no folder"),
        (("trace.parquet", "--write-overlay", "no/such.toml"), "there is no folder no"),
        ((), "there is no run in results"),
    ],
)
def test_wrong_input_ends_with_status_2(
    options: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    trace.write(small_trace(5), tmp_path / "trace.parquet")
    answer = springpeak_says("drill", *options)
    assert answer.status == 2
    assert said in re.sub(r"[\s│]+", " ", answer.err)
    assert not list((tmp_path / "results").glob("*"))
