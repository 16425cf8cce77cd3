"""What may stand in a scenario, key by key: the JSON schema, walked by dotted path.

Decides how a key is described to people: in `springpeak scenarios schema` and in the hints of
problems. Does not validate (pydantic does).
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel

from scenarios.overlays import Layer, at
from scenarios.problems import shorten

Node = dict[str, Any]


class Schema:
    """The schema of one root model. Nodes are given with their references resolved."""

    def __init__(self, model: type[BaseModel]) -> None:
        self._root: Node = model.model_json_schema()

    def node(self, path: str) -> Node | None:
        """The node of a dotted path; None if no such key may exist. "" is the root."""
        node: Node | None = self._resolve(self._root)
        for part in path.split(".") if path else []:
            node = None if node is None else self._child(node, part)
        return node

    def keys(self, path: str) -> tuple[str, ...]:
        """The keys that the table at `path` may hold; empty where any name is allowed."""
        return tuple((self.node(path) or {}).get("properties", ()))

    def paths(self) -> Iterator[str]:
        """Every key, parents first; the free names of a table are written `*`."""
        yield from self._walk(self._resolve(self._root), "")

    def describe(self, path: str) -> str:
        """What would be right at `path`: type, range, meaning."""
        node = self.node(path)
        if node is None:
            return ""
        said = " ".join(self._meaning(path).split())
        return _kind(node, self._resolve) + (f": {said}" if said else "")

    def _meaning(self, path: str) -> str:
        """The description of a key; what repeats (one a category, say) is described above it."""
        said = (self.node(path) or {}).get("description", "")
        return said if said or not path else self._meaning(path.rpartition(".")[0])

    def suggest(self, path: str) -> str:
        """What an unknown key was probably meant to be."""
        parent, _, key = path.rpartition(".")
        siblings = self.keys(parent)
        if close := get_close_matches(key, siblings, n=1):
            return f"did you mean {close[0]}?"
        elsewhere = [known for known in self.paths() if known.rpartition(".")[2] == key]
        if elsewhere:
            return f"did you mean {elsewhere[0]}?"
        where = parent or "the file's top"
        return f"{where} may hold: {', '.join(siblings)}" if siblings else ""

    def document(self, base: Layer) -> Node:
        """The schema without references, with the base's values and sources beside the keys."""
        return self._expand(self._resolve(self._root), "", base)

    def _expand(self, node: Node, path: str, base: Layer) -> Node:
        expanded = dict(node)
        if "properties" in node:
            expanded["properties"] = {
                key: self._expand(self._resolve(child), f"{path}.{key}" if path else key, base)
                for key, child in node["properties"].items()
            }
        for inner in ("items", "additionalProperties"):
            if isinstance(node.get(inner), dict):
                name = "0" if inner == "items" else _first_name(at(base.values, path))
                below = f"{path}.{name}" if name else path
                expanded[inner] = self._expand(self._resolve(node[inner]), below, base)
        value = at(base.values, path) if path else None
        if value is not None and not isinstance(value, Mapping) and "properties" not in node:
            expanded["default"] = value
            source = base.source(path)
            expanded["x-source"] = str(source) if source else ""
        return expanded

    def _walk(self, node: Node, prefix: str) -> Iterator[str]:
        for key, child in node.get("properties", {}).items():
            yield f"{prefix}{key}"
            yield from self._walk(self._resolve(child), f"{prefix}{key}.")
        for inner, name in (("items", "0"), ("additionalProperties", "*")):
            if isinstance(node.get(inner), dict):
                yield from self._walk(self._resolve(node[inner]), f"{prefix}{name}.")

    def _child(self, node: Node, part: str) -> Node | None:
        properties = node.get("properties", {})
        if part in properties:
            return self._resolve(properties[part])
        for inner in ("items", "additionalProperties"):
            if isinstance(node.get(inner), dict) and (inner != "items" or part.isdigit()):
                return self._resolve(node[inner])
        return None

    def _resolve(self, node: Node) -> Node:
        """The node with references and optionality followed; its own words win."""
        own = {key: value for key, value in node.items() if key not in ("$ref", "anyOf", "$defs")}
        if "$ref" in node:
            target = self._root["$defs"][node["$ref"].rpartition("/")[2]]
            return self._resolve(target) | own
        alternatives = [one for one in node.get("anyOf", ()) if one.get("type") != "null"]
        if len(alternatives) == 1:
            return self._resolve(alternatives[0]) | own
        return own | ({"anyOf": alternatives} if alternatives else {})


def _first_name(table: object) -> str | None:
    return next(iter(table), None) if isinstance(table, Mapping) else None


def _kind(node: Node, resolve: Any) -> str:
    """Type and range in words."""
    if "enum" in node:
        return f"one of {', '.join(str(word) for word in node['enum'])}"
    if "const" in node:
        return shorten(node["const"])
    if node.get("type") == "array":
        low, high = node.get("minItems"), node.get("maxItems")
        if low is not None and low == high:
            count = f" of {low}"
        elif low:
            count = f" of at least {low}"
        else:
            count = ""
        return f"an array{count}, each {_kind(resolve(node.get('items', {})), resolve)}"
    words = {
        "integer": "a whole number",
        "number": "a number",
        "boolean": "true or false",
        "string": "a date such as 2027-02-06" if node.get("format") == "date" else "a text",
        "object": "a table",
    }
    return words.get(node.get("type", ""), "a value") + _range(node)


def _range(node: Node) -> str:
    low, high = node.get("minimum"), node.get("maximum")
    above, below = node.get("exclusiveMinimum"), node.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f" from {low:.12g} to {high:.12g}"
    bounds = [
        f"{word} {bound:.12g}"
        for word, bound in (
            ("at least", low), ("above", above), ("at most", high), ("below", below),
        )
        if bound is not None
    ]  # fmt: skip
    return f" {' and '.join(bounds)}" if bounds else ""
