"""The trace: every request of a load test with its intended time, in one file, before the first
one is sent. What joins the simulation with the replay.

Decides what a trace file holds and when it is right; not what is in it (traffic/
makes it from a run or from somebody's log) nor how it is sent. Times are int ns from the trace's
start. `target` is the number in the request's path (a claim's comes from the answer of the step it
depends on), for `terms` the query.

A consumer's token claims for that consumer only and is held to a few requests a second, so that
consumers' steps are spread over `CONSUMERS_COUNT` identities: `consumer_of(shard_key)` says whose.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b, file_digest
from pathlib import Path
from typing import Final

import polars as pl
from polars.exceptions import PolarsError

from scenarios.load import OPERATIONS, WRITES

FORMAT: Final = "springpeak-trace"
VERSION: Final = "1"
UNFINISHED: Final = ".unfinished"
CONSUMERS_COUNT: Final = 1000
NONE: Final = -1

OPENING: Final = ("open_claim", "cancel", "alert", "report")
"""Operations whose answer is a claim of its own."""
DEPENDENT: Final = ("read_claim", "resolve_claim")
"""Operations on the claim that an earlier step opened."""
ROLES: Final = ("consumer", "agent", "operator", "auditor")

Operation = pl.Enum(OPERATIONS)
Role = pl.Enum(ROLES)
SCHEMA: Final[dict[str, pl.DataType]] = {
    "step": pl.Int64(),
    "intended_ns": pl.Int64(),
    "operation": Operation,
    "role": Role,
    "target": pl.String(),
    "body": pl.Binary(),
    "key": pl.String(),
    "depends_on": pl.Int64(),
    "shard_key": pl.Int64(),
}


class TraceError(Exception):
    """A trace cannot be made, read or used; the message says all that is wrong, for the user."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace and where it is from."""

    steps: pl.DataFrame
    """Columns of SCHEMA, sorted by `intended_ns`."""
    source: str
    """The run or the log that it was made from."""
    window: str
    """First instant and length, as in 2026-02-18T18:00/PT10M; empty for a whole log."""
    amplification: float = 1.0
    thresholds: tuple[str, ...] = ()
    """What a replay must hold unless it is told otherwise: those of the run's scenario."""

    @property
    def duration_s(self) -> float:
        """Seconds from the trace's start to its last step."""
        last_ns = self.steps["intended_ns"].max() if self.steps.height else 0
        assert isinstance(last_ns, int)
        return last_ns / 1e9

    def counts(self) -> dict[str, int]:
        """Steps by operation, most frequent first."""
        counted = self.steps.group_by("operation").len().sort("len", "operation", descending=True)
        return dict(counted.iter_rows())


def consumer_of(shard_key: int) -> int:
    """The consumer_id, from 1, whose token a consumer's step is sent with."""
    return 1 + shard_key % CONSUMERS_COUNT


def numbered(steps: pl.DataFrame) -> pl.DataFrame:
    """Steps in order of their times, with `step` and `depends_on` as row numbers.

    Takes SCHEMA's columns, with any unique `step` and `depends_on` referring to it.
    """
    ordered = steps.sort("intended_ns", "step", maintain_order=True).with_row_index("row")
    rows = ordered.select(pl.col("step").alias("depends_on"), pl.col("row").cast(pl.Int64))
    return (
        ordered.drop("step", "row")
        .with_row_index("step")
        .join(rows, on="depends_on", how="left", maintain_order="left")
        .with_columns(depends_on=pl.col("row").fill_null(NONE))
        .select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())
    )


def write(trace: Trace, path: Path) -> None:
    """Write a trace in one step. Raises TraceError if it is wrong or the file cannot be written."""
    wrong = mistakes(trace.steps)
    if wrong:
        raise TraceError("\n".join(wrong))
    unfinished = path.with_name(f"{path.name}{UNFINISHED}-{os.getpid()}")
    metadata = {
        "format": FORMAT,
        "version": VERSION,
        "source": trace.source,
        "window": trace.window,
        "amplification": repr(trace.amplification),
        "thresholds": json.dumps(trace.thresholds),
    }
    try:
        trace.steps.write_parquet(unfinished, metadata=metadata)
        unfinished.replace(path)
    except (OSError, PolarsError) as error:
        unfinished.unlink(missing_ok=True)
        raise TraceError(f"{path} cannot be written: {error}") from None


