"""The journal of a replay: what became of every planned step, as one Parquet file.

Decides the columns, how a finished or broken-off replay becomes a journal, and how one is read.
Times are int nanoseconds from the agreed start on one monotonic clock. `ok` happened, `fail`
certainly did not, nobody knows about `unknown` (a write without an answer), and `dropped` was never
sent: the words of Jepsen's histories (K. Kingsbury, 2013 on) with the drops that an open loop adds.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from scenarios.tables import Column

FORMAT: Final = "springpeak-journal"
VERSION: Final = "1"
FILE_NAME: Final = "journal.parquet"
OUTCOMES: Final = ("ok", "fail", "unknown", "dropped")
WORKER_LOST: Final = "lost with its worker"
NOT_REACHED: Final = "the replay was stopped before this step"

COLUMNS: Final = (
    Column("step", "Int64", "", "row of the trace, from 0"),
    Column("operation", "String", "", "what the step asks for, as in the trace"),
    Column("worker", "Int32", "", "worker whose share the step is, from 0"),
    Column("intended_ns", "Int64", "ns", "planned time of sending, after the replay's speed"),
    Column("ready_ns", "Int64", "ns", "intended, or answer to the step it depends on if later"),
    Column("sent_ns", "Int64", "ns", "handed to a connection; null if never"),
    Column("done_ns", "Int64", "ns", "answer whole, or given up; null if never sent"),
    Column("response_ns", "Int64", "ns", "done - intended: what a consumer would have waited"),
    Column("service_ns", "Int64", "ns", "done - sent, all attempts together"),
    Column("status", "Int16", "", "HTTP status of the last answer; 0 = none"),
    Column("outcome", "String", "", "ok, fail, unknown or dropped"),
    Column("reason", "String", "", "why it is not ok; empty if it is"),
    Column("key", "String", "", "idempotency key; empty if none"),
    Column("answer_id", "String", "", "identifier in the answer, e.g. of the claim; empty if none"),
    Column("answer_state", "String", "", "state in the answer; empty if none"),
    Column("answer_fen", "Int64", "fen", "amount in the answer, refund + extra; null if none"),
    Column("attempts", "Int16", "attempts", "how often it was sent with the same key; 0 = never"),
)


class JournalError(Exception):
    """A journal cannot be read or written; the message names the file and what is wrong."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A worker's clocks against its master's."""

    offset_ns: int
    """So far behind the master's its schedule lay at its end, by the drift of monotonic clocks."""
    uncertainty_ns: int
    """Half of the round trip that it was measured with."""
    wall_offset_ns: int
    """So far ahead its wall clock was; no time of a journal depends on it."""

    @property
    def off_ns_max(self) -> int:
        """Its schedule was never further from its master's."""
        return abs(self.offset_ns) + self.uncertainty_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one worker had to send; `lost_ns` is when the last of its missing steps can have been
    sent, on its own clock; None if it wrote everything."""

    worker: int
    planned_count: int
    lost_ns: int | None = None
    host: str = ""
    """Machine of the worker; empty if it sent by itself, without a master."""
    clock: Clock | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a journal says of its replay, besides the rows."""

    planned_count: int
    trace_digest: str
    host: str
    started_unix_ns: int
    limits: Mapping[str, Any]
    """Speed, connections, time limits: whatever the measurement depends on."""
    shares: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class Journal:
    """A journal that was read: `rows` has COLUMNS, one row a planned step, in order of `step`."""

    about: About
    rows: pl.DataFrame


