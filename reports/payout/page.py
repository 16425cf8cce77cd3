"""The payout page: what to book, what to fund, what moves it; then the tables behind it.

Decides the order of the page. Reads the payout tables that `springpeak payout` has written and the
run's manifest; computes nothing. No network, no script.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from reports import style, templating
from reports.payout import figures
from reports.payout.words import amount, headline, moved, said
from reports.tables import Table

FILE_NAME: Final = "payout.html"
SHOWN: Final = ("mean", "p50", "p75", "p90", "p95", "p99", "tvar95", "tvar99")


def write(run: Path, folder: Path, tables: Mapping[str, pl.DataFrame]) -> Path:
    """Write payout.html beside the tables and return its path."""
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    path = folder / FILE_NAME
    path.write_text(render(manifest, tables), encoding="utf-8")
    return path


def render(manifest: Mapping[str, Any], tables: Mapping[str, pl.DataFrame]) -> str:
    """The page as text."""
    return templating.rendered(
        "payout.html.j2",
        name=str(manifest["scenario"]),
        heading=style.title(str(manifest["scenario"])),
        manifest=manifest,
        count=_rows(tables, "payout_answers")[0]["n"],
        cards=[headline(row) for row in _rows(tables, "payout_answers")],
        movers=[moved(row) for row in _rows(tables, "payout_tornado")][:3],
        figures=figures.figures(tables),
        sections=[
            (title, lead, table)
            for title, lead, table in _sections(tables)
            if table is not None and table.rows
        ],
    )


def _sections(tables: Mapping[str, pl.DataFrame]) -> Sequence[tuple[str, str, Table | None]]:
    return (
        ("Gross payout", "Paid to consumers. TVaR is the expected shortfall: the mean of the worst "
         "5 % or 1 % of seasons.", _spread(tables, "gross")),
        ("Net payout", "Gross less what merchants paid back within the horizon.",
         _spread(tables, "net")),
        ("Pots: when they run dry", "Probability by the end of the horizon, and the first day by "
         "which half, and nine tenths, of the seasons are dry.", _pots(tables)),
        ("Pots: what would have held", "The limit that would have met every due payment.",
         _amounts(tables)),
        ("Budgets asked about", "Probability that what was due is above the budget.",
         _budgets(tables)),
        ("The worst 5 % of seasons", "Co-TVaR of gross payouts: parts add up to the total.",
         _attribution(tables)),
        ("Recoveries from merchants", "Expected values. Owed is recovered, contested, in default "
         "or open; collectible is what the open would still bring.", _recoveries(tables)),
        ("From the other run to this one", "Shapley values of the net payout.", _bridge(tables)),
        ("Policies side by side", "Paired differences in a smaller world, brought to full size.",
         _lab(tables)),
    )  # fmt: skip


def _rows(tables: Mapping[str, pl.DataFrame], name: str) -> list[dict[str, Any]]:
    return tables[name].to_dicts() if name in tables else []


def _spread(tables: Mapping[str, pl.DataFrame], measure: str) -> Table:
    rows: dict[tuple[str, str], list[str]] = {}
    for row in _rows(tables, "payout_distribution"):
        if row["measure"] == measure and row["statistic"] in SHOWN:
            rows.setdefault((row["by"], row["key"]), []).append(said(row, short=True))
    heads = ("By", "", *SHOWN)
    return Table(heads, tuple((by, _named(key), *cells) for (by, key), cells in rows.items()))


def _pots(tables: Mapping[str, pl.DataFrame]) -> Table:
    rows = []
    for row in _rows(tables, "payout_pots"):
        if row["lunar_day"] is None and row["exhausted_ratio"]:
            days = (row["half_exhausted_day"], row["nine_tenths_exhausted_day"])
            rows.append(
                (
                    _named(row["guarantee"]),
                    chance(row),
                    *("never" if day is None else style.day_number(day) for day in days),
                    amount(row, "expected_shortfall"),
                )
            )
    return Table(("Pot", "Runs dry", "Half by day", "Nine tenths by day", "Not paid"), tuple(rows))


def chance(row: Mapping[str, Any]) -> str:
    """A probability with its interval."""
    text = style.probability(row["exhausted_ratio"])
    if row["exhausted_low_ratio"] is None:
        return text
    ends = (row["exhausted_low_ratio"], row["exhausted_high_ratio"])
    return f"{text} ({style.probability(ends[0])} to {style.probability(ends[1])})"


def _amounts(tables: Mapping[str, pl.DataFrame]) -> Table:
    rows: dict[tuple[str, str, int], list[str]] = {}
    for row in _rows(tables, "payout_pot_amounts"):
        key = (row["guarantee"], row["limit"], row["now_fen"])
        rows.setdefault(key, []).append(said(row, short=True))
    heads = ("Pot", "Limit", "Now", "Holds at 95 %", "Holds at 99 %")
    body = [(_named(pot), limit, style.cny(now), *both) for (pot, limit, now), both in rows.items()]
    return Table(heads, tuple(body))


def _budgets(tables: Mapping[str, pl.DataFrame]) -> Table:
    rows = tuple(
        (
            _named(row["guarantee"]),
            style.cny(row["budget_fen"]),
            style.day_number(row["lunar_day"]),
            chance(row),
        )
        for row in _rows(tables, "payout_budgets")
    )
    return Table(("Pot", "Budget", "By the end of day", "Exhausted"), rows)


def _attribution(tables: Mapping[str, pl.DataFrame]) -> Table:
    rows = tuple(
        (
            row["by"],
            _named(row["key"]),
            style.cny(row["mean_fen"]),
            "withheld" if row["cotvar_fen"] is None else style.cny(row["cotvar_fen"]),
            "" if row["share_ratio"] is None else style.percent(row["share_ratio"]),
        )
        for row in _rows(tables, "payout_attribution")
        if row["measure"] == "gross" and row["level"] == 0.95
    )
    return Table(("By", "", "Mean", "Co-TVaR 95 %", "Share"), rows)


def _recoveries(tables: Mapping[str, pl.DataFrame]) -> Table:
    rows = tuple(
        (
            row["by"],
            row["key"],
            row["measure"],
            amount(row, "", field="mean"),
            "" if row["share_ratio"] is None else style.percent(row["share_ratio"]),
        )
        for row in _rows(tables, "payout_recoveries")
    )
    return Table(("By", "", "What", "Mean", "Share"), rows)


def _bridge(tables: Mapping[str, pl.DataFrame]) -> Table:
    rows = tuple(
        (row["part"], amount(row, "", field="amount")) for row in _rows(tables, "payout_bridge")
    )
    return Table(("Part", "Amount"), rows)


def _lab(tables: Mapping[str, pl.DataFrame]) -> Table:
    rows = []
    for row in _rows(tables, "payout_lab"):
        form = style.FORMATS[style.format_of_unit(row["unit"])]
        apart = style.points if row["unit"] == "ratio" else form
        cells = [
            style.MISSING if row[name] is None else said_by(row[name])
            for name, said_by in (
                ("base", form), ("value", form), ("difference", apart), ("low", apart),
                ("high", apart),
            )
        ]  # fmt: skip
        rows.append((row["policy"], style.words(row["metric"]), *cells))
    heads = ("Policy", "Metric", "As it is", "With it", "Difference", "95 % from", "to")
    return Table(heads, tuple(rows))


def _named(key: str) -> str:
    return style.GUARANTEE_NAMES[key][0] if key in style.GUARANTEE_NAMES else style.words(key)
