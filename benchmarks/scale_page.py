"""The tables of docs/scale.md, out of docs/scale.csv: laws, how far they held, what a load needs.

Nothing in a table is typed: every figure is a row of the file or follows from rows by the law named
beside it. What stands between the two marks of docs/scale.md is written by this and checked by the
tests; the text around it is a person's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from benchmarks.scale_table import Row, fit, of
from loadtests.capacity.scaling import Law
from loadtests.capacity.scaling import fit as fit_scaling
from loadtests.guarantee_api import settings

PAGE = Path(__file__).parent.parent / "docs" / "scale.md"
BEGIN = "<!-- measured: written by `python -m benchmarks.bench_scale page` -->"
END = "<!-- end of what was measured -->"
BUSY_RATIO = 0.6
"""How busy a core may be planned: above it waits grow faster than load (M/M/1: 1.5 service times at
0.6, 4 at 0.8)."""
TEN = 10.0
LARGE_PER_S = 100_000.0
STUDY = (1000, 40)
"""Replications and scenarios of the study that does not fit on a laptop."""
HOURS_A_DAY = 24
BATCH = settings.load().batch_count_max
LAWS = (
    ("simulation", "cpu_s", "CPU of a replication", "1,000 contacts", 1e3, "ms", 1e3),
    ("simulation", "disk_bytes", "disk of a replication", "1,000 contacts", 1e3, "kB", 1e-3),
    ("simulation", "disk_bytes_with_rows", "... with its rows", "1,000 contacts", 1e3, "kB", 1e-3),
    ("simulation", "memory_bytes", "memory of a worker", "1,000 contacts", 1e3, "MB", 1e-6),
    ("sender", "cpu_s", "CPU of the replay", "request", 1.0, "µs", 1e6),
    ("sender", "journal_bytes", "journal of the replay", "request", 1.0, "byte", 1.0),
    *(
        (f"{what}, {where}", f"{measure}_cpu_s", f"CPU of {who}, {what}, {where}", one, 1.0,
         "µs", 1e6)
        for what, one in (("requests", "request"), ("claims", "claim"))
        for where, measure, who in (
            ("SQLite", "api", "the API"),
            ("PostgreSQL", "api", "the API"),
            ("PostgreSQL", "store", "PostgreSQL"),
            ("2 processes", "api", "the API"),
            ("2 processes", "store", "PostgreSQL"),
            ("2 processes", "proxy", "HAProxy"),
        )
    ),
    ("claims, SQLite", "store_bytes", "disk of SQLite", "claim", 1.0, "byte", 1.0),
    ("claims, PostgreSQL", "store_bytes", "disk of PostgreSQL and its log", "claim", 1.0,
     "byte", 1.0),
    ("one transaction", "lock_cpu_s", "CPU under the lock, claims", "claim", 1.0, "µs", 1e6),
    ("network", "load_proxy_bytes", "wire, client to proxy", "request", 1.0, "byte", 1.0),
    ("network", "proxy_api_bytes", "wire, proxy to API", "request", 1.0, "byte", 1.0),
    ("network", "api_store_bytes", "wire, API to PostgreSQL", "request", 1.0, "byte", 1.0),
)  # fmt: skip
"""Part, measure, words, unit of size, sizes in one, unit of value, values in one."""


def write(rows: Sequence[Row], path: Path = PAGE) -> None:
    """Put the tables between the marks of the page."""
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n{tables(rows)}{END}{after}", encoding="utf-8")


def tables(rows: Sequence[Row]) -> str:
    """All tables, as Markdown."""
    costs = Costs.of(rows)
    parts = (
        ("What a unit costs", _laws(rows)),
        ("Whether the law holds at the largest size that fits here", _checks(rows)),
        ("What the peak needs", _needs(costs)),
        ("What a study needs", _study(rows)),
    )
    return "".join(f"\n### {title}\n\n{table}" for title, table in parts) + "\n"


def _laws(rows: Sequence[Row]) -> str:
    lines = ["| what | per | costs | 95 % | before the first | exponent |", "|" + "---|" * 6]
    for part, measure, words, per, sizes, unit, values in LAWS:
        law = fit(of(rows, part, measure))
        slope, half = law.slope * sizes * values, law.slope_half * sizes * values
        lines.append(
            f"| {words} | {per} | {_figure(slope)} {unit} | ± {_figure(half)} |"
            f" {_figure(law.intercept * values)} {_once(measure, unit)} |"
            f" {law.exponent:.2f} ± {law.exponent_half:.2f} |"
        )
    return "\n".join(lines) + "\n"


def _once(measure: str, unit: str) -> str:
    """The unit of what is spent before the first unit: cores idle, so much a second."""
    return f"{unit} a second" if measure.endswith("_cores") else unit


def _checks(rows: Sequence[Row]) -> str:
    lines = ["| what | at | foretold | measured | error |", "|---|---|---|---|---|"]
    for use, where in (("check", ""), ("replay", ", open loop")):
        for part, measure, words, _, _, unit, values in LAWS:
            law = fit(of(rows, part, measure))
            shown, scale = ("CPU s", 1.0) if measure.endswith("cpu_s") else (unit, values)
            for size, size_unit, measured in _means(of(rows, part, measure, use)):
                foretold = law.at(size)
                lines.append(
                    f"| {words}{where} | {size:,.0f} {size_unit} |"
                    f" {_figure(foretold * scale)} {shown} | {_figure(measured * scale)} {shown} |"
                    f" {foretold / measured - 1.0:+.1%} |"
                )
    return "\n".join(lines) + f"\n\n{_replay(rows)}\n"


def _means(rows: Sequence[Row]) -> list[tuple[float, str, float]]:
    """(size, its unit, mean value) of neighbouring sizes: replications of one span are one."""
    if not rows:
        return []
    count = len(rows)
    size = sum(one.size for one in rows) / count
    return [(size, rows[0].size_unit, sum(one.value for one in rows) / count)]


def _replay(rows: Sequence[Row]) -> str:
    sent, dropped, p99_ms, lag_ms = (
        of(rows, "replay", one, "replay")[0]
        for one in ("sent", "dropped", "p99_response_ms", "send_lag_p99_ms")
    )
    one, two = (
        max(row.value for use in ("fit", "check") for row in of(rows, part, "per_s", use))
        for part in ("claims, PostgreSQL", "claims, 2 processes")
    )
    return (
        f"Durable claims in PostgreSQL, the best of the ladder, with generator and data base on the"
        f" same two shared cores: {one:,.0f} a second by one process, {two:,.0f} by two behind"
        f" HAProxy, which takes its part of the cores.\n\n"
        f"The open loop: {sent.size:,.0f} requests/s of the festival's mix through HAProxy and two"
        f" processes to PostgreSQL, {sent.value:,.0f} sent, {dropped.value:,.0f} dropped, p99"
        f" {p99_ms.value:,.0f} ms, send lag p99 {lag_ms.value:.1f} ms, all on these two cores."
    )


@dataclass(frozen=True, slots=True)
class Costs:
    """What a load needs, by the laws."""

    peak_per_s: float
    writes_ratio: float
    sender_s: float
    api: Law
    store_s: float
    proxy_s: float
    batch_lock_s: float
    """The lock's time of the largest batch."""
    journal_bytes: float
    store_bytes: float
    wire_bytes: tuple[float, float, float]
    open_s: tuple[float, float, float]
    """CPU of a request in the open loop: API, PostgreSQL, HAProxy."""

    @classmethod
    def of(cls, rows: Sequence[Row]) -> "Costs":
        """From the rows."""

        def slope(part: str, measure: str) -> float:
            return fit(of(rows, part, measure)).slope

        one, two = (
            slope(part, "api_cpu_s") for part in ("requests, PostgreSQL", "requests, 2 processes")
        )
        return cls(
            peak_per_s=of(rows, "peak", "busiest_second")[0].value,
            writes_ratio=of(rows, "peak", "writes_ratio")[0].value,
            sender_s=slope("sender", "cpu_s"),
            # A process is a core that does nothing else; two cost more each where they contend.
            api=fit_scaling([1, 2], [1.0 / one, 2.0 / max(one, two)]),
            store_s=slope("requests, 2 processes", "store_cpu_s"),
            proxy_s=slope("requests, 2 processes", "proxy_cpu_s"),
            batch_lock_s=fit(of(rows, "one transaction", "lock_cpu_s")).at(BATCH),
            journal_bytes=slope("sender", "journal_bytes"),
            store_bytes=slope("claims, PostgreSQL", "store_bytes"),
            wire_bytes=(
                slope("network", "load_proxy_bytes"),
                slope("network", "proxy_api_bytes"),
                slope("network", "api_store_bytes"),
            ),
            open_s=tuple(
                one.value / one.size
                for part in ("api", "store", "proxy")
                for one in of(rows, "requests, 2 processes", f"{part}_cpu_s", "replay")
            ),
        )

    @property
    def claims_per_s_max(self) -> float:
        """Claims that the one lock lets through, whatever the number of processes."""
        return BATCH / self.batch_lock_s


