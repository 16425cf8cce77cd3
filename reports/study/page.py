"""The page of a study: what explains each outcome, main effects, interactions, cost and service.

Decides the order. Reads the tables that `springpeak study` has written; computes nothing. A chapter
a scenario; below it a part for each outcome, and for each combination of levels where there are
several.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import polars as pl
from markupsafe import Markup

from reports import style, templating
from reports.card import Card
from reports.cells import quote
from reports.chapter import Chapter, Part
from reports.language import file_name, later, say, say_html
from reports.metrics import metric_name
from reports.rows import Row, rows
from reports.study import figures
from reports.tables import Printed, Table
from sim.experiment.rundir import RunDirectory

FILE_NAME: Final = "study.html"
Tables = Mapping[str, pl.DataFrame]
VARIANCE_KEYS: Final = ("scenario", "combination", "outcome")
LAWS: Final = {
    "uniform": later("uniform"),
    "log_uniform": later("log-uniform"),
    "triangular": later("triangular"),
}
# The widest keys are listed down to this rank.
RANKS_COUNT: Final = 20
PAIRS_COUNT: Final = 8


def write(folder: Path, tables: Tables) -> Path:
    """Write study.html into the study's folder and return its path."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    scenarios = plan["scenarios"]
    first = next(rows("study_variance", tables["study_variance"], VARIANCE_KEYS))
    name_of_page = file_name(FILE_NAME)
    text = templating.rendered(
        "page.html.j2",
        title=say("Study: {title}", title=style.title(str(plan["name"]))),
        description=say_html(
            "{question} Points of the design: {points}, each met by the same seasons: {seasons}. "
            "Intervals are 95&nbsp;%.",
            question=quote(say(plan["description"])),
            points=first.number("points_count", "count"),
            seasons=first.number("replications_count", "count"),
        ),
        chapters=tuple(
            Chapter(
                figures.slug("scenario", number),
                name or say("Study"),
                tuple(_parts(_of(tables, name), plan, number)),
                tuple(_cards(_of(tables, name))),
            )
            for number, name in enumerate(scenarios)
        ),
        foot=say_html(
            "Points {fingerprint}, seed {seed}",
            fingerprint=quote(plan["fingerprint"], "plan:fingerprint"),
            seed=quote(str(manifest["seed"]), "manifest:seed"),
        ),
    )
    RunDirectory(folder).write_text(name_of_page, text)
    return folder / name_of_page


def sentences(tables: Tables) -> Iterator[str]:
    """The answers of the page as plain text."""
    for card in _cards(tables):
        said = (card.question, card.answer, card.sentence)
        yield "{}: {}: {}".format(*(one.striptags().replace("\xa0", " ") for one in said))


def _of(tables: Tables, scenario: str) -> dict[str, pl.DataFrame]:
    """The rows of one scenario; tables without scenarios whole."""
    return {
        name: frame.filter(pl.col("scenario") == scenario) if "scenario" in frame.columns else frame
        for name, frame in tables.items()
    }


def _cards(tables: Tables) -> Iterator[Card]:
    """Each outcome: how much it varies, and what explains most of it."""
    for row in rows("study_variance", tables["study_variance"], VARIANCE_KEYS):
        sentence = say_html(
            "Over the points nine in ten lie between {low} and {high}; the mean is {mean} "
            "({interval}).",
            low=row.number("p05", _form(row["unit"])),
            high=row.number("p95", _form(row["unit"])),
            mean=row.number("mean", _form(row["unit"])),
            interval=row.range("low", "high", _form(row["unit"])),
        )
        answer, moved = _mover(tables, row)
        sentence = Markup("{}{}").format(moved, sentence)
        name = _named(tables, row["outcome"], row["combination"])
        question = say_html("What moves it most: {outcome}", outcome=name)
        yield Card(question, answer, "", sentence)


def _mover(tables: Tables, of: Row) -> tuple[Markup, Markup]:
    """The factor that moves an outcome most, and by how much."""
    first = [row for row in _found(tables, "study_indices", of) if row["order"] == "first"]
    steps = _found(tables, "study_screening", of)
    if first:
        top = max(first, key=lambda row: float(row["value"]))
        return quote(top["key"]), say_html(
            "Alone it explains {share} of the variance ({interval}). ",
            share=top.number("value", "percent"),
            interval=top.range("low", "high", "percent"),
        )
    if steps:
        top = max(steps, key=lambda row: float(row["size"]))
        form = "points" if of["unit"] == "ratio" else _form(of["unit"])
        return quote(top["key"]), say_html(
            "Over its whole range it moves it by {size} on average. ",
            size=top.number("size", form),
        )
    said = say("nothing that these points show beyond chance")
    if of["mean"] is None:
        said = say("not told: it does not exist at every point")
    return Markup('<span class="none">{}</span>').format(said), Markup()


