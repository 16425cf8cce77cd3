"""`make bench-scale`: what a unit costs on these parts, the law through it, what more would need.

    python -m benchmarks.bench_scale run RUN           # one national day, which the others need
    python -m benchmarks.bench_scale simulation [RUN [DAYS]]  # CPU, memory, disk of a replication
    python -m benchmarks.bench_scale sender            # CPU s and journal of the replay
    python -m benchmarks.bench_scale api RUN [PART]    # CPU and disk of API, store and proxy
    python -m benchmarks.bench_scale replay RUN        # the replay that they are compared with
    python -m benchmarks.bench_scale lock              # how long a batch keeps the data base's lock
    python -m benchmarks.bench_scale wire RUN          # bytes between hosts (root, iproute2)
    python -m benchmarks.bench_scale page              # docs/scale.md anew from docs/scale.csv

Each writes its rows into docs/scale.csv, so that one can be measured again without the others; what
was measured before Ctrl-C is kept.
Costs are CPU seconds, which other work on the machine hardly moves; the sizes at the end of each
ladder are not fitted but foretold, and the error is stated.
"""

import json
import resource
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from benchmarks import bench_replay, scale_fleet, scale_page, scale_table, scale_wire
from benchmarks.scale_table import Row
from loadtests import trace
from loadtests.capacity.plan import WINDOW, busiest_second
from loadtests.drill.member import ServiceFailed
from loadtests.drill.service import haproxy
from loadtests.recorder import part_paths
from loadtests.traffic.make import make
from loadtests.traffic.window import parse
from scenarios.load import WRITES
from scenarios.loader import load
from sim.experiment.files import RunError
from sim.experiment.rundir import RunDirectory
from sim.experiment.runner import run as simulate
from tests import api_postgres, hosts

BASE = "spring-festival-2026"
PEAK_DAY = 2
SPANS = (("fit", (2, 2)), ("fit", (1, 2)), ("fit", (0, 3)), ("check", (-2, 6)))
"""Lunar days simulated."""
REPLICATIONS = 4
"""The first keeps its rows, the second warms up the process that goes on, the others count."""
LENGTH_S = 6.0
SENDER_RATES = (("fit", 500), ("fit", 1000), ("fit", 2000), ("fit", 4000), ("check", 8000))
API_COUNTS = (("fit", 4000), ("fit", 8000), ("fit", 16_000), ("fit", 32_000), ("check", 64_000))
REPLAY_RATES = (1000,)
REPLAY_S = 20.0
BATCHES = (16, 32, 64, 128, 256, 512)
WIRE_COUNTS = (4000, 8000, 16_000)
"""Few requests in a hundred reach the store."""


def run(folder: Path) -> None:
    """The day of the peak, one replication."""
    simulate(
        load(BASE),
        replications=1,
        seed=1,
        workers=1,
        out=folder,
        days=(PEAK_DAY, PEAK_DAY),
        resume=folder.exists(),
    )


def simulation(only: str = "") -> Iterator[Row]:
    """CPU, memory and disk of a replication, by contacts; of one span of days only if named."""
    for use, days in SPANS:
        if only not in ("", f"{days[0]}..{days[1]}"):
            continue
        with tempfile.TemporaryDirectory() as name:
            sizes, out = [], Path(name) / "run"
            for replications in (1, REPLICATIONS):
                simulate(
                    load(BASE),
                    replications=replications,
                    seed=1,
                    workers=1,
                    out=out,
                    days=days,
                    resume=bool(sizes),
                )
                sizes.append(sum(one.stat().st_size for one in out.rglob("*") if one.is_file()))
            taken = RunDirectory(out).manifest()["replications"]
        contacts = taken[0]["attempts_count"]
        later_bytes = (sizes[1] - sizes[0]) / (REPLICATIONS - 1)
        for one in taken[2:]:
            yield _simulated(use, "cpu_s", one["attempts_count"], one["cpu_s"], "CPU s")
        yield _simulated(use, "memory_bytes", contacts, taken[-1]["peak_memory_byte"], "byte")
        yield _simulated(use, "disk_bytes", contacts, later_bytes, "byte")
        yield _simulated(use, "disk_bytes_with_rows", contacts, float(sizes[0]), "byte")


def _simulated(use: str, measure: str, contacts: float, value: float, unit: str) -> Row:
    return Row(use, "simulation", measure, contacts, "contacts", value, unit)


