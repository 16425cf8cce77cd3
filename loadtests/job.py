"""A worker's job and its end: what it is told before it sends, and what it tells afterwards."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from loadtests.connection import Host
from loadtests.journal import Share
from loadtests.mapping import Mapping
from loadtests.sender import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a worker needs to know besides its share."""

    host: Host
    mapping: Mapping
    limits: Limits
    stop_at_lag_ns: int | None
    """End the replay when a second's p99 of the send lag is above it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Where a replay is looked at: its folder, Locust's page, exporters."""

    url: str
    """Of the host that is loaded."""
    folder: Path
    web_port: int | None
    otel: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How one worker's share ended."""

    share: Share
    stopped: str
    """Why it ended before its end; empty if it did not."""
    started_unix_ns: int


Begin = Callable[[int], None]
"""Told the wall clock's time of the start (ns) before the first request leaves. Raises OSError."""
Watch = Callable[[dict[str, int], int], None]
"""Told about once a second: counts by outcome, and the send lag's p99 in ns."""
