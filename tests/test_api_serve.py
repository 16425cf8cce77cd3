"""`springpeak serve` and `springpeak token` as commands: start, several processes, stop, logs."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import springpeak
from loadtests.guarantee_api.metrics import Metrics
from loadtests.port import free_port
from tests.api_cases import claim_body
from tests.api_server import ROOT, Connection, Server, until_up


@contextmanager
def command(folder: Path, *options: str) -> Iterator[Server]:
    """The real command, over a store and a secret in `folder`."""
    port, log = free_port(), folder / "log"
    words = [sys.executable, str(ROOT / "springpeak.py"), "serve", "--port", str(port), *options]
    with log.open("ab") as out:
        process = subprocess.Popen(
            words, stdout=out, stderr=out, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}
        )
    running = Server(process, port, log)
    try:
        asyncio.run(until_up(running))
        yield running
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


async def claims(port: int, numbers: range, token: str) -> list[tuple[int, Any]]:
    """Each claim over a connection of its own, all at once."""

    async def one(number: int) -> tuple[int, Any]:
        body = json.dumps(claim_body(number)).encode()
        head = f"POST /v1/claims HTTP/1.1\r\nhost: api\r\nauthorization: Bearer {token}\r\n"
        head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        connection = Connection(port)
        data = f"{head}idempotency-key: {number}\r\n\r\n".encode() + body
        answer = await connection.raw(data)
        connection.close()
        return answer

    return await asyncio.gather(*map(one, numbers))


def test_two_processes_share_a_store_and_stop_gracefully(tmp_path: Path) -> None:
    with command(tmp_path, "--workers", "2") as running:
        said = CliRunner().invoke(
            springpeak.app,
            [
                "token",
                "--role",
                "agent",
                "--subject",
                "x",
                "--secret-file",
                f"{tmp_path}/guarantee.secret",
            ],
        )
        token = said.stdout.strip()
        answers = asyncio.run(claims(running.port, range(1, 101), token))
        assert {status for status, _ in answers} == {201}
        # One number a claim, whichever process gave it.
        assert sorted(one["claim_id"] for _, one in answers) == list(range(1, 101))
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(timeout=30) in (0, -signal.SIGTERM)
    lines = running.log.read_text().splitlines()
    records = [json.loads(line) for line in lines]
    assert all({"at_s", "level", "logger", "said"} <= one.keys() for one in records)
    assert [one["said"] for one in records].count("stopped") == 2
    assert token not in running.log.read_text()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["nowhere"], "nowhere"),
        (["--set", "pots.reserve_fen=-1"], "reserve_fen"),
        (["--store", "mysql://x"], "--store"),
        (["--secret-file", "short.secret"], "too easy to guess"),
        (["--settings", "wrong.toml"], "wrong.toml: batch_count_max = 0: should be greater than"),
        (["--settings", "none.toml"], "none.toml cannot be read: No such file or directory"),
        (["--settings", "misspelt.toml"], "bach_count_max: unknown key: did you mean batch_count"),
        (["--host", "192.0.2.1"], "192.0.2.1:8080 cannot be listened at: Cannot assign requested"),
        (["--store", "sqlite:///short.secret", "--port", "0"], "file is not a database"),
        (
            ["--store", "postgresql://u:hidden@127.0.0.1:1/x", "--port", "0", "--workers", "2"],
            "--store postgresql://u:***@127.0.0.1:1/x: ",
        ),
    ],
)
def test_wrong_input_is_said_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "short.secret").write_text("short")
    (tmp_path / "wrong.toml").write_text("batch_count_max = 0")
    (tmp_path / "misspelt.toml").write_text("bach_count_max = 1")
    before = sorted(tmp_path.iterdir())
    done = CliRunner().invoke(springpeak.app, ["serve", *options])
    assert done.exit_code == 2
    assert said in re.sub(r"[\s│]+", " ", done.output)
    assert set(tmp_path.iterdir()) <= {*before, tmp_path / "guarantee.secret"}


def test_metrics_are_prometheus_text() -> None:
    metrics = Metrics()
    metrics.seen("open_claim", 201, 0.004)
    metrics.seen("open_claim", 201, 99.0)
    text = metrics.text({}).decode()
    sample = re.compile(r'[a-z_]+(\{([a-z]+="[^"]*",?)+\})? [0-9.]+')
    assert all(line.startswith("# TYPE ") or sample.fullmatch(line) for line in text.splitlines())
    assert 'springpeak_requests_total{route="open_claim",status="201"} 2' in text
    assert 'springpeak_request_seconds_bucket{le="0.005"} 1' in text
    assert 'springpeak_request_seconds_bucket{le="+Inf"} 2' in text


def test_processes_that_share_a_port_name_themselves_in_metrics() -> None:
    metrics = Metrics("4711")
    metrics.seen("open_claim", 201, 0.004)
    text = metrics.text({}).decode()
    assert 'springpeak_requests_total{process="4711",route="open_claim",status="201"} 1' in text
    assert 'springpeak_request_seconds_bucket{process="4711",le="0.005"} 1' in text
    assert 'springpeak_request_seconds_count{process="4711"} 1' in text
    counted = [line for line in text.splitlines() if not line.startswith("#")]
    assert all('process="4711"' in line for line in counted)
