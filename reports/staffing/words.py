"""The answers of a staffing plan in words; every number is one of its summary.json or steps.csv.

All sentences of the command, of the page's top and of other pages stand here.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import polars as pl
from markupsafe import Markup

from reports import style
from reports.cells import Book
from reports.language import later, say, say_html
from reports.metrics import metric_name
from reports.rows import Row, rows
from scenarios.staff_tables import PAIRED
from sim.experiment import subjects

# As sim/staffing/quick.py names it, which is slow to load.
QUICK: Final = "staffing_quick.json"
STEP_KEYS: Final = ("heads_from_count", "heads_to_count")
_OPTIONS: Final = {
    "overtime": later("overtime"),
    "cross_training": later("cross-training"),
    "better_forecast": later("a forecast that is 5 % better"),
}


def read(folder: Path) -> dict[str, Any]:
    """summary.json of a plan."""
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return summary


def whole(summary: Mapping[str, Any], key: str = "") -> Row:
    """The summary, or one of its blocks, as a row with its address."""
    return Row(f"plan:{key}", summary[key]) if key else Row("plan", summary)


def headline(summary: Mapping[str, Any]) -> tuple[Markup, ...]:
    """Verdict and smallest headcount, for the top of this page and for others."""
    said = say_html(
        "{verdict}: {reason}.", verdict=verdict(summary), reason=verdict_reason(summary)
    )
    return said, say_html("{sentence}.", sentence=smallest(summary))


def sentences(folder: Path) -> list[str]:
    """What the command prints."""
    summary = read(folder)
    steps = list(rows("steps", pl.read_csv(folder / "steps.csv"), STEP_KEYS))
    missed, mine = whole(summary, "missed_because"), around(steps, summary)
    said = [
        *headline(summary),
        say_html(
            "Half hours by skill that cannot be held: {heads} for want of heads, {chance} by "
            "chance; required.csv names them.",
            heads=missed.number("heads", "count"),
            chance=missed.number("chance", "count"),
        ),
        say_html(
            "From {few} to {many} heads: {what}.",
            few=mine.number("heads_from_count", "count"),
            many=mine.number("heads_to_count", "count"),
            what=step(mine),
        ),
        say_html("Common random numbers need fewer replications: {times}.", times=saved(mine)),
        *(
            say_html("Worth of {option}: {worth}.", option=option(one["option"]), worth=worth(one))
            for one in worths(summary)
        ),
        say_html("{sentence}.", sentence=roster(summary)),
    ]
    return [one.striptags().replace("\xa0", " ") for one in said]


def verdict(summary: Mapping[str, Any]) -> Markup:
    """Enough or not."""
    return say_html(
        "{heads} heads are enough" if summary["enough"] else "{heads} heads are not enough",
        heads=whole(summary).number("heads_count", "count"),
    )


def verdict_reason(summary: Mapping[str, Any]) -> Markup:
    """Why, with the probability."""
    of, chance = whole(summary), whole(summary, "probability")
    return say_html(
        "{good} of intervals hold at the stated risk ({risk} of seasons); a season holds {held} of "
        "its intervals, and 95 % of them with probability {chance}, {seasons} seasons",
        good=of.number("good_intervals_ratio", "percent"),
        risk=of.number("risk_ratio", "probability"),
        held=between(whole(summary, "held_ratio"), "percent"),
        chance=between(chance, "probability"),
        seasons=chance.number("n", "count"),
    )


def smallest(summary: Mapping[str, Any]) -> Markup:
    """The smallest headcount that is enough, with its interval."""
    one = whole(summary, "smallest")
    if one["heads_count"] is None and one["holds_count"] is None:
        return say_html(
            "No headcount tried is enough; the largest was {heads}",
            heads=one.number("fails_count", "count"),
        )
    if one["heads_count"] is None:
        return say_html(
            "All headcounts tried are enough; the smallest was {heads}",
            heads=one.number("holds_count", "count"),
        )
    ends = (("low_count", say("below those tried")), ("high_count", say("above those tried")))
    low, high = (
        Markup.escape(outside) if one[name] is None else one.number(name, "count").__html__()
        for name, outside in ends
    )
    return say_html(
        "The smallest headcount that is enough is {heads} (95&nbsp;% interval {low} to {high})",
        heads=one.number("heads_count", "count"),
        low=low,
        high=high,
    )


def between(estimate: Row, form: str) -> Markup:
    """A mean with its interval."""
    return say_html(
        "{mean} (95&nbsp;% interval {interval})",
        mean=estimate.number("mean", form),
        interval=estimate.range("low", "high", form),
    )


def around(steps: list[Row], summary: Mapping[str, Any]) -> Row:
    """The step of the curve that reaches the smallest headcount that is enough, where the next
    head counts most; that of the headcount asked about where none is known."""
    heads_count = summary["smallest"]["heads_count"] or summary["heads_count"]
    return next((one for one in steps if one["heads_to_count"] >= heads_count), steps[-1])


def step(one: Row) -> Markup:
    """What the heads between two headcounts cost and avoid."""
    cost = {"wage": one.number("wage_fen", "cny"), "avoided": one.number("avoided_count", "count")}
    if not (one["price_fen"] or 0.0) > 0.0:
        return say_html(
            "{wage} of wages more; {avoided} fewer contacts are abandoned, not clear of chance",
            **cost,
        )
    return say_html(
        "{wage} of wages more; {avoided} fewer contacts are abandoned: {price} each (95&nbsp;% "
        "interval {interval})",
        **cost,
        price=one.number("price_fen", "cny_each"),
        interval=one.range("price_low_fen", "price_high_fen", "cny_each"),
    )


def saved(one: Row) -> Markup:
    """Times fewer replications by metric."""
    return Markup(say(", ")).join(
        say_html("{metric} {times}", metric=metric_name(f"{name}_ratio"), times=times(one, name))
        for name in PAIRED
    )


def times(one: Row, name: str) -> Markup:
    """Times fewer replications for one of PAIRED."""
    return say_html(
        "{times} times (95&nbsp;% interval {interval})",
        times=one.number(f"saved_{name}_ratio", "count"),
        interval=one.range(f"saved_{name}_low_ratio", f"saved_{name}_high_ratio", "count"),
    )


def option(name: str) -> str:
    """An option of the plan in words."""
    if name in _OPTIONS:
        return say(_OPTIONS[name])
    hours, h_shifts, _ = name.partition("_h_shifts")
    return say("{hours}-hour shifts", hours=hours) if h_shifts else style.words(name)


def worths(summary: Mapping[str, Any]) -> list[Row]:
    """What the options are worth, one a row."""
    return [Row(f"plan:worth.{at}", one) for at, one in enumerate(summary["worth"])]


def worth(one: Row) -> Markup:
    """What an option saves."""
    cost = one.number("cost_fen", "cny")
    if one["heads_count"] is None:
        return Markup("{}").format(cost)
    heads = one.number("heads_count", "count")
    return say_html("{cost}, {heads} heads", cost=cost, heads=heads)


def quick(book: Book) -> Markup | None:
    """What a run's roster holds, and what theory adds that `springpeak peak` keeps in the run;
    None where it was not asked."""
    file = book.path / QUICK
    if not file.is_file():
        return None
    of = Row("staffing_quick", json.loads(file.read_text(encoding="utf-8")))
    hours = book.cell(subjects.HOURS_ON_TARGET)
    return say_html(
        "On this run's roster of {heads} heads {share} of the hours are on target, simulated "
        "(95&nbsp;% interval {interval}); the bare need by theory is about {fewest} heads{ends} at "
        "{risk} risk, if every head had every skill and only the expected ones were absent: "
        "springpeak staff finds a roster, proves it and says how many heads are enough",
        heads=of.number("heads_count", "count"),
        share=hours.number(),
        interval=hours.interval(),
        fewest=of.number("fewest_count", "count"),
        ends=""
        if of["low_count"] is None
        else say_html(
            " (95&nbsp;% interval {ends})", ends=of.range("low_count", "high_count", "count")
        ),
        risk=of.number("risk_ratio", "probability"),
    )


def roster(summary: Mapping[str, Any]) -> Markup:
    """The roster's cost and how good it is."""
    of = whole(summary)
    return say_html(
        "Roster: {cost}, {gap} from its bound; {hours} hours uncovered; breaches of law: "
        "{breaches}",
        cost=of.number("program_cost_fen", "cny"),
        gap=of.number("program_gap_ratio", "fine_percent"),
        hours=of.number("uncovered_h", "count"),
        breaches=say("none")
        if not summary["breaches"]
        else Markup('<span class="dim">{}</span>').format(len(summary["breaches"])),
    )
