"""The second way to a compound distribution: Panjer's recursion on the lattice of the claims.

Decides the probabilities of the total for claims that stand on a lattice, with Poisson or negative
binomial counts of one day. It holds sim/compound/fourier.py to account in the tests: it shares with
it the claims' masses and nothing else, and it cannot alias. Source: Panjer, ASTIN Bulletin 12
(1981): for counts with p_n = (a + b / n) p_{n-1},
    g_s = sum over j of (a + b j / s) f_j g_{s-j} / (1 - a f_0).
The recursion is stable for both counts (Panjer and Wang, ASTIN Bulletin 23, 1993).
"""

import math

import numpy as np

from sim.compound.frequency import Frequency
from sim.compound.problems import require
from sim.compound.severity import Floats


def recursion(frequency: Frequency, claim_masses: Floats, *, points: int) -> Floats:
    """P(S = 0), P(S = 1 step), ... for claims with these masses on 0, 1, ... steps."""
    sound = len(frequency.days) == 1 and frequency.common_cv == 0.0
    require(sound, name="days", value=frequency.days, right="one day without a common factor")
    mean, square = frequency.days[0], frequency.mixing_cv**2
    missing = 1.0 - float(claim_masses[0])
    if square > 0.0:
        a = mean * square / (1.0 + mean * square)
        b = (1.0 / square - 1.0) * a
        log_none = -math.log1p(mean * square * missing) / square
    else:
        a, b = 0.0, mean
        log_none = -mean * missing
    # exp(-700) is near the smallest float, from which the recursion could not start.
    right = "a mean so small that no claim at all is likelier than exp(-700)"
    require(log_none > -700.0, name="claims", value=mean, right=right)
    total = np.zeros(points)
    total[0] = math.exp(log_none)
    sizes = np.flatnonzero(claim_masses[1:]) + 1
    plain = a * claim_masses[sizes]
    growing = b * sizes * claim_masses[sizes]
    for s in range(1, points):
        count = int(np.searchsorted(sizes, s, side="right"))
        before = total[s - sizes[:count]]
        total[s] = float((plain[:count] + growing[:count] / s) @ before)
        total[s] /= 1.0 - a * float(claim_masses[0])
    return total
