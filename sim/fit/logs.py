"""A contact log: columns, checks, and what becomes of rows that contradict themselves.

Decides what a row must say to be used; every row that is not used is counted with its reason. Does
not estimate anything. Columns: contact_id, queue, priority, arrived_at, answered_at, ended_at,
outcome (answered | abandoned), agent, caller. Seconds since 1970; `local_s` is the wall clock.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sim.fit.instants import Clock
from sim.fit.likelihood import Floats
from sim.fit.problems import AGAIN, SetAside
from sim.fit.tabular import EXTRA, ROW, Batch, batches

REQUIRED: Final = ("arrived_at", "ended_at", "outcome")
OPTIONAL: Final = ("contact_id", "queue", "priority", "answered_at", "agent", "caller")
REASON: Final = "reason"


@dataclass(frozen=True, slots=True)
class Reading:
    """How a log is to be read."""

    columns: Mapping[str, str]
    clock: Clock
    answered: str = "answered"
    abandoned: str = "abandoned"


@dataclass(frozen=True, slots=True)
class ContactLog:
    """Sound rows in order of arrival, one column an array; `answered_s` is NaN if abandoned."""

    name: str
    arrived_s: Floats
    answered_s: Floats
    ended_s: Floats
    local_s: Floats
    """Arrival on the wall clock."""
    queue: NDArray[np.int32]
    priority: NDArray[np.int32]
    agent: NDArray[np.int32]
    """-1 where none is named."""
    caller: NDArray[np.int64]
    """0 where the caller is not known."""
    queues: tuple[str, ...]
    priorities: tuple[str, ...]
    aside: SetAside

    def __len__(self) -> int:
        return len(self.arrived_s)

    def taken(self, rows: NDArray[np.bool_]) -> "ContactLog":
        """Some of the contacts."""
        columns = ("arrived_s", "answered_s", "ended_s", "local_s", "queue", "priority", "agent")
        return replace(self, **{c: getattr(self, c)[rows] for c in (*columns, "caller")})

    @property
    def abandoned(self) -> NDArray[np.bool_]:
        return np.isnan(self.answered_s)

    @property
    def wait_s(self) -> Floats:
        return np.where(self.abandoned, self.ended_s, self.answered_s) - self.arrived_s

    @property
    def handle_s(self) -> Floats:
        """NaN if abandoned."""
        return self.ended_s - self.answered_s

    @property
    def day(self) -> NDArray[np.int64]:
        """Local date as days since 1970."""
        return np.floor_divide(self.local_s, 86400.0).astype(np.int64)

    @property
    def hour(self) -> NDArray[np.int64]:
        """Local hour of the day."""
        return (np.floor_divide(self.local_s, 3600.0) % 24).astype(np.int64)


def read(paths: Sequence[Path], reading: Reading) -> ContactLog:
    """All files as one log. Raises LogError where nothing sensible can be read."""
    aside = SetAside()
    parts, rows_count = [], 0
    for batch in batches(paths, required=REQUIRED, optional=OPTIONAL, columns=reading.columns):
        rows_count += batch.frame.height
        parts.append(_checked(batch, reading, aside))
    frame = _without_duplicates(pl.concat(parts, rechunk=False), aside, [p.name for p in paths])
    aside.refuse_most(rows_count)
    return _columns(frame.sort("arrived_s"), " + ".join(path.name for path in paths), aside)


def _checked(batch: Batch, reading: Reading, aside: SetAside) -> pl.DataFrame:
    """The sound rows of a batch with times in seconds."""
    clock = reading.clock
    times = {name: f"{name}_at" for name in ("arrived", "answered", "ended")}
    frame = batch.frame.with_columns(clock.first(at).alias(f"{t}_s") for t, at in times.items())
    # Where clocks are put back, an end that lies before its start is the second of that name.
    for name, before in (("answered", "arrived_s"), ("ended", "arrived_s")):
        column = pl.col(f"{name}_s")
        later = pl.when(column < pl.col(before)).then(clock.second(f"{name}_at"))
        frame = frame.with_columns(later.otherwise(column).alias(f"{name}_s"))
    answered = pl.col("outcome") == reading.answered
    abandoned = pl.col("outcome") == reading.abandoned
    start = pl.col("arrived_s")
    tests: Iterable[tuple[pl.Expr, str]] = (
        (pl.col(EXTRA), "more fields than the header names"),
        *(
            (pl.col(at).is_null(), f"{at} is missing")
            for at in ("arrived_at", "ended_at", "outcome")
        ),
        (~answered & ~abandoned, f"outcome is neither {reading.answered!r} nor "
         f"{reading.abandoned!r}"),
        *(
            (
                pl.col(at).is_not_null() & pl.col(f"{name}_s").is_null(),
                f"{at} is no time that is understood, or none that this zone's clocks show",
            )
            for name, at in times.items()
        ),
        (answered & pl.col("answered_at").is_null(), "answered, but answered_at is missing"),
        (abandoned & pl.col("answered_at").is_not_null(), "abandoned, but answered_at is given"),
        (pl.col("ended_s") < start, "ended_at before arrived_at"),
        (pl.col("answered_s") < start, "answered_at before arrived_at"),
        (pl.col("ended_s") < pl.col("answered_s"), "ended_at before answered_at"),
    )
    reason = pl.coalesce(pl.when(test).then(pl.lit(said)) for test, said in tests)
    frame = frame.with_columns(reason.alias(REASON))
    bad = frame.filter(pl.col(REASON).is_not_null())
    for (said,), rows in bad.group_by(REASON, maintain_order=True):
        aside.add(batch.file, str(said), rows[ROW].head(3).to_list(), rows.height)
    return frame.filter(pl.col(REASON).is_null()).select(
        pl.lit(batch.file).cast(pl.Categorical).alias("file"),
        ROW,
        pl.col("contact_id").hash(seed=1).alias("id"),
        pl.col("contact_id").is_not_null().alias("has_id"),
        "arrived_s",
        "answered_s",
        "ended_s",
        clock.local_s(start).alias("local_s"),
        *(pl.col(c).fill_null("").cast(pl.Categorical) for c in ("queue", "priority", "agent")),
        pl.when(pl.col("caller").is_null()).then(0)
        .otherwise((pl.col("caller").hash(seed=2) // 2).cast(pl.Int64)).alias("caller"),
    )


def _without_duplicates(frame: pl.DataFrame, aside: SetAside, files: list[str]) -> pl.DataFrame:
    """The first row of every id; later ones are set aside."""
    again = frame["has_id"] & ~frame["id"].is_first_distinct()
    if not again.any():
        return frame
    bad = frame.filter(again)
    for file in dict.fromkeys(files):
        rows = bad.filter(pl.col("file").cast(pl.String) == file)[ROW]
        if len(rows):
            aside.add(file, f"contact_id {AGAIN}", rows.head(3).to_list(), len(rows))
    return frame.filter(~again)


def _columns(frame: pl.DataFrame, name: str, aside: SetAside) -> ContactLog:
    codes, words = {}, {}
    for column in ("queue", "priority", "agent"):
        text = frame[column].cast(pl.String)
        distinct = sorted(text.unique().to_list())
        words[column] = tuple(distinct)
        place = {word: code for code, word in enumerate(distinct)}
        codes[column] = text.replace_strict(place, return_dtype=pl.Int32).to_numpy()
    unnamed = words["agent"].index("") if "" in words["agent"] else -2
    plain = {
        column: frame[column].fill_null(float("nan")).to_numpy()
        for column in ("arrived_s", "answered_s", "ended_s", "local_s")
    }
    return ContactLog(
        name=name,
        **plain,
        queue=codes["queue"],
        priority=codes["priority"],
        agent=np.where(codes["agent"] == unnamed, -1, codes["agent"]).astype(np.int32),
        caller=frame["caller"].to_numpy(),
        queues=words["queue"],
        priorities=words["priority"],
        aside=aside,
    )
