"""Measures of bench_scale on a running service: CPU by part, bytes kept, bytes on the wire.

A piece of the national trace is replayed against fresh processes on this machine at one rate; what
the processes of each part spend meanwhile is read from the system. Bytes on the wire are counted by
the interfaces of hosts of their own (network namespaces), headers of TCP, IP and Ethernet included.
"""

import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import asyncpg
import psutil

from benchmarks.scale_table import Row
from loadtests import trace
from loadtests.capacity.steps import piece_of
from loadtests.drill.load import Load, Replay
from loadtests.drill.service import Service
from loadtests.guarantee_api import settings
from loadtests.guarantee_api.commands import OpenClaim, Write
from loadtests.guarantee_api.decide import Decider
from loadtests.guarantee_api.postgres_store import PostgresStore
from loadtests.guarantee_api.programme import Programme
from loadtests.trace import Trace
from scenarios.loader import load
from tests import api_postgres, hosts
from tests.api_server import ROOT
from tests.test_api_hosts import COMMAND, PORT, balance, serve

BASE = "spring-festival-2026"
ROOMY = tuple(
    f"pots.instant_compensation.{key}_limit_fen=1000000000000" for key in ("day", "total")
)
LAG_LIMIT_MS = 1e6
"""A late sender spoils response times, which are not what is measured here."""


class Spent:
    """CPU seconds of groups of processes, by name, since it was made."""

    def __init__(self, groups: dict[str, Sequence[psutil.Process]]) -> None:
        self._groups = groups
        self._before = {name: self._times(name) for name in groups}

    def seconds(self) -> dict[str, float]:
        found = {}
        for name in self._groups:
            before = self._before[name]
            now = self._times(name)
            found[name] = sum(now[pid] - before.get(pid, 0.0) for pid in now)
        return found

    def _times(self, name: str) -> dict[int, float]:
        times = {}
        for process in self._groups[name]:
            for one in (process, *process.children(recursive=True)):
                spent = one.cpu_times()
                times[one.pid] = spent.user + spent.system
        return times


