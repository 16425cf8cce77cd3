"""Measures of bench_scale on a running service: CPU by part, and bytes kept.

Requests of the national trace, or claims alone, are sent to fresh processes on this machine; what
the processes of each part spend meanwhile is read from the system.
"""

import asyncio
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from time import perf_counter, process_time

import asyncpg
import polars as pl
import psutil
import uvloop

from benchmarks.api_load import Connection, Run
from benchmarks.scale_table import Row
from loadtests import mapping, schedule, trace
from loadtests.capacity.steps import piece_of
from loadtests.drill.load import Load, Replay
from loadtests.drill.service import Service
from loadtests.guarantee_api import settings
from loadtests.guarantee_api.commands import OpenClaim, Write
from loadtests.guarantee_api.decide import Decider
from loadtests.guarantee_api.postgres_store import PostgresStore
from loadtests.guarantee_api.programme import Programme
from loadtests.trace import NONE, Trace
from scenarios.loader import load
from tests import api_postgres

BASE = "spring-festival-2026"
ROOMY = tuple(
    f"pots.instant_compensation.{key}_limit_fen=1000000000000" for key in ("day", "total")
)
CLIENTS = 64
FOREVER_S = 1e9
FAILED_RATIO_MAX = 0.01
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


def ladder(
    loaded: Trace, part: str, processes: int, counts: Sequence[tuple[str, int]]
) -> Iterator[Row]:
    """What processes spend on so many requests, each with 64 clients that wait for answers: batches
    are as large as they are under load, however fast this machine is at the moment. A part is
    "WHAT, STORE" and is kept in SQLite if it says so, else in PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="springpeak-scale-") as name:
        folder = Path(name)
        url = "" if part.endswith("SQLite") else api_postgres.fresh_database()
        service = Service(
            folder, load(BASE, sets=ROOMY), store=url, faults=False, processes=processes
        )
        try:
            service.start()
            requests = iter(_requests(loaded, service))
            for use, count in counts:
                yield from _rung(service, folder, url, list(islice(requests, count)), part, use)
        finally:
            service.stop()


def _requests(loaded: Trace, service: Service) -> list[bytes]:
    """Those that need no other's answer, as the replay would send them."""
    alone = loaded.steps.filter(pl.col("depends_on") == NONE)
    made = schedule.schedule(
        alone, mapping=mapping.load(), tokens=service.tokens, host_header="api"
    )
    found: list[bytes] = made.requests.to_list()
    return found


def _rung(
    service: Service, folder: Path, url: str, requests: list[bytes], part: str, use: str
) -> Iterator[Row]:
    kept_before, count = _kept_bytes(url, folder), float(len(requests))
    spent = Spent(_groups(service, url))
    took_s, wrong = uvloop.run(
        _sent(requests, int(service.url.rpartition(":")[2]), CLIENTS * service.processes_count)
    )
    found = {f"{name}_cpu_s": cpu_s for name, cpu_s in spent.seconds().items()}
    # Without its pauses a trace takes a consumer beyond the rate limit now and then.
    assert sum(wrong.values()) <= FAILED_RATIO_MAX * count, wrong
    for measure, cpu_s in found.items():
        yield Row(use, part, measure, count, "requests", cpu_s, "CPU s")
    kept = _kept_bytes(url, folder) - kept_before
    yield Row(use, part, "store_bytes", count, "requests", kept, "byte")
    yield Row(use, part, "per_s", count, "requests", count / took_s, "requests/s")


async def _sent(requests: list[bytes], port: int, clients: int) -> tuple[float, dict[str, int]]:
    """Wall seconds, and statuses of refusals by their number."""
    run = Closed(iter(requests), seconds=FOREVER_S, good=b"")
    loop, began_s = asyncio.get_running_loop(), perf_counter()
    for _ in range(clients):
        run.opened()
        await loop.create_connection(lambda: Connection(run), "127.0.0.1", port)
    await run.done
    return perf_counter() - began_s, run.wrong


