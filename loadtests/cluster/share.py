"""What one worker is given, as bytes: its steps of the trace, and everything that it needs to know.

Its machine needs nothing but springpeak: no trace, no tokens, no mapping. The worker looks for the
host by itself, since names and routes may differ from its master's, and tries it before the start.
"""

from dataclasses import dataclass
from io import BytesIO

import msgspec
import polars as pl

from loadtests import target
from loadtests.cluster.wire import ClusterError
from loadtests.job import Job
from loadtests.mapping import Mapping
from loadtests.schedule import Schedule, ScheduleError, schedule
from loadtests.sender import Limits
from loadtests.tokenfile import Tokens


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What all workers of a replay are told."""

    url: str
    anywhere: bool
    """Whether the host need not be the worker's own machine."""
    mapping: str
    """JSON of a Mapping."""
    staff: dict[str, str]
    consumers: tuple[str, ...]
    limits: Limits
    stop_at_lag_ns: int | None
    otel: bool


class _Share(msgspec.Struct, frozen=True, kw_only=True):
    worker: int
    orders: Orders
    steps: bytes
    """Parquet: a trace's columns with planned times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A share that is ready to be sent."""

    worker: int
    job: Job
    schedule: Schedule
    otel: bool


def pack(worker: int, orders: Orders, steps: pl.DataFrame) -> bytes:
    """A worker's share as bytes."""
    file = BytesIO()
    steps.write_parquet(file)
    share = _Share(worker=worker, orders=orders, steps=file.getvalue())
    return msgspec.msgpack.encode(share)


def unpack(data: bytes) -> Task:
    """The share of these bytes, its host found and tried. Raises ClusterError."""
    share = msgspec.msgpack.decode(data, type=_Share)
    orders, steps = share.orders, pl.read_parquet(BytesIO(share.steps))
    mapping = Mapping.model_validate_json(orders.mapping)
    tokens = Tokens(orders.staff, orders.consumers)
    try:
        host = target.find(orders.url, anywhere=orders.anywhere)
        target.make_room(orders.limits.connections_count_max)
        target.probe(host, mapping.probe, tokens.by_role(steps))
        requests = schedule(
            steps,
            mapping=mapping,
            tokens=tokens,
            host_header=host.header,
            base_path=host.base_path,
        )
    except (target.TargetError, ScheduleError) as error:
        raise ClusterError(str(error)) from None
    job = Job(
        host=host.host,
        mapping=mapping,
        limits=orders.limits,
        stop_at_lag_ns=orders.stop_at_lag_ns,
    )
    return Task(worker=share.worker, job=job, schedule=requests, otel=orders.otel)
