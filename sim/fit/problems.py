"""What is wrong with a log: a refusal of the whole, or rows set aside and counted, with reasons."""

from dataclasses import dataclass, field
from typing import Final

FIRST_ROWS: Final = 3


class LogError(Exception):
    """A log that cannot be used: file, row and column where they are known, what would be right."""


@dataclass(slots=True)
class SetAside:
    """Rows that are not used: counts by (file, reason), and the first rows of each."""

    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    first_rows: dict[tuple[str, str], list[int]] = field(default_factory=dict)

    def add(self, file: str, reason: str, rows: list[int], count: int) -> None:
        """Counts rows of a file; `rows` are the first of them, from 1 below the header."""
        key = (file, reason)
        self.counts[key] = self.counts.get(key, 0) + count
        known = self.first_rows.setdefault(key, [])
        known += rows[: FIRST_ROWS - len(known)]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def lines(self) -> list[str]:
        """One line a reason, most frequent first."""
        ranked = sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))
        return [
            f"{file}: {count} rows set aside: {reason} (first: row "
            + ", ".join(str(row) for row in self.first_rows[(file, reason)])
            + ")"
            for (file, reason), count in ranked
        ]
