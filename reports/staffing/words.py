"""The answers of a staffing plan in words; every number is one of its summary.json or steps.csv.

All sentences of the command, of the page's top and of other pages stand here.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from reports import style

if TYPE_CHECKING:
    from sim.staffing.quick import Quick

OPTIONS = {
    "overtime": "overtime",
    "cross_training": "cross-training",
    "better_forecast": "a forecast that is 5 % better",
}


def read(folder: Path) -> dict[str, Any]:
    """summary.json of a plan."""
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return summary


def headline(summary: Mapping[str, Any]) -> tuple[str, ...]:
    """Verdict and smallest headcount, for the top of this page and for others."""
    return (f"{verdict(summary)}: {verdict_reason(summary)}.", f"{smallest(summary)}.")


def sentences(folder: Path) -> list[str]:
    """What the command prints."""
    summary = read(folder)
    steps = pl.read_csv(folder / "steps.csv").to_dicts()
    missed = summary["missed_because"]
    mine = around(steps, summary["heads_count"])
    return [
        *headline(summary),
        f"Half hours by skill that cannot be held: {missed['heads']:,} for want of heads, "
        f"{missed['chance']:,} by chance; required.csv names them.",
        f"From {mine['heads_from_count']:,} to {mine['heads_to_count']:,} heads: {step(mine)}.",
        f"Common random numbers need fewer replications: {saved(mine)}.",
        *(f"Worth of {option(one['option'])}: {worth(one)}." for one in summary["worth"]),
        f"{roster(summary)}.",
    ]


def verdict(summary: Mapping[str, Any]) -> str:
    """Enough or not."""
    said = "enough" if summary["enough"] else "not enough"
    return f"{summary['heads_count']:,} heads are {said}"


def verdict_reason(summary: Mapping[str, Any]) -> str:
    """Why, with the probability."""
    chance, held = summary["probability"], summary["held_ratio"]
    return (
        f"{style.percent(summary['good_intervals_ratio'])} of intervals hold at the stated risk "
        f"({style.probability(summary['risk_ratio'])} of seasons); a season holds "
        f"{between(held, style.percent)} of its intervals, and 95 % of them with probability "
        f"{between(chance, style.probability)}, {chance['n']} seasons"
    )


def smallest(summary: Mapping[str, Any]) -> str:
    """The smallest headcount that is enough, with its interval."""
    one = summary["smallest"]
    if one["heads_count"] is None:
        if one["holds_count"] is None:
            return f"No headcount tried is enough; the largest was {one['fails_count']:,}"
        return f"All headcounts tried are enough; the smallest was {one['holds_count']:,}"
    low = f"{one['low_count']:,}" if one["low_count"] is not None else "below those tried"
    high = f"{one['high_count']:,}" if one["high_count"] is not None else "above those tried"
    return f"The smallest headcount that is enough is {one['heads_count']:,} ({low} to {high})"


def between(estimate: Mapping[str, Any], form: Any) -> str:
    """A mean with its interval."""
    return f"{form(estimate['mean'])} ({form(estimate['low'])} to {form(estimate['high'])})"


def around(steps: list[dict[str, Any]], heads_count: int) -> dict[str, Any]:
    """The step of the curve that ends at a headcount, or the first one."""
    return next((one for one in steps if one["heads_to_count"] == heads_count), steps[0])


def step(one: Mapping[str, Any]) -> str:
    """What the heads between two headcounts cost and avoid."""
    avoided = f"{style.count(one['avoided_count'])} fewer contacts are abandoned"
    if not one["price_fen"] > 0.0:
        return f"{style.cny(one['wage_fen'])} of wages more; {avoided}, not clear of chance"
    ends = f"{style.cny_each(one['price_low_fen'])} to {style.cny_each(one['price_high_fen'])}"
    price = f"{style.cny_each(one['price_fen'])} ({ends}) each"
    return f"{style.cny(one['wage_fen'])} of wages more; {avoided}: {price}"


def saved(one: Mapping[str, Any]) -> str:
    """Times fewer replications by metric."""
    return ", ".join(
        f"{style.words(name.removeprefix('saved_').removesuffix('_ratio'))} {value:,.0f} times"
        for name, value in one.items()
        if name.startswith("saved_")
    )


def option(name: str) -> str:
    """An option of the plan in words."""
    return OPTIONS.get(name, style.words(name).replace(" h shifts", "-hour shifts"))


def worth(one: Mapping[str, Any]) -> str:
    """What an option saves."""
    heads = f", {one['heads_count']:,} heads" if one["heads_count"] is not None else ""
    return f"{style.cny(one['cost_fen'])}{heads}"


def quick(found: "Quick") -> str:
    """The quick answer of a run, for its report and the command that makes one."""
    interval = "" if found.low_count is None else f" ({found.low_count:,} to {found.high_count:,})"
    than = "fewer" if found.fewest_count <= found.heads_count else "more"
    return (
        f"About {found.fewest_count:,} heads{interval} would cover every half hour with a lawful "
        f"roster of their own at {style.probability(found.risk_ratio)} risk, {than} than the "
        f"{found.heads_count:,} of this run: by theory from its contacts, not simulated; "
        "springpeak staff proves it"
    )


def roster(summary: Mapping[str, Any]) -> str:
    """The roster's cost and how good it is."""
    return (
        f"Roster: {style.cny(summary['program_cost_fen'])}, "
        f"{summary['program_gap_ratio']:.2%} from its bound; {summary['uncovered_h']:,.0f} hours "
        f"uncovered; {len(summary['breaches'])} breaches of law"
    )