def replayed(
    loaded: Trace, per_s: float, length_s: float, *, part: str, processes: int, use: str
) -> list[Row]:
    """What `processes` spend on a piece of the trace at one rate. A part is "WHAT, STORE" and is
    kept in SQLite if it says so, else in PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="springpeak-scale-") as name:
        folder = Path(name)
        url = "" if part.endswith("SQLite") else api_postgres.fresh_database()
        piece = piece_of(loaded, count=round(per_s * length_s))
        trace.write(piece, folder / "trace.parquet")
        service = Service(
            folder, load(BASE, sets=ROOMY), store=url, faults=False, processes=processes
        )
        try:
            service.start()
            sent, found = _loaded(service, folder, piece, length_s, url)
        finally:
            service.stop()
    return [
        Row(use, part, measure, sent, "requests", value, "byte")
        if measure == "store_bytes"
        else Row(use, part, measure, sent / length_s, "requests/s", value, "cores")
        for measure, value in found.items()
    ]


def saturated(processes: int, length_s: float) -> Iterator[Row]:
    """Durable claims a second of 64 clients that wait for their answers, on all cores of this
    machine together with the generator and PostgreSQL, and the CPU seconds of a claim."""
    part = f"saturation, {processes} process{'es' if processes > 1 else ''}"
    with tempfile.TemporaryDirectory(prefix="springpeak-scale-") as name:
        url = api_postgres.fresh_database()
        service = Service(
            Path(name), load(BASE, sets=ROOMY), store=url, faults=False, processes=processes
        )
        try:
            service.start()
            spent = Spent(_groups(service, url))
            words = [sys.executable, "-m", "benchmarks.api_load", "claims", "--seconds"]
            words += [str(length_s), "--port", service.url.rpartition(":")[2]]
            env = os.environ | {"BENCH_TOKEN": service.tokens.staff["agent"]}
            done = subprocess.run(words, env=env, capture_output=True, check=True, cwd=ROOT)
            taken = spent.seconds()
        finally:
            service.stop()
    said = json.loads(done.stdout)
    assert not said["wrong"], said
    yield Row("fit", part, "claims_per_s", processes, "processes", said["per_s"], "claims/s")
    yield Row("fit", part, "p99_ms", processes, "processes", said["p99_ms"], "ms")
    count = said["per_s"] * length_s
    for measure, cpu_s in taken.items():
        yield Row("fit", part, measure.replace("cores", "cpu_s"), count, "claims", cpu_s, "CPU s")


def _groups(service: Service, url: str) -> dict[str, Sequence[psutil.Process]]:
    groups = {"api_cores": [psutil.Process(one._running().pid) for one in service._members]}
    if service._proxy is not None:
        groups["proxy_cores"] = [psutil.Process(service._proxy.pid)]
    if url:
        groups["store_cores"] = [_postmaster(url)]
    return groups


def _loaded(
    service: Service, folder: Path, piece: Trace, length_s: float, url: str
) -> tuple[float, dict[str, float]]:
    kept_before = _kept_bytes(url, folder)
    order = Load(
        trace_path=folder / "trace.parquet",
        out=folder / "journal",
        speed=piece.duration_s / length_s,
        lag_limit_ms=LAG_LIMIT_MS,
        attempts_count=5,
    )
    began_s, spent = perf_counter(), Spent(_groups(service, url))
    children_s = _children_s()
    with Replay(order, service) as replay:
        said = replay.summary()
    # The replay's start is no load: what the service spends in it is next to nothing.
    found = {name: cpu_s / length_s for name, cpu_s in spent.seconds().items()}
    print(
        f"# {said['sent']} sent in {perf_counter() - began_s:.1f} s, failed "
        f"{said['failed_ratio']:.4f}, lag p99 {said['send_lag_p99_ms']:.1f} ms, "
        f"p99 {said['p99_response_ms']:.0f} ms, sender {_children_s() - children_s:.2f} CPU s",
        file=sys.stderr,
    )
    assert said["failed_ratio"] < 0.01, said
    found["store_bytes"] = _kept_bytes(url, folder) - kept_before
    return float(said["sent"]), found


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _postmaster(url: str) -> psutil.Process:
    """The server of a URL on this machine: whoever listens on its port."""
    port = int(url.rpartition(":")[2].partition("/")[0])
    for one in psutil.net_connections("tcp"):
        if one.status == psutil.CONN_LISTEN and one.laddr.port == port and one.pid:
            return psutil.Process(one.pid)
    raise AssertionError(f"nobody listens on {port}")


def _kept_bytes(url: str, folder: Path) -> float:
    """Of the data base and its log of changes, or of the files."""
    if not url:
        return float(sum(one.stat().st_size for one in folder.glob("guarantee.db*")))

    async def ask() -> float:
        db = await asyncpg.connect(url)
        sql = "SELECT pg_database_size(current_database()), pg_current_wal_lsn() - '0/0'::pg_lsn"
        tables, changes = await db.fetchrow(sql)
        await db.close()
        return float(tables) + float(changes)

    return asyncio.run(ask())


def held(batch: int, repeats: int) -> Row:
    """Wall seconds for which a batch of claims keeps the lock, the least of some: whatever else
    runs on the machine only adds to it."""

    url = api_postgres.fresh_database()

    async def run() -> float:
        programme = Programme.of(load(BASE, sets=ROOMY))
        decider = Decider(programme, key_lifetime_ms=10**9)
        store = PostgresStore(url, decider, settings.load())
        now_ms = 1_771_387_200_000
        await store.open(now_ms)
        took_s = []
        for turn in range(repeats):
            writes = [_claim(turn * batch + one + 1, now_ms) for one in range(batch)]
            began_s = perf_counter()
            await store.run(writes)
            took_s.append(perf_counter() - began_s)
        await store.close()
        return min(took_s)

    return Row("fit", "one transaction", "lock_s", batch, "writes", asyncio.run(run()), "s")


def _claim(number: int, now_ms: int) -> Write:
    command = OpenClaim(
        trigger=0, category=0, order_id=number, merchant_id=number % 1_500_000 + 1,
        consumer_id=number % 9_999_991 + 1, order_value_fen=8800, price_gap_fen=None,
        statutory=False, escalated=False, needs_a_person=False,
    )  # fmt: skip
    key = number.to_bytes(16, "big")
    return Write(key_hash=key, digest=key, now_ms=now_ms, command=command)


def on_the_wire(loaded: Trace, counts: Sequence[int]) -> Iterator[Row]:
    """Bytes between load and proxy, proxy and API, API and PostgreSQL, both ways together."""
    for count in counts:
        with _hosts() as (net, folder, url):
            trace.write(piece_of(loaded, count=count), folder / "trace.parquet")
            before = {name: _interface_bytes(host) for name, host in net.items()}
            words = [*COMMAND, "replay", "trace.parquet", "--out", "journal", "--json"]
            words += ["--host", f"http://{net['proxy'].address}:{PORT}", "--speed", "10"]
            words += ["--token-file", "tokens.json", "--i-may-load-this-host"]
            net["load"].run([*words, "--lag-limit-ms", "100000"], cwd=folder, check=False)
            passed = {name: _interface_bytes(host) - before[name] for name, host in net.items()}
            assert url
        links = {
            "load_proxy_bytes": passed["load"],
            "proxy_api_bytes": passed["proxy"] - passed["load"],
            "api_store_bytes": passed["database"],
        }
        for measure, value in links.items():
            yield Row("fit", "network", measure, count, "requests", value, "byte")


@contextmanager
def _hosts() -> Iterator[tuple[Any, Path, str]]:
    with (
        tempfile.TemporaryDirectory(prefix="springpeak-scale-") as name,
        hosts.network("load", "proxy", "api", "database") as net,
    ):
        folder = Path(name)
        url, why = api_postgres.start(net["database"].address, net["database"].inside)
        assert not why, why
        running: list[subprocess.Popen[str]] = [serve(net["api"], folder, url)]
        running.append(balance(net["proxy"], [net["api"]], folder))
        words = [*COMMAND, "tokens", "tokens.json", "--secret-file", "secret"]
        net["load"].run(words, cwd=folder)
        yield net, folder, url
        for one in running:
            one.kill()
            one.wait()


def _interface_bytes(host: hosts.Host) -> float:
    """Received and sent by the host's interface."""
    text = host.run(["cat", "/proc/net/dev"]).stdout
    fields = next(line for line in text.splitlines() if "eth0:" in line).split(":")[1].split()
    return float(fields[0]) + float(fields[8])
