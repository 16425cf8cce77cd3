"""The payout chapter: what to book, what to fund, what moves it; then the tables behind it.

Decides the order. Reads the payout tables that `springpeak payout` has written; computes nothing.
`payout.html` is the chapter by itself, the report has it among others.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import polars as pl
from markupsafe import Markup

from reports import style, templating
from reports.cells import quote
from reports.chapter import Chapter, Part
from reports.engine import retold
from reports.language import file_name, later, say, say_html
from reports.metrics import metric_name
from reports.names import named
from reports.payout import figures
from reports.payout.words import cards, moved, movers, spread, statistic, with_spread
from reports.rows import Row, rows
from reports.tables import Printed, Table
from scenarios.payout_tables import PAYOUT_TABLES

FILE_NAME: Final = "payout.html"
SHOWN: Final = ("mean", "p50", "p75", "p90", "p95", "p99", "tvar95", "tvar99")
Tables = Mapping[str, pl.DataFrame]
_LIMITS: Final = {"total": later("total"), "day": later("largest day")}


def read(folder: Path) -> dict[str, pl.DataFrame]:
    """The payout tables that stand in a folder."""
    files = {name: folder / f"{name}.parquet" for name in PAYOUT_TABLES}
    return {name: pl.read_parquet(file) for name, file in files.items() if file.exists()}


def write(run: Path, folder: Path, tables: Tables) -> Path:
    """Write payout.html beside the tables and return its path."""
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    path = folder / file_name(FILE_NAME)
    title = style.title(str(manifest["scenario"]))
    text = templating.rendered(
        "page.html.j2",
        title=say("What to book, what to fund: {title}", title=title),
        description=say_html(
            "Seasons simulated: {count}. Booked is an expected value; funded is a quantile of the "
            "highest cash need on the way. Intervals are 95&nbsp;%; assumptions stand at the end "
            "of the run's report.",
            count=next(_rows(tables, "payout_answers", "figure")).number("n", "count"),
        ),
        chapters=(Chapter("payout", say("Payouts"), parts(tables), cards(tables)),),
        foot=say_html(
            "Fingerprint {fingerprint}, seed {seed}",
            fingerprint=quote(manifest["fingerprint"], "manifest:fingerprint"),
            seed=quote(str(manifest["seed"]), "manifest:seed"),
        ),
    )
    path.write_text(text, encoding="utf-8")
    return path


def parts(tables: Tables) -> tuple[Part, ...]:
    """Everything that stands below the answers."""
    drawn = figures.figures(tables)
    moving = Markup("").join(Markup("<li>{}</li>").format(moved(row)) for row in movers(tables)[:3])
    found = (
        Part(say("Cash on the way"), figures=tuple(drawn[:1])),
        Part(
            say("What moves it most"),
            Markup("<ol>{}</ol>").format(moving) if moving else "",
            figures=tuple(drawn[1:]),
        ),
        Part(
            say("Gross payout"),
            say("Paid to consumers. TVaR is the mean of the worst 5 % or 1 % of seasons."),
            _spread(tables, "gross"),
            folded=True,
        ),
        Part(
            say("Net payout"),
            say("Gross less what merchants paid back within the horizon."),
            _spread(tables, "net"),
            folded=True,
        ),
        Part(
            say("Pots: when they run dry"),
            say("Probability by the end, and the first day by which half or nine tenths are dry."),
            _pots(tables),
        ),
        Part(
            say("Pots: what would have held"),
            say("The limit that would have met every due payment."),
            _amounts(tables),
        ),
        Part(
            say("Budgets asked about"),
            say("Probability that what was due is above the budget."),
            _budgets(tables),
        ),
        Part(
            say("The worst 5 % of seasons"),
            say("Co-TVaR of gross payouts: parts add up to the total."),
            _attribution(tables),
            folded=True,
        ),
        Part(
            say("Recoveries from merchants"),
            say(
                "Expected values. Owed is recovered, contested, in default or open; collectible is "
                "what the open would still bring."
            ),
            _recoveries(tables),
            folded=True,
        ),
        Part(
            say("From the other run to this one"),
            say("Shapley values of the net payout."),
            _bridge(tables),
        ),
        Part(
            say("Policies side by side"),
            say("Paired differences in a smaller world, brought to full size."),
            _lab(tables),
        ),
    )
    return tuple(
        part for part in found if part.figures or (part.table is not None and part.table.rows)
    )


def _rows(tables: Tables, name: str, *keys: str) -> Iterator[Row]:
    return rows(name, tables[name], keys) if name in tables else iter(())


def _spread(tables: Tables, measure: str) -> Table:
    found: dict[tuple[str, str], list[Markup]] = {}
    keys = ("measure", "by", "key", "statistic")
    for row in _rows(tables, "payout_distribution", *keys):
        if row["measure"] == measure and row["statistic"] in SHOWN:
            found.setdefault((row["by"], row["key"]), []).append(with_spread(row))
    heads = (say("By"), "", *map(statistic, SHOWN))
    body = ((style.words(by), _key(by, key), *cells) for (by, key), cells in found.items())
    return Table(heads, tuple(body))


def _key(by: str, key: str) -> Markup:
    if by == "lunar_day":
        return Markup('<span class="dim">{}</span>').format(style.lunar_name(int(key)))
    return Markup('<span class="dim">{}</span>').format(named(key))


def _pots(tables: Tables) -> Table:
    found = []
    for row in _rows(tables, "payout_pots", "guarantee", "lunar_day"):
        if row["lunar_day"] is None and row["exhausted_ratio"]:
            days = (row["half_exhausted_day"], row["nine_tenths_exhausted_day"])
            found.append(
                (
                    named(row["guarantee"]),
                    _chance(row),
                    *(say("never") if day is None else _day(day) for day in days),
                    row.with_interval(
                        "expected_shortfall_fen",
                        "expected_shortfall_low_fen",
                        "expected_shortfall_high_fen",
                        "cny",
                    ),
                )
            )
    heads = (
        say("Pot"), say("Runs dry"), say("Half by day"), say("Nine tenths by day"), say("Not paid")
    )  # fmt: skip
    return Table(heads, tuple(found))


def _day(day: int) -> Markup:
    return Markup('<span class="dim">{} {}</span>').format(
        style.lunar_name(day), style.day_number(day)
    )


def _chance(row: Row) -> Markup:
    """A probability with its interval."""
    ends = ("exhausted_low_ratio", "exhausted_high_ratio")
    return row.with_interval("exhausted_ratio", *ends, "probability")


def _amounts(tables: Tables) -> Table:
    found: dict[tuple[str, str], list[Printed]] = {}
    for row in _rows(tables, "payout_pot_amounts", "guarantee", "limit", "level"):
        cells = found.setdefault((row["guarantee"], row["limit"]), [])
        if not cells:
            cells.append(row.number("now_fen", "cny"))
        cells.append(with_spread(row))
    heads = (say("Pot"), say("Limit"), say("Now"), say("Holds at 95 %"), say("Holds at 99 %"))
    body = ((named(pot), say(_LIMITS[limit]), *cells) for (pot, limit), cells in found.items())
    return Table(heads, tuple(body))


def _budgets(tables: Tables) -> Table:
    found = tuple(
        (
            named(row["guarantee"]),
            row.number("budget_fen", "cny"),
            _day(row["lunar_day"]),
            _chance(row),
        )
        for row in _rows(tables, "payout_budgets", "guarantee", "budget_fen", "lunar_day")
    )
    return Table((say("Pot"), say("Budget"), say("By the end of day"), say("Exhausted")), found)


def _attribution(tables: Tables) -> Table:
    found: tuple[tuple[Printed, ...], ...] = tuple(
        (
            style.words(row["by"]),
            _key(row["by"], row["key"]),
            row.number("mean_fen", "cny"),
            say("withheld") if row["cotvar_fen"] is None else row.number("cotvar_fen", "cny"),
            row.number("share_ratio", "percent"),
        )
        for row in _rows(tables, "payout_attribution", "measure", "by", "key", "level")
        if row["measure"] == "gross" and row["level"] == 0.95
    )
    return Table((say("By"), "", say("Mean"), say("Co-TVaR 95 %"), say("Share")), found)


def _recoveries(tables: Tables) -> Table:
    found = tuple(
        (
            style.words(row["by"]),
            Markup('<span class="dim">{}</span>').format(retold(row["key"])),
            style.words(row["measure"]),
            row.with_interval("mean_fen", "low_fen", "high_fen", "cny"),
            row.number("share_ratio", "percent"),
        )
        for row in _rows(tables, "payout_recoveries", "by", "key", "measure")
    )
    return Table((say("By"), "", say("What"), say("Mean"), say("Share")), found)


def _bridge(tables: Tables) -> Table:
    found = tuple(
        (style.words(row["part"]), row.number("amount_fen", "cny"), spread(row))
        for row in _rows(tables, "payout_bridge", "part")
    )
    return Table((say("Component"), say("Amount"), say("95 % interval")), found)


def _lab(tables: Tables) -> Table:
    found = []
    for row in _rows(tables, "payout_lab", "policy", "metric"):
        form = style.format_of_unit(row["unit"])
        apart = "points" if row["unit"] == "ratio" else form
        found.append(
            (
                quote(row["policy"]),
                metric_name(row["metric"]),
                row.number("base", form),
                row.number("value", form),
                row.with_interval("difference", "low", "high", apart),
            )
        )
    heads = (
        say("Policy"), say("Metric"), say("As it is"), say("With it"), say("Difference")
    )  # fmt: skip
    return Table(heads, tuple(found))
