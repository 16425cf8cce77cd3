"""Simulation-based iterative staffing: agents by interval from the contacts that are in the system.

Feldman, Mandelbaum, Massey and Whitt (Management Science 54, 2008): staff a time with the least s
for which P(contacts in system >= s) <= the share that may wait, simulate, repeat. A few simulations
give a rough quantile of an interval, so contacts in system are standardised by the offered load m,
(N - m) / sqrt(m), and neighbouring intervals share one quantile; m itself carries the shape of the
day. Where a share of replications must each keep the target, the quantile is taken in each
interval of each replication, and staffed is the quantile of these over replications.
"""

from typing import Final

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.stats import t as student

from sim.columns import Floats, Ints

LEAST_LOAD_ERLANG: Final = 0.25
# With s agents an integer N >= s waits; half a contact makes a smooth quantile of N one of N >= s.
HALF: Final = 0.5
# Two replications stay usable: with one degree of freedom the factor would be 6.3 at 95 %.
LEAST_FREEDOM: Final = 3


def pooled(
    in_system: Floats, load: Floats, *, delay_ratio: float, window: int, cyclic: bool
) -> Ints:
    """Least agents by interval for which the share that waits is `delay_ratio` over all samples.

    `in_system` has the shape (replications, intervals, samples), `load` (intervals,); `window`
    intervals share a quantile, around the clock if `cyclic`.
    """
    load = np.maximum(load, LEAST_LOAD_ERLANG)
    z = (in_system - load[:, np.newaxis]) / np.sqrt(load)[:, np.newaxis]
    by_interval = np.moveaxis(z, 1, 0).reshape(len(load), -1)
    reach = window // 2
    found = np.empty(len(load))
    for interval in range(len(load)):
        near = np.arange(interval - reach, interval + reach + 1)
        near = near % len(load) if cyclic else near[(near >= 0) & (near < len(load))]
        found[interval] = np.quantile(by_interval[near], 1.0 - delay_ratio)
    return np.maximum(np.ceil(load + found * np.sqrt(load) + HALF), 0.0).astype(np.int64)


def by_replication(
    in_system: Floats, load: Floats, *, delay_ratio: float, risk_ratio: float, window: int
) -> Floats:
    """Agents (not rounded) with which a share `risk_ratio` of replications keeps the target.

    Shapes as in `pooled`. The spread over replications is pooled over `window` intervals; few
    replications widen it by Student's factor, as for one more replication.
    """
    load = np.maximum(load, LEAST_LOAD_ERLANG)
    needed = np.quantile(in_system, 1.0 - delay_ratio, axis=2)
    z = (needed - load) / np.sqrt(load)
    middle = z.mean(axis=0)
    smooth = uniform_filter1d(middle, window, mode="nearest")
    return load + upper(smooth, z, risk_ratio=risk_ratio, window=window) * np.sqrt(load) + HALF


def upper(middle: Floats, values: Floats, *, risk_ratio: float, window: int) -> Floats:
    """Quantile over replications of values (replications, intervals) around their `middle`."""
    count = len(values)
    if count == 1:
        return middle
    variance = uniform_filter1d(values.var(axis=0, ddof=1), window, mode="nearest")
    # The level of a day is common to its intervals: replications are what is free, not intervals.
    freedom = max(count - 1, LEAST_FREEDOM)
    factor = float(student.ppf(risk_ratio, freedom)) * np.sqrt(1.0 + 1.0 / count)
    return np.asarray(middle + factor * np.sqrt(variance))
