"""The messages of the reports, found where they are said, and their catalogue.

Found in code: the first words of `say`, `say_html`, `later` and `reading`, and the heads, units and
meanings of columns (`Field`, `Column`); in templates: `say`; and the words of the vocabularies.
`python -m tests.messages` brings the catalogues up to date: new messages get an empty translation.
"""

import ast
import io
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from reports import style
from reports.language import CATALOGUE, LANGUAGES
from reports.staffing.workbook import head as staff_head
from reports.workbook.finance import head
from scenarios.loader import SHIPPED
from scenarios.payout_tables import PAYOUT_TABLES
from scenarios.staff_tables import STAFF_TABLES
from scenarios.tables import VOCABULARIES

ROOT = Path(__file__).parent.parent
# The arguments of a call that are messages.
SAYING = {"say": (0,), "say_html": (0,), "later": (0,), "reading": (0,), "Field": (1, 2, 5)}
# The packages that speak to readers.
HOUSES = ("reports",)


def _text(node: ast.expr) -> Iterator[str]:
    """The string that an argument is; of `a if b else c` both."""
    if isinstance(node, ast.IfExp):
        yield from _text(node.body)
        yield from _text(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value


def _in_code(path: Path, saying: dict[str, tuple[int, ...]]) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            for place in saying.get(node.func.id, ()):
                for text in _text(node.args[place]) if place < len(node.args) else ():
                    yield text, node.lineno


def _in_template(path: Path) -> Iterator[tuple[str, int]]:
    source = io.BytesIO(path.read_bytes())
    options: dict[str, Any] = {"encoding": "utf-8", "trim_blocks": "true", "lstrip_blocks": "true"}
    for line, _, text, _ in babel_extract(source, ("say",), (), options):
        yield str(text[0] if isinstance(text, tuple) else text), line


def _in_dictionaries() -> Iterator[tuple[str, str]]:
    """Heads, units and meanings of columns, words of the vocabularies, what scenarios stand for."""
    meanings = _in_code(ROOT / "scenarios" / "payout_tables.py", {"Column": (3,)})
    yield from ((text, "payout_tables.py") for text, _ in meanings)
    for column in (one for table in PAYOUT_TABLES.values() for one in table):
        yield head(column), "payout_tables.py"
    for column in (one for table in STAFF_TABLES.values() for one in table):
        yield from ((text, "staff_tables.py") for text in (staff_head(column), column.unit) if text)
    for words in VOCABULARIES.values():
        named = (word for word in words if word not in style.GUARANTEE_NAMES)
        yield from ((word.replace("_", " "), "words.py") for word in named)
    for path in (*sorted(SHIPPED.glob("*.toml")), *sorted((SHIPPED / "studies").glob("*.toml"))):
        yield tomllib.loads(path.read_text(encoding="utf-8"))["description"], path.name


def said() -> Catalog:
    """Every message with the places where it is said."""
    found = Catalog()
    files = [path for house in HOUSES for path in (ROOT / house).rglob("*.py")]
    for path in (ROOT / "springpeak.py", *sorted(files)):
        place = str(path.relative_to(ROOT))
        for text, _ in _in_code(path, SAYING):
            found.add(text, locations=[(place, None)])
    for path in sorted((ROOT / "reports" / "templates").glob("*.j2")):
        for text, _ in _in_template(path):
            found.add(text, locations=[(str(path.relative_to(ROOT)), None)])
    for text, place in _in_dictionaries():
        found.add(text, locations=[(f"scenarios/{place}", None)])
    return found


def catalogue(language: str) -> Catalog:
    """What stands in a language's file."""
    with (CATALOGUE / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def update(language: str) -> None:
    """Add messages that are new, drop those that nobody says, keep the rest."""
    known, wanted = catalogue(language), said()
    new = Catalog(locale=language, project="springpeak", version="0", fuzzy=False)
    for message in wanted:
        if message.id:
            old = known.get(message.id)
            text = old.string if old else ""
            new.add(message.id, string=text, locations=message.locations)
    with (CATALOGUE / f"{language}.po").open("wb") as file:
        write_po(file, new, width=100, sort_by_file=True, include_lineno=False, omit_header=True)


def main() -> None:
    """Bring every catalogue up to date."""
    for language in LANGUAGES[1:]:
        update(language)


if __name__ == "__main__":
    main()
