"""The staffing chapter: the verdict, need against roster, what cannot be held, and what it costs.

Decides the order. Reads the folder of a plan; computes nothing. `staffing.html` is the chapter by
itself; the report of a run has the plan's parts among others.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl
from markupsafe import Markup

from reports import style, templating
from reports.card import Card
from reports.cells import Book, quote
from reports.chapter import Chapter, Part
from reports.language import file_name, later, say, say_html
from reports.metrics import metric_name
from reports.rows import rows
from reports.staffing import figures, words
from reports.tables import Table
from scenarios.labour import STEP_H
from scenarios.staff_tables import PAIRED

FILE_NAME: Final = "staffing.html"
_FOLDERS: Final = "staff*"
_TABLES: Final = ("required", "cover", "curve", "steps")
_REASONS: Final = {
    "heads": later("too few heads at their desks"),
    "chance": later("all needed are there: chance"),
}
LISTED_BREACHES: Final = 50


def beside(run: Path, scenario: str, fingerprint: str) -> Path | None:
    """The folder of a plan for a run's scenario, in the run or next to it; of several the one with
    the run's own fingerprint, then the last by name. None where there is none."""
    found = []
    for folder in (*sorted(run.parent.glob(_FOLDERS)), *sorted(run.glob(_FOLDERS))):
        if not all((folder / f"{name}.csv").is_file() for name in _TABLES):
            continue
        summary = words.read(folder)
        if summary["scenario"] == scenario:
            found.append((summary["fingerprint"] == fingerprint, folder))
    return max(found, key=lambda one: (one[0], str(one[1])))[1] if found else None


def quick_part(book: Book) -> tuple[Part, ...]:
    """The quick answer that `springpeak peak` keeps in a run; nothing where there is none."""
    said = words.quick(book)
    if said is None:
        return ()
    return (
        Part(
            say("What this roster holds, and the bare need"), say_html("{sentence}.", sentence=said)
        ),
    )


def write(folder: Path) -> Path:
    """Write staffing.html into a plan's folder and return its path."""
    summary = words.read(folder)
    path = folder / file_name(FILE_NAME)
    text = templating.rendered(
        "page.html.j2",
        title=say("Are the heads enough? {title}", title=style.title(str(summary["scenario"]))),
        description=say_html(
            "A lawful roster for every half hour, proven on seasons that it was not made for. "
            "Risk: a target must hold in {risk} of seasons. Intervals are 95&nbsp;%.",
            risk=words.whole(summary).number("risk_ratio", "percent"),
        ),
        chapters=(Chapter("plan", say("Staffing"), parts(folder), cards(summary)),),
        foot=say_html(
            "Fingerprint {fingerprint}", fingerprint=quote(summary["fingerprint"], "plan")
        ),
    )
    path.write_text(text, encoding="utf-8")
    return path


def cards(summary: Mapping[str, Any]) -> tuple[Card, ...]:
    """Question, answer and reason."""
    of, smallest = words.whole(summary), words.whole(summary, "smallest")
    answers = (
        (
            say_html("Are {heads} heads enough?", heads=of.number("heads_count", "count")),
            say_html("Yes") if summary["enough"] else say_html("No"),
            words.verdict_reason(summary),
        ),
        (
            say_html("How many are?"),
            Markup("{}").format(smallest.number("heads_count", "count")),
            words.smallest(summary),
        ),
        (
            say_html("What does the roster cost?"),
            Markup("{}").format(of.number("program_cost_fen", "cny")),
            words.roster(summary),
        ),
    )
    moods = ("good" if summary["enough"] else "bad", "", "")
    return tuple(
        Card(question, answer, mood, say_html("{sentence}.", sentence=reason))
        for (question, answer, reason), mood in zip(answers, moods, strict=True)
    )


def parts(folder: Path) -> tuple[Part, ...]:
    """Everything that stands below the answers."""
    summary = words.read(folder)
    tables = {
        name: pl.read_csv(folder / f"{name}.csv", infer_schema_length=None) for name in _TABLES
    }
    missed = words.whole(summary, "missed_because")
    drawn = (figures.cover(tables["cover"], summary), figures.curves(tables["curve"], summary))
    lead = Markup(" ").join(words.headline(summary))
    found = (
        Part(say("The plan"), lead, figures=drawn),
        Part(
            say("Half hours that cannot be held"),
            say_html(
                "{heads} by skill for want of heads, {chance} by chance. required.csv has each "
                "with its share of seasons.",
                heads=missed.number("heads", "count"),
                chance=missed.number("chance", "count"),
            ),
            uncovered(tables["required"]),
        ),
        Part(
            say("What the next heads cost"),
            say(
                "Neighbouring headcounts of the curve, paired over the same seasons. Last columns: "
                "how many times fewer seasons the pairing needs than independent ones, for the "
                "same width."
            ),
            _steps(tables["steps"]),
        ),
        Part(
            say("What ways of staffing are worth"),
            say(
                "Cost and heads that each saves, by the program's bounds. A better forecast: every "
                "day misses its forecast by 5 % less."
            ),
            _worth(summary),
        ),
        Part(
            say("How it was found"),
            say("Nothing here was shown on the seasons that the need was found with."),
            _how(summary),
        ),
        Part(
            say("Breaches of the rules of work"),
            say("Found by a judge that shares no code with the planner."),
            _breaches(summary),
        ),
    )
    return tuple(part for part in found if part.figures or (part.table and part.table.rows))


