"""`make bench-api`: durable claims, reads and bulk updates of the guarantee API, beside a plain
FastAPI service on the same machine in the same run.

The server has core 0, the generator core 1 (with PostgreSQL, the data base server shares the
generator's core). Claims are measured in turns, ours and the peer's, and the best of each counts:
other work on the machine only ever makes a figure worse. Ends with one JSON line a comparison.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loadtests.guarantee_api.tokens import issue
from loadtests.port import free_port
from tests import api_postgres

ROOT = Path(__file__).parent.parent
SECRET = "a secret for the benchmark, 32 bytes or more"
ROOMY = (
    "--set=pots.instant_compensation.day_limit_fen=1000000000000",
    "--set=pots.instant_compensation.total_limit_fen=1000000000000",
)
CORES = sorted(os.sched_getaffinity(0))
SECONDS = 3.0
ROUNDS = 2


def token(role: str) -> str:
    expires_s = int(time.time()) + 3600
    return issue(SECRET.encode(), role=role, subject="bench", expires_s=expires_s)


@contextmanager
def running(words: list[str], folder: Path, port: int, **env: str) -> Iterator[None]:
    """A server on the first core, up when this begins and gone when it ends."""
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, *words],
            env=os.environ | {"PYTHONPATH": str(ROOT)} | env,
            cwd=folder,
            stdout=log,
            stderr=log,
            preexec_fn=lambda: os.sched_setaffinity(0, {CORES[0]}),  # noqa: PLW1509
        )
    try:
        for _ in range(600):
            time.sleep(0.05)
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/openapi.json").close()
                break
            except urllib.error.HTTPError:
                break
            except OSError:
                assert process.poll() is None, (folder / "log").read_text()[-2000:]
        yield
    finally:
        process.terminate()
        process.wait()


def load(kind: str, port: int, role: str, connections: int = 64) -> dict[str, float]:
    """What the generator measured; any answer of another kind than asked for stops everything."""
    words = [sys.executable, "-m", "benchmarks.api_load", kind, "--port", str(port)]
    words += ["--connections", str(connections), "--seconds", str(SECONDS)]
    words += ["--core", str(CORES[-1])]
    env = os.environ | {"PYTHONPATH": str(ROOT), "BENCH_TOKEN": token(role)}
    done = subprocess.run(words, env=env, capture_output=True, check=True, cwd=ROOT)
    found: dict[str, float] = json.loads(done.stdout)
    assert not found.pop("wrong"), done.stdout
    return found


@contextmanager
def ours(folder: Path, store: str) -> Iterator[int]:
    port = free_port()
    (folder / "secret").write_text(SECRET)
    words = [str(ROOT / "springpeak.py"), "serve", "--store", store, "--port", str(port)]
    with running([*words, "--secret-file", "secret", *ROOMY], folder, port):
        yield port


@contextmanager
def peer(folder: Path) -> Iterator[int]:
    port = free_port()
    database = folder / f"peer-{port}.db"
    words = ["-m", "benchmarks.api_peer", str(port)]
    with running(words, folder, port, PEER_DB=str(database), PEER_SECRET=SECRET):
        yield port


def say(name: str, ours_value: float, peer_value: float | None, unit: str) -> None:
    ratio = None if peer_value is None else round(ours_value / peer_value, 2)
    value = None if peer_value is None else round(peer_value, 1)
    line = {"name": name, "ours": round(ours_value, 1), "peer": value, "ratio": ratio, "unit": unit}
    print(json.dumps(line), flush=True)


def main() -> None:
    lines: list[tuple[str, float, float | None, str]] = []
    with tempfile.TemporaryDirectory(prefix="springpeak-bench-", dir=ROOT) as name:
        folder = Path(name)
        claims, plain = [], []
        for one in range(ROUNDS):
            with ours(folder, f"sqlite:///{folder / f'ours-{one}.db'}") as port:
                claims.append(load("claims", port, "agent"))
                if one == 0:
                    terms = load("terms", port, "agent")
                    bulks = load("bulks", port, "operator", 4)
                    statuses = load("statuses", port, "operator")
            with peer(folder) as port:
                plain.append(load("claims", port, "agent"))
        best = max(claims, key=lambda one: one["per_s"])
        other = max(plain, key=lambda one: one["per_s"])
        lines += [
            ("durable claims, SQLite FULL", best["per_s"], other["per_s"], "claims/s"),
            ("durable claims, SQLite FULL, p99", best["p99_ms"], other["p99_ms"], "ms"),
            ("terms read", terms["per_s"], None, "requests/s"),
            ("merchant status read", statuses["per_s"], None, "requests/s"),
            ("merchant statuses in bulk", bulks["per_s"] * 5000, None, "updates/s"),
        ]
        # A database that is started here inherits the generator's core; the server keeps its own.
        os.sched_setaffinity(0, {CORES[-1]})
        if api_postgres.why_not():
            print(f"PostgreSQL was not measured: {api_postgres.why_not()}")
        else:
            found = []
            for _ in range(ROUNDS):
                with ours(folder, api_postgres.fresh_database()) as port:
                    found.append(load("claims", port, "agent"))
            best = max(found, key=lambda one: one["per_s"])
            lines += [
                ("durable claims, PostgreSQL", best["per_s"], other["per_s"], "claims/s"),
                ("durable claims, PostgreSQL, p99", best["p99_ms"], other["p99_ms"], "ms"),
            ]
    for line in lines:
        say(*line)


if __name__ == "__main__":
    main()
