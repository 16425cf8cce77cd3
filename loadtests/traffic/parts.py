"""The pieces that traffic is put together from: cases, what follows in them, and single calls.

A case is a claim: one step opens it, others follow on the same claim. Times are seconds of the
model; `case` numbers are unique within a part. Everything is a column, nothing an object.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from zlib import crc32

import numpy as np
import polars as pl

CASES: Final = {
    "case": pl.Int64,
    "time_s": pl.Float64,
    "operation": pl.String,
    "role": pl.String,
    "trigger": pl.String,
    "category": pl.String,
    "merchant_id": pl.Int64,
    "order_value_fen": pl.Int64,
    "escalated": pl.Boolean,
}
FOLLOWING: Final = {
    "case": pl.Int64,
    "time_s": pl.Float64,
    "operation": pl.String,
    "role": pl.String,
    "word": pl.String,  # the outcome of a resolution
}
SINGLE: Final = {
    "time_s": pl.Float64,
    "operation": pl.String,
    "role": pl.String,
    "category": pl.String,
    "merchant_id": pl.Int64,
    "word": pl.String,  # the status of a merchant
}


@dataclass(frozen=True, slots=True)
class Part:
    """Traffic of one kind."""

    cases: pl.DataFrame
    following: pl.DataFrame
    single: pl.DataFrame


def part(
    *,
    cases: pl.DataFrame | None = None,
    following: Iterable[pl.DataFrame] = (),
    single: Iterable[pl.DataFrame] = (),
) -> Part:
    """A part of frames that have at least the columns asked for."""
    opened = pl.DataFrame(schema=CASES) if cases is None else _cast(cases, CASES)
    return Part(opened, _joined(following, FOLLOWING), _joined(single, SINGLE))


def together(parts: Iterable[Part]) -> Part:
    """All parts as one, with case numbers of their own."""
    cases, following, single = [], [], []
    offset = 0
    for one in parts:
        shift = pl.col("case") + offset
        cases.append(one.cases.with_columns(shift))
        following.append(one.following.with_columns(shift))
        single.append(one.single)
        offset += int(one.cases.select(pl.col("case").max().fill_null(0) + 1).item())
    return Part(pl.concat(cases), pl.concat(following), pl.concat(single))


def stream(seed: int, name: str) -> np.random.Generator:
    """The random stream of one decision, by its name."""
    return np.random.default_rng([seed, crc32(name.encode())])


def _joined(frames: Iterable[pl.DataFrame], schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    return pl.concat([pl.DataFrame(schema=schema), *(_cast(one, schema) for one in frames)])


def _cast(frame: pl.DataFrame, schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    return frame.select(pl.col(name).cast(kind) for name, kind in schema.items())