def uncovered(required: pl.DataFrame) -> Table:
    """Missed half hours by day, skill and reason, as spans of the day."""
    found: dict[tuple[int, str, str], list[float]] = {}
    for row in required.filter(pl.col("missed_because").is_not_null()).iter_rows(named=True):
        key = (row["lunar_day"], row["skill"], row["missed_because"])
        found.setdefault(key, []).append(row["start_h"])
    body = tuple(
        (
            _label(f"{style.lunar_name(day)} {style.day_number(day)}"),
            _label(" · ".join(style.words(part) for part in skill.split("/"))),
            _spans(starts),
            say(_REASONS[why]),
        )
        for (day, skill, why), starts in sorted(found.items())
    )
    return Table((say("Lunar day"), say("Skill"), say("Half hours"), say("Why")), body)


def _label(text: str) -> Markup:
    return Markup('<span class="dim">{}</span>').format(text)


def _spans(starts_h: Sequence[float]) -> Markup:
    """Half hours as spans of the clock."""
    spans: list[list[float]] = []
    for start_h in sorted(starts_h):
        if spans and spans[-1][1] == start_h:
            spans[-1][1] = start_h + STEP_H
        else:
            spans.append([start_h, start_h + STEP_H])
    return Markup(say(", ")).join(_label(f"{_clock(a)}–{_clock(b)}") for a, b in spans)


def _clock(hour: float) -> str:
    return f"{int(hour):02d}:{round(hour % 1.0 * 60.0):02d}"


def _steps(table: pl.DataFrame) -> Table:
    body = tuple(
        (
            say_html(
                "{few} to {many}",
                few=row.number("heads_from_count", "count"),
                many=row.number("heads_to_count", "count"),
            ),
            words.step(row),
            *(words.times(row, name) for name in PAIRED),
        )
        for row in rows("steps", table, words.STEP_KEYS)
    )
    named = (metric_name(f"{name}_ratio") for name in PAIRED)
    return Table((say("Heads"), say("What they cost and bring"), *named), body)


def _worth(summary: Mapping[str, Any]) -> Table:
    body = tuple(
        (
            _label(words.option(one["option"]).capitalize()),
            one.number("cost_fen", "cny"),
            one.number("heads_count", "count"),
        )
        for one in words.worths(summary)
    )
    return Table((say("Option"), say("Saves"), say("Heads")), body)


def _how(summary: Mapping[str, Any]) -> Table:
    of, error = words.whole(summary), words.whole(summary, "tape_error")
    fit, proof = (
        say_html(
            "replications {first} to {last}", first=_label(str(ends[0])), last=_label(str(ends[1]))
        )
        for ends in (summary["fit_replications"], summary["proof_replications"])
    )
    return Table(
        (say("What"), say("How")),
        (
            (say("The need was found with"), fit),
            (say("Everything was shown on"), proof),
            (say("The headcount asked about"), say("whole simulations")),
            (
                say("Other headcounts"),
                say(
                    "the floor alone, run again on the same worlds; what it would change in them "
                    "(pots that run dry earlier or later, and with them handle times) stays as it "
                    "was"
                ),
            ),
            (
                say("What that leaves out, at most"),
                say_html(
                    "{abandoned} of a season's abandonment, {phone} of its service level by phone",
                    abandoned=error.number("abandoned_ratio", "points"),
                    phone=error.number("service_level_phone_ratio", "points"),
                ),
            ),
            (
                say("Fewest heads that cover the need"),
                say_html(
                    "{heads}, by the linear program, whatever is asked of intervals",
                    heads=of.number("fewest_heads_count", "count"),
                ),
            ),
        ),
    )


def _breaches(summary: Mapping[str, Any]) -> Table:
    listed = summary["breaches"][:LISTED_BREACHES]
    body = tuple((quote(one),) for one in listed)
    return Table((say("Breach"),), body or ((say("none"),),))
