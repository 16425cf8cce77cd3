"""How the service runs: limits on requests, batches and time. What it promises is the scenario's.

The shipped values stand in service.toml, each with its reason; a file of the user's own may replace
some of them.
"""

from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from loadtests import tomlfile
from scenarios.model import Model

SHIPPED: Final = Path(__file__).parent / "service.toml"

PositiveSeconds = Annotated[float, Field(gt=0.0, le=86400.0 * 400)]
PositiveInt = Annotated[int, Field(ge=1, le=10**9)]


class Settings(Model):
    """Limits of one serving process."""

    body_bytes_max: PositiveInt
    """Largest request body, in bytes."""
    header_bytes_max: PositiveInt
    """Largest request line and headers together, in bytes."""
    request_s_max: PositiveSeconds
    """Longest time for a request to arrive whole, in seconds."""
    connections_count_max: PositiveInt
    """Most open connections and running requests; more are answered 503."""
    batch_count_max: PositiveInt
    """Most writes committed together."""
    pending_count_max: PositiveInt
    """Most writes that wait for their batch; more are answered 503."""
    page_count_max: PositiveInt
    """Most rows of one page."""
    key_lifetime_s: PositiveSeconds
    """How long an Idempotency-Key is remembered, in seconds."""
    consumer_requests_per_s: PositiveInt
    """Requests per second that one consumer may send on average."""
    staff_requests_per_s: PositiveInt
    """The same for one agent, operator or auditor; these are services, not people."""
    burst_s: PositiveSeconds
    """How many seconds' worth of requests may come at once."""
    health_s_max: PositiveSeconds
    """A store that needs longer for one write is not healthy, in seconds."""
    store_s_max: PositiveSeconds
    """Longest time of one batch or one read in PostgreSQL, in seconds; then it is given up, and the
    sender is told to repeat with the same key."""
    store_silent_s_max: PositiveSeconds
    """PostgreSQL's host is gone when it acknowledges nothing for so long, in seconds; a new
    connection may take as long."""
    store_idle_s_max: PositiveSeconds
    """PostgreSQL ends a session of ours that is quiet for so long within a transaction, in
    seconds: other processes wait for its lock."""
    store_retry_s_max: PositiveSeconds
    """Longest pause between two attempts to reach PostgreSQL again, in seconds."""
    shutdown_s_max: PositiveSeconds
    """Longest time to finish running requests when told to stop, in seconds."""


def load(path: Path | None = None) -> Settings:
    """The shipped settings, with those of `path` laid on top. Raises TomlFileError."""
    own = {} if path is None else tomlfile.values(path)
    return tomlfile.model(Settings, tomlfile.values(SHIPPED) | own, path or SHIPPED)
