"""A result as a JSON file: there as a whole, or not at all."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loadtests.trace import UNFINISHED


def write(path: Path, values: Mapping[str, Any]) -> None:
    """Write it in one step. Raises OSError that names the file."""
    unfinished = path.with_name(f"{path.name}{UNFINISHED}")
    text = json.dumps(values, indent=1, ensure_ascii=False)
    try:
        unfinished.write_text(f"{text}\n", encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise OSError(f"{path} cannot be written: {error.strerror}") from None
