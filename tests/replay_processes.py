"""Replays as commands, for tests of several processes: a host, a master, workers, their ends."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from loadtests import tokenfile, trace
from loadtests.port import free_port
from loadtests.recorder import part_paths
from tests.api_server import ROOT
from tests.replay_cases import TOKENS
from tests.trace_cases import claim_steps

STEPS_COUNT = 3000


def written(folder: Path) -> list[str]:
    """A trace of STEPS_COUNT steps in twelve seconds, and tokens, as arguments of `replay`."""
    made = trace.Trace(claim_steps(STEPS_COUNT // 3, step_ns=4_000_000), "a test", "")
    tokenfile.write(folder / "tokens.json", TOKENS)
    trace.write(made, folder / "trace.parquet")
    return [str(folder / "trace.parquet"), "--token-file", str(folder / "tokens.json")]


@contextmanager
def target(delay_ms: float = 0.0) -> Iterator[str]:
    """The URL of a host that answers at once, or after a time of each request's own."""
    port = free_port()
    words = [sys.executable, "-m", "benchmarks.replay_target", str(port)]
    words += ["--delay-ms", str(delay_ms)]
    process = subprocess.Popen(words, cwd=ROOT)
    try:
        while process.poll() is None and not listens(port):
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def started(folder: Path, *words: str) -> subprocess.Popen[str]:
    """`springpeak replay`."""
    return _command(folder, "replay", *words)


def working(folder: Path, master: str, *words: str) -> subprocess.Popen[str]:
    """`springpeak replay-worker` for a master."""
    return _command(folder, "replay-worker", "--master", master, *words)


def _command(folder: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(ROOT / "springpeak.py"), *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until_written(folder: Path, parts_count: int) -> None:
    """Wait until so many workers have written rows."""
    while len([one for one in part_paths(folder) if one.stat().st_size]) < parts_count:
        time.sleep(0.05)


def ended(process: subprocess.Popen[str]) -> tuple[int, Any]:
    """Exit status and summary of a replay with --json."""
    out, err = process.communicate(timeout=120)
    assert out.startswith("{"), err[-2000:]
    return process.returncode, json.loads(out)
