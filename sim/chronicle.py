"""The chronicle of a replication: what its days leave for the tables that are asked for."""

from collections.abc import Callable, Collection

from sim.columns import Columns, stack


class Chronicle:
    """Rows by table, day after day; what no table asks for is not even computed."""

    def __init__(self, wanted: Collection[str]) -> None:
        self._days: dict[str, list[Columns]] = {name: [] for name in wanted}

    def note(self, table: str, rows: Callable[[], Columns]) -> None:
        """Adds a day's rows to a table if it is wanted."""
        if table in self._days:
            self._days[table].append(rows())

    def hand_over(self, table: str) -> Columns:
        """All rows of a table that was wanted; its days are given up."""
        return stack(self._days.pop(table))
