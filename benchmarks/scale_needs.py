"""What a load and a study need, by the laws of docs/scale.csv, and how figures are written."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from benchmarks.scale_table import Row, fit, of
from loadtests.capacity.scaling import Law
from loadtests.capacity.scaling import fit as fit_scaling
from loadtests.guarantee_api import settings

BUSY_RATIO = 0.6
"""How busy a core may be planned: above it waits grow faster than load (M/M/1: 1.5 service times at
0.6, 4 at 0.8)."""
TEN = 10.0
LARGE_PER_S = 100_000.0
STUDY = (1000, 40)
"""Replications and scenarios of the study that does not fit on a laptop."""
HOURS_A_DAY = 24
BATCH = settings.load().batch_count_max


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


def needs(rows: Sequence[Row]) -> str:
    """A table of what three loads need, by the laws."""
    costs = Costs.of(rows)
    loads = (costs.peak_per_s, TEN * costs.peak_per_s, LARGE_PER_S)
    titles = ["the real peak", "ten times the real peak", "100,000 requests/s"]
    table: list[tuple[str, list[str]]] = [
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
    lines += [f"| {words} | {' | '.join(cells)} |" for words, cells in table]
    return "\n".join(lines) + "\n"


def _cores(busy: float) -> str:
    return f"{ceil(busy / BUSY_RATIO)} ({figure(busy)} busy)"


def _workers(law: Law, per_s: float) -> str:
    count = law.workers_for(per_s / BUSY_RATIO)
    return "no number, by the law" if count is None else f"{count}"


def _locked(costs: Costs, per_s: float) -> str:
    writes, most = per_s * costs.writes_ratio, costs.claims_per_s_max
    held = "" if writes <= BUSY_RATIO * most else ": does not fit"
    return f"{writes:,.0f} of {most:,.0f}{held}"


def _hourly(each_bytes: float, per_s: float) -> str:
    return f"{each_bytes * per_s * 3600 / 1e9:,.2f} GB"


def study(rows: Sequence[Row]) -> str:
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


def figure(value: float) -> str:
    """Three digits that count."""
    if value == 0.0:
        return "0"
    size = abs(value)
    return f"{value:,.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.3g}"
