"""Traces from elsewhere: web logs in the common log format, and tables (CSV, TSV) with times.

A mapping says what each call stands for here. What the log does not hold is made up evenly:
bodies, orders, keys. Times that are whole seconds, as in web logs, are spread over their second,
because a second's calls did not all come at its first instant. A look at a claim, or its end, goes
to the last claim that the same client opened; what has none, or no rule, is left out and counted.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import translate
from pathlib import Path
from typing import Final

import polars as pl
from polars.exceptions import PolarsError

from loadtests.trace import DEPENDENT, OPENING, Trace, TraceError
from loadtests.traffic.parts import Part, part, stream
from loadtests.traffic.requests import requests
from scenarios.load import OPERATIONS
from scenarios.words import CATEGORIES, INCIDENT_TYPES

# host ident user [10/Oct/2000:13:55:36 -0700] "GET /index.html HTTP/1.0" 200 2326 ...
LOG_LINE: Final = r'^(?<client>\S+) \S+ \S+ \[(?<time>[^\]]+)\] "(?<operation>[A-Z]+ \S+)[^"]*"'
LOG_TIME: Final = "%d/%b/%Y:%H:%M:%S %z"
TABLES: Final = {".csv": ",", ".tsv": "\t"}
COLUMNS: Final = {"time": "time", "operation": "operation", "client": ""}
ROLES: Final = {"consumer": ("open_claim", "read_claim", "cancel", "report", "terms")}
PRICE_FEN: Final = 10_000
UNREAD_RATIO_MAX: Final = 0.5
# Time to make the merchants known that are looked up.
LEAD_IN_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Imported:
    """A trace from elsewhere, and what was left out of it."""

    trace: Trace
    unread_count: int
    """Lines without a time or a call."""
    unmapped_count: int
    """Calls that no rule names."""
    orphans_count: int
    """Looks at claims, and ends of claims, that their client had not opened."""


def rules_of(texts: Sequence[str]) -> dict[str, str]:
    """Patterns and operations from PATTERN=OPERATION. Raises TraceError with all that is wrong."""
    rules, wrong = {}, []
    for text in texts:
        pattern, _, operation = text.rpartition("=")
        if not pattern or operation not in OPERATIONS:
            wrong.append(f"--map {text}: PATTERN=OPERATION, one of {', '.join(OPERATIONS)}")
        rules[pattern] = operation
    if not texts:
        wrong.append("--map is missing: for example --map 'GET *=terms'")
    if wrong:
        raise TraceError("\n".join(wrong))
    return rules


def columns_of(text: str) -> dict[str, str]:
    """Names of a table's columns from time=T,operation=A+B,client=C."""
    given = dict(part.partition("=")[::2] for part in text.split(",") if part)
    if not given.keys() <= COLUMNS.keys():
        raise TraceError(f"--columns {text}: time=NAME,operation=NAME+NAME,client=NAME")
    return COLUMNS | given


def import_trace(
    path: Path, *, rules: Mapping[str, str], columns: Mapping[str, str], seed: int = 1
) -> Imported:
    """A log or a table as a trace. Raises TraceError saying why it cannot be one."""
    suffix = next((one for one in path.suffixes[::-1] if one != ".gz"), "")
    try:
        read = _table(path, TABLES[suffix], columns) if suffix in TABLES else _log(path)
    except (OSError, PolarsError) as error:
        raise TraceError(f"{path} cannot be read: {error}") from None
    calls = read.drop_nulls(["time_s", "call"]).sort("time_s", maintain_order=True)
    unread_count = read.height - calls.height
    if unread_count > UNREAD_RATIO_MAX * read.height or not calls.height:
        row = 1 + next((i for i, t in enumerate(read["time_s"]) if t is None), 0)
        raise TraceError(
            f"{path}:{row}: no time and call can be read in {unread_count} of {read.height} lines: "
            "a log in the common log format, or a .csv or .tsv with --columns, is needed"
        )
    named = calls.with_columns(operation=_operation(rules)).drop_nulls("operation")
    if not named.height:
        first = calls["call"][0]
        raise TraceError(f"--map: no rule names any call of {path}, whose first is {first}")
    start_s, seconds = named["time_s"][0], named["time_s"]
    if (seconds == seconds.floor()).all():
        spread = pl.Series(stream(seed, "second").random(named.height))
        named = named.with_columns(time_s=seconds + spread).sort("time_s")
    traffic, orphans_count = _traffic(named)
    steps = requests(
        traffic, start_s=start_s - LEAD_IN_S, sweep_s=1.0, nonce=f"{seed & 0xFFFFFFFF:08x}"
    )
    if not steps.height:
        raise TraceError(f"{path}: every call needs a claim that nobody opened")
    made = Trace(steps, path.name, "")
    return Imported(made, unread_count, calls.height - named.height, orphans_count)


