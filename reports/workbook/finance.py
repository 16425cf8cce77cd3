"""The tables of `springpeak payout` as sheets, from the distribution to the policy lab.

Decides names and printed forms; every figure is the engine's. Money goes from fen to CNY.
"""

from typing import Final

import polars as pl

from reports.language import later, say
from reports.workbook import additions
from reports.workbook.block import Block, Cell, Field, Sheet, cny
from reports.workbook.run import Run
from scenarios.payout_tables import columns_of
from scenarios.tables import Column

# (sheet, its tables with their headings)
_SHEETS: Final = (
    (
        later("Distribution"),
        (("payout_distribution", later("Distribution of payouts over festivals")),),
    ),
    (later("Cash"), (("payout_cash", later("Cash by day, and the peak that has to be funded")),)),
    (
        later("Pots"),
        (
            ("payout_pots", later("Pots: when they run dry, and what is then not paid")),
            ("payout_pot_amounts", later("Amounts that hold")),
        ),
    ),
    (later("Attribution"), (("payout_attribution", later("What the worst festivals consist of")),)),
    (later("Recoveries"), (("payout_recoveries", later("What merchants owe and pay back")),)),
    (
        later("Tornado"),
        (("payout_tornado", later("Which assumption moves the expected net payout most")),),
    ),
    (later("Bridge"), (("payout_bridge", later("From one scenario to another")),)),
    (later("Policy lab"), (("payout_lab", later("Policies side by side")),)),
)
_CHECKS: Final = {
    "payout_attribution": additions.attribution,
    "payout_bridge": additions.bridge,
}
_FORMS: Final = {"fen": "cny", "ratio": "ratio"}
_WORDS_WIDTH: Final = 22
_TEXT_WIDTH: Final = 60


def sheets(run: Run) -> tuple[Sheet, ...]:
    """The sheets of those tables that the run has."""
    found = []
    for name, tables in _SHEETS:
        blocks = [_block(run, table, heading) for table, heading in tables if run.has(table)]
        checked = [table for table, _ in tables if table in _CHECKS and run.has(table)]
        blocks += [_CHECKS[table](run) for table in checked]
        if blocks:
            found.append(Sheet(say(name), tuple(blocks)))
    return tuple(found)


def missing(run: Run) -> tuple[str, ...]:
    """Names of the sheets that the run has no table for."""
    lacking = [name for name, tables in _SHEETS if not any(run.has(table) for table, _ in tables)]
    return tuple(map(say, lacking))


def _block(run: Run, table: str, heading: str) -> Block:
    columns = columns_of(table)
    frame = run.scan(table).select(column.name for column in columns).collect()
    return Block(
        slug=table,
        heading=say(heading),
        note=say("Written by the engine; sheet Columns says what each column means."),
        fields=tuple(_field(column, frame[column.name]) for column in columns),
        rows=[
            tuple(_value(column, cell) for column, cell in zip(columns, row, strict=True))
            for row in frame.iter_rows()
        ],
        named=True,
    )


def _field(column: Column, values: pl.Series) -> Field:
    key = _key(column)
    if column.dtype == "String" or column.dtype.startswith("enum:"):
        longest = values.cast(pl.String).str.len_chars().max()
        width = _TEXT_WIDTH if isinstance(longest, int) and longest > 40 else _WORDS_WIDTH
        return Field(key, _head(column), "", "text", width, column.meaning)
    form = _FORMS.get(column.unit, "plain" if column.dtype == "Float64" else "count")
    unit = "CNY" if form == "cny" else column.unit
    return Field(key, _head(column), unit, form, 17 if form == "cny" else 13, column.meaning)


def _key(column: Column) -> str:
    return column.name.removesuffix("_fen")


def _head(column: Column) -> str:
    return say(head(column))


def head(column: Column) -> str:
    """The head of a column: its name in words, without its unit."""
    name = _key(column).removesuffix("_ratio") if column.unit == "ratio" else _key(column)
    return name.replace("_", " ").capitalize()


def _value(column: Column, value: float | str | None) -> Cell:
    if column.unit == "fen" and not isinstance(value, str):
        return cny(value)
    return value
