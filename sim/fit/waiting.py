"""Those who wait, by queue and priority: how many, how readily they leave, in which order served.

Decides whose priority is known. Many systems note it only once a contact waits; where those who
were answered at once have other priorities than those who waited, theirs say nothing, and are drawn
by the shares of those who waited. Seconds.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.fit.likelihood import Floats
from sim.fit.logs import ContactLog
from sim.fit.priorities import MOST_S, ahead, credits_s

# Beyond this distance in total variation two mixes of priorities are not of the same contacts.
SAME_MIX: Final = 0.2


@dataclass(frozen=True, slots=True)
class WaitingPart:
    """One queue and priority."""

    queue: str
    priority: str
    share_ratio: float
    """Of those of the log who waited."""
    credit_s: float
    """Served as if they had come so much earlier."""
    leaving_ratio: float
    """Of its rate of leaving to that of its queue's table (sim/fit/leaving.py)."""
    noted: bool
    """Whether the log notes the priority of those who were answered at once, in this queue."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """All queues and priorities in which somebody waited."""

    parts: tuple[WaitingPart, ...]

    def draw(
        self, log: ContactLog, queues: tuple[str, ...], rng: np.random.Generator
    ) -> tuple[Floats, Floats, NDArray[np.int64]]:
        """For every contact the hazard that it bears, a credit in seconds, and its queue as a
        position in `queues`; the priority is drawn where it is not known, from all queues if the
        queue is not known either."""
        part = self._known(log)
        chance = rng.random(len(log))
        share = np.array([one.share_ratio for one in self.parts])
        for code, queue in enumerate(log.queues):
            own = np.flatnonzero((log.queue == code) & (part < 0))
            same = np.array([one.queue == queue for one in self.parts])
            weight = np.cumsum(np.where(same, share, 0.0) if same.any() else share)
            part[own] = np.searchsorted(weight, chance[own] * weight[-1], side="right")
        columns = ((one.leaving_ratio, one.credit_s) for one in self.parts)
        ratio, credit_s = np.array(list(columns)).T[:, part]
        place = np.array([queues.index(one.queue) for one in self.parts], dtype=np.int64)
        return rng.standard_exponential(len(log)) / ratio, credit_s, place[part]

    def _known(self, log: ContactLog) -> NDArray[np.int64]:
        """Each contact's part, -1 where it is not known."""
        place = {(one.queue, one.priority): i for i, one in enumerate(self.parts)}
        pairs = ((queue, priority) for queue in log.queues for priority in log.priorities)
        part = np.array([place.get(pair, -1) for pair in pairs])[_cell(log)]
        noted = np.array([one.noted for one in self.parts])
        return np.where((part >= 0) & (noted[part] | (log.wait_s > 0.0)), part, -1)


def fit_waiting(log: ContactLog, leaving_ratio: Floats) -> Waiting:
    """`leaving_ratio`: by queue and priority."""
    told, credit_s = log.wait_s > 0.0, credits_s(log)
    first_s = np.where(ahead(log), MOST_S, 0.0)
    cell, shape = _cell(log), (len(log.queues), len(log.priorities))
    waited, at_once = (
        np.bincount(cell[rows], minlength=shape[0] * shape[1]).reshape(shape)
        for rows in (told, ~told)
    )
    parts = []
    for code, queue in enumerate(log.queues):
        mixes = [n[code] / max(n[code].sum(), 1) for n in (waited, at_once)]
        far = np.abs(mixes[0] - mixes[1]).sum() / 2.0
        for rank, priority in enumerate(log.priorities):
            if waited[code, rank] == 0:
                continue
            parts.append(
                WaitingPart(
                    queue=queue,
                    priority=priority,
                    share_ratio=float(waited[code, rank] / told.sum()),
                    credit_s=credit_s[priority] + float(first_s[code]),
                    leaving_ratio=float(leaving_ratio[code, rank]),
                    noted=bool(at_once[code].sum() == 0 or far <= SAME_MIX),
                )
            )
    return Waiting(tuple(parts))


def _cell(log: ContactLog) -> NDArray[np.int64]:
    return np.asarray(log.queue.astype(np.int64) * len(log.priorities) + log.priority)
