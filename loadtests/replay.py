"""A replay from its order to its summary: check everything, send, write the journal, judge.

Decides what is checked before the first request, and what is kept when something breaks: whatever
was sent is in the journal, and the journal says what is missing.
"""

import resource
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import polars as pl

from loadtests import journal, mapping, schedule, summary, target, tokenfile, trace
from loadtests.job import Ending, Job, Watch
from loadtests.sender import Limits
from scenarios.load import Threshold, ThresholdError, parse

T = TypeVar("T")
_SPARE_FILES: Final = 64
NS_PER_MS: Final = 1_000_000


class ReplayError(Exception):
    """A replay cannot begin, or its journal cannot be finished; the message says everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the user asks for."""

    trace: Path
    url: str
    token_file: Path
    out: Path
    speed: float = 1.0
    processes: int = 1
    elsewhere: bool = False
    """Whether the workers are started by somebody else, with --worker."""
    master_port: int | None = None
    """Port for the workers; None takes a free one."""
    mapping: Path | None = None
    thresholds: tuple[str, ...] = ()
    """What must hold, beside the mapping's own; the trace's where neither names any."""
    connections_count_max: int = 4000
    timeout_s: float = 30.0
    attempts_count_max: int = 1
    lag_limit_ms: float = 2.0
    until_lag: bool = False
    anywhere: bool = False
    web_port: int | None = None
    otel: bool = False

    def words(self) -> list[str]:
        """What a worker of this order is called with, after `springpeak replay`."""
        words = [str(self.trace), "--host", self.url, "--token-file", str(self.token_file)]
        words += ["--out", str(self.out), "--speed", repr(self.speed)]
        words += ["--connections", str(self.connections_count_max)]
        words += ["--timeout-s", repr(self.timeout_s), "--attempts", str(self.attempts_count_max)]
        words += ["--lag-limit-ms", repr(self.lag_limit_ms)]
        words += ["--mapping", str(self.mapping)] if self.mapping else []
        flags = {"--until-lag": self.until_lag, "--i-may-load-this-host": self.anywhere}
        return words + [flag for flag, given in flags.items() if given]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Everything that an order names, read and right."""

    order: Order
    trace: trace.Trace
    digest: str
    """Of the trace's file."""
    mapping: mapping.Mapping
    tokens: tokenfile.Tokens
    target: target.Target
    thresholds: list[Threshold]

    def share(self, worker: int, shards: int) -> schedule.Schedule:
        """The requests of one worker of so many."""
        return schedule.share(
            self.trace,
            schedule.plan(self.trace, speed=self.order.speed, shards=shards),
            worker=worker,
            mapping=self.mapping,
            tokens=self.tokens,
            host_header=self.target.header,
            base_path=self.target.base_path,
        )

    def job(self) -> Job:
        """What a worker needs to know."""
        order = self.order
        return Job(
            url=order.url,
            host=self.target.host,
            mapping=self.mapping,
            limits=Limits(
                connections_count_max=order.connections_count_max,
                timeout_ns=int(order.timeout_s * 1e9),
                attempts_count_max=order.attempts_count_max,
            ),
            folder=order.out,
            stop_at_lag_ns=int(order.lag_limit_ms * NS_PER_MS) if order.until_lag else None,
            web_port=order.web_port,
            otel=order.otel,
        )


