"""A worker's job and its end: what it is told before it sends, and what it tells afterwards."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from loadtests.connection import Host
from loadtests.mapping import Mapping
from loadtests.sender import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a worker needs to know besides its share."""

    url: str
    host: Host
    mapping: Mapping
    limits: Limits
    folder: Path
    stop_at_lag_ns: int | None
    """End the replay when a second's p99 of the send lag is above it."""
    web_port: int | None
    otel: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How one worker's share ended."""

    worker: int
    planned_count: int
    stopped: str
    """Why it ended before its end; empty if it did not."""
    lost_ns: int | None
    """Since when rows of the journal are missing; None if none is."""
    started_unix_ns: int


Watch = Callable[[dict[str, int], int], None]
"""Told about once a second: counts by outcome, and the send lag's p99 in ns."""
