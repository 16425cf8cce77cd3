"""A growing file of JSON, a line a thing: whole up to any stop, and read again as far as it is.

A line is written whole and at once; what stops a study can only cut the last one, which then counts
for nothing. Any other line that cannot be read is damage, and is said.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from sim.experiment.files import readable


@dataclass(frozen=True, slots=True)
class Lines:
    """The file; holds no state beside the path."""

    path: Path

    def read(self) -> Iterator[Any]:
        """What every whole line holds. Raises RunError where one is damaged."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.endswith(b"\n"):
                    with readable(f"{self.path}:{number}"):
                        found = json.loads(line)
                    yield found

    def open(self) -> "Writer":
        """To add lines. One that was cut off is taken away."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            text = self.path.read_bytes()
            whole = text.rfind(b"\n") + 1
            if whole < len(text):
                with self.path.open("r+b") as file:
                    file.truncate(whole)
        return Writer(self.path.open("a", encoding="utf-8"))


class Writer:
    """Appends lines; each is there once `add` returns."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def __enter__(self) -> "Writer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, told: Any) -> None:
        """Write one line."""
        self._file.write(f"{json.dumps(told, separators=(',', ':'))}\n")
        self._file.flush()
