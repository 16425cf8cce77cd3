"""How far whole weeks come out from what is foretold, since patience and staffing drift.

Chance within a replay says little about that. Decides it from the fitted log itself, replayed with
what was fitted on it: every spell of it that is as long as the days to be foretold misses by some
amount, also by what the replay always misses by. Spells begin on every day: overlapping batch means
(Meketon and Schmeiser, Winter Simulation Conference 1984). The interval is Student's t on the root
mean square of those misses, with as many degrees of freedom as spells that do not overlap. Contacts
are counted, waits are in seconds, ratios are of contacts.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from scipy import stats

from sim.experiment.confidence import TAIL
from sim.fit.likelihood import Floats
from sim.fit.logs import ContactLog
from sim.fit.replay import Replayed

FEWEST_SPELLS: Final = 3
# Of the service level.
THRESHOLD_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Drift:
    """By date of the fitted log, rising: contacts, and what was seen less what replays say."""

    day: Floats
    contacts_count: Floats
    abandoned: Floats
    wait_s: Floats
    within: Floats
    """Answered within `THRESHOLD_S`."""

    @classmethod
    def of(cls, log: ContactLog, again: Sequence[Replayed]) -> "Drift":
        """`again`: replays of the log."""
        day, place = np.unique(log.day, return_inverse=True)
        abandoned = log.abandoned - np.mean([one.abandoned for one in again], axis=0)
        wait_s = log.wait_s - np.mean([one.wait_s for one in again], axis=0)
        others = [~one.abandoned & (one.wait_s <= THRESHOLD_S) for one in again]
        within = (~log.abandoned & (log.wait_s <= THRESHOLD_S)) - np.mean(others, axis=0)
        columns = (np.ones(len(log)), abandoned, wait_s, within)
        sums = (np.bincount(place, one) for one in columns)
        return cls(day.astype(np.float64), *(one.astype(np.float64) for one in sums))

    @classmethod
    def of_document(cls, said: dict[str, Any]) -> "Drift":
        """From the file beside an overlay."""
        return cls(**{name: np.array(column, np.float64) for name, column in said.items()})

    def document(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {name: column.tolist() for name, column in asdict(self).items()}

    def spells_count(self, days: int) -> int:
        """So many spells of that many days do not overlap."""
        return int(self.day[-1] + 1.0 - self.day[0]) // days

    def half_widths(self, days: int) -> dict[str, float] | None:
        """Of the 95 % intervals of `abandoned_ratio`, `mean_wait_s` and `service_level_ratio` over
        that many days; None where fewer than `FEWEST_SPELLS` spells are known."""
        spells = self.spells_count(days)
        if spells < FEWEST_SPELLS:
            return None
        first = np.flatnonzero(self.day + days <= self.day[-1] + 1.0)
        until = np.searchsorted(self.day, self.day[first] + days)
        wide = float(stats.t.ppf(1.0 - TAIL, spells)) * (1.0 + 1.0 / spells) ** 0.5
        found = {}
        columns = {
            "abandoned_ratio": self.abandoned,
            "mean_wait_s": self.wait_s,
            "service_level_ratio": self.within,
        }
        for name, column in columns.items():
            missed, contacts = (
                np.concatenate([[0.0], np.cumsum(one)]) for one in (column, self.contacts_count)
            )
            each = (missed[until] - missed[first]) / (contacts[until] - contacts[first])
            found[name] = wide * float(np.sqrt((each**2).mean()))
        return found