class Closed(Run):
    """Requests of any kind: what is not refused is good."""

    def take(self) -> bytes | None:
        return next(self._requests, None)

    def seen(self, status: bytes, took_s: float) -> None:
        self.took_s.append(took_s)
        if status >= b"400" and status != b"404":  # a status that nobody has set yet
            self.wrong[status.decode()] = self.wrong.get(status.decode(), 0) + 1


def _groups(service: Service, url: str) -> dict[str, Sequence[psutil.Process]]:
    groups: dict[str, Sequence[psutil.Process]] = {
        name: [psutil.Process(pid) for pid in pids] for name, pids in service.pids.items()
    }
    if url:
        groups["store"] = [_postmaster(url)]
    return groups


def replayed(loaded: Trace, per_s: float, length_s: float, part: str, processes: int) -> list[Row]:
    """What they spend on an open-loop replay of a piece of the trace, to be compared."""
    with tempfile.TemporaryDirectory(prefix="springpeak-scale-") as name:
        folder, url = Path(name), api_postgres.fresh_database()
        piece = piece_of(loaded, count=round(per_s * length_s))
        trace.write(piece, folder / "trace.parquet")
        order = Load(
            trace_path=folder / "trace.parquet",
            out=folder / "journal",
            speed=piece.duration_s / length_s,
            lag_limit_ms=LAG_LIMIT_MS,
        )
        service = Service(
            folder, load(BASE, sets=ROOMY), store=url, faults=False, processes=processes
        )
        try:
            service.start()
            spent = Spent(_groups(service, url))
            with Replay(order, service) as replay:
                said = replay.summary()
            found = spent.seconds()
        finally:
            service.stop()
    assert said["failed_ratio"] < FAILED_RATIO_MAX, said
    rows = [
        Row("replay", part, f"{name}_cpu_s", said["sent"], "requests", cpu_s, "CPU s")
        for name, cpu_s in found.items()
    ]
    shown = ("sent", "dropped", "p99_response_ms", "send_lag_p99_ms")
    size = said["planned"] / length_s
    return rows + [
        Row("replay", "replay", one, size, "requests/s", float(said[one] or 0), one)
        for one in shown
    ]


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
        with closing(sqlite3.connect(folder / "guarantee.db")) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return float(sum(one.stat().st_size for one in folder.glob("guarantee.db*")))

    async def ask() -> float:
        db = await asyncpg.connect(url)
        sql = "SELECT pg_database_size(current_database()), pg_current_wal_lsn() - '0/0'::pg_lsn"
        tables, changes = await db.fetchrow(sql)
        await db.close()
        return float(tables) + float(changes)

    return asyncio.run(ask())


def held(batch: int, repeats: int) -> Row:
    """CPU seconds for which a batch of claims keeps the lock, of the process and of PostgreSQL, one
    of which waits for the other; what the disk takes to sync comes on top."""
    url = api_postgres.fresh_database()

    async def run() -> float:
        programme = Programme.of(load(BASE, sets=ROOMY))
        decider = Decider(programme, key_lifetime_ms=10**9)
        store = PostgresStore(url, decider, settings.load())
        now_ms = 1_771_387_200_000
        await store.open(now_ms)
        batches = [
            [_claim(turn * batch + one + 1, now_ms) for one in range(batch)]
            for turn in range(repeats)
        ]
        began_s, spent = process_time(), Spent({"store": [_postmaster(url)]})
        for writes in batches:
            await store.run(writes)
        took_s = process_time() - began_s + spent.seconds()["store"]
        await store.close()
        return took_s / repeats

    return Row("fit", "one transaction", "lock_cpu_s", batch, "writes", asyncio.run(run()), "CPU s")


def _claim(number: int, now_ms: int) -> Write:
    command = OpenClaim(
        trigger=0, category=0, order_id=number, merchant_id=number % 1_500_000 + 1,
        consumer_id=number % 9_999_991 + 1, order_value_fen=8800, price_gap_fen=None,
        statutory=False, escalated=False, needs_a_person=False,
    )  # fmt: skip
    key = number.to_bytes(16, "big")
    return Write(key_hash=key, digest=key, now_ms=now_ms, command=command)
