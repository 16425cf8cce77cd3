"""Simulation-based iterative staffing: agents by interval from the contacts that are in the system.

Feldman, Mandelbaum, Massey and Whitt (Management Science 54, 2008): staff a time with the least s
for which P(contacts in system >= s) <= the share that may wait, simulate, repeat. A few simulations
give a rough quantile of an interval, so contacts in system are standardised by the offered load m,
(N - m) / sqrt(m), and neighbouring intervals share one quantile; m itself carries the shape of the
day. Where a share of replications must each keep the target, the quantile is taken in each
interval of each replication, and staffed is the quantile of these over replications.
"""

from dataclasses import dataclass
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
    in_system: Floats,
    load: Floats,
    *,
    delay_ratio: float,
    risk_ratio: float,
    window: int,
    ticks_per_day: int,
) -> Floats:
    """Agents (not rounded) with which a share `risk_ratio` of replications keeps the target.

    Shapes as in `pooled`. What chance adds to the load shares a mean over `window` intervals.
    """
    load = np.maximum(load, LEAST_LOAD_ERLANG)
    needed = np.quantile(in_system, 1.0 - delay_ratio, axis=2)
    z = (needed.mean(axis=0) - load) / np.sqrt(load)
    middle = load + uniform_filter1d(z, window, mode="nearest") * np.sqrt(load)
    spread = Spread(load, risk_ratio=risk_ratio, window=window, ticks_per_day=ticks_per_day)
    return spread.upper(middle, needed) + HALF


@dataclass(frozen=True, slots=True)
class Spread:
    """How far replications reach above their middle.

    A day's level is common to its intervals, and few replications hardly know how much it varies:
    a day whose levels happened to lie close together would be staffed as if they always did. The
    variance of a day's relative level is therefore drawn half way to that of all days (empirical
    Bayes, with as much weight on the prior as on the sample; Smyth, Statistical Applications in
    Genetics and Molecular Biology 3, 2004). An interval's own variance is pooled over `window`
    intervals; what it has beside its day's level is the least.
    """

    load: Floats
    risk_ratio: float
    window: int
    ticks_per_day: int

    def upper(self, middle: Floats, values: Floats) -> Floats:
        """The level that a share `risk_ratio` of values, shape (replications, intervals), stays
        under; few replications widen it by Student's factor, as for one more replication."""
        count = len(values)
        if count == 1:
            return middle
        # A day and the prior of all days: twice the replications that are free.
        freedom = max(2 * (count - 1), LEAST_FREEDOM)
        factor = float(student.ppf(self.risk_ratio, freedom)) * np.sqrt(1.0 + 1.0 / count)
        return np.asarray(middle + factor * np.sqrt(self._variance(values)))

    def _variance(self, values: Floats) -> Floats:
        """Variance over replications of every interval: its own, its day's level replaced."""
        free = len(values) - 1
        load = np.maximum(self.load, LEAST_LOAD_ERLANG)
        apart = values - values.mean(axis=0)
        own = self._smooth((apart**2).sum(axis=0) / free / load) * load
        by_day = load.reshape(-1, self.ticks_per_day)
        days = apart.reshape(len(values), *by_day.shape)
        level = days.sum(axis=2) / by_day.sum(axis=1)
        of_day = (level**2).sum(axis=0) / free
        varied = of_day[of_day > 0.0]
        shrunk = (of_day + varied.mean()) / 2.0 if varied.size else of_day
        beside = days - level[:, :, np.newaxis] * by_day
        alone = self._smooth((beside**2).sum(axis=0).ravel() / free / load) * load
        added = ((shrunk - of_day)[:, np.newaxis] * by_day**2).ravel()
        return np.asarray(np.maximum(own + added, alone), dtype=np.float64)

    def _smooth(self, values: Floats) -> Floats:
        return np.asarray(uniform_filter1d(values, self.window, mode="nearest"))
