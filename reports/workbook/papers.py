"""The sheets behind the figures: assumptions with their sources, terms in force, all columns.

Decides rows; reads the run's scenario and the shipped sources.
"""

from collections.abc import Iterable

from reports import style
from reports.assumptions import assumptions as settings
from reports.language import say
from reports.ledger.terms import promise
from reports.workbook.block import Block, Field, Sheet, cny
from reports.workbook.detail import Detail
from reports.workbook.run import Run
from scenarios.terms import Term

_DAY_S = 86400.0


def assumptions(run: Run) -> Block:
    """Every setting of the run, its range and source; assumed ones are marked."""
    rows = [row for group in settings(run.book) for row in group.rows]
    changed = say("changed")
    return Block(
        slug="assumptions",
        heading=say("Assumptions and sources"),
        note=say(
            "Shaded rows are assumed: no source states them. The range of an array is in multiples "
            "of its values. Changed: set by an overlay or for this run, unlike the shipped file."
        ),
        fields=(
            Field("key", "Setting", "", "text", 46, "key of the scenario; its unit stands last"),
            Field("value", "Value", "as in the key", "text", 40, "value in this run"),
            Field("range", "Low to high case", "as in the key", "text", 28, "range of the value"),
            Field("kind", "Kind", "", "text", 18, "source, data, common knowledge or assumed"),
            Field("source", "Source", "", "text", 90, "where the value comes from"),
            Field("changed", "Changed", "", "text", 10, "differs from the shipped scenario"),
        ),
        rows=[
            (row.key, row.said, row.range, row.kind, row.text, changed if row.changed else "")
            for row in rows
        ],
        marked=frozenset(number for number, row in enumerate(rows) if row.tag == "A"),
    )


def terms(run: Run) -> Block:
    """Every promise in force, with the version that stands in the claims' rows."""
    return Block(
        slug="terms",
        heading=say("Terms in force"),
        note=say(
            "A version stands for the term's exact values: a promise that changes is another one."
        ),
        fields=(
            Field("term", "Term", "", "text", 44, "where it stands in the scenario"),
            Field("version", "Version", "", "text", 12, "stands in every claim's row"),
            Field("guarantee", "Guarantee", "", "text", 24, "guarantee"),
            Field("trigger", "Trigger", "", "text", 19, "what sets it off"),
            Field("categories", "Categories", "", "text", 40, "categories of orders covered"),
            Field("promise", "Promise", "", "text", 80, "what the consumer gets"),
            Field("cap", "Cap on extra", "CNY", "cny", 14, "law and goodwill may go above it"),
            Field("advanced", "Advanced by", "", "text", 13, "who pays first"),
            Field("borne", "Borne by", "", "text", 13, "who should bear it"),
            Field("recourse", "Recourse wins", "share", "ratio", 14, "of payments claimed back"),
            Field("lag", "Recovery lag", "days, mean", "plain", 14, "after the contest period"),
        ),
        rows=[_term_row(*one) for one in run.guarantees.promises()],
    )


def _term_row(guarantee: str, trigger: str, term: Term) -> tuple[str | float | None, ...]:
    return (
        f"guarantees.{guarantee}.terms.{trigger}",
        term.version,
        style.guarantee(guarantee),
        style.words(trigger),
        say(", ").join(style.words(category) for category in term.categories),
        promise(term),
        cny(term.extra_cap_fen),
        style.words(term.advanced_by),
        style.words(term.borne_by),
        term.recourse_ratio,
        term.recourse_lag_mean_s / _DAY_S,
    )


def columns(sheets: Iterable[Sheet], details: Iterable[Detail]) -> Block:
    """What every column of every other sheet means."""
    rows = [
        (sheet.name, block.heading, *_said(field))
        for sheet in sheets
        for block in sheet.blocks
        for field in block.fields
    ]
    rows += [
        (detail.name, detail.note, *_said(field))
        for detail in details
        for field in detail.fields
    ]
    return Block(
        slug="columns",
        heading=say("Columns"),
        note=say("What every column of this workbook means, and its unit."),
        fields=(
            Field("sheet", "Sheet", "", "text", 18, "name of the sheet"),
            Field("table", "Table", "", "text", 50, "heading of the table"),
            Field("column", "Column", "", "text", 26, "head of the column"),
            Field("unit", "Unit", "", "text", 16, "unit of its values"),
            Field("meaning", "Meaning", "", "text", 90, "what it says"),
        ),
        rows=rows,
    )


def _said(field: Field) -> tuple[str, str, str]:
    """Head, unit and meaning of a column in the reader's language."""
    return say(field.head), say(field.unit) if field.unit else "", say(field.meaning)