def prepare(order: Order) -> Prepared:
    """Read and check everything, probe the host, make the folder. Raises ReplayError."""
    wrong: list[str] = []
    found_trace = _tried(wrong, lambda: trace.read(order.trace))
    found_mapping = _tried(wrong, lambda: mapping.load(order.mapping))
    tokens = _tried(wrong, lambda: tokenfile.read(order.token_file))
    asked = (*(found_mapping.thresholds if found_mapping else ()), *order.thresholds)
    texts = asked or (found_trace.thresholds if found_trace else ())
    limits = _tried(wrong, lambda: parse(texts))
    host = _tried(wrong, lambda: target.find(order.url, anywhere=order.anywhere))
    _tried(wrong, lambda: _room_for(order.connections_count_max))
    if (order.out / journal.FILE_NAME).exists():
        wrong.append(f"--out {order.out} has a journal already: name another folder")
    if wrong:
        raise ReplayError("\n".join(wrong))
    # What could not be read left a mistake behind.
    assert found_trace is not None
    assert found_mapping is not None
    assert tokens is not None
    assert limits is not None
    assert host is not None
    prepared = Prepared(
        order=order,
        trace=found_trace,
        digest=trace.digest(order.trace),
        mapping=found_mapping,
        tokens=tokens,
        target=host,
        thresholds=limits,
    )
    roles = found_trace.steps["role"].unique().cast(pl.String).sort()
    try:
        target.probe(host, found_mapping.probe, {role: tokens.of(role, 0) for role in roles})
        order.out.mkdir(parents=True, exist_ok=True)
    except (target.TargetError, OSError) as error:
        raise ReplayError(str(error)) from None
    return prepared


def replay(prepared: Prepared, watch: Watch) -> summary.Summary:
    """Send everything, write journal and summary. Raises ReplayError."""
    from loadtests import cluster, user  # noqa: PLC0415 - Locust takes a second to import

    order = prepared.order
    try:
        if order.processes == 1 and not order.elsewhere:
            endings = [user.run(prepared.job(), prepared.share(0, 1), watch)]
        else:
            endings = cluster.lead(prepared, watch)
    except (OSError, schedule.ScheduleError, cluster.ClusterError) as error:
        raise ReplayError(str(error)) from None
    return _finished(prepared, endings)


def work(prepared: Prepared, master_host: str, master_port: int) -> None:
    """Send a share as a worker of a master elsewhere. Raises ReplayError."""
    from loadtests import cluster  # noqa: PLC0415 - Locust takes a second to import

    try:
        cluster.follow(prepared, master_host, master_port)
    except (OSError, schedule.ScheduleError, cluster.ClusterError) as error:
        raise ReplayError(str(error)) from None


def _finished(prepared: Prepared, endings: list[Ending]) -> summary.Summary:
    """Journal and summary of what the workers left. Raises ReplayError."""
    order = prepared.order
    planned = schedule.plan(prepared.trace, speed=order.speed, shards=len(endings))
    about = journal.About(
        planned_count=planned.height,
        trace_digest=prepared.digest,
        host=order.url,
        started_unix_ns=min(one.started_unix_ns for one in endings),
        limits={
            "speed": order.speed,
            "connections_count_max": order.connections_count_max,
            "timeout_s": order.timeout_s,
            "attempts_count_max": order.attempts_count_max,
            "send_lag_limit_ms": order.lag_limit_ms,
        },
        shares=tuple(
            journal.Share(worker=one.worker, planned_count=one.planned_count, lost_ns=one.lost_ns)
            for one in endings
        ),
    )
    try:
        found = journal.read(journal.write(order.out, planned, about))
        result = summary.summarise(
            found,
            prepared.thresholds,
            lag_limit_ms=order.lag_limit_ms,
            stopped=sorted({one.stopped for one in endings if one.stopped}),
        )
        result.write(order.out)
    except (OSError, journal.JournalError) as error:
        raise ReplayError(str(error)) from None
    return result


def _tried(wrong: list[str], read: Callable[[], T]) -> T | None:
    """What was read, or None and the mistake among the others."""
    try:
        return read()
    except _MISTAKES as error:
        wrong.append(str(error))
        return None


def _room_for(connections_count: int) -> None:
    """Raise the limit of open files. Raises TargetError if it cannot be raised so far."""
    needed = connections_count + _SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < needed:
        if hard != resource.RLIM_INFINITY and hard < needed:
            raise target.TargetError(
                f"--connections {connections_count}: this machine allows {hard} open files"
            )
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


_MISTAKES: Final = (
    mapping.MappingError,
    target.TargetError,
    ThresholdError,
    tokenfile.TokenFileError,
    trace.TraceError,
)