def _found(tables: Tables, table: str, of: Row) -> list[Row]:
    """The rows of a table about an outcome and combination."""
    keys = figures.INDEX_KEYS if table == "study_indices" else figures.SCREENING_KEYS
    every = rows(table, tables.get(table, _NONE), keys)
    return [row for row in every if all(row[key] == of[key] for key in VARIANCE_KEYS)]


def _parts(tables: Tables, plan: Mapping[str, Any], number: int) -> Iterator[Part]:
    for row in rows("study_variance", tables["study_variance"], VARIANCE_KEYS):
        yield from _explained(tables, row, number)
    for outcome in plan["outcomes"]:
        effects = _frame(tables, "study_effects", outcome, None)
        if effects.height:
            keys = effects["key"].unique(maintain_order=True).to_list()
            name = figures.slug(number, outcome, "levels")
            heading = say_html("Along the levels: {outcome}", outcome=metric_name(outcome))
            yield Part(heading, figures=(figures.effects(name, effects, keys),))
    if "study_frontier" in tables and tables["study_frontier"].height:
        frame = tables["study_frontier"]
        service = str(plan["frontier"]["service"])
        yield Part(
            say("Cost against service"),
            say_html(
                "Cost: {cost}. Means over everything that is not decided.",
                cost=Markup(" + ").join(metric_name(one) for one in plan["frontier"]["cost"]),
            ),
            _frontier(frame, service),
            (figures.frontier(str(number), frame, service),),
        )
    yield Part(
        say("How much of it is chance"),
        say(
            "Every point meets the same seasons. Chance is what then still differs from season to "
            "season; it is taken out of the shares above. The rest is explained by neither factors "
            "nor pairs."
        ),
        _variance(tables),
    )
    yield Part(say("What was moved"), table=_factors(tables))
    if "study_widest" in tables:
        yield Part(
            say("How the widest were chosen"),
            say(
                "Each assumption alone at both ends of its range, by the approximate answer: what "
                "changes of the outcome."
            ),
            _widest(tables),
            folded=True,
        )


def _explained(tables: Tables, row: Row, number: int) -> Iterator[Part]:
    """What explains an outcome in one combination of levels."""
    outcome, combination = row["outcome"], row["combination"]
    name = figures.slug(number, outcome, combination)
    named = _named(tables, outcome, combination)
    heading = say_html("What explains it: {outcome}", outcome=named)
    indices = _frame(tables, "study_indices", outcome, combination)
    screening = _frame(tables, "study_screening", outcome, combination)
    if screening.height:
        yield Part(heading, figures=(figures.screening(name, screening),))
    if not indices.height:
        return
    yield Part(heading, table=_indices(indices), figures=(figures.indices(name, indices),))
    effects = _frame(tables, "study_effects", outcome, combination)
    ranked = indices.filter(pl.col("order") == "total").sort("value", descending=True)["key"]
    if effects.height and combination is not None:
        drawn = figures.effects(name, effects, ranked.to_list())
        yield Part(
            say_html("Main effects: {outcome}", outcome=named), figures=(drawn,)
        )
    pairs = _pairs(indices)
    if pairs.rows:
        yield Part(
            say_html("Interactions: {outcome}", outcome=named),
            say("What two do together, beside what each does alone; the largest pairs."),
            pairs,
        )


def _named(tables: Tables, outcome: str, combination: int | None) -> Markup:
    """An outcome, with the levels at which it is explained where there are several."""
    name = Markup.escape(metric_name(outcome))
    choices = tables["study_combinations"]["choice"]
    if combination is None or len(choices) == 1:
        return name
    return say_html("{outcome}, {choice}", outcome=name, choice=quote(choices[combination]))


def _frame(
    tables: Tables, table: str, outcome: str | None, combination: int | None
) -> pl.DataFrame:
    """The rows of an outcome and a combination."""
    frame = tables.get(table)
    if frame is None:
        return _NONE
    chosen = pl.col("combination").eq_missing(pl.lit(combination, dtype=pl.Int32))
    if outcome is not None:
        chosen &= pl.col("outcome") == outcome
    return frame.filter(chosen)


