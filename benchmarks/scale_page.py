"""The tables of docs/scale.md, out of docs/scale.csv: laws, how far they held, what a load needs.

Nothing in a table is typed: every figure is a row of the file or follows from rows by the law named
beside it. What stands between the two marks of docs/scale.md is written by this and checked by the
tests; the text around it is a person's.
"""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.scale_needs import figure, needs, study
from benchmarks.scale_table import Row, fit, of

PAGE = Path(__file__).parent.parent / "docs" / "scale.md"
BEGIN = "<!-- measured: written by `python -m benchmarks.bench_scale page` -->"
END = "<!-- end of what was measured -->"
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
    parts = (
        ("What a unit costs", _laws(rows)),
        ("Whether the law holds at the largest size that fits here", _checks(rows)),
        ("What the peak needs", needs(rows)),
        ("What a study needs", study(rows)),
    )
    return "".join(f"\n### {title}\n\n{table}" for title, table in parts) + "\n"


def _laws(rows: Sequence[Row]) -> str:
    lines = ["| what | per | costs | 95 % | before the first | exponent |", "|" + "---|" * 6]
    for part, measure, words, per, sizes, unit, values in LAWS:
        law = fit(of(rows, part, measure))
        slope, half = law.slope * sizes * values, law.slope_half * sizes * values
        lines.append(
            f"| {words} | {per} | {figure(slope)} {unit} | ± {figure(half)} |"
            f" {figure(law.intercept * values)} {_once(measure, unit)} |"
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
                    f" {figure(foretold * scale)} {shown} | {figure(measured * scale)} {shown} |"
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
