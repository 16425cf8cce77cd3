"""The assumptions of a run: every setting with its value, its low and high case, and its source.

Sources are read from the comments of the shipped scenario file that the run's scenario is named
after, and of the files it extends; values are those of the run's own scenario.toml. Where the two
differ, an overlay or `--set` has changed the value, and the row says so.
"""

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from reports import style
from reports.cells import Book
from reports.language import later, say
from scenarios.assumptions import origin
from scenarios.overlays import at, leaves
from scenarios.sources import Source

_KINDS: Final = {
    "S": later("Source"),
    "D": later("Data"),
    "M": later("Common knowledge"),
    "A": later("Assumed"),
}
_NAMELESS: Final = ("name", "description")
_BLOCKS: Final = {
    "horizon": later("Horizon"),
    "calendar": later("Calendar"),
    "demand": later("Demand"),
    "merchants": later("Merchants"),
    "monitoring": later("Monitoring"),
    "consumers": later("Consumers"),
    "support": later("Support floor"),
    "guarantees": later("Guarantees"),
    "rights": later("Rights"),
    "pots": later("Pots"),
    "loops": later("Feedback loops"),
    "shocks": later("Shocks"),
    "patrol": later("Patrol"),
    "incidents": later("Incidents"),
    "api": later("Guarantee API"),
    "load": later("Load test"),
    "recourse": later("Recourse"),
    "regions": later("Regions"),
    "opening": later("Opening of stores"),
    "stock": later("Stock"),
    "conduct": later("Conduct of merchants"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One setting; `range` is its low and high case, of an array as multiples of its values."""

    key: str
    said: str
    range: str
    tag: str
    kind: str
    text: str
    changed: bool

    @property
    def value(self) -> Markup:
        """The value with its address, for the page."""
        return Markup('<span class="setting" data-source="scenario:{}">{}</span>').format(
            self.key, self.said
        )


@dataclass(frozen=True, slots=True)
class Group:
    """The settings of one block of the scenario."""

    name: str
    rows: tuple[Row, ...]


def assumptions(book: Book) -> tuple[Group, ...]:
    """All settings of the run by block, in the order of its scenario file."""
    known, shipped = origin(str(book.scenario["name"]))
    groups: dict[str, list[Row]] = {}
    for key, value in leaves(book.scenario):
        if key in _NAMELESS:
            continue
        source = known.get(key, Source("", say("set for this run")))
        row = Row(
            key,
            _value(value),
            _range(source, value),
            source.tag,
            say(_KINDS.get(source.tag, later("Set"))),
            _plain(source),
            key in known and at(shipped, key) != value,
        )
        groups.setdefault(key.partition(".")[0], []).append(row)
    return tuple(Group(say(_BLOCKS.get(name, name)), tuple(rows)) for name, rows in groups.items())


def _value(value: object) -> str:
    return ", ".join(_word(item) for item in value) if isinstance(value, list) else _word(value)


def _word(value: object) -> str:
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    return style.plain(value) if isinstance(value, int | float) else str(value)


def _range(source: Source, value: object) -> str:
    if source.low is None or source.high is None:
        return ""
    sign = "× " if isinstance(value, list) else ""
    return f"{sign}{style.plain(source.low)} – {style.plain(source.high)}"


def _plain(source: Source) -> str:
    """The source's words without the range that has a column of its own."""
    if source.low is None:
        return source.text
    return source.text.partition(" ")[2]
