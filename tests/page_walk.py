"""Walks a page: every number with its address, and the text outside of numbers.

The walk does not use the reports' own look-up: it reads the addresses on the page and looks the
cells up in the files. An address reads `table[key=value,...]`, `estimates:subject[dim=value,...]`
or `file:dotted.key`; the field stands beside it.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl

from reports import style

# Text that is no result: names of days and hours, cuts of the verdict, quoted words, settings.
LABELS = {"dim", "cut", "quoted", "setting"}
VOID = ("meta", "path", "use", "rect", "br", "image")


@dataclass
class Walk(HTMLParser):
    """Collects the numbers of a page with their addresses, and all text outside of them."""

    numbers: list[tuple[dict[str, str], str]] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    _open: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        if tag not in VOID:
            self._open.append((tag, given))
        if given.get("class") == "num":
            self.numbers.append((given, ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        classes = {given.get("class", "") for _, given in self._open}
        tags = {tag for tag, _ in self._open}
        if "num" in classes:
            given, text = self.numbers[-1]
            self.numbers[-1] = (given, text + data.strip())
        elif (
            not classes & LABELS
            and not tags & {"svg", "style", "title", "header"}
            and not any(given.get("id") == "assumptions" for _, given in self._open)
        ):
            self.rest.append(data)


def walked(html: str) -> Walk:
    """The walk of a page."""
    found = Walk()
    found.feed(html)
    return found


@dataclass
class Files:
    """The files that a page's addresses point into; `documents` by the word before the colon."""

    documents: Mapping[str, Any]
    tables: Mapping[str, pl.DataFrame]

    @classmethod
    def of_run(cls, run_dir: Path) -> "Files":
        """Those of a run directory."""
        documents: dict[str, Any] = {
            file.stem: json.loads(file.read_text(encoding="utf-8"))
            for file in run_dir.glob("*.json")
        }
        documents["scenario"] = tomllib.loads(
            (run_dir / "scenario.toml").read_text(encoding="utf-8")
        )
        tables = {file.stem: pl.read_parquet(file) for file in run_dir.glob("*.parquet")}
        return cls(documents, tables)

    def value(self, source: str, name: str) -> Any:
        """What stands at an address."""
        word, colon, key = source.partition(":")
        if word == "estimates":
            subject, _, chosen = key.partition("[")
            return self._cell("estimates", f"subject={subject},{chosen.rstrip(']')}", name)
        if word not in self.documents and (not colon or "[" in source):
            table, _, chosen = source.partition("[")
            return self._cell(table, chosen.rstrip("]"), name)
        tree = _at(self.documents[word], key.split(".") if key else [])
        return tree if name == "value" and not isinstance(tree, Mapping) else _at(tree, [name])

    def _cell(self, table: str, chosen: str, name: str) -> Any:
        given = dict(pair.split("=", 1) for pair in chosen.split(",") if pair)
        frame = self.tables[table]
        keys = [key for key in KEYS.get(table, tuple(given)) if key in frame.columns]
        wanted = [
            pl.col(key).cast(pl.String) == given[key] if key in given else pl.col(key).is_null()
            for key in keys
        ]
        rows = frame.filter(*wanted)
        assert rows.height == 1, f"{table}[{chosen}] is {rows.height} rows"
        return rows[name][0]


DIMS = ("lunar_day", "hour", "skill", "channel", "guarantee", "category", "store_type")
# Columns of which an address that does not name them means the row where they are null.
KEYS = {"estimates": ("subject", *DIMS), "payout_pots": ("guarantee", "lunar_day")}


def _at(tree: Any, names: list[str]) -> Any:
    """A value by its path; names of keys may hold dots themselves."""
    if not names:
        return tree
    if isinstance(tree, list):
        return _at(tree[int(names[0])], names[1:])
    for count in range(len(names), 0, -1):
        key = ".".join(names[:count])
        if isinstance(tree, Mapping) and key in tree:
            return _at(tree[key], names[count:])
    raise KeyError(".".join(names))


def mistakes(walk: Walk, files: Files) -> Iterator[str]:
    """Numbers of the page that are not what the file at their address says, in the language of the
    context."""
    for given, text in walk.numbers:
        value = files.value(given["data-source"], given["data-field"])
        wanted = style.MISSING if value is None else style.FORMATS[given["data-form"]](value)
        if text != wanted:
            yield f"{given['data-source']} {given['data-field']}: page {text!r}, file {wanted!r}"
