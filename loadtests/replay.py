"""A replay from its order to its summary: check everything, send, write the journal, judge.

Decides what is checked before the first request, and what is kept when something breaks: whatever
was sent is in the journal, and the journal says what is missing.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import polars as pl

from loadtests import (
    journal,
    mapping,
    port,
    schedule,
    summary,
    target,
    tokenfile,
    tomlfile,
    trace,
)
from loadtests.cluster.share import Orders, pack
from loadtests.cluster.wire import DEFAULT_BIND, LEASE_NS, Address, ClusterError, bound
from loadtests.job import Ending, Job, View, Watch
from loadtests.recorder import read_parts
from loadtests.sender import GRACE_S, Limits
from loadtests.unfinished import AT_WORK, Unfinished, finish, is_there
from scenarios.held import HeldError, held
from scenarios.load import Threshold, ThresholdError, parse

T = TypeVar("T")
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
    expected_count: int | None = None
    """Workers from elsewhere, started with `springpeak replay-worker`; None if there are none."""
    bind: str = DEFAULT_BIND
    """Where those come to."""
    trusted: bool = False
    """Whether others than this machine may come."""
    wait_s: float = 120.0
    mapping: Path | None = None
    thresholds: tuple[str, ...] = ()
    """What must hold, beside the mapping's own; the trace's where neither names any."""
    connections_count_max: int = 4000
    timeout_s: float = 30.0
    attempts_count_max: int = 1
    lag_limit_ms: float = 2.0
    clock_limit_ms: float | None = None
    """None: that of the send lag, since a clock that is off sends as late as a late sender."""
    until_lag: bool = False
    anywhere: bool = False
    web_port: int | None = None
    otel: bool = False

    @property
    def is_alone(self) -> bool:
        """Whether this process sends everything by itself."""
        return self.processes == 1 and self.expected_count is None

    @property
    def limits(self) -> Limits:
        """What bounds each worker's sender."""
        return Limits(
            connections_count_max=self.connections_count_max,
            timeout_ns=int(self.timeout_s * 1e9),
            attempts_count_max=self.attempts_count_max,
        )

    @property
    def clocks_apart_ms_max(self) -> float:
        """Above it the run is invalid."""
        return self.lag_limit_ms if self.clock_limit_ms is None else self.clock_limit_ms

    @property
    def stop_at_lag_ns(self) -> int | None:
        """End the replay when a second's p99 of the send lag is above it."""
        return int(self.lag_limit_ms * NS_PER_MS) if self.until_lag else None


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
    bind: Address | None
    """Where workers from elsewhere come to."""

    def planned(self, shards: int) -> pl.DataFrame:
        """The planned steps of so many workers."""
        return schedule.plan(self.trace, speed=self.order.speed, shards=shards)

    def whole(self) -> schedule.Schedule:
        """The requests of a single worker."""
        return schedule.schedule(
            schedule.share(self.trace, self.planned(1), 0),
            mapping=self.mapping,
            tokens=self.tokens,
            host_header=self.target.header,
            base_path=self.target.base_path,
        )

    def orders(self) -> Orders:
        """What other processes are told."""
        order = self.order
        return Orders(
            url=order.url,
            anywhere=order.anywhere,
            mapping=self.mapping.model_dump_json(),
            staff=self.tokens.staff,
            consumers=self.tokens.consumers,
            limits=order.limits,
            stop_at_lag_ns=order.stop_at_lag_ns,
            otel=order.otel,
        )

    def job(self) -> Job:
        """What the sender of this process needs to know."""
        return Job(
            host=self.target.host,
            mapping=self.mapping,
            limits=self.order.limits,
            stop_at_lag_ns=self.order.stop_at_lag_ns,
        )

    def unfinished(
        self, planned: pl.DataFrame, shares: tuple[journal.Share, ...], *, started_unix_ns: int
    ) -> Unfinished:
        """What journal and summary are made of, beside the rows."""
        order = self.order
        about = journal.About(
            planned_count=planned.height,
            trace_digest=self.digest,
            host=order.url,
            started_unix_ns=started_unix_ns,
            limits={
                "speed": order.speed,
                "connections_count_max": order.connections_count_max,
                "timeout_s": order.timeout_s,
                "attempts_count_max": order.attempts_count_max,
                "send_lag_limit_ms": order.lag_limit_ms,
                "clock_limit_ms": order.clocks_apart_ms_max,
            },
            shares=shares,
        )
        return Unfinished(
            about=about,
            thresholds=tuple(one.text for one in self.thresholds),
            linger_ns=0 if order.is_alone else LEASE_NS + int(GRACE_S * 1e9),
        )

    def view(self) -> View:
        """Where the replay is looked at."""
        order = self.order
        return View(url=order.url, folder=order.out, web_port=order.web_port, otel=order.otel)


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
    _tried(wrong, lambda: target.make_room(order.connections_count_max))
    elsewhere = order.expected_count is not None
    if elsewhere and order.processes > 1:
        wrong.append("--expect-workers N takes workers from elsewhere, --processes N starts them")
    if not elsewhere and (order.trusted or order.bind != DEFAULT_BIND):
        wrong.append("--bind and --i-trust-this-network go with --expect-workers N")
    bind = _tried(wrong, lambda: bound(order.bind, trusted=order.trusted)) if elsewhere else None
    if order.web_port is not None:
        web_port = order.web_port
        _tried(wrong, lambda: port.check(port.LOOPBACK, web_port))
    if (order.out / journal.FILE_NAME).exists():
        wrong.append(f"--out {order.out} has a journal already: name another folder")
    elif is_there(order.out):
        wrong.append(f"--out {order.out}: {AT_WORK}; name another folder")
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
        bind=bind,
    )
    try:
        target.probe(host, found_mapping.probe, tokens.by_role(found_trace.steps))
        order.out.mkdir(parents=True, exist_ok=True)
    except target.TargetError as error:
        raise ReplayError(str(error)) from None
    except OSError as error:
        raise ReplayError(f"--out {order.out} is no folder: {error.strerror}") from None
    return prepared


