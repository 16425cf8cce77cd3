"""In which order those who wait are answered: a credit in waiting time for each priority.

Some contacts do not wait at all, such as calls back that agents begin themselves: a queue whose
contacts are mostly answered at once while others wait goes ahead of all. For the others decides the
credit from every answer while others wait: whoever was first of its priority is compared with
the first of each other priority. The credits that put most of these pairs into the order in which
they were answered are taken, on a grid of `STEP_S`; one that cannot be told from none
(at `SIGMAS` in the test of Q. McNemar, Psychometrika 12, 1947) is none. Seconds.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.fit.likelihood import Floats
from sim.fit.logs import ContactLog

STEP_S: Final = 1.0
MOST_S: Final = 900.0
SWEEPS: Final = 4
SIGMAS: Final = 4.0
MOST_DAYS: Final = 180
FEWEST: Final = 30


def credits_s(log: ContactLog) -> dict[str, float]:
    """By priority, the smallest 0."""
    days = np.unique(log.day)
    log = log.taken(np.isin(log.day, days[:: -(-len(days) // MOST_DAYS)]))
    first, other, later_s = _pairs(log)
    credit = np.zeros(len(log.priorities))
    order = np.argsort(-np.bincount(first, minlength=len(credit)), kind="stable")
    # At first each one is placed among those that have been placed.
    placed = np.arange(len(credit)) == order[0]
    for _ in range(SWEEPS):
        before = credit.copy()
        for one in order[1:]:
            placed[one] = True
            known = placed[first] & placed[other]
            credit[one] = _best(one, credit, first[known], other[known], later_s[known])
        if (credit == before).all():
            break
    credit -= credit.min(initial=0.0)
    return dict(zip(log.priorities, credit.tolist(), strict=True))


def ahead(log: ContactLog) -> NDArray[np.bool_]:
    """Queues whose contacts are mostly answered at once while others wait."""
    told = log.wait_s > 0.0
    came_s = log.arrived_s
    left_s = np.sort((came_s + log.wait_s)[told])
    waiting = np.searchsorted(came_s[told], came_s) - np.searchsorted(left_s, came_s, "right")
    passed = waiting > 0
    n, at_once = (
        np.bincount(log.queue[rows], minlength=len(log.queues)) for rows in (passed, passed & ~told)
    )
    return np.asarray((n >= FEWEST) & (2 * at_once > n))


def _best(
    one: int, credit: Floats, first: NDArray[np.int64], other: NDArray[np.int64],
    later_s: Floats,
) -> float:
    """The credit of one priority, those of the others given."""
    grid = np.arange(-MOST_S, MOST_S + STEP_S, STEP_S)
    served, passed = first == one, other == one
    # In order if the credit is above these, or below those.
    above = np.sort(later_s[served] + credit[other[served]])
    below = np.sort(credit[first[passed]] - later_s[passed])
    right = np.searchsorted(above, grid) + len(below) - np.searchsorted(below, grid, "right")
    now = int(np.searchsorted(grid, credit[one]))
    best = int(np.argmax(right))
    low, high = sorted((grid[now], grid[best]))
    moved = ((above >= low) & (above < high)).sum() + ((below > low) & (below <= high)).sum()
    told = right[best] - right[now] > SIGMAS * np.sqrt(max(moved, 1))
    return float(grid[best]) if told else float(credit[one])


def _pairs(log: ContactLog) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Priorities of who was answered and of who was passed over, and by how much the former had
    come later."""
    rows = np.flatnonzero(log.wait_s > 0.0)
    came_s, left_s = log.arrived_s[rows], (log.arrived_s + log.wait_s)[rows]
    priority, gone = log.priority[rows].tolist(), log.abandoned[rows].tolist()
    at_s = came_s.tolist()
    kind = np.repeat([0, 1], len(rows))
    order = np.lexsort((kind, np.concatenate([came_s, left_s])))
    waiting: dict[int, None] = {}
    found: list[tuple[int, int, float]] = []
    for event in order.tolist():
        if event < len(rows):
            waiting[event] = None
            continue
        row = event - len(rows)
        if not gone[row] and len(waiting) > 1:
            heads: dict[int, int] = {}
            for one in waiting:
                heads.setdefault(priority[one], one)
            if heads.pop(priority[row]) == row:
                found += [(priority[row], p, at_s[row] - at_s[h]) for p, h in heads.items()]
        del waiting[row]
    table = np.array(found, dtype=np.float64).reshape(-1, 3)
    return table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2]
