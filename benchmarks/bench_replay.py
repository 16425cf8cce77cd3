"""`make bench-replay`: the replay's sender beside Locust's FastHttpUser, and beside vegeta, k6 and
wrk where they are found, against the same trivial target in the same run.

The target has the first core, the generator the last one. Five questions: how many requests a
generator core sends at most; how far from their intended times they leave; whether each second has
the requests that the trace says; what a host that freezes for two seconds looks like; and whether
two workers' merged percentiles are one's, within a stated noise. Ends with one JSON line a
comparison. `python -m benchmarks.bench_replay lag` asks one question only.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import polars as pl

from loadtests import journal, tokenfile, trace
from loadtests.latency import quantile
from loadtests.noise import intervals
from loadtests.port import free_port
from loadtests.recorder import part_paths
from tests.api_server import ROOT
from tests.replay_cases import TOKENS

CORES = sorted(os.sched_getaffinity(0))
ENV = os.environ | {"PYTHONPATH": str(ROOT)}
FREEZE_S = 2.0
SLOW_MS = 100


def say(name: str, ours: float, peer: float | None, unit: str) -> None:
    ratio = None if not peer else round(ours / peer, 3)
    value = None if peer is None else round(peer, 3)
    line = {"name": name, "ours": round(ours, 3), "peer": value, "ratio": ratio, "unit": unit}
    print(json.dumps(line), flush=True)


@contextmanager
def target(delay_ms: float = 0.0) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The trivial target on the first core."""
    port = free_port()
    words = [sys.executable, "-m", "benchmarks.replay_target", str(port), "--core", str(CORES[0])]
    words += ["--delay-ms", str(delay_ms)]
    process = subprocess.Popen(words, cwd=ROOT, env=ENV)
    time.sleep(1.5)
    try:
        yield process, port
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()


def claims(folder: Path, per_s: float, seconds: float) -> None:
    """A trace of claims as a Poisson process of `per_s`, and tokens for it."""
    count = int(per_s * seconds)
    times_s = np.sort(np.random.default_rng(1).uniform(0.0, seconds, count))
    body = '{"trigger":"closed_or_refused","category":"catering","order_id":%d,"merchant_id":5,'
    body += '"consumer_id":6,"order_value_fen":8800}'
    steps = pl.DataFrame(
        {
            "step": np.arange(count),
            "intended_ns": (times_s * 1e9).astype(np.int64),
            "operation": ["open_claim"] * count,
            "role": ["agent"] * count,
            "target": [""] * count,
            "body": [(body % (1 + one)).encode() for one in range(count)],
            "key": [f"bench-{one}" for one in range(count)],
            "depends_on": [trace.NONE] * count,
            "shard_key": np.arange(count),
        }
    ).cast(trace.SCHEMA)
    trace.write(trace.Trace(steps, "benchmark", ""), folder / "trace.parquet")
    tokenfile.write(folder / "tokens.json", TOKENS)


def replaying(folder: Path, port: int, *words: str) -> subprocess.Popen[bytes]:
    """Our replay of the folder's trace, on the last core."""
    command = [sys.executable, "springpeak.py", "replay", str(folder / "trace.parquet")]
    command += ["--host", f"http://127.0.0.1:{port}", "--out", str(folder / "out"), "--json"]
    command += ["--token-file", str(folder / "tokens.json"), "--lag-limit-ms", "100000", *words]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=ENV,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, {CORES[-1]}),  # noqa: PLW1509
    )


def replayed(per_s: float, seconds: float, *words: str, delay_ms: float = 0.0) -> journal.Journal:
    """The journal of a whole replay."""
    with folder_of() as folder, target(delay_ms) as (_, port):
        claims(folder, per_s, seconds)
        assert replaying(folder, port, *words).wait() in (0, 1, 3)
        return journal.read(folder / "out")


@contextmanager
def folder_of() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="springpeak-bench-") as name:
        yield Path(name)


def lags_ms(rows: pl.DataFrame) -> np.ndarray:
    return np.sort((rows["sent_ns"] - rows["ready_ns"]).drop_nulls().to_numpy()) / 1e6


def lag() -> None:
    """How far from their intended times requests leave."""
    for per_s, seconds in ((2000.0, 15.0), (8000.0, 10.0)):
        rows = replayed(per_s, seconds).rows
        assert rows["outcome"].unique().to_list() == ["ok"]
        p99_ms = quantile(lags_ms(rows), 0.99)
        assert p99_ms is not None
        say(f"send lag p99 at {per_s:.0f}/s", p99_ms, None, "ms")


