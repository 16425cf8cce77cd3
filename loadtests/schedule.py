"""The schedule: every request of a worker's share, ready to be sent, before the first one is.

Decides times after the speed-up, which worker sends a step, and the bytes of each request. All of
it is vectorised and done beforehand, so that sending costs nothing but sending. Times int ns.
"""

from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
import polars as pl

from loadtests.mapping import TARGET, Mapping
from loadtests.tokenfile import Tokens
from loadtests.trace import CONSUMERS_COUNT, NONE, Trace

BLOCK: Final = 128
# Knuth's multiplicative hash (The Art of Computer Programming 3, 6.4): 2**64 / golden ratio.
_SPREAD: Final = np.uint64(0x9E3779B97F4A7C15)


class ScheduleError(Exception):
    """A trace cannot be sent with this mapping; the message says why, for the user."""


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """One worker's share in order of time; position in it is what `parents` refers to."""

    steps: list[int]
    """Row of the trace."""
    operations: list[str]
    intended_ns: np.ndarray
    """From the agreed start, after the speed-up."""
    requests: pl.Series
    """Binary: the whole request. A dependent one has {answer_id} in its path."""
    parents: np.ndarray
    """Position of the step whose answer gives the identifier, or -1."""

    def __len__(self) -> int:
        return len(self.steps)

    def block(self, at: int) -> list[tuple[int, int, bytes, int, str]]:
        """Steps from position `at` on, at most BLOCK of them: step, intended_ns, request, parent,
        operation. In blocks, so that neither memory nor a single pause grows with the trace."""
        end = at + BLOCK
        return list(
            zip(
                self.steps[at:end],
                self.intended_ns[at:end].tolist(),
                self.requests[at:end].to_list(),
                self.parents[at:end].tolist(),
                self.operations[at:end],
                strict=True,
            )
        )


def plan(trace: Trace, *, speed: float, shards: int) -> pl.DataFrame:
    """The planned steps: step, operation, worker, intended_ns (after the speed-up), key.

    Steps of one shard_key go to one worker: whatever depends on another stays with it.
    """
    keys = trace.steps["shard_key"].to_numpy().astype(np.uint64)
    worker = ((keys * _SPREAD) >> np.uint64(32)) % np.uint64(shards)
    intended_ns = trace.steps["intended_ns"].to_numpy()
    if speed != 1.0:
        intended_ns = np.rint(intended_ns / speed).astype(np.int64)
    return trace.steps.select("step", pl.col("operation").cast(pl.String), "key").with_columns(
        worker=pl.Series(worker.astype(np.int32)), intended_ns=pl.Series(intended_ns)
    )


def share(trace: Trace, planned: pl.DataFrame, worker: int) -> pl.DataFrame:
    """The trace's steps that one worker sends, with planned times."""
    return trace.steps.with_columns(planned["intended_ns"]).filter(planned["worker"] == worker)


def schedule(
    mine: pl.DataFrame,
    *,
    mapping: Mapping,
    tokens: Tokens,
    host_header: str,
    base_path: str = "",
) -> Schedule:
    """The requests of a worker's share. Raises ScheduleError if the mapping lacks an operation."""
    operations = mine["operation"].cast(pl.String)
    missing = sorted(set(operations.unique()) - set(mapping.operations))
    if missing:
        raise ScheduleError(f"the mapping says nothing about {', '.join(missing)}")
    requests = pl.concat(
        [
            _requests(steps, name[0], mapping, tokens, host_header, base_path)
            for name, steps in mine.group_by(pl.col("operation").cast(pl.String))
        ]
        or [pl.DataFrame(schema={"step": pl.Int64, "request": pl.Binary})]
    ).sort("step")
    parents = mine["depends_on"].to_numpy()
    places = np.searchsorted(mine["step"].to_numpy(), parents)
    return Schedule(
        steps=mine["step"].to_list(),
        operations=operations.to_list(),
        intended_ns=mine["intended_ns"].to_numpy(),
        requests=requests["request"],
        parents=np.where(parents == NONE, NONE, places),
    )


def _requests(
    steps: pl.DataFrame,
    name: str,
    mapping: Mapping,
    tokens: Tokens,
    host_header: str,
    base_path: str,
) -> pl.DataFrame:
    """step and request of all steps of one operation."""
    operation = mapping.operations[name]
    before, target, after = operation.path.partition(TARGET)
    path = [pl.lit(f"{operation.method} {base_path}{before}")]
    path += [pl.col("target"), pl.lit(after)] if target else []
    fixed = {"host": host_header, "accept": "application/json", **mapping.headers}
    head = "".join(f"{key}: {value}\r\n" for key, value in fixed.items())
    body = pl.col("body").cast(pl.String)
    if operation.rename:
        steps = steps.with_columns(body=_renamed(steps["body"], operation.rename))
    with_body = [
        pl.lit("content-type: application/json\r\ncontent-length: "),
        body.str.len_bytes().cast(pl.String),
        pl.lit("\r\n"),
    ]
    key_line = [pl.lit(f"{mapping.key_header}: "), pl.col("key"), pl.lit("\r\n")]
    empty = pl.lit("")
    request = pl.concat_str(
        *path,
        pl.lit(f" HTTP/1.1\r\n{head}authorization: Bearer "),
        pl.col("token"),
        pl.lit("\r\n"),
        pl.when(body.str.len_bytes() > 0).then(pl.concat_str(with_body)).otherwise(empty),
        pl.when(pl.col("key") != "").then(pl.concat_str(key_line)).otherwise(empty),
        pl.lit("\r\n"),
        body,
    )
    return _with_tokens(steps, tokens).select("step", request.cast(pl.Binary).alias("request"))


def _with_tokens(steps: pl.DataFrame, tokens: Tokens) -> pl.DataFrame:
    """`steps` with a column token."""
    consumers = pl.Series("consumers", tokens.consumers)
    number = (pl.col("shard_key") % CONSUMERS_COUNT).cast(pl.UInt32)
    role = pl.col("role").cast(pl.String)
    staff = role.replace_strict(tokens.staff, default="", return_dtype=pl.String)
    consumer = pl.lit(consumers).gather(number)
    return steps.with_columns(
        token=pl.when(role == "consumer").then(consumer).otherwise(staff),
    )


def _renamed(bodies: pl.Series, fields: dict[str, str]) -> pl.Series:
    """JSON objects with other names at their top level."""
    decode, encode = msgspec.json.Decoder(dict).decode, msgspec.json.Encoder().encode
    made = [
        encode({fields.get(name, name): value for name, value in decode(body).items()})
        for body in bodies.to_list()
    ]
    return pl.Series("body", made, dtype=pl.Binary)
