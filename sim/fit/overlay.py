"""A fit as files: the overlay that `springpeak run --overlay` takes, and beside it what stands
behind each number (estimates, laws for a replay, joint bootstrap).

Both are written whole or not at all. Does not decide what is estimated.
"""

import json
import os
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any, Final

from sim.fit.keys import Setting, interval
from sim.fit.problems import LogError

# 5: those who wait leave by a table of their queue's, and days to come drift.
FORMAT: Final = 5


def beside(overlay: Path) -> Path:
    """The JSON file that belongs to an overlay."""
    return overlay.with_suffix(".json")


def toml(found: Sequence[Setting], *, kind: str, source: str) -> str:
    """The overlay's text, tables in order, a source comment behind every value."""
    lines = [f"description = {json.dumps(f'Fitted from {kind}: {source}', ensure_ascii=False)}"]
    source = " ".join(source.split())
    tables: dict[str, list[Setting]] = {}
    for one in found:
        tables.setdefault(one.key.rpartition(".")[0], []).append(one)
    for table, inside in sorted(tables.items()):
        lines += ["", f"[{table}]"]
        for one in inside:
            key = one.key.rpartition(".")[2]
            between = f", 95 % {interval(one)}" if interval(one) else ""
            lines.append(f"{key} = {_number(one.value)}  # D: {source}, {one.said}{between}")
    return "\n".join(lines) + "\n"


def write(path: Path, text: str, document: Mapping[str, Any]) -> None:
    """The overlay and its companion; the overlay comes last, so that it is never alone.

    Raises LogError where they cannot be written.
    """
    whole = finite({"format": FORMAT, **document})
    said = json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False)
    for target, content in ((beside(path), said + "\n"), (path, text)):
        new = target.with_name(f".{target.name}.new")
        try:
            new.write_text(content, encoding="utf-8")
            os.replace(new, target)
        except OSError as error:
            new.unlink(missing_ok=True)
            raise LogError(f"{target}: cannot be written ({error.strerror})") from None


def read(path: Path) -> dict[str, Any]:
    """What stands beside an overlay. Raises LogError if it is not there or not of this format."""
    file = path if path.suffix == ".json" else beside(path)
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LogError(
            f"{file}: cannot be read ({error}); `springpeak fit` writes it beside the overlay"
        ) from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        found = document.get("format") if isinstance(document, dict) else None
        raise LogError(
            f"{file}: format {found}, where this version of `springpeak fit` writes {FORMAT}; "
            "fit the log again"
        )
    return document


def finite(value: Any) -> Any:
    """The same for JSON, which knows neither NaN nor infinity: null in their place."""
    if isinstance(value, Mapping):
        return {str(key): finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    if isinstance(value, str | bool | int) or value is None:
        return value
    number = float(value)
    return number if isfinite(number) else None


def _number(value: float | Sequence[float]) -> str:
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Sequence):
        return "[" + ", ".join(_number(one) for one in value) + "]"
    text = f"{value:.6g}"
    return text if any(mark in text for mark in ".e") else f"{text}.0"