def _indices(frame: pl.DataFrame) -> Table:
    found: dict[str, list[Printed]] = {}
    totals = {r["key"]: r["value"] for r in frame.to_dicts() if r["order"] == "total"}
    for row in rows("study_indices", frame, figures.INDEX_KEYS):
        if row["other"] is None:
            cells = found.setdefault(row["key"], [quote(row["key"])])
            cells.append(row.with_interval("value", "low", "high", "percent"))
    ordered = sorted(found, key=lambda key: -totals[key])
    heads = (say("Factor"), say("Alone"), say("Alone and in interactions"))
    return Table(heads, tuple(tuple(found[key]) for key in ordered))


def _pairs(frame: pl.DataFrame) -> Table:
    pairs = [r for r in rows("study_indices", frame, figures.INDEX_KEYS) if r["order"] == "pair"]
    pairs.sort(key=lambda row: -row["value"])
    found = tuple(
        (
            quote(row["key"]),
            quote(row["other"]),
            row.with_interval("value", "low", "high", "fine_percent"),
        )
        for row in pairs[:PAIRS_COUNT]
    )
    return Table((say("Factor"), say("With"), say("Share of the variance")), found)


def _frontier(frame: pl.DataFrame, service: str) -> Table:
    form = _form(service)
    found = tuple(
        (
            quote(row["choice"]),
            row.with_interval("cost_fen", "cost_low_fen", "cost_high_fen", "cny"),
            row.range("cost_p05_fen", "cost_p95_fen", "cny"),
            row.with_interval("service", "service_low", "service_high", form),
            row.range("service_p05", "service_p95", form),
            say("yes") if row["efficient"] else say("no"),
        )
        for row in rows("study_frontier", frame, figures.FRONTIER_KEYS)
    )
    spread = say("Nine points in ten")
    heads = (
        say("Choice"), say("Cost"), spread, metric_name(service), spread, say("Efficient")
    )  # fmt: skip
    return Table(heads, found)


def _variance(tables: Tables) -> Table:
    found = tuple(
        (
            metric_name(row["outcome"]),
            row.with_interval("mean", "low", "high", _form(row["unit"])),
            row.number("sd", "points" if row["unit"] == "ratio" else _form(row["unit"])),
            row.number("noise_ratio", "fine_percent"),
            row.number("rest_ratio", "fine_percent"),
            row.number("terms_count", "count"),
        )
        for row in rows("study_variance", tables["study_variance"], VARIANCE_KEYS)
    )
    heads = (
        say("Outcome"), say("Mean"), say("Standard deviation"), say("Chance, of the variance"),
        say("Rest, of the variance"), say("Terms"),
    )  # fmt: skip
    return Table(heads, found)


def _factors(tables: Tables) -> Table:
    found = tuple(
        (
            quote(row["key"]),
            row.number("low", "plain"),
            row.number("base", "plain"),
            row.number("high", "plain"),
            quote(row["levels"] or say(LAWS[row["law"]])),
            quote(row["source"]),
        )
        for row in rows("study_factors", tables["study_factors"], ("key",))
    )
    heads = (
        say("Factor"), say("Low"), say("Now"), say("High"), say("Law, or levels"), say("Source")
    )  # fmt: skip
    return Table(heads, found)


def _widest(tables: Tables) -> Table:
    frame = tables["study_widest"].filter(pl.col("rank") <= RANKS_COUNT)
    found: dict[str, list[Printed]] = {}
    outcomes = frame["outcome"].unique(maintain_order=True).to_list()
    for row in rows("study_widest", frame, ("key", "outcome")):
        why = quote(row["reason"]) if row["reason"] else say("yes" if row["chosen"] else "no")
        cells = found.setdefault(row["key"], [quote(row["key"]), why])
        form = "points" if row["outcome"].endswith("_ratio") else _form(row["outcome"])
        cells += [row.number("low_effect", form), row.number("high_effect", form)]
    ends = (text for one in outcomes for text in (
        say("{outcome}, at low", outcome=metric_name(one)),
        say("{outcome}, at high", outcome=metric_name(one)),
    ))  # fmt: skip
    return Table((say("Factor"), say("Moved"), *ends), tuple(map(tuple, found.values())))


def _form(name: str) -> str:
    """The printed form of a unit, or of a metric whose name ends in one."""
    return style.format_of_unit(name.rpartition("_")[2])


_NONE: Final = pl.DataFrame()
