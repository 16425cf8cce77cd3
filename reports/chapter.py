"""What a page is made of: chapters of parts, a part of words, a table and figures.

Decides shape only. A report has one chapter for each group of readers; a page of a single subject
(a replay, a backtest, a comparison) has one.
"""

from dataclasses import dataclass

from markupsafe import Markup

from reports.assumptions import Group
from reports.card import Card
from reports.figure import Figure
from reports.tables import Table


@dataclass(frozen=True, slots=True)
class Part:
    """A heading, and what stands below it: a line, a table, figures."""

    heading: str | Markup
    lead: str | Markup = ""
    table: Table | None = None
    figures: tuple[Figure, ...] = ()
    folded: bool = False
    """Whether a long table stands behind its heading until it is asked for; not on paper."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A page of the report: `key` is its address within the file, `name` its tab."""

    key: str
    name: str
    parts: tuple[Part, ...]
    cards: tuple[Card, ...] = ()
    settings: tuple[Group, ...] = ()
    foot: tuple[tuple[str, Markup], ...] = ()
