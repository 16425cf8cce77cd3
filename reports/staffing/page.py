"""The staffing page: the verdict, need against roster, what cannot be held, and what it costs.

Decides the order of the page. Reads the folder of a plan; computes nothing. No network, no script.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from reports import style, templating
from reports.staffing import figures, words
from reports.tables import Table

FILE_NAME: Final = "staffing.html"
REASONS: Final = {"heads": "too few heads at their desks", "chance": "all needed are there: chance"}
LISTED_BREACHES: Final = 50


def write(folder: Path) -> Path:
    """Write staffing.html into a plan's folder and return its path."""
    summary = words.read(folder)
    names = ("required", "cover", "curve", "steps")
    tables = {name: pl.read_csv(folder / f"{name}.csv", infer_schema_length=None) for name in names}
    path = folder / FILE_NAME
    path.write_text(render(summary, tables), encoding="utf-8")
    return path


def render(summary: Mapping[str, Any], tables: Mapping[str, pl.DataFrame]) -> str:
    """The page as text."""
    return templating.rendered(
        "staffing.html.j2",
        name=str(summary["scenario"]),
        heading=style.title(str(summary["scenario"])),
        summary=summary,
        cards=cards(summary),
        figures=[
            figures.cover(tables["cover"], summary),
            figures.curves(tables["curve"], summary),
        ],
        sections=[section for section in _sections(summary, tables) if section[2].rows],
    )


def cards(summary: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Question, answer and reason."""
    smallest, chance = summary["smallest"], summary["probability"]
    return [
        (
            f"Are {summary['heads_count']:,} heads enough?",
            "Yes" if summary["enough"] else "No",
            words.verdict_reason(summary),
        ),
        (
            "How many are?",
            style.MISSING if smallest["heads_count"] is None else f"{smallest['heads_count']:,}",
            words.smallest(summary),
        ),
        (
            "How sure is that?",
            style.probability(chance["mean"]),
            f"of {chance['n']} seasons hold 95 % of their intervals "
            f"({style.probability(chance['low'])} to {style.probability(chance['high'])})",
        ),
        ("What does the roster cost?", style.cny(summary["program_cost_fen"]),
         words.roster(summary)),
    ]  # fmt: skip


def _sections(
    summary: Mapping[str, Any], tables: Mapping[str, pl.DataFrame]
) -> Sequence[tuple[str, str, Table]]:
    missed = summary["missed_because"]
    return (
        ("Half hours that cannot be held", f"{missed['heads']:,} by skill for want of heads, "
         f"{missed['chance']:,} by chance. required.csv has each with its share of seasons.",
         uncovered(tables["required"])),
        ("What the next heads cost", "Neighbouring headcounts of the curve, paired over the same "
         "seasons. Last columns: how many times fewer seasons the pairing needs than independent "
         "ones, for the same width.", _steps(tables["steps"])),
        ("What ways of staffing are worth", "Cost and heads that each saves, by the program's "
         "bounds. A better forecast: every day misses its forecast by 5 % less.", _worth(summary)),
        ("How it was found", "Nothing here was shown on the seasons that the need was found with.",
         _how(summary)),
        ("Breaches of the rules of work", "Found by a judge that shares no code with the planner.",
         _breaches(summary)),
    )  # fmt: skip


def uncovered(required: pl.DataFrame) -> Table:
    """Missed half hours by day, skill and reason, as spans of the day."""
    rows: dict[tuple[int, str, str], list[float]] = {}
    for row in required.filter(pl.col("missed_because").is_not_null()).iter_rows(named=True):
        key = (row["lunar_day"], row["skill"], row["missed_because"])
        rows.setdefault(key, []).append(row["start_h"])
    body = tuple(
        (style.day_number(day), style.words(skill), _spans(starts), REASONS[why])
        for (day, skill, why), starts in sorted(rows.items())
    )
    return Table(("Lunar day", "Skill", "Half hours", "Why"), body)


def _spans(starts_h: Sequence[float]) -> str:
    """Half hours as spans of the clock."""
    spans: list[list[float]] = []
    for start_h in sorted(starts_h):
        if spans and spans[-1][1] == start_h:
            spans[-1][1] = start_h + 0.5
        else:
            spans.append([start_h, start_h + 0.5])
    return ", ".join(f"{_clock(first)}–{_clock(last)}" for first, last in spans)


def _clock(hour: float) -> str:
    return f"{int(hour):02d}:{round(hour % 1.0 * 60.0):02d}"


def _steps(table: pl.DataFrame) -> Table:
    saved = [name for name in table.columns if name.startswith("saved_")]
    rows = tuple(
        (
            f"{row['heads_from_count']:,} to {row['heads_to_count']:,}",
            words.step(row),
            *(f"{row[name]:,.0f} times" for name in saved),
        )
        for row in table.iter_rows(named=True)
    )
    named = (style.words(name.removesuffix("_ratio")) for name in saved)
    return Table(("Heads", "What they cost and bring", *named), rows)


def _worth(summary: Mapping[str, Any]) -> Table:
    rows = tuple(
        (
            words.option(one["option"]).capitalize(),
            style.cny(one["cost_fen"]),
            style.MISSING if one["heads_count"] is None else f"{one['heads_count']:,}",
        )
        for one in summary["worth"]
    )
    return Table(("Option", "Saves", "Heads"), rows)


def _how(summary: Mapping[str, Any]) -> Table:
    fit, proof = summary["fit_replications"], summary["proof_replications"]
    error = summary["tape_error"]
    return Table(
        ("What", "How"),
        (
            ("The need was found with", f"replications {fit[0]} to {fit[1]}"),
            ("Everything was shown on", f"replications {proof[0]} to {proof[1]}"),
            ("The headcount asked about", "whole simulations"),
            ("Other headcounts", "the floor alone, run again on the same worlds; what it would "
             "change in them (pots that run dry earlier or later, and with them handle times) "
             "stays as it was"),
            ("What that leaves out, at most", f"{style.points(error['abandoned_ratio'])} of a "
             f"season's abandonment, {style.points(error['service_level_phone_ratio'])} of its "
             "service level by phone"),
            ("Fewest heads that cover the need", f"{summary['fewest_heads_count']:,}, by the "
             "linear program, whatever is asked of intervals"),
        ),
    )  # fmt: skip


def _breaches(summary: Mapping[str, Any]) -> Table:
    listed = summary["breaches"][:LISTED_BREACHES]
    return Table(("Breach",), tuple((one,) for one in listed) or (("none",),))
