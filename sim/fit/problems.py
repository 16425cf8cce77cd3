"""What is wrong with a log: a refusal of the whole, or rows set aside and counted, with reasons."""

from dataclasses import dataclass, field
from typing import Final

FIRST_ROWS: Final = 3
MOST_ASIDE_RATIO: Final = 0.1
AGAIN: Final = "has come before"


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

    def refuse_most(self, rows_count: int) -> None:
        """Raises LogError where so many rows are set aside that the log is not understood."""
        if self.total <= MOST_ASIDE_RATIO * rows_count:
            return
        again = sum(n for (_, reason), n in self.counts.items() if reason.endswith(AGAIN))
        hint = (
            "are rows in two files, or is another column the one that tells them apart (--column)?"
            if 2 * again > self.total
            else "is a column mapped wrongly (--column), or a time format (--time-format) or zone "
            "(--time-zone) missing?"
        )
        said = "\n".join(self.lines())
        raise LogError(
            f"{said}\n{self.total} of {rows_count} rows cannot be used, more than "
            f"{MOST_ASIDE_RATIO:.0%}: {hint}"
        )

    def lines(self) -> list[str]:
        """One line a reason, most frequent first."""
        ranked = sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))
        return [
            f"{file}: {count} rows set aside: {reason} (first: row "
            + ", ".join(str(row) for row in self.first_rows[(file, reason)])
            + ")"
            for (file, reason), count in ranked
        ]
