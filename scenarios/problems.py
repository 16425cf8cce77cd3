"""What is wrong with a scenario: all of it at once, each problem with what would be right."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake in what the user gave."""

    file: str
    """File as the user named it, or the option, e.g. "--set"."""
    line: int | None = None
    """Line in the file, from 1; None where no line is meant."""
    path: str = ""
    """Dotted key; empty when the whole file is meant."""
    value: str = ""
    """The offending value, shortened."""
    message: str
    """What is wrong."""
    hint: str = ""
    """What would be right."""

    @property
    def place(self) -> str:
        """File and line, as editors take it."""
        return self.file if self.line is None else f"{self.file}:{self.line}"

    def __str__(self) -> str:
        said = " = ".join(part for part in (self.path, self.value) if part)
        subject = f" {said}:" if said else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.place}:{subject} {self.message}{hint}"


class ScenarioProblems(Exception):
    """Raised with all problems found, in order of file and line, before anything is written."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda one: (one.file, one.line or 0)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def shorten(value: object, *, length: int = 60) -> str:
    """A value in one short line, spelled as in TOML where that is simple."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, str):
        text = f'"{value}"'
    elif isinstance(value, list | tuple):
        text = "[" + ", ".join(shorten(item) for item in value) + "]"
    else:
        text = str(value)
    return text if len(text) <= length else text[: length - 3] + "..."
