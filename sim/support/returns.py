"""Redials and reconnects: what the next attempt of a case looks like.

Reads it from the case's own draws; decides nothing. Most attempts come back long after, so those
are looked up together, column by column. Times in seconds.
"""

from collections.abc import Iterator

import numpy as np

from sim.support.cases import ATTEMPT_COLUMNS, HORIZON_LIMIT_S, CaseFile
from sim.support.entries import ARRIVAL, Contact
from sim.support.key import abandonments, answers, row_of


class Returns:
    """Attempts that are still to come, as (time, key) until they are asked for."""

    def __init__(self, file: CaseFile) -> None:
        self._file = file
        self.later: list[tuple[float, int]] = []

    def contact(self, at_s: float, key: int) -> Contact:
        """The attempt with this key."""
        file, row, k = self._file, row_of(key), answers(key)
        attempt = min(abandonments(key) + k, ATTEMPT_COLUMNS - 1)
        return (
            at_s,
            ARRIVAL,
            key,
            file.place.item(row),
            file.handle_s.item(row, k),
            file.patience_s.item(row, attempt),
            file.reconnect_delay_s.item(row, k),
        )

    def take_later(self) -> Iterator[Contact]:
        """`contact` for all that wait in `later`, which is empty afterwards."""
        if not self.later:
            return iter(())
        at_s = np.array([at_s for at_s, _ in self.later])
        keys = np.array([key for _, key in self.later])
        self.later.clear()
        within = at_s < HORIZON_LIMIT_S
        at_s, keys = at_s[within], keys[within]
        file, row, k = self._file, row_of(keys), answers(keys)
        attempt = np.minimum(abandonments(keys) + k, ATTEMPT_COLUMNS - 1)
        return zip(
            at_s.tolist(),
            [ARRIVAL] * len(keys),
            keys.tolist(),
            file.place[row].tolist(),
            file.handle_s[row, k].tolist(),
            file.patience_s[row, attempt].tolist(),
            file.reconnect_delay_s[row, k].tolist(),
            strict=True,
        )
