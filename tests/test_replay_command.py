"""`springpeak replay` as a command: a whole run against the guarantee API, and what it refuses."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

import springpeak
from loadtests import journal, tokenfile, trace
from loadtests.port import free_port
from tests.api_cases import bearer
from tests.api_server import ROOT, server
from tests.trace_cases import small_trace


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """A trace of thirty steps in a tenth of a second, and tokens for it, as arguments."""
    made = small_trace(10)
    steps = made.steps.with_columns(intended_ns=pl.col("intended_ns") // 30)
    kept = ("alert.p50_response_ms <= 1",)
    trace.write(
        trace.Trace(steps, made.source, made.window, thresholds=kept), tmp_path / "trace.parquet"
    )
    tokens = {role: bearer(role)["authorization"].split()[1] for role in tokenfile.STAFF}
    consumer = bearer("consumer")["authorization"].split()[1]
    tokenfile.write(
        tmp_path / "tokens.json",
        tokenfile.Tokens(tokens, (consumer,) * trace.CONSUMERS_COUNT),
    )
    return [str(tmp_path / "trace.parquet"), "--token-file", str(tmp_path / "tokens.json")]


def run(folder: Path, *words: str) -> tuple[int, Any]:
    """Exit status and summary of the command in a process of its own."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "springpeak.py"), "replay", *words, "--json"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.startswith("{"), done.stderr[-2000:]
    return done.returncode, json.loads(done.stdout)


def refused(*words: str) -> str:
    """What the command says, in one line, when it refuses."""
    done = CliRunner().invoke(springpeak.app, ["replay", *words])
    assert done.exit_code == 2, done.output
    return " ".join(done.output.split())


def test_a_trace_is_replayed_judged_and_kept(tmp_path: Path, files: list[str]) -> None:
    out = tmp_path / "out"
    with server(tmp_path, f"sqlite:///{tmp_path / 'guarantee.db'}") as running:
        status, said = run(
            tmp_path,
            *files,
            *("--host", f"http://127.0.0.1:{running.port}", "--out", str(out)),
            *("--lag-limit-ms", "10000", "--threshold", "resolve_claim.failed_ratio <= 0"),
            *("--threshold", "p50_response_ms <= 0"),
        )
        # Those on the command line take the place of the trace's own.
        status_of_own, own = run(
            tmp_path,
            *files,
            *("--host", f"http://127.0.0.1:{running.port}", "--out", str(tmp_path / "own")),
            *("--lag-limit-ms", "10000"),
        )
    assert (status_of_own, [one["text"] for one in own["thresholds"]]) == (
        1,
        ["alert.p50_response_ms <= 1"],
    )
    assert (status, said["verdict"]) == (1, "valid")
    assert [one["held"] for one in said["thresholds"]] == [True, False]
    assert (said["planned"], said["sent"], said["ok"]) == (30, 30, 30)
    found = journal.read(out)
    assert found.about.planned_count == found.rows.height == 30
    opened = found.rows.filter(pl.col("operation") == "open_claim")
    settled = found.rows.filter(pl.col("operation") == "resolve_claim")
    assert opened["answer_id"].sort().to_list() == settled["answer_id"].sort().to_list()
    assert (opened["answer_fen"] > 0).all()
    # Locust's own table and page are there, with the same count.
    table = (out / "locust.csv").read_text(encoding="utf-8").splitlines()
    assert table[-1].startswith(",Aggregated,30,0,")
    assert "open_claim" in (out / "locust.html").read_text(encoding="utf-8")
    # A second run may not overwrite it.
    again = refused(*files, "--host", "http://127.0.0.1:1", "--out", str(out))
    assert "has a journal already" in again


def test_hosts_and_tokens_are_tried_before_anything_is_sent(
    tmp_path: Path, files: list[str]
) -> None:
    out = ["--out", str(tmp_path / "out")]
    where = f"http://127.0.0.1:{free_port()}"
    assert f"{where} does not answer" in refused(*files, "--host", where, *out)
    far = refused(*files, "--host", "http://192.0.2.1:8080", *out)
    assert "192.0.2.1 is not this machine" in far
    assert "--i-may-load-this-host" in far
    path = tmp_path / "tokens.json"
    path.write_text(path.read_text().replace('"agent": "', '"agent": "x'))
    with server(tmp_path, f"sqlite:///{tmp_path / 'guarantee.db'}") as running:
        said = refused(*files, "--host", f"http://127.0.0.1:{running.port}", *out)
    assert "refuses the agent's token: HTTP 401" in said
    assert not (tmp_path / "out").exists()


def test_everything_wrong_is_said_at_once(tmp_path: Path, files: list[str]) -> None:
    steps = pl.read_parquet(files[0]).with_columns(intended_ns=pl.lit(1) - pl.col("intended_ns"))
    later = {"format": trace.FORMAT, "version": "2", "source": "", "window": ""}
    (tmp_path / "map.toml").write_text('key_header = "k"\nprobe = "no slash"\n[operations]\n')
    rest = ["--host", "ftp://here", "--mapping", str(tmp_path / "map.toml")]
    steps.write_parquet(files[0], metadata=later | {"amplification": "1.0"})
    assert "version 2, this springpeak reads 1" in refused(*files, *rest)
    steps.write_parquet(files[0], metadata=later | {"version": "1", "amplification": "1.0"})
    said = refused(*files, *rest, "--threshold", "p99_ms <= 1")
    for part in ("intended_ns lies before", "probe", "ftp://here", "p99_ms is not measured"):
        assert part in said


def test_what_is_taken_or_misspelt_is_named_before_anything_is_sent(
    tmp_path: Path, files: list[str]
) -> None:
    shipped = (ROOT / "loadtests" / "guarantee_api.toml").read_text(encoding="utf-8")
    own = tmp_path / "own.toml"
    misspelt = shipped.replace("\naccept = ", "\nacept = ", 1)
    own.write_text(misspelt.replace("\npath = ", "\npaht = ", 1))
    where = ["--host", f"http://127.0.0.1:{free_port()}"]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused(*files, *where, "--mapping", str(own), "--web", str(port))
    assert f"127.0.0.1:{port} cannot be listened at: Address already in use" in said
    assert f"{own}: operations.open_claim.path is missing" in said
    assert f"{own}: operations.open_claim.paht: unknown key: did you mean path?" in said
    assert "acept: unknown key: did you mean accept?" in said
    own.write_text(shipped.replace('method = "POST"', 'method = "POTS"', 1))
    said = refused(*files, *where, "--mapping", str(own))
    assert "operations.open_claim.method = 'POTS': should be 'GET', 'POST'" in said
    own.write_text(f"{shipped}\n[operations.open_claims]\nmethod = 'GET'\npath = '/'\n")
    said = refused(*files, *where, "--mapping", str(own))
    assert "operations.open_claims: no such operation: one of " in said
    own.write_text("key_header = ")
    assert f"{own} is no TOML" in refused(*files, *where, "--mapping", str(own))
    with server(tmp_path, f"sqlite:///{tmp_path / 'guarantee.db'}") as running:
        where = ["--host", f"http://127.0.0.1:{running.port}"]
        assert "tokens.json is no folder" in refused(
            *files, *where, "--out", str(tmp_path / "tokens.json")
        )
