"""The answers in words: what to book, what to fund, what moves it most.

Every number is a cell of the payout tables; intervals stand in brackets.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import polars as pl
from markupsafe import Markup

from reports import style
from reports.card import Card
from reports.cells import quote
from reports.engine import retold
from reports.language import later, say, say_html
from reports.rows import Row, rows

TOP: Final = 3
_LABELS: Final = {
    "book_gross": later("Book, payments"),
    "book_recovery": later("Book, recoveries"),
    "book_net": later("Book, net"),
    "book_opportunistic": later("Opportunistic"),
}
_LEVELS: Final = {"fund": later("Fund, {level}"), "gross": later("Payments, {level}")}


def sentences(tables: Mapping[str, pl.DataFrame]) -> Iterator[str]:
    """The words at the top of the page, as plain text."""
    for card in cards(tables):
        text = say(
            "{label}: {value}: {meaning}",
            label=card.question,
            value=card.answer.striptags(),
            meaning=card.sentence.striptags(),
        )
        yield text.replace("\xa0", " ")
    for one in held(tables):
        yield one.striptags().replace("\xa0", " ")
    for row in movers(tables)[:TOP]:
        yield say("Moved by {what}", what=moved(row).striptags()).replace("\xa0", " ")


def cards(tables: Mapping[str, pl.DataFrame]) -> tuple[Card, ...]:
    """What to book and what to fund: a card a figure."""
    return tuple(
        Card(Markup.escape(label(row["figure"])), _figure(row), "", _meaning(row))
        for row in rows("payout_answers", tables["payout_answers"], ("figure",))
    )


def label(figure: str) -> str:
    """The name of an answer by its code."""
    kind, _, level = figure.partition("_")
    if figure in _LABELS:
        return say(_LABELS[figure])
    return say(_LEVELS[kind], level=level.upper())


def _figure(row: Row) -> Markup:
    """A figure, or that it is withheld."""
    if row["value_fen"] is None:
        return Markup('<span class="none">{}</span>').format(say("withheld"))
    return Markup("{}").format(row.number("value_fen", "cny"))


def spread(row: Row) -> Markup:
    """The interval of a figure, its upper end alone, or a dash."""
    if row["low_fen"] is None and row["high_fen"] is not None:
        return say_html("at most {high}", high=row.number("high_fen", "cny"))
    return row.range("low_fen", "high_fen", "cny")


def with_spread(row: Row) -> Markup:
    """A figure with its interval below it."""
    if row["value_fen"] is None:
        return _figure(row)
    return Markup('{} <span class="interval">{}</span>').format(_figure(row), spread(row))


def _meaning(row: Row) -> Markup:
    reason, meaning = (quote(retold(row[field])) for field in ("withheld", "meaning"))
    if row["value_fen"] is None:
        return say_html("{meaning} ({reason})", meaning=meaning, reason=reason)
    if row["high_fen"] is None:
        return say_html("{meaning} (no interval: {reason})", meaning=meaning, reason=reason)
    if row["low_fen"] is None:
        return say_html(
            "{meaning} ({interval}; {reason})",
            meaning=meaning,
            interval=spread(row),
            reason=reason,
        )
    return say_html(
        "{meaning} (95&nbsp;% interval {interval})", meaning=meaning, interval=spread(row)
    )


def held(tables: Mapping[str, pl.DataFrame]) -> Iterator[Markup]:
    """Whether each budget that was asked about holds, to the last day."""
    if "payout_budgets" not in tables:
        return
    every = tables["payout_budgets"]
    last = every.filter(pl.col("lunar_day") == pl.col("lunar_day").max())
    for row in rows("payout_budgets", last, ("guarantee", "budget_fen", "lunar_day")):
        yield say_html(
            "Budget, {guarantee}: {budget} is not enough in {share} of seasons (95&nbsp;% interval "
            "{interval})",
            guarantee=style.guarantee(row["guarantee"]),
            budget=row.number("budget_fen", "cny"),
            share=row.number("exhausted_ratio", "probability"),
            interval=row.range("exhausted_low_ratio", "exhausted_high_ratio", "probability"),
        )


def movers(tables: Mapping[str, pl.DataFrame]) -> list[Row]:
    """The rows of the tornado, widest first."""
    if "payout_tornado" not in tables:
        return []
    return list(rows("payout_tornado", tables["payout_tornado"], ("key",)))


def moved(row: Row) -> Markup:
    """What one assumption does to the expected net payout at its low and high case."""
    ends = [
        say_html(
            "at {value} {effect} ({interval})",
            value=row.number(f"{side}_value", "plain"),
            effect=row.number(f"{side}_effect_fen", "cny"),
            interval=row.range(f"{side}_effect_low_fen", f"{side}_effect_high_fen", "cny"),
        )
        for side in ("low", "high")
        if row[f"{side}_effect_fen"] is not None
    ]
    return say_html(
        "{key} (now {base}): {ends}",
        key=quote(row["key"]),
        base=row.number("base_value", "plain"),
        ends=Markup(say(", ")).join(ends) if ends else say("cannot be moved alone"),
    )


def statistic(name: str) -> str:
    """The head of a column: mean, P95, TVaR 95 %."""
    if name.startswith("tvar"):
        return f"TVaR {style.probability(int(name[4:]) / 100)}"
    return say("Mean") if name == "mean" else name.upper()
