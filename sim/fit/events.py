"""Order and claim logs: rows that are counted by category, with the same care as contacts.

Decides the columns of both logs and the checks on their rows. Orders: category, due_at, and if they
are known placed_at, value_fen, incident (empty = none). Claims: category, paid_at, paid_fen, and if
they are known guarantee, incident, cap_fen, recovered_fen, recovered_at. Money in whole fen.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from scenarios.words import CATEGORIES, GUARANTEES, INCIDENT_TYPES
from sim.fit.instants import Clock
from sim.fit.logs import REASON
from sim.fit.problems import AGAIN, SetAside
from sim.fit.tabular import EXTRA, ROW, Batch, batches

ORDERS: Final = (("category", "due_at"), ("placed_at", "value_fen", "incident", "order_id"))
CLAIMS: Final = (
    ("category", "paid_at", "paid_fen"),
    ("guarantee", "incident", "cap_fen", "recovered_fen", "recovered_at", "claim_id"),
)


def read_events(
    paths: Sequence[Path], *, names: tuple[tuple[str, ...], tuple[str, ...]],
    columns: Mapping[str, str], clock: Clock,
) -> tuple[pl.DataFrame, SetAside]:
    """Sound rows: times `_at` as seconds `_s` with `local_s` of the first, money as integers.

    Raises LogError where nothing sensible can be read.
    """
    aside, parts, rows_count = SetAside(), [], 0
    for batch in batches(paths, required=names[0], optional=names[1], columns=columns):
        rows_count += batch.frame.height
        parts.append(_checked(batch, names, clock, aside))
    key = names[1][-1]
    frame = pl.concat(parts)
    again = frame[key].is_not_null() & ~frame[key].is_first_distinct()
    for (file,), rows in frame.filter(again).group_by("file", maintain_order=True):
        aside.add(str(file), f"{key} {AGAIN}", rows[ROW].head(3).to_list(), rows.height)
    aside.refuse_most(rows_count)
    return frame.filter(~again).drop("file"), aside


def _checked(
    batch: Batch, names: tuple[tuple[str, ...], tuple[str, ...]], clock: Clock, aside: SetAside
) -> pl.DataFrame:
    every = (*names[0], *names[1])
    times = [name for name in every if name.endswith("_at")]
    money = [name for name in every if name.endswith("_fen")]
    frame = batch.frame.with_columns(
        *(clock.first(name).alias(f"{name.removesuffix('_at')}_s") for name in times),
        *(pl.col(name).cast(pl.Int64, strict=False).alias(f"{name}_n") for name in money),
    )
    tests: list[tuple[pl.Expr, str]] = [(pl.col(EXTRA), "more fields than the header names")]
    tests += [(pl.col(name).is_null(), f"{name} is missing") for name in names[0]]
    for name in (*times, *money):
        made = f"{name.removesuffix('_at')}_s" if name in times else f"{name}_n"
        unread = pl.col(name).is_not_null() & pl.col(made).is_null()
        kind = "a time that is understood" if name in times else "a whole number of fen"
        tests.append((unread, f"{name} is not {kind}"))
        if name in money:
            tests.append((pl.col(made) < 0, f"{name} is negative"))
    known = ", ".join(CATEGORIES)
    tests.append((~pl.col("category").is_in(CATEGORIES), f"category is none of {known}"))
    wrong = pl.col("incident").is_not_null() & ~pl.col("incident").is_in(INCIDENT_TYPES)
    if "guarantee" in every:
        odd = pl.col("guarantee").is_not_null() & ~pl.col("guarantee").is_in(GUARANTEES)
        tests.append((odd, f"guarantee is none of {', '.join(GUARANTEES)}"))
    tests.append((wrong, f"incident is none of {', '.join(INCIDENT_TYPES)}"))
    if "placed_at" in times:
        rooms = (pl.col("incident") == "no_room") & (pl.col("category") != "hotel")
        tests.append((rooms, "incident is no_room outside hotel: only hotels sell rooms here"))
        tests.append((pl.col("placed_s") > pl.col("due_s"), "placed_at after due_at"))
    if "recovered_at" in times:
        dated = pl.col("recovered_at").is_not_null()
        money_back = pl.col("recovered_fen_n") > 0
        tests.append((money_back & ~dated, "recovered_fen is given, but recovered_at is missing"))
        no_money = dated & pl.col("recovered_fen").is_null()
        tests.append((no_money, "recovered_at is given, but recovered_fen is missing"))
        tests.append((pl.col("recovered_s") < pl.col("paid_s"), "recovered_at before paid_at"))
        beyond = pl.col("recovered_fen_n") > pl.col("paid_fen_n")
        tests.append((beyond, "recovered_fen exceeds paid_fen"))
    reason = pl.coalesce(pl.when(test).then(pl.lit(said)) for test, said in tests)
    frame = frame.with_columns(reason.alias(REASON))
    bad = frame.filter(pl.col(REASON).is_not_null())
    for (said,), rows in bad.group_by(REASON, maintain_order=True):
        aside.add(batch.file, str(said), rows[ROW].head(3).to_list(), rows.height)
    first = times[0].removesuffix("_at")
    return frame.filter(pl.col(REASON).is_null()).select(
        pl.lit(batch.file).alias("file"), ROW, "category", names[1][-1],
        *(name for name in ("guarantee", "incident") if name in every),
        clock.local_s(pl.col(f"{first}_s")).alias("local_s"),
        *(f"{name.removesuffix('_at')}_s" for name in times),
        *(pl.col(f"{name}_n").alias(name) for name in money),
    )  # fmt: skip