def read(path: Path) -> Trace:
    """The trace of a file. Raises TraceError with everything that is wrong with it."""
    if path.is_dir():
        raise TraceError(f"{path} is a folder: `springpeak trace` makes a trace of a run")
    try:
        told = pl.read_parquet_metadata(path)
        steps = pl.read_parquet(path)
    except FileNotFoundError:
        raise TraceError(f"{path}: no such file: `springpeak trace` makes a trace") from None
    except (OSError, PolarsError) as error:
        raise TraceError(f"{path} is no trace, or one that was cut off: {error}") from None
    if told.get("format") != FORMAT:
        raise TraceError(f"{path} is not a trace: make one with `springpeak trace`")
    if told.get("version") != VERSION:
        found = told.get("version")
        raise TraceError(f"{path} is a trace of version {found}, this springpeak reads {VERSION}")
    wrong = mistakes(steps)
    if wrong:
        raise TraceError("\n".join(f"{path}: {one}" for one in wrong))
    return Trace(
        steps,
        told["source"],
        told["window"],
        amplification=float(told["amplification"]),
        # Traces of before have none.
        thresholds=tuple(json.loads(told.get("thresholds", "[]"))),
    )


def digest(path: Path) -> str:
    """Names a trace by the bytes of its file."""
    with path.open("rb") as file:
        return file_digest(file, lambda: blake2b(digest_size=16)).hexdigest()


def mistakes(steps: pl.DataFrame) -> list[str]:
    """All that is wrong with a trace's steps, each with its first example."""
    if dict(steps.schema) != SCHEMA:
        return [_misfit(steps.schema)]
    if steps.null_count().sum_horizontal().item():
        return ["empty cells: none is allowed"]
    found = steps.join(
        steps.select(
            pl.col("step").alias("depends_on"),
            pl.col("operation").alias("parent"),
            pl.col("shard_key").alias("parent_shard"),
        ),
        on="depends_on",
        how="left",
        maintain_order="left",
    )
    earlier_ns = pl.col("intended_ns").shift(fill_value=0)
    dependent = pl.col("operation").is_in(DEPENDENT)
    writing = pl.col("operation").is_in(WRITES)
    rules = {
        "step is not the row's number": pl.col("step") != pl.int_range(pl.len()),
        "intended_ns lies before the step before it, or below 0": (
            pl.col("intended_ns") < earlier_ns
        ),
        "a write has no key": writing & (pl.col("key") == ""),
        "a read has a key": ~writing & (pl.col("key") != ""),
        "the key was used by an earlier step": (
            (pl.col("key") != "") & ~pl.col("key").is_first_distinct()
        ),
        "a write has no body": writing & (pl.col("body").bin.size() == 0),
        "depends_on is no earlier step, or one where none is needed": (
            pl.when(dependent)
            .then((pl.col("depends_on") >= pl.col("step")) | pl.col("parent").is_null())
            .otherwise(pl.col("depends_on") != NONE)
        ),
        "the step it depends on opens no claim": (
            dependent & pl.col("parent").is_not_null() & ~pl.col("parent").is_in(OPENING)
        ),
        "the step it depends on has another shard_key": (
            dependent & (pl.col("parent_shard") != pl.col("shard_key"))
        ),
    }
    wrong = []
    for message, rule in rules.items():
        hits = found.filter(rule.fill_null(value=False))
        if hits.height:
            wrong.append(f"step {hits['step'][0]}: {message} ({hits.height} steps)")
    return wrong


def _misfit(there: Mapping[str, pl.DataType]) -> str:
    """What is wrong with the columns, and what would be right, in one line."""
    said = [
        *(
            f"{name} is missing ({_said(kind)})"
            for name, kind in SCHEMA.items()
            if name not in there
        ),
        *(
            f"{name} is {_said(kind)} and should be {_said(SCHEMA[name])}"
            for name, kind in there.items()
            if name in SCHEMA and kind != SCHEMA[name]
        ),
        *(f"{name} is none of a trace's" for name in there if name not in SCHEMA),
    ]
    return f"columns: {'; '.join(said)}"


def _said(kind: pl.DataType) -> str:
    """A type in a word or two: of an Enum not all its words."""
    named = {"the Enum of operations": Operation, "the Enum of roles": Role}
    found = [words for words, one in named.items() if kind == one]
    return found[0] if found else "another Enum" if isinstance(kind, pl.Enum) else str(kind)
