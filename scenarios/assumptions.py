"""What the shipped files say of their values: the source behind every key, and the value itself.

For readers of a run, whose scenario.toml has values only: the run's scenario is named after the
shipped file it came from, with the names of overlays behind a plus sign.
"""

import tomllib
from collections.abc import Mapping
from typing import Any

from scenarios.loader import SHIPPED
from scenarios.overlays import merge
from scenarios.sources import Source, sources


def origin(name: str) -> tuple[dict[str, Source], Mapping[str, Any]]:
    """Sources and values of the shipped file of that name on top of those that it extends."""
    path = SHIPPED / f"{name}.toml"
    if not path.is_file():
        return {}, {}
    values = tomllib.loads(path.read_text(encoding="utf-8"))
    known, below = origin(str(values.get("extends", "")))
    return {**known, **sources(path)}, merge(below, values)
