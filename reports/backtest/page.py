"""backtest.html: the figures of backtest.json as one self-contained page. Computes nothing."""

from pathlib import Path
from typing import Any, Final

from markupsafe import Markup

from reports import style, templating
from reports.backtest.figures import figures
from reports.card import Card
from reports.cells import quote
from reports.chapter import Chapter, Part
from reports.language import file_name, later, say, say_html
from reports.rows import Row
from reports.tables import Printed, Table

FILE_NAME: Final = "backtest.html"
_WHO: Final = ("simulated", "erlang_a", "erlang_c")
_OVERALL: Final = (
    ("abandoned_ratio", later("abandoned"), "percent"),
    ("mean_wait_s", later("mean wait"), "seconds"),
    ("service_level_ratio", later("answered within {threshold}"), "percent"),
)
_HOURLY: Final = (
    ("mae_abandoned_ratio_hourly", later("mean error, abandoned by hour"), "points_off"),
    ("mae_mean_wait_s_hourly", later("mean error, mean wait by hour"), "seconds"),
)
_NEARER: Final = (
    ("abandoned_ratio", later("abandoned"), "points"),
    ("mean_wait_s", later("mean wait"), "seconds_apart"),
    ("mae_abandoned_ratio_hourly", later("mean error, abandoned by hour"), "points"),
    ("mae_mean_wait_s_hourly", later("mean error, mean wait by hour"), "seconds_apart"),
)
_WITHOUT_SIGN: Final = {"points": "points_off", "seconds_apart": "seconds"}
_LEFT_OFF: Final = later("How far off was the share that abandons?")
_WAIT_OFF: Final = later("How far off was the mean wait?")
# Nothing reads it: it marks what `staffing` of the document may say, for the catalogue.
_SHOWS: Final = later("as the log shows")


def write(document: dict[str, Any], folder: Path) -> Path:
    """Write the page into a folder and return its path."""
    path = folder / file_name(FILE_NAME)
    path.write_text(render(document), encoding="utf-8")
    return path


def render(document: dict[str, Any]) -> str:
    """The page as text."""
    whole = Row("backtest", document)
    foretold = Row("backtest:foretold", document["foretold"])
    parts = (
        Part(
            say("In all"),
            say_html(
                "Overall figures are of all contacts. Hourly ones are of {hours} hours; {left_out} "
                "with too few contacts or agents are left out. Erlang A and C have the same "
                "arrivals, handle times and presence; Erlang C knows no abandonment, and where the "
                "load is not below the agents, its wait counts as one hour. A band should hold the "
                "share of hours that is its name. Intervals (95 %) tell how far {days} other "
                "days may lie: patience and staffing drift, and the fitted log, replayed, shows "
                "how far over that many days. It has {spells} such spells; with fewer than three "
                "there is no interval.",
                spells=foretold.number("spells_count", "count"),
                days=foretold.number("days_count", "count"),
                hours=whole.number("intervals", "count"),
                left_out=whole.number("intervals_left_out", "count"),
            ),
            _table(document),
        ),
        Part(
            say("Nearer than the formulas?"),
            say_html(
                "The simulation's error less the formula's: below zero the simulation is nearer. "
                "Intervals (95 %) come from days drawn again; where one holds zero, these days "
                "cannot tell the two apart. By chance alone a replication lies as far from the "
                "mean of the others as the last column says; an error of that size tells nothing."
            ),
            _nearer(document),
        ),
        Part(say("Hour by hour"), figures=tuple(figures(document))),
    )
    seen = document["days_fitted_count"]
    warning = say_html(
        "{count} of its days were fitted on as well: a fit is nearer to days that it has seen.",
        count=whole.number("days_fitted_count", "count"),
    )
    return templating.rendered(
        "page.html.j2",
        title=say("Would the model have known?"),
        description=say_html(
            "{log}, each day replayed {count} times with what was fitted on {fitted_on}; staffing "
            "{staffing}.",
            count=whole.number("replications", "count"),
            log=quote(document["log"]),
            fitted_on=quote(document["fitted_on"]),
            staffing=quote(say(document["staffing"])),
        )
        + (Markup(" ") + warning if seen else ""),
        chapters=(Chapter("backtest", say("Backtest"), parts, _cards(document)),),
        foot="",
    )


def _cards(document: dict[str, Any]) -> tuple[Card, ...]:
    """How far off the hours were, beside a formula and beside chance."""
    chance, found = Row("backtest:by_chance", document["by_chance"]), []
    for (key, _, form), (overall, _, own), question in zip(
        _HOURLY, _OVERALL[:2], (_LEFT_OFF, _WAIT_OFF), strict=True
    ):
        error = Row(f"backtest:{key}", document[key])
        sentence = say_html(
            "On average over the hours; Erlang A: {erlang_a}, by chance alone: {chance}. Over all "
            "contacts {simulated} simulated, {observed} observed.",
            erlang_a=error.number("erlang_a", form),
            chance=chance.number(key, form),
            simulated=_simulated(document, overall, own, inline=True),
            observed=Row("backtest:observed", document["observed"]).number(overall, own),
        )
        answer = Markup("{}").format(error.number("simulated", form))
        found.append(Card(say_html(question), answer, "", sentence))
    return tuple(found)


def _table(document: dict[str, Any]) -> Table:
    rows: list[tuple[Printed, ...]] = []
    threshold = Row("backtest", document).number("threshold_s", "seconds")
    for key, name, form in _OVERALL:
        values: list[Printed] = [
            Row("backtest:observed", document["observed"]).number(key, form),
            _simulated(document, key, form),
            *(Row(f"backtest:{one}", document[one]).number(key, form) for one in _WHO[1:]),
        ]
        rows.append((say_html(name, threshold=threshold), *values))
    for key, name, form in _HOURLY:
        row = Row(f"backtest:{key}", document[key])
        rows.append((say(name), "", *(row.number(who, form) for who in _WHO)))
    coverage = Row("backtest:coverage", document["coverage"])
    for level in document["coverage"]:
        band = Markup('<span class="dim">{}</span>').format(style.percent(float(level), 0))
        inside = coverage.number(level, "percent")
        rows.append(
            (say_html("hours inside the {band} band, abandoned", band=band), "", inside, "", "")
        )
    heads = (say("Figure"), say("Observed"), say("Simulated"), "Erlang A", "Erlang C")
    return Table(heads, tuple(rows))


def _simulated(document: dict[str, Any], key: str, form: str, *, inline: bool = False) -> Printed:
    """With the interval of days to come where the fitted log tells one, below or `inline`."""
    if document["foretold"][key]["low"] is None:
        return Row("backtest:simulated." + key, document["simulated"][key]).number("mean", form)
    row = Row("backtest:foretold." + key, document["foretold"][key])
    if inline:
        return Markup("{} ({})").format(row.number("mean", form), row.range("low", "high", form))
    return row.with_interval("mean", "low", "high", form)


def _nearer(document: dict[str, Any]) -> Table:
    """Differences of errors, with their intervals over days."""
    rows: list[tuple[Printed, ...]] = []
    chance = Row("backtest:by_chance", document["by_chance"])
    for key, name, form in _NEARER:
        apart = (
            Row(f"backtest:nearer.{one}.{key}", document["nearer"][one][key]) for one in _WHO[1:]
        )
        cells = (one.with_interval("mean", "low", "high", form) for one in apart)
        rows.append((say(name), *cells, chance.number(key, _WITHOUT_SIGN[form])))
    less = (say("Less that of {name}", name=name) for name in ("Erlang A", "Erlang C"))
    return Table((say("Error"), *less, say("By chance")), tuple(rows))