def _needs(costs: Costs) -> str:
    loads = (costs.peak_per_s, TEN * costs.peak_per_s, LARGE_PER_S)
    titles = ["the real peak", "ten times the real peak", "100,000 requests/s"]
    rows: list[tuple[str, list[str]]] = [
        ("requests/s", [f"{one:,.0f}" for one in loads]),
        ("replay workers (a core each)", [_cores(costs.sender_s * one) for one in loads]),
        ("API processes (a core each)", [_workers(costs.api, one) for one in loads]),
        ("... at what the open loop cost", [_cores(costs.open_s[0] * one) for one in loads]),
        ("cores of PostgreSQL", [_cores(costs.store_s * one) for one in loads]),
        ("... at what the open loop cost", [_cores(costs.open_s[1] * one) for one in loads]),
        ("threads of HAProxy", [_cores(costs.proxy_s * one) for one in loads]),
        ("... at what the open loop cost", [_cores(costs.open_s[2] * one) for one in loads]),
        ("writes/s, of the claims/s that one lock passes", [_locked(costs, one) for one in loads]),
        *(
            (words, [f"{8e-6 * each * one:,.1f} Mbit/s" for one in loads])
            for words, each in zip(
                ("network, clients to proxy", "network, proxy to API", "network, API to store"),
                costs.wire_bytes,
                strict=True,
            )
        ),
        (
            "disk of the store, an hour",
            [_hourly(costs.store_bytes * costs.writes_ratio, one) for one in loads],
        ),
        ("disk of the journal, an hour", [_hourly(costs.journal_bytes, one) for one in loads]),
    ]  # fmt: skip
    lines = [f"| | {' | '.join(titles)} |", "|" + "---|" * (len(titles) + 1)]
    lines += [f"| {words} | {' | '.join(cells)} |" for words, cells in rows]
    return "\n".join(lines) + "\n"


