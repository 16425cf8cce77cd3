"""At which place in line a contact arrives, as a log shows it.

Decides whom a caller meets: those of its own queue who wait at its arrival. Many systems tell
callers their place; where they do not, callers still leave sooner when lines are long.
"""

import numpy as np

from sim.fit.likelihood import Floats
from sim.fit.logs import ContactLog


def place_in_line(log: ContactLog) -> Floats:
    """Of each contact: 1 where nobody else of its queue waits."""
    place = np.ones(len(log))
    for code in range(len(log.queues)):
        own = np.flatnonzero(log.queue == code)
        came_s, wait_s = log.arrived_s[own], log.wait_s[own]
        joined_s = came_s[wait_s > 0.0]
        left_s = np.sort((came_s + wait_s)[wait_s > 0.0])
        waiting = np.searchsorted(joined_s, came_s) - np.searchsorted(left_s, came_s, "right")
        place[own] += np.maximum(waiting, 0)
    return place
