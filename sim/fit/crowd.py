"""At which place in line a contact arrives, as a log shows it.

Decides whom a caller meets: all who wait at its arrival, of whichever queue. Many systems tell
callers their place; where they do not, callers still leave sooner when lines are long.
"""

import numpy as np

from sim.fit.likelihood import Floats
from sim.fit.logs import ContactLog


def place_in_line(log: ContactLog) -> Floats:
    """Of each contact: 1 where nobody waits."""
    told = log.wait_s > 0.0
    joined_s = log.arrived_s[told]
    left_s = np.sort(joined_s + log.wait_s[told])
    came_s = log.arrived_s
    waiting = np.searchsorted(joined_s, came_s) - np.searchsorted(left_s, came_s, "right")
    return np.asarray(1.0 + np.maximum(waiting, 0))