def _cores(busy: float) -> str:
    return f"{ceil(busy / BUSY_RATIO)} ({_figure(busy)} busy)"


def _workers(law: Law, per_s: float) -> str:
    count = law.workers_for(per_s / BUSY_RATIO)
    return "no number, by the law" if count is None else f"{count}"


def _locked(costs: Costs, per_s: float) -> str:
    writes, most = per_s * costs.writes_ratio, costs.claims_per_s_max
    held = "" if writes <= BUSY_RATIO * most else ": does not fit"
    return f"{writes:,.0f} of {most:,.0f}{held}"


def _hourly(each_bytes: float, per_s: float) -> str:
    return f"{each_bytes * per_s * 3600 / 1e9:,.2f} GB"


def _study(rows: Sequence[Row]) -> str:
    """A festival of nine days, many times."""
    nine = of(rows, "simulation", "cpu_s", "check")
    contacts = sum(one.size for one in nine) / len(nine)
    cpu_s = fit(of(rows, "simulation", "cpu_s")).at(contacts)
    disk_bytes = fit(of(rows, "simulation", "disk_bytes")).at(contacts)
    replications, scenarios = STUDY
    count = replications * scenarios
    cores_h = count * cpu_s / 3600
    return "\n".join(
        [
            f"| {replications:,} replications x {scenarios} scenarios of nine national days | |",
            "|---|---|",
            f"| CPU | {cores_h:,.0f} core hours |",
            f"| two cores | {cores_h / 2 / HOURS_A_DAY:,.1f} days |",
            f"| within a night of 8 hours | {ceil(cores_h / 8)} cores |",
            f"| disk, tables without rows | {count * disk_bytes / 1e9:,.0f} GB |",
            "",
        ]
    )


def _figure(value: float) -> str:
    """Three digits that count."""
    if value == 0.0:
        return "0"
    size = abs(value)
    return f"{value:,.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.3g}"
