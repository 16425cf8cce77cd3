"""At which rate those who wait leave: by the time they have waited, and by their place in line.

Callers leave when they hear something (a message, their place), not as a smooth law would have it:
many within the first quarter of a minute, the more the longer the line of their own queue, and
later at a rate on which the place has less influence; and those of one queue leave at other times
than those of another. Decides a table of rates for each queue, constant within steps of the wait
and classes of places, times one ratio for each priority in it: the piecewise exponential model
(M. Friedman, Annals of Statistics 10, 1982; Holford, Biometrics 36, 1980), by turns for tables and
ratios. Where few left, a cell is drawn to that of all queues, this one to the product of its row
and column, a ratio to its queue's and that one to 1, as if so many more had left at those rates.
Seconds.
"""

from bisect import bisect_right
from dataclasses import dataclass
from math import inf
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.fit.crowd import place_in_line
from sim.fit.likelihood import Floats
from sim.fit.logs import ContactLog

FROM_S: Final = np.array(
    [*range(0, 6, 2), *range(6, 14), 15, 17, *range(20, 70, 5), 70, 80, 90, 100, 120, 150, 180,
     240, 300, 450, 600],
    dtype=np.float64,
)  # fmt: skip
COLUMNS: Final = ("from_s", "from_place", "rate_per_s")
FROM_PLACE: Final = np.array([1, 2, 3, 4, 6, 8, 11])
ROUNDS: Final = 40
FEW: Final = 20.0
# For a whole row or column of the table, which has many more.
VERY_FEW: Final = 2.0


@dataclass(frozen=True, slots=True)
class LeavingLaw:
    """Rates by second, for a ratio of 1."""

    from_s: Floats
    """Where steps begin, the first at 0."""
    from_place: NDArray[np.int64]
    """Where classes begin, the first at 1."""
    rate_per_s: Floats
    """[queues, steps, classes]"""
    queues: tuple[str, ...]
    """Names, in the order of the rates."""
    longest_wait_s: float
    """Nobody waits longer, since nobody did in the fitted log."""

    @classmethod
    def of_document(cls, said: dict[str, Any]) -> "LeavingLaw":
        """From the file beside an overlay."""
        from_s, from_place, rate_per_s = (np.array(said[name]) for name in COLUMNS)
        longest_wait_s = float(said["longest_wait_s"])
        return cls(from_s, from_place, rate_per_s, tuple(said["queues"]), longest_wait_s)

    def document(self) -> dict[str, Any]:
        """Ready for JSON."""
        columns = {name: getattr(self, name).tolist() for name in COLUMNS}
        return {**columns, "queues": self.queues, "longest_wait_s": self.longest_wait_s}


# What a contact bears is then its patience in seconds.
PATIENCE: Final = LeavingLaw(np.zeros(1), np.ones(1, np.int64), np.ones((1, 1, 1)), ("",), inf)


class Leaving:
    """Who leaves when, contact by contact."""

    def __init__(self, law: LeavingLaw) -> None:
        length_s = np.diff(law.from_s)[:, np.newaxis]
        passed = np.cumsum(law.rate_per_s[:, :-1] * length_s, axis=1)
        self._from_s, self._from_place = law.from_s.tolist(), law.from_place.tolist()
        self._passed = [[[0.0, *c] for c in one.T.tolist()] for one in passed]
        self._rate = [one.T.tolist() for one in law.rate_per_s]
        self._longest_wait_s = law.longest_wait_s

    def patience_s(self, hazard: float, queue: int, place: int) -> float:
        """Of a contact that bears so much hazard and comes at this place in line."""
        own = bisect_right(self._from_place, place) - 1
        passed = self._passed[queue][own]
        step = bisect_right(passed, hazard) - 1
        wait_s = self._from_s[step] + (hazard - passed[step]) / self._rate[queue][own][step]
        return wait_s if wait_s < self._longest_wait_s else self._longest_wait_s


def fit_leaving(log: ContactLog) -> tuple[LeavingLaw, Floats]:
    """The tables, and ratios by queue and priority."""
    left, waited_s = _seen(log)
    gone, seen = left.sum(axis=1), left.sum(axis=(2, 3))
    ratio = np.ones_like(seen)
    for _ in range(ROUNDS):
        exposed_s = np.einsum("qctp,qc->qtp", waited_s, ratio)
        common = _common(gone.sum(axis=0), exposed_s.sum(axis=0))
        rate = (gone + FEW) / (exposed_s + FEW / common)
        expected = np.einsum("qctp,qtp->qc", waited_s, rate)
        queue = (seen.sum(axis=1) + FEW) / (expected.sum(axis=1) + FEW)
        ratio = (seen + FEW * queue[:, np.newaxis]) / (expected + FEW)
    return LeavingLaw(FROM_S, FROM_PLACE, rate, log.queues, float(log.wait_s.max())), ratio


def _common(gone: Floats, exposed_s: Floats) -> Floats:
    """The rates of all queues together: [steps, classes]."""
    mean = gone.sum() / exposed_s.sum()
    by_place = np.ones(len(FROM_PLACE))
    for _ in range(4):
        by_step = gone.sum(axis=1) + VERY_FEW
        by_step /= exposed_s @ by_place + VERY_FEW / mean
        by_place = gone.sum(axis=0) + VERY_FEW
        by_place /= by_step @ exposed_s + VERY_FEW
    product = by_step[:, np.newaxis] * by_place
    return np.asarray((gone + FEW) / (exposed_s + FEW / product))


def _seen(log: ContactLog) -> tuple[Floats, Floats]:
    """Who left, and the time waited: [queues, priorities, steps, classes]."""
    told = log.wait_s > 0.0
    wait_s, gone = log.wait_s[told], log.abandoned[told]
    place = np.searchsorted(FROM_PLACE, place_in_line(log)[told], side="right") - 1
    shape = (len(log.queues), len(log.priorities), len(FROM_PLACE))
    cell = np.ravel_multi_index((log.queue[told], log.priority[told], place), shape)
    step, cells = np.searchsorted(FROM_S, wait_s, side="left") - 1, int(np.prod(shape))
    left = np.bincount((step * cells + cell)[gone], minlength=len(FROM_S) * cells)
    length_s = np.diff(FROM_S, append=inf)
    waited_s = [
        np.bincount(cell, np.clip(wait_s - start_s, 0.0, long_s), cells)
        for start_s, long_s in zip(FROM_S, length_s, strict=True)
    ]
    both = (np.reshape(one, (len(FROM_S), *shape)) for one in (left, np.array(waited_s)))
    left_count, spent_s = (np.moveaxis(one, 0, 2).astype(np.float64) for one in both)
    return left_count, spent_s
