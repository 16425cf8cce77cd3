"""The grid that carries a compound distribution, and the guard that refuses a bad one.

Decides where the window of the Fourier transform lies, how fine it can be, and whether what came
out can be trusted. Does not compute the distribution (sim/compound/fourier.py).

Units: step in the claim's unit, points and first as counts of steps. A discrete transform adds to
each node whatever lies whole windows away (aliasing), so the guard looks at both ends of the
window, where nothing may be left, and holds computed mean and standard deviation against the
closed forms E[S] = E[N] E[X] and Var S = E[N] E[X^2] + (Var N - E[N]) E[X]^2. Source: Grubel and
Hermesmeier, ASTIN Bulletin 29 (1999), on aliasing.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
from scipy.fft import next_fast_len

from sim.compound.frequency import Frequency
from sim.compound.problems import AliasedError, GridError
from sim.compound.severity import Floats, Severity, decimal, is_discrete, mean_of, square_of

MEAN_TOLERANCE: Final = 1e-7
"""Largest distance of the computed mean from the exact one, relative to the mean."""
SD_TOLERANCE: Final = 1e-5
"""The same for the standard deviation."""
SD_TOLERANCE_CHOSEN: Final = 1e-2
"""The same before extrapolation, on grids that must agree with the next finer one anyway."""
EDGE_TOLERANCE: Final = 1e-9
"""Largest probability in the outer sixteenths of the window, where there should be none."""
EDGE_TOLERANCE_CHOSEN: Final = 1e-13
"""The same for a grid that is chosen here: a window with more than that is widened. Rounding in the
transform grows with the number of claims, so it is never below 1e-15 a claim."""
POINTS_MAX: Final = 2**22
LEVELS: Final = 4
"""The finest of the three grids that are extrapolated has this many times the nodes of the
coarsest."""
OUTSIDE: Final = 1e-15
"""Probability that is left outside of a window."""
_SPREADS: Final = 9.0
_EDGE: Final = 16

Report = Callable[[int, int], None]
"""Told how many points are done, and of how many at most; each grid has about as many as all before
it."""


def untold(_done: int, _planned: int) -> None:
    """For callers that do not wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Mean and standard deviation of the total, in closed form."""

    mean: float
    sd: float

    @classmethod
    def of(cls, frequency: Frequency, severity: Severity) -> "Moments":
        mean, square = mean_of(severity), square_of(severity)
        variance = frequency.mean * square + frequency.extra_variance * mean**2
        return cls(mean=frequency.mean * mean, sd=math.sqrt(max(variance, 0.0)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Nodes first x step, (first + 1) x step, ...: `points` of them."""

    step: float
    first: int
    points: int

    @property
    def nodes(self) -> Floats:
        return np.arange(self.first, self.first + self.points, dtype=np.float64) * self.step

    def coarser(self, times: int) -> "Grid":
        """The same window in steps so many times as wide."""
        return Grid(step=self.step * times, first=self.first // times, points=self.points // times)


def window(
    frequency: Frequency, severity: Severity, *, claims_count: int, outside_ratio: float = OUTSIDE
) -> tuple[float, float]:
    """Amounts between which the total should lie, with room for so many of the largest claims."""
    mean, square = mean_of(severity), square_of(severity)
    low, high = frequency.factor_range(outside_ratio)
    largest = severity.reach(outside_ratio / max(frequency.mean * high, 1.0))
    ends = []
    for factor, side in ((low, -1.0), (high, 1.0)):
        count = frequency.mean * factor
        ends.append(count * mean + side * _SPREADS * math.sqrt(count * square))
    return max(ends[0], 0.0), ends[1] + claims_count * largest


def unit_of(severity: Severity) -> Fraction | None:
    """The largest amount of which every atom is a multiple; None without an atom above 0."""
    values = [decimal(atom.value) for atom in severity.atoms if atom.value > 0.0]
    if not values:
        return None
    shared = math.lcm(*(value.denominator for value in values))
    return Fraction(math.gcd(*(int(value * shared) for value in values)), shared)


def lattice(frequency: Frequency, severity: Severity, *, claims_count: int) -> Grid:
    """The grid of a discrete severity: its own lattice, on which nothing is approximate."""
    step = float(unit_of(severity) or 1)
    low, high = window(frequency, severity, claims_count=claims_count)
    first = int(low / step)
    needed_count = math.ceil(high / step) - first + 2 * _EDGE
    if needed_count > POINTS_MAX:
        raise GridError(
            f"the sizes have only {step:g} in common, which takes a grid of {needed_count} points, "
            f"above {POINTS_MAX}: round the sizes to a coarser common unit"
        )
    return Grid(step=step, first=first, points=next_fast_len(needed_count, real=True))


def ladder(frequency: Frequency, severity: Severity, *, claims_count: int) -> list[Grid]:
    """Grids for a continuous severity, each twice as fine as the one before, on one window.

    Every atom (a cap, a floor) is a node of each of them, and of those 2 and 4 times coarser.
    """
    low, high = window(frequency, severity, claims_count=claims_count)
    unit = unit_of(severity)
    step = (high - low) / 2.0**13
    if unit is not None:
        halvings = max(math.ceil(math.log2(float(unit) / step)), 2)
        step = float(unit) / 2.0**halvings
    first = int(low / (LEVELS * step)) * LEVELS
    coarse_count = math.ceil((math.ceil(high / step) - first + 1) / LEVELS)
    points = LEVELS * next_fast_len(coarse_count, real=True)
    grids: list[Grid] = []
    while points * 2 ** len(grids) <= POINTS_MAX:
        finer = 2 ** len(grids)
        grids.append(Grid(step=step / finer, first=first * finer, points=points * finer))
    if not grids:
        raise GridError(
            f"steps of {step:g}, so that caps and floors are nodes, take {points} points, above "
            f"{POINTS_MAX}: round caps and floors to a coarser common unit"
        )
    return grids


def given(severity: Severity, *, step: float, points: int) -> Grid:
    """A grid from 0 that the caller chose; refused where atoms are not nodes of it."""
    if not 16 * LEVELS <= points <= POINTS_MAX or points % LEVELS:
        raise GridError(f"{points} points: a multiple of 4 from 64 to {POINTS_MAX} is right")
    for value, _ in severity.atoms:
        if abs(value / step - round(value / step)) > 1e-9 * max(value / step, 1.0):
            raise GridError(
                f"a step of {step:g} is too coarse: {value:g} is a value that claims take, and "
                "must be a multiple of the step"
            )
    unit = unit_of(severity)
    if not is_discrete(severity) and unit is not None:
        ratio = float(unit) / (LEVELS * step)
        if abs(ratio - round(ratio)) > 1e-9 * max(ratio, 1.0):
            raise GridError(
                f"a step of {step:g} is too coarse: caps and floors are multiples of {unit}, "
                "which must be a multiple of four steps"
            )
    return Grid(step=step, first=0, points=points)


def guard(
    grid: Grid,
    masses: Floats,
    exact: Moments,
    *,
    edge_tolerance: float = EDGE_TOLERANCE,
    sd_tolerance: float = SD_TOLERANCE,
) -> None:
    """Raises GridError unless the masses on the grid are those of the total."""
    edge_count = max(grid.points // _EDGE, 1)
    edges = float(np.abs(masses[-edge_count:]).sum())
    if grid.first > 0:
        # A long right tail leaves the mean near the window's start.
        room_count = int(exact.mean / grid.step) - grid.first
        edges += float(np.abs(masses[: min(edge_count, room_count // 8)]).sum())
    end = (grid.first + grid.points) * grid.step
    if edges > edge_tolerance or exact.mean > end:
        raise AliasedError(
            f"aliased: {grid.points} points of {grid.step:g} end at {end:g}, where a probability "
            f"of {edges:.2g} is left (mean {exact.mean:g}, sd {exact.sd:g}): take more points or a "
            "larger step"
        )
    nodes = grid.nodes
    total = float(masses.sum())
    mean = float(masses @ nodes)
    sd = math.sqrt(max(float(masses @ (nodes - exact.mean) ** 2), 0.0))
    sound = (
        abs(total - 1.0) <= EDGE_TOLERANCE
        and abs(mean - exact.mean) <= MEAN_TOLERANCE * exact.mean
        and abs(sd - exact.sd) <= sd_tolerance * exact.sd
    )
    if not sound:
        raise GridError(
            f"too coarse or aliased: {grid.points} points of {grid.step:g} give mean {mean:.8g} "
            f"and sd {sd:.8g}, exact are {exact.mean:.8g} and {exact.sd:.8g}: take a smaller step"
        )
