"""Where each number comes from: the line of every key of a TOML file and the comment that ends it.

Decides how a source comment is read; does not decide which numbers need one (a test does: all of
the base). Tags: `# S: address or title` (a source), `# D: data set` (computed from data), `# M`
(common knowledge), `# A: low/base/high` (assumed; for an array `# A: x0.8-1.25 text`, multiples of
its values).
tomllib gives no positions, hence the small scanner here; it is held against tomllib in the tests.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_KEY: Final = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_DOTTED: Final = rf"{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*"
_START: Final = re.compile(
    rf"[ \t]*(?:(?P<open>\[\[?)[ \t]*(?P<table>{_DOTTED})[ \t]*\]|(?P<key>{_DOTTED})[ \t]*=)"
)
_TOKEN: Final = re.compile(
    r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\''
    r"|(?P<comment>#[^\n]*)|(?P<open>[\[{])|(?P<close>[\]}])|(?P<newline>\n)|.",
    re.DOTALL,
)
_NUMBER: Final = r"-?[0-9][0-9_]*(?:\.[0-9]+)?(?:e-?[0-9]+)?"
_RANGE: Final = re.compile(rf"({_NUMBER})/({_NUMBER})/({_NUMBER})(?=$|[\s,;(])\s*(.*)")
_MULTIPLES: Final = re.compile(rf"x({_NUMBER})-({_NUMBER})(?=$|[\s,;(])\s*(.*)")


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a key stands, from line 1, and the comment behind its value without the `#`."""

    line: int
    comment: str


@dataclass(frozen=True, slots=True)
class Source:
    """Origin of a value. `low`, `base`, `high` only for tag A; of an array they are multiples."""

    tag: str
    text: str
    low: float | None = None
    base: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        return self.tag if not self.text else f"{self.tag}: {self.text}"


def marks(text: str) -> dict[str, Mark]:
    """Every table and key of a TOML text by dotted path; elements of arrays of tables by number."""
    found: dict[str, Mark] = {}
    counts: dict[str, int] = {}
    prefix, position, line = "", 0, 1
    while position < len(text):
        start = _START.match(text, position)
        end, comment = _statement_end(text, start.end() if start else position)
        if start and start["table"]:
            prefix = _resolve(_parts(start["table"]), counts)
            if start["open"] == "[[":
                counts[prefix] = counts.get(prefix, -1) + 1
                found.setdefault(prefix, Mark(line, comment))
                prefix = f"{prefix}.{counts[prefix]}"
            found[prefix] = Mark(line, comment)
        elif start:
            path = ".".join(([prefix] if prefix else []) + _parts(start["key"]))
            found[path] = Mark(line, comment)
        line += text.count("\n", position, end)
        position = end
    return found


def _statement_end(text: str, position: int) -> tuple[int, str]:
    """Position after the newline that ends the statement, and the comment before that newline."""
    depth, comment = 0, ""
    for token in _TOKEN.finditer(text, position):
        if token["open"]:
            depth += 1
        elif token["close"]:
            depth -= 1
        elif token["comment"]:
            comment = token["comment"].removeprefix("#").strip()
        elif token["newline"] and depth <= 0:
            return token.end(), comment
        elif token["newline"]:
            comment = ""
    return len(text), comment


def _parts(dotted: str) -> list[str]:
    return [part.strip("\"'") for part in re.findall(_KEY, dotted)]


def _resolve(parts: list[str], counts: dict[str, int]) -> str:
    """The path with the number of the latest element after each array of tables on the way."""
    path = ""
    for part in parts:
        if path in counts:
            path = f"{path}.{counts[path]}"
        path = f"{path}.{part}" if path else part
    return path


def parse_source(comment: str) -> Source | None:
    """The source that a comment states; None if it states none."""
    tag, _, text = comment.partition(":")
    tag, text = tag.strip(), text.strip()
    if tag == "M":
        return Source(tag, text)
    if tag not in ("S", "D", "A") or not text:
        return None
    if tag == "A" and (match := _RANGE.match(text)):
        low, base, high = (float(group.replace("_", "")) for group in match.groups()[:3])
        return Source(tag, text, low, base, high)
    if tag == "A" and (match := _MULTIPLES.match(text)):
        return Source(tag, text, float(match[1]), 1.0, float(match[2]))
    return Source(tag, text)


def nearest(path: str, among: dict[str, Mark]) -> Mark | None:
    """The mark of a path, or of the closest key or table that contains it."""
    while path and path not in among:
        path = path.rpartition(".")[0]
    return among.get(path)


def sources(path: Path) -> dict[str, Source]:
    """Source of every key of a TOML file that states one, by dotted path."""
    found = {
        key: parse_source(mark.comment)
        for key, mark in marks(path.read_text(encoding="utf-8")).items()
    }
    return {key: source for key, source in found.items() if source is not None}
