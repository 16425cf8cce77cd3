"""A TOML file of the user's own as a model: the mapping of an API, the limits of the service.

All that is wrong with it is said at once, a line each: file, key, value, what would be right.
"""

import tomllib
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from pydantic import ValidationError

from scenarios.model import Model

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

M = TypeVar("M", bound=Model)


class TomlFileError(ValueError):
    """The file cannot be used; the message says everything that is wrong, for the user."""


def values(path: Path) -> dict[str, Any]:
    """What the file holds. Raises TomlFileError."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TomlFileError(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TomlFileError(f"{path} is no TOML: {error}") from None


def model(kind: type[M], found: dict[str, Any], path: Path) -> M:
    """The model of these values, which are the file's. Raises TomlFileError."""
    try:
        return kind.model_validate(found)
    except ValidationError as error:
        lines = (f"{path}: {_said(kind, one)}" for one in error.errors())
        raise TomlFileError("\n".join(lines)) from None


def _said(kind: type[M], detail: "ErrorDetails") -> str:
    *place, last = detail["loc"]
    key = ".".join(map(str, detail["loc"]))
    if detail["type"] == "missing":
        return f"{key} is missing"
    if detail["type"] == "extra_forbidden":
        known = _fields_at(kind, place)
        near = get_close_matches(str(last), known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(known)}"
        return f"{key}: unknown key: {hint}"
    return f"{key} = {detail['input']!r}: {detail['msg'].replace('Input should', 'should')}"


def _fields_at(kind: Any, place: Sequence[int | str]) -> list[str]:
    """The keys that a model knows at a place; a table of models has any name as its key."""
    for step in place:
        inside = kind.model_fields[step].annotation if hasattr(kind, "model_fields") else None
        kind = inside or get_args(kind)[-1]
    return list(kind.model_fields)
