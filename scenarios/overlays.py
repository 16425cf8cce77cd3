"""Layers of a scenario and how they combine: base, files that extend it, overlays, `--set`.

Decides: tables merge key by key, everything else (also an array) is replaced whole; two overlays
may not set one key to different values, so their order does not matter. Does not decide what a key
means.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Final

from scenarios.problems import Problem, shorten
from scenarios.sources import Mark, Source, nearest, parse_source

SET_LABEL: Final = "--set"
# Of a file as such, and not of the scenario that several files make.
OWN_KEYS: Final = ("extends", "name", "description")


@dataclass(frozen=True, slots=True)
class Layer:
    """What one file, or one `--set`, says. `label` is how the user knows it."""

    label: str
    values: dict[str, Any]
    marks: dict[str, Mark] = field(default_factory=dict)

    def holds(self, path: str) -> bool:
        """Whether the layer says anything at this path or below."""
        return at(self.values, path) is not None

    def line(self, path: str) -> int | None:
        """Line of the key, else of the first key inside it, else of the table around it."""
        inside = (mark for key, mark in self.marks.items() if key.startswith(f"{path}."))
        mark = self.marks.get(path) or next(inside, None) or nearest(path, self.marks)
        return mark.line if mark else None

    def source(self, path: str) -> Source | None:
        """What the comment behind the key says of its origin."""
        mark = nearest(path, self.marks)
        return parse_source(mark.comment) if mark else None


def at(values: object, path: str) -> Any:
    """The value at a dotted path, None if there is none."""
    for part in path.split("."):
        if isinstance(values, Mapping):
            values = values.get(part)
        elif isinstance(values, Sequence) and not isinstance(values, str) and part.isdigit():
            values = values[int(part)] if int(part) < len(values) else None
        else:
            return None
    return values


def leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every key that is no table with its value; arrays are leaves, arrays of tables are not."""
    for key, value in values.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from leaves(value, f"{path}.")
        elif isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
            for number, element in enumerate(value):
                yield from leaves(element, f"{path}.{number}.")
        else:
            yield path, value


def merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid on `under`; neither is changed."""
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[key] = merge(below, value)
        else:
            merged[key] = value
    return merged


def overlaps(overlays: Sequence[Layer], *, settled: Sequence[str] = ()) -> list[Problem]:
    """A problem for each key that two overlays set differently and that no `--set` settles."""
    problems = []
    for first, second in combinations(overlays, 2):
        for path, value in leaves(second.values):
            clash = _clash(first, path)
            if clash is None or at(first.values, clash) == value or path in (*settled, *OWN_KEYS):
                continue
            other = shorten(at(first.values, clash))
            problems.append(
                Problem(
                    file=second.label,
                    line=second.line(path),
                    path=path,
                    value=shorten(value),
                    message=f"overlapping overlays: {first.label} sets {clash} = {other}",
                    hint=f"use one of the two, or settle it with --set {path}=...",
                )
            )
    return problems


def _clash(layer: Layer, path: str) -> str | None:
    """The key of `layer` that says something else about `path`: itself, or a value in its way."""
    parts = path.split(".")
    for length in range(1, len(parts) + 1):
        prefix = ".".join(parts[:length])
        value = at(layer.values, prefix)
        if value is None:
            return None
        if length == len(parts) or not isinstance(value, Mapping):
            return prefix
    return None


def parse_set(text: str, under: Mapping[str, Any]) -> Layer | Problem:
    """The layer of one `--set a.b=value`; `under` is needed to change one element of an array."""
    path, equals, value_text = text.partition("=")
    path = path.strip()
    if not equals or not all(path.split(".")):
        return Problem(
            file=SET_LABEL, value=text, message="is not key=value", hint="e.g. calendar.year=2027"
        )
    try:
        value = tomllib.loads(f"value = {value_text}")["value"]
    except tomllib.TOMLDecodeError:
        return Problem(
            file=SET_LABEL,
            path=path,
            value=value_text,
            message="is not a TOML value",
            hint=f"text needs quotes: --set '{path}=\"{value_text.strip()}\"'",
        )
    return Layer(SET_LABEL, _nested(path.split("."), value, under))


def _nested(parts: Sequence[str], value: Any, under: object) -> dict[str, Any]:
    """Tables around a value; an array on the way is copied with one element changed."""
    head, rest = parts[0], parts[1:]
    below = under.get(head) if isinstance(under, Mapping) else None
    if not rest:
        return {head: value}
    if isinstance(below, list) and rest[0].isdigit() and int(rest[0]) < len(below):
        changed = list(below)
        number = int(rest[0])
        inner = _nested(("value", *rest[1:]), value, {"value": below[number]})["value"]
        both = isinstance(inner, dict) and isinstance(below[number], dict)
        changed[number] = merge(below[number], inner) if both else inner
        return {head: changed}
    return {head: _nested(rest, value, below)}