def seconds() -> None:
    """Whether each of sixty seconds has the requests that the trace says."""
    rows = replayed(2000.0, 60.0).rows
    planned, sent = (
        np.bincount(rows[name].to_numpy() // 10**9, minlength=61)[:60]
        for name in ("intended_ns", "sent_ns")
    )
    worst = float(np.max(np.abs(sent - planned) / planned))
    say("sent in a second against the trace, worst of 60 at 2000/s", worst, None, "ratio")
    p99_ms = quantile(lags_ms(rows), 0.99)
    assert p99_ms is not None
    say("send lag p99 over 60 s at 2000/s", p99_ms, None, "ms")


def saturation() -> None:
    """How many requests a generator core sends and takes the answers of, at most."""
    rows = replayed(45_000.0, 3.0, "--connections", "512").rows
    done = rows.filter(pl.col("outcome") == "ok")["done_ns"]
    ours = done.len() / (float(done.max()) / 1e9)  # type: ignore[arg-type]
    for name, peer in peers().items():
        say(f"requests at saturation, one core, beside {name}", ours, peer, "requests/s")


def peers() -> dict[str, float]:
    """Requests per second of what is found on this machine, on the last core."""
    found = {}
    with target() as (_, port):
        found["FastHttpUser"] = locust_peer(port, "--users", "64", "--seconds", "4")["per_s"]
        url = f"http://127.0.0.1:{port}/v1/claims"
        if shutil.which("wrk"):
            said = on_last_core("wrk", "-t1", "-c64", "-d3s", url)
            found["wrk"] = float(said.split("Requests/sec:")[1].split()[0])
        if shutil.which("vegeta"):
            words = ["attack", "-rate=0", "-max-workers=64", "-duration=3s"]
            report = "vegeta " + " ".join(words) + " | vegeta report -type=json"
            said = on_last_core("sh", "-c", f'echo "POST {url}" | {report}')
            found["vegeta"] = float(json.loads(said)["throughput"])
        if shutil.which("k6"):
            found["k6"] = k6(url)
    return found


def k6(url: str) -> float:
    """Requests per second of k6 with 64 virtual users."""
    with folder_of() as folder:
        script, summary = folder / "script.js", folder / "summary.json"
        script.write_text(
            "import http from 'k6/http';\nexport const options = {vus: 64, duration: '4s'};\n"
            f"export default function () {{ http.post('{url}', '{{}}'); }}\n"
        )
        on_last_core("k6", "run", "--quiet", f"--summary-export={summary}", str(script))
        return float(json.loads(summary.read_text())["metrics"]["http_reqs"]["rate"])


def locust_peer(port: int, *words: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.replay_peer", str(port), *words]
    found: dict[str, float] = json.loads(on_last_core(*command).splitlines()[-1])
    return found


def on_last_core(*words: str) -> str:
    done = subprocess.run(
        words,
        cwd=ROOT,
        env=ENV,
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {CORES[-1]}),
    )
    return done.stdout


def workers() -> None:
    """Whether two workers' merged percentiles are those of one, and how far noise reaches."""
    rows = [
        replayed(2000.0, 20.0, "--processes", count, delay_ms=20.0).rows for count in ("1", "2")
    ]
    one, two = map(intervals, rows)
    p99_ms, p99_ms_of_one = (quantile(lags_ms(them), 0.99) for them in reversed(rows))
    assert p99_ms is not None
    say("send lag p99 of two workers beside one, at 2000/s", p99_ms, p99_ms_of_one, "ms")
    for name in ("p50_response_ms", "p90_response_ms", "p99_response_ms", "p999_response_ms"):
        low_ms, high_ms = two[name].minus(one[name])
        noise = f"difference {low_ms:+.3f} to {high_ms:+.3f} ms with 95 % confidence"
        say(
            f"{name} of two workers beside one, {noise}",
            two[name].value_ms,
            one[name].value_ms,
            "ms",
        )


def freeze() -> None:
    """What a host that stops for two seconds looks like, to an open and to a closed loop."""
    with folder_of() as folder:
        claims(folder, 500.0, 10.0)
        with target() as (process, port):
            running = replaying(folder, port)
            while not any(one.stat().st_size for one in part_paths(folder / "out")):
                time.sleep(0.01)
            stopped, thawed = stop_a_while(process)
            running.wait()
        found = journal.read(folder / "out")
    rows, start_unix_ns = found.rows, found.about.started_unix_ns
    intended_ns = rows["intended_ns"].to_numpy()
    frozen_ns, thawed_ns = stopped - start_unix_ns, thawed - start_unix_ns
    waiting = (intended_ns >= frozen_ns) & (intended_ns < thawed_ns)
    expected = quantile(np.sort(np.where(waiting, thawed_ns - intended_ns, 0)) / 1e6, 0.99)
    measured = quantile(np.sort(rows["response_ns"].drop_nulls().to_numpy()) / 1e6, 0.99)
    assert expected is not None
    assert measured is not None
    say("freeze: sent of planned", rows["sent_ns"].drop_nulls().len(), rows.height, "requests")
    say("freeze: p99 of response, measured and from the schedule", measured, expected, "ms")
    with target() as (process, port):
        words = ["--users", "50", "--per-user-s", "10", "--seconds", "10"]
        command = [sys.executable, "-m", "benchmarks.replay_peer", str(port), *words]
        closed = subprocess.Popen(command, cwd=ROOT, env=ENV, stdout=subprocess.PIPE, text=True)
        assert closed.stdout is not None
        closed.stdout.readline()
        stop_a_while(process)
        peer = json.loads(closed.communicate()[0])
    sent = rows["sent_ns"].drop_nulls().len()
    say("freeze: sent, beside a closed loop of 50 users", sent, peer["sent"], "requests")
    slow = float((rows["response_ns"] > SLOW_MS * 1e6).mean())  # type: ignore[arg-type]
    name = f"freeze: share of response times above {SLOW_MS} ms, beside a closed loop"
    say(name, slow, peer["slow_ratio"], "ratio")


def stop_a_while(process: subprocess.Popen[bytes]) -> tuple[int, int]:
    """Stop the target two seconds, three seconds from now; Unix times in ns of both ends."""
    time.sleep(3.0)
    process.send_signal(signal.SIGSTOP)
    stopped = time.time_ns()
    time.sleep(FREEZE_S)
    process.send_signal(signal.SIGCONT)
    return stopped, time.time_ns()


QUESTIONS = {
    "lag": lag,
    "seconds": seconds,
    "saturation": saturation,
    "freeze": freeze,
    "workers": workers,
}


def main() -> None:
    for name in sys.argv[1:] or QUESTIONS:
        QUESTIONS[name]()


if __name__ == "__main__":
    main()
