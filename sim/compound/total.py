"""The distribution of a total, once computed: quantiles, expected shortfall, exceedance, excess.

Decides how a distribution on a grid is read between its nodes. Definitions, for a total S and a
level p: VaR = the smallest x with P(S <= x) >= p, interpolated on the distribution function where
that is continuous; TVaR = expected shortfall = VaR + E[(S - VaR)+] / (1 - p), which is the mean of
the worst 1 - p of outcomes also where the distribution jumps (Acerbi and Tasche, Journal of Banking
and Finance 26, 2002). Units: the claim's; probabilities are ratios.

The smooth part is read from a polynomial of degree 5 through E[(S - x)+] at six nodes; its slope is
-P(S > x). The nodes are taken from one side of every place where the density may jump (multiples
of the common unit of atoms).
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from sim.compound.grid import Grid, Moments
from sim.compound.problems import CompoundError, require
from sim.compound.severity import Floats

_STENCIL: Final = 6
_POWERS: Final = np.linalg.inv(np.vander(np.arange(float(_STENCIL)), increasing=True))
# Sums of probabilities reach their level only up to rounding.
_ROUNDING: Final = 1e-13
_SNAP: Final = 1e-9
LEVEL_MAX: Final = 1.0 - 1e-9
"""Above this level rounding is no longer small beside what is left of the tail."""


class Risk(NamedTuple):
    """Quantile and expected shortfall of one level."""

    var: float
    tvar: float


@dataclass(frozen=True, slots=True)
class Steps:
    """The part of a distribution that jumps."""

    nodes: Floats
    masses: Floats

    def above(self, x: float) -> float:
        """Mass above x."""
        return float(self.masses[np.searchsorted(self.nodes, x, side="right") :].sum())

    def excess(self, x: float) -> float:
        """Integral of (s - x)+ over the mass."""
        start = int(np.searchsorted(self.nodes, x, side="right"))
        return float(self.masses[start:] @ (self.nodes[start:] - x))


@dataclass(frozen=True, slots=True, kw_only=True)
class Smooth:
    """The continuous part, on cells of width `step` from node number `first` on."""

    first: int
    step: float
    tail_means: Floats
    excess: Floats
    block: int
    """Cells between places where the density may jump; 0 where there are none."""

    def at(self, x: float) -> tuple[float, float]:
        """Mass above x, and integral of (s - x)+ over it, for x inside the cells."""
        cell = int(x / self.step) - self.first
        start = cell - 2
        if self.block >= _STENCIL - 1:
            begin = (cell + self.first) // self.block * self.block - self.first
            start = min(max(start, begin), begin + self.block - _STENCIL + 1)
        start = min(max(start, 0), self.excess.size - _STENCIL)
        falls = np.cumsum(self.tail_means[start : start + _STENCIL - 1])
        weights = _POWERS @ np.concatenate(([0.0], -falls))
        place = x / self.step - (self.first + start)
        powers = place ** np.arange(_STENCIL)
        slope = float(weights[1:] @ (np.arange(1.0, _STENCIL) * powers[:-1]))
        return -slope, float(self.excess[start]) + self.step * float(weights @ powers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """The law of a sum of claims."""

    exact: Moments
    grid: Grid
    steps: Steps
    smooth: Smooth | None
    level_max: float = LEVEL_MAX
    """Above this level nothing is answered: rounding, or the end of an open window."""

    @property
    def mean(self) -> float:
        """Expected total, in closed form."""
        return self.exact.mean

    @property
    def sd(self) -> float:
        """Standard deviation of the total, in closed form."""
        return self.exact.sd

    def exceedance(self, x: float) -> float:
        """P(S > x)."""
        return min(max(self._at(self._snapped(x))[0], 0.0), 1.0)

    def excess(self, x: float) -> float:
        """E[(S - x)+], what a budget x leaves unpaid on average."""
        return max(self._at(self._snapped(x))[1], 0.0)

    def risk(self, level: float) -> Risk:
        """VaR and expected shortfall."""
        right = f"a level inside (0, 1), at most {self.level_max:.9g} for this total"
        require(0.0 < level <= self.level_max, name="quantiles", value=level, right=right)
        if self.sd == 0.0:
            return Risk(self.mean, self.mean)
        var = self._listed(level) if self.smooth is None else self._between(level)
        return Risk(var, var + self._at(var)[1] / (1.0 - level))

    def _snapped(self, x: float) -> float:
        """The node that x is, if it is one up to the rounding of x / step."""
        node = round(x / self.grid.step)
        near = abs(x - node * self.grid.step) <= _SNAP * self.grid.step
        return node * self.grid.step if near else x

    def _at(self, x: float) -> tuple[float, float]:
        """P(S > x) and E[(S - x)+]."""
        nodes = self.grid
        if x < nodes.first * nodes.step:
            return 1.0, self.mean - x
        end = (nodes.first + nodes.points - 1) * nodes.step
        if x >= end:
            left = 1.0 - self.level_max
            right = f"below {end:.6g}, beyond which a probability of less than {left:.2g} is left"
            require(self.level_max == LEVEL_MAX, name="exceeds", value=x, right=right)
            return 0.0, 0.0
        above, excess = self.steps.above(x), self.steps.excess(x)
        if self.smooth is not None:
            smooth_above, smooth_excess = self.smooth.at(x)
            above, excess = above + smooth_above, excess + smooth_excess
        return above, excess

    def _listed(self, level: float) -> float:
        reached = np.cumsum(self.steps.masses) >= level - _ROUNDING
        return float(self.steps.nodes[int(np.argmax(reached))])

    def _between(self, level: float) -> float:
        """Bisection on P(S > x) <= 1 - level; a jump is returned as the node it stands on."""
        assert self.smooth is not None
        left = 1.0 - level + _ROUNDING
        low = self.grid.first * self.grid.step
        if self._at(low)[0] <= left:
            return low
        high = (self.grid.first + self.grid.points - 1) * self.grid.step
        while high - low > 2e-16 * high + 1e-14 * self.grid.step:
            middle = (low + high) / 2.0
            if not low < middle < high:
                break
            low, high = (low, middle) if self._at(middle)[0] <= left else (middle, high)
        return self._snapped(high)


def without_even_powers(levels: list[Floats]) -> Floats:
    """Values at steps 4 h, 2 h and h, extrapolated to a step of 0 (Richardson, 1927)."""
    coarse, middle, fine = levels
    second = (4.0 * middle - coarse) / 3.0, (4.0 * fine - middle) / 3.0
    return (16.0 * second[1] - second[0]) / 15.0


def exhaustion(totals: list[Total], budget: float) -> tuple[float, ...]:
    """Probability that a budget is exhausted by the end of each day.

    `totals` are those of the first day, the first two days, and so on. Payouts only add up, so the
    budget has been passed by a day exactly if that day's running total is above it.
    """
    if not budget >= 0.0:
        raise CompoundError(name="budget", value=budget, right="an amount, 0 or above")
    return tuple(total.exceedance(budget) for total in totals)