def _log(path: Path) -> pl.DataFrame:
    lines = pl.read_csv(
        path, has_header=False, new_columns=["line"], separator="\x01", quote_char=None,
        truncate_ragged_lines=True, encoding="utf8-lossy",
    )  # fmt: skip
    found = lines.select(pl.col("line").str.extract_groups(LOG_LINE)).unnest("line")
    time = pl.col("time").str.to_datetime(LOG_TIME, strict=False, time_unit="us")
    return found.select(
        (time.dt.epoch("us") / 1e6).alias("time_s"),
        pl.col("operation").alias("call"),
        pl.col("client").fill_null(""),
    )


def _table(path: Path, separator: str, columns: Mapping[str, str]) -> pl.DataFrame:
    rows = pl.read_csv(path, separator=separator, infer_schema=False, quote_char=None)
    parts = columns["operation"].split("+")
    wanted = [columns["time"], *parts, *([columns["client"]] if columns["client"] else [])]
    lacking = [name for name in wanted if name not in rows.columns]
    if lacking:
        raise TraceError(
            f"{path} has no column {', '.join(lacking)}, only {', '.join(rows.columns)}: "
            "name them with --columns time=NAME,operation=NAME+NAME,client=NAME"
        )
    text = pl.col(columns["time"])
    iso = text.str.to_datetime(strict=False, time_unit="us", time_zone="UTC")
    return rows.select(
        pl.coalesce(text.cast(pl.Float64, strict=False), iso.dt.epoch("us") / 1e6).alias("time_s"),
        pl.concat_str(parts, separator=" ").alias("call"),
        (pl.col(columns["client"]) if columns["client"] else pl.lit("")).alias("client"),
    )


def _operation(rules: Mapping[str, str]) -> pl.Expr:
    """The operation of the first rule whose pattern (with * and ?) a call matches."""
    found = pl.lit(None, pl.String)
    for pattern, operation in reversed(list(rules.items())):
        regex = "^" + re.sub(r"\(\?s:(.*)\)\\[zZ]", r"\1", translate(pattern)) + "$"
        found = pl.when(pl.col("call").str.contains(regex)).then(pl.lit(operation)).otherwise(found)
    return found


def _traffic(named: pl.DataFrame) -> tuple[Part, int]:
    """Cases, what follows in them, and the rest; bodies are those of an ordinary small claim."""
    role = pl.when(pl.col("operation").is_in(ROLES["consumer"])).then(pl.lit("consumer"))
    rows = named.with_columns(
        role=role.otherwise(pl.lit("operator")),
        category=pl.lit(CATEGORIES[0]),
        merchant_id=1 + pl.int_range(pl.len(), dtype=pl.Int64),
        word=pl.lit("open"),
    )
    opening = pl.col("operation").is_in(OPENING)
    dependent = pl.col("operation").is_in(DEPENDENT)
    cases = rows.filter(opening).with_columns(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("case"),
        pl.lit(INCIDENT_TYPES[0]).alias("trigger"),
        pl.lit(PRICE_FEN).alias("order_value_fen"),
        pl.lit(False).alias("escalated"),
    )
    asked = rows.filter(dependent).with_columns(role=pl.lit("agent"), word=pl.lit("settle"))
    owners = cases.select("time_s", "client", "case")
    followed = asked.join_asof(
        owners, on="time_s", by="client", strategy="backward", check_sortedness=False
    )
    kept = followed.drop_nulls("case")
    ending = pl.col("operation") == "resolve_claim"
    # A claim ends once: a second end is a repetition in the log, left out.
    kept = kept.filter(~ending | pl.struct("case", "operation").is_first_distinct())
    return (
        part(cases=cases, following=[kept], single=[rows.filter(~opening & ~dependent)]),
        asked.height - kept.height,
    )