def sender() -> Iterator[Row]:
    """What the replay spends on its requests, with its start, and what it keeps of them."""
    for use, per_s in SENDER_RATES:
        with bench_replay.folder_of() as folder, bench_replay.target() as (_, port):
            bench_replay.claims(folder, per_s, LENGTH_S)
            before_s = _children_s()
            replaying = bench_replay.replaying(folder, port)
            assert replaying.wait() in (0, 1)
            spent_s = _children_s() - before_s
            said = json.loads((folder / "out" / "summary.json").read_text("utf-8"))
            parts = sum(one.stat().st_size for one in part_paths(folder / "out"))
            kept = parts + (folder / "out" / "journal.parquet").stat().st_size
            sent = float(said["sent"])
        assert said["failed_ratio"] == 0.0
        yield Row(use, "sender", "cpu_s", sent, "requests", spent_s, "CPU s")
        yield Row(use, "sender", "journal_bytes", sent, "requests", float(kept), "byte")
        lag_ms = float(said["send_lag_p99_ms"])
        yield Row(use, "sender", "send_lag_p99_ms", sent / LENGTH_S, "requests/s", lag_ms, "ms")


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def traffic(folder: Path) -> trace.Trace:
    """The busiest ten minutes of the peak's day, with the terms that are looked up."""
    return make(folder, asked=parse(WINDOW), reads=True).trace


def peak(loaded: trace.Trace) -> Iterator[Row]:
    """The busiest second, and how many of the requests write."""
    per_s = busiest_second(loaded)
    wrote = loaded.steps["operation"].cast(pl.String).is_in(sorted(WRITES)).mean()
    assert isinstance(wrote, float)
    count = float(loaded.steps.height)
    yield Row("fit", "peak", "busiest_second", count, "requests", per_s, "requests/s")
    yield Row("fit", "peak", "writes_ratio", count, "requests", wrote, "ratio")


def api(folder: Path, only: str = "") -> Iterator[Row]:
    """CPU and disk of API, store and proxy, of the festival's mix and of claims alone; of one part
    only if it is named."""
    loaded = {"requests": traffic(folder), "claims": claims()}
    yield from peak(loaded["requests"])
    for what, of_these in loaded.items():
        for where, processes in (("SQLite", 1), ("PostgreSQL", 1), ("2 processes", 2)):
            part = f"{what}, {where}"
            if only in ("", part):
                yield from scale_fleet.ladder(of_these, part, processes, API_COUNTS)


def replay(folder: Path) -> Iterator[Row]:
    """An open-loop replay through the proxy, for what the law foretells of it."""
    for per_s in REPLAY_RATES:
        yield from scale_fleet.replayed(
            traffic(folder), per_s, REPLAY_S, "requests, 2 processes", 2
        )


def claims() -> trace.Trace:
    """Nothing but claims to be opened, enough for the whole ladder."""
    with bench_replay.folder_of() as folder:
        bench_replay.claims(folder, float(sum(count for _, count in API_COUNTS)), 1.0)
        return trace.read(folder / "trace.parquet")


def lock() -> Iterator[Row]:
    """How long a batch keeps every other process from deciding."""
    for batch in BATCHES:
        yield scale_fleet.held(batch, repeats=max(16, 8192 // batch))


def missing(what: str) -> str:
    """Why a part cannot be measured on this machine; empty when it can."""
    if what == "wire" and hosts.why_not():
        return hosts.why_not()
    if what in ("api", "lock", "replay", "wire") and api_postgres.why_not():
        return api_postgres.why_not()
    if what in ("api", "replay", "wire"):
        try:
            haproxy()
        except ServiceFailed as error:
            return str(error)
    return ""


def main() -> None:
    """Measure one part and keep its rows, or write the page."""
    what, *rest = sys.argv[1:] or ["page"]
    folder = Path(rest[0]) if rest else Path()
    if what == "run":
        try:
            run(folder)
        except RunError as error:
            sys.exit(str(error))
    elif what == "page":
        scale_page.write(scale_table.read())
    else:
        parts = {
            "simulation": lambda: simulation(*rest[1:]),
            "sender": sender,
            "api": lambda: api(folder, *rest[1:]),
            "lock": lock,
            "replay": lambda: replay(folder),
            "wire": lambda: scale_wire.on_the_wire(traffic(folder), WIRE_COUNTS),
        }
        if what not in parts:
            sys.exit(f"{what} is no part: {', '.join(['run', *parts, 'page'])}")
        if missing(what):
            print(f"{what} was not measured: {missing(what)}")
            return
        whole, rows = len(rest) < 2 or what == "api", []
        try:
            for one in parts[what]():
                print(*one, sep=",", flush=True)
                rows.append(one)
        except KeyboardInterrupt:
            whole = False
            raise
        finally:
            scale_table.keep(rows, whole=whole)


if __name__ == "__main__":
    main()