def write(folder: Path, plan: pl.DataFrame, about: About, seen: pl.DataFrame) -> Path:
    """Make journal.parquet of what workers wrote (recorder.PART_SCHEMA); returns its path.

    `plan` has one row a step: step, operation, worker, intended_ns, key. A step without a row was
    not sent, except perhaps by a worker that was lost before it could write: until it was missed
    those are unknown.
    """
    lost = pl.DataFrame(
        [(one.worker, one.lost_ns) for one in about.shares],
        schema={"worker": pl.Int32, "lost_ns": pl.Int64},
        orient="row",
    )
    rows = (
        plan.join(lost, on="worker", how="left")
        .join(seen, on="step", how="left", validate="1:1")
        .sort("step")
        .select(_finished())
    )
    path, growing = folder / FILE_NAME, folder / f"{FILE_NAME}.tmp"
    try:
        rows.write_parquet(growing, metadata=_metadata(about))
        growing.replace(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise JournalError(f"{path} cannot be written: {error}") from None
    finally:  # also after Ctrl-C
        growing.unlink(missing_ok=True)
    return path


def read(path: Path) -> Journal:
    """A journal, from the file or the folder that it stands in. Raises JournalError."""
    file = path / FILE_NAME if path.is_dir() else path
    try:
        metadata = pl.read_parquet_metadata(file)
        rows = pl.read_parquet(file)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise JournalError(f"{file} is not a journal that can be read: {error}") from None
    if metadata.get("format") != FORMAT:
        raise JournalError(f"{file} is no journal: `springpeak replay` writes one")
    if metadata.get("version") != VERSION:
        found = metadata.get("version")
        raise JournalError(f"{file} is a journal of version {found}, this one reads {VERSION}")
    return Journal(about_of(json.loads(metadata["about"])), rows)


def about_of(values: dict[str, Any]) -> About:
    """From what `told` made of it."""
    return About(**values | {"shares": tuple(_share(one) for one in values["shares"])})


def told(about: About) -> dict[str, Any]:
    """As JSON takes it."""
    return {
        "planned_count": about.planned_count,
        "trace_digest": about.trace_digest,
        "host": about.host,
        "started_unix_ns": about.started_unix_ns,
        "limits": dict(about.limits),
        "shares": [asdict(one) for one in about.shares],
    }


def _finished() -> list[pl.Expr]:
    """COLUMNS out of plan, loss and part."""
    seen = pl.col("outcome").is_not_null()
    maybe_sent = pl.col("lost_ns").is_not_null() & (pl.col("intended_ns") < pl.col("lost_ns"))
    missing = pl.when(maybe_sent).then(pl.lit("unknown")).otherwise(pl.lit("dropped"))
    why = pl.when(pl.col("lost_ns").is_null()).then(pl.lit(NOT_REACHED))
    words = dict(enumerate(OUTCOMES))
    outcome = pl.col("outcome").replace_strict(words, return_dtype=pl.String, default=None)
    sent, done = (_none_below_0(name) for name in ("sent_ns", "done_ns"))
    made = {
        "ready_ns": pl.col("ready_ns").fill_null(pl.col("intended_ns")),
        "sent_ns": sent,
        "done_ns": done,
        "response_ns": done - pl.col("intended_ns"),
        "service_ns": done - sent,
        "status": pl.col("status").fill_null(0),
        "outcome": pl.when(seen).then(outcome).otherwise(missing),
        "reason": pl.when(seen).then("reason").otherwise(why.otherwise(pl.lit(WORKER_LOST))),
        "answer_id": pl.col("answer_id").fill_null(""),
        "answer_state": pl.col("answer_state").fill_null(""),
        "answer_fen": _none_below_0("answer_fen"),
        "attempts": pl.col("attempts").fill_null(0),
    }
    types = {column.name: getattr(pl, column.dtype) for column in COLUMNS}
    return [made.get(name, pl.col(name)).cast(kind).alias(name) for name, kind in types.items()]


def _none_below_0(name: str) -> pl.Expr:
    return pl.when(pl.col(name) >= 0).then(pl.col(name))


def _share(values: dict[str, Any]) -> Share:
    clock = values.get("clock")  # journals of before have none
    return Share(**values | {"clock": None if clock is None else Clock(**clock)})


def _metadata(about: About) -> dict[str, str]:
    return {"format": FORMAT, "version": VERSION, "about": json.dumps(told(about))}
