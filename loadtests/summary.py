"""What a replay comes to: its figures, its thresholds, and whether it was a measurement at all.

Decides when a replay is invalid: its own sender was late or ran out of connections, a worker was
lost, rows are missing, or it was stopped. An invalid replay says nothing about the host, so that it
is said before any threshold.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from loadtests import jsonfile, latency, noise
from loadtests.journal import Clock, Journal, Share
from loadtests.sender import POOL_FULL
from loadtests.thresholds import Figures, Finding, judge
from scenarios.load import LAG, Threshold

FILE_NAME: Final = "summary.json"
HELD: Final = 0
BROKEN: Final = 1
INVALID: Final = 3
# k6 and wrk2 leave it to the reader how many requests a generator may lose; one in a thousand
# leaves the 99th percentile where it is.
POOL_FULL_RATIO_MAX: Final = 0.001
NS_PER_MS: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What summary.json holds."""

    verdict: str
    """valid or invalid."""
    reasons: list[str]
    """Why it is invalid."""
    status: int
    """Exit status: HELD, BROKEN or INVALID."""
    figures: Figures
    intervals: Mapping[str, tuple[float, float]]
    """Of the percentiles of all operations together, 95 %: what another replay might show."""
    operations: Mapping[str, Figures]
    thresholds: list[Finding]
    clocks: list[dict[str, Any]]
    """Of each worker that has a master: worker, host, and its clock (journal.Clock) in ms."""
    host: str
    trace_digest: str
    limits: dict[str, Any]

    def document(self) -> dict[str, Any]:
        """As JSON: the figures stand at the top."""
        values = asdict(self)
        said = {key: values.pop(key) for key in ("verdict", "reasons", "status")}
        return {**said, **values.pop("figures"), **values}

    def write(self, folder: Path) -> None:
        """Write summary.json. Raises OSError."""
        jsonfile.write(folder / FILE_NAME, self.document())


def summarise(
    journal: Journal,
    thresholds: list[Threshold],
    *,
    lag_limit_ms: float,
    clock_limit_ms: float,
    stopped: list[str],
) -> Summary:
    """Judge a journal; `stopped` says why workers ended early, one sentence each."""
    rows, about = journal.rows, journal.about
    total, operations = latency.figures(rows), latency.by_operation(rows)
    findings = judge(thresholds, total, operations)
    reasons = [*stopped, *(_lost(one, rows) for one in about.shares if one.lost_ns is not None)]
    lag_ms = total[LAG]
    if lag_ms is not None and lag_ms > lag_limit_ms:
        reasons.append(
            f"the sender was late: the send lag's p99 is {lag_ms:.2f} ms, above {lag_limit_ms:g} ms"
        )
    reasons += [
        f"the clock of worker {one.worker} may be {one.clock.off_ns_max / NS_PER_MS:.2f} ms off "
        f"its master's, above {clock_limit_ms:g} ms"
        for one in about.shares
        if one.clock is not None and one.clock.off_ns_max > clock_limit_ms * NS_PER_MS
    ]
    refused = rows.filter(pl.col("reason") == POOL_FULL).height
    if refused > POOL_FULL_RATIO_MAX * rows.height:
        connections = about.limits["connections_count_max"]
        reasons.append(
            f"{refused} steps found none of the {connections} connections free: give more with "
            "--connections"
        )
    broken = any(not one.held for one in findings)
    return Summary(
        verdict="invalid" if reasons else "valid",
        reasons=reasons,
        status=INVALID if reasons else BROKEN if broken else HELD,
        figures=total,
        intervals={name: (one.low_ms, one.high_ms) for name, one in noise.intervals(rows).items()},
        operations=operations,
        thresholds=findings,
        clocks=[_clock(one, one.clock) for one in about.shares if one.clock is not None],
        host=about.host,
        trace_digest=about.trace_digest,
        limits=dict(about.limits),
    )


def _lost(share: Share, rows: pl.DataFrame) -> str:
    assert share.lost_ns is not None
    mine = rows.filter(pl.col("worker") == share.worker)
    missing = mine.filter(pl.col("attempts") == 0)
    dropped = missing.filter(pl.col("outcome") == "dropped").height
    unknown = missing.filter(pl.col("outcome") == "unknown").height
    return (
        f"worker {share.worker} was lost at {share.lost_ns / 1e9:.1f} s: of its "
        f"{share.planned_count} steps {dropped} were dropped, and {unknown} may have been sent"
    )


def _clock(share: Share, clock: Clock) -> dict[str, Any]:
    return {
        "worker": share.worker,
        "host": share.host,
        "offset_ms": clock.offset_ns / NS_PER_MS,
        "uncertainty_ms": clock.uncertainty_ns / NS_PER_MS,
        "off_ms_max": clock.off_ns_max / NS_PER_MS,
        "wall_offset_ms": clock.wall_offset_ns / NS_PER_MS,
    }