def replay(prepared: Prepared, watch: Watch, say: Callable[[str], None]) -> summary.Summary:
    """Send everything, write journal and summary; `say` is told what it waits for. Raises
    ReplayError."""
    from loadtests import user  # noqa: PLC0415 - Locust takes a second to import
    from loadtests.cluster import leader  # noqa: PLC0415

    order, view = prepared.order, prepared.view()
    count = order.expected_count or order.processes
    planned = prepared.planned(count)

    def packed(worker: int) -> bytes:
        return pack(worker, prepared.orders(), schedule.share(prepared.trace, planned, worker))

    def begin(started_unix_ns: int) -> None:
        sizes = dict(planned["worker"].value_counts().iter_rows())
        shares = tuple(
            journal.Share(worker=number, planned_count=sizes.get(number, 0))
            for number in range(count)
        )
        prepared.unfinished(planned, shares, started_unix_ns=started_unix_ns).write(order.out)

    def sending() -> AbstractContextManager[list[Ending]]:
        if order.is_alone:
            job, whole = prepared.job(), prepared.whole()
            return user.sent(job, whole, view=view, begin=begin, watch=watch)
        muster = leader.Muster(count=count, bind=prepared.bind, wait_s=order.wait_s)
        return leader.led(muster, packed, view=view, begin=begin, watch=watch, say=say)

    try:
        with held(order.out), sending() as endings:
            started_unix_ns = min(one.started_unix_ns for one in endings)
            shares = tuple(one.share for one in endings)
            found = prepared.unfinished(planned, shares, started_unix_ns=started_unix_ns)
            stopped = sorted({one.stopped for one in endings if one.stopped})
            parts = read_parts(order.out)
            return finish(order.out, found, planned, parts, stopped=stopped)
    except (
        OSError, HeldError, journal.JournalError, schedule.ScheduleError, ClusterError
    ) as error:  # fmt: skip
        raise ReplayError(str(error)) from None


def _tried(wrong: list[str], read: Callable[[], T]) -> T | None:
    """What was read, or None and the mistake among the others."""
    try:
        return read()
    except _MISTAKES as error:
        wrong.append(str(error))
        return None


_MISTAKES: Final = (
    ClusterError,
    port.PortError,
    target.TargetError,
    ThresholdError,
    tokenfile.TokenFileError,
    tomlfile.TomlFileError,
    trace.TraceError,
)
