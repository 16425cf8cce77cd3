"""The exact engine: the distribution of a sum of claims by the fast Fourier transform.

Decides which way a total goes. Where its transform dies away (from some forty claims on), it goes
to sim/compound/inversion.py; else a grid for single claims carries it: here are the probabilities
on it and how they are put together; the grid is chosen and guarded in sim/compound/grid.py. All are
read in sim/compound/total.py. Units: the claim's.

Discrete claims stand on their own lattice, and nothing is approximate. Continuous claims are split
between neighbouring nodes so that the mean is kept: p_k = (e_{k-1} - 2 e_k + e_{k+1}) / h with
e = E[(X - x)+] (Gerber, Insurance: Mathematics and Economics 1, 1982). Excess functions on that
grid have an error in even powers of the step, because every atom is a node; three grids, the step
halved twice, remove the second and fourth (Richardson, Phil. Trans. A 226, 1927; Embrechts and
Frei, Mathematical Methods of Operations Research 69, 2009, for compound sums). Atoms of the total
(no continuous claim at all) are computed apart, exactly, so that only the smooth part is
extrapolated. Tails too long for any window go to sim/compound/unbounded.py.
"""

from typing import Final

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from sim.compound import grid as grids
from sim.compound.frequency import Frequency
from sim.compound.grid import EDGE_TOLERANCE, EDGE_TOLERANCE_CHOSEN, LEVELS, Grid, Moments, Report
from sim.compound.inversion import inverted
from sim.compound.problems import AliasedError, GridError
from sim.compound.severity import Floats, Severity, is_discrete, mean_of, square_of
from sim.compound.total import Smooth, Steps, Total, without_even_powers
from sim.compound.unbounded import fits, unbounded

AGREED: Final = 1e-10
"""Two successive grids agree when VaR and shortfall differ by less, in standard deviations."""
TOLERATED: Final = 1e-7
"""Where rounding ends the refinement, they must still agree this well; else the grid is refused."""
AGREED_LARGE: Final = 1e-8
"""The same on more than 2^17 points, where each halving costs seconds."""
_LARGE: Final = 2**17
_PROBES: Final = (0.05, 0.5, 0.9, 0.99, 0.999)
Levels = dict[Grid, Floats]
"""Masses on grids of which each is twice as fine as another."""
_ROOM: Final = (1, 2, 4, 8, 16)
_ALIASED_MAX: Final = 5
_NOTHING: Final = 1e-17
_HEAVY: Final = 500.0
"""A window of so many standard deviations cannot be both whole and fine."""


def compound(
    frequency: Frequency,
    severity: Severity,
    *,
    step: float | None = None,
    points: int = 0,
    report: Report = grids.untold,
) -> Total:
    """The total of all claims; on a grid of one's own where `step` and `points` are given."""
    exact = Moments.of(frequency, severity)
    if exact.mean == 0.0:
        nothing = Steps(np.zeros(1), np.ones(1))
        grid = Grid(step=1.0, first=0, points=1)
        return Total(exact=exact, grid=grid, steps=nothing, smooth=None)
    if step is not None:
        return _on(grids.given(severity, step=step, points=points), frequency, severity, exact)
    if is_discrete(severity):
        return _roomy(frequency, severity, exact, report)
    try:
        return inverted(frequency, severity, exact)
    except GridError:
        return gridded(frequency, severity, exact, report)


def gridded(
    frequency: Frequency, severity: Severity, exact: Moments, report: Report = grids.untold
) -> Total:
    """The total of claims with a continuous part by a grid for single claims."""
    if not fits(severity):
        return _roomy(frequency, severity, exact, report)
    _, high = grids.window(frequency, severity, claims_count=1)
    if high - exact.mean > _HEAVY * exact.sd:
        return unbounded(frequency, severity, exact, report)
    try:
        return _roomy(frequency, severity, exact, report)
    except GridError:
        return unbounded(frequency, severity, exact, report)


def _roomy(frequency: Frequency, severity: Severity, exact: Moments, report: Report) -> Total:
    """With room for one more large claim after the other, until nothing aliases."""
    for claims_count in _ROOM[:-1]:
        try:
            return _chosen(frequency, severity, exact, claims_count, report)
        except AliasedError:
            continue
    return _chosen(frequency, severity, exact, _ROOM[-1], report)


def _chosen(
    frequency: Frequency, severity: Severity, exact: Moments, claims_count: int, report: Report
) -> Total:
    """The lattice of a discrete severity, else the first grid with which the next finer agrees."""
    if is_discrete(severity):
        grid = grids.lattice(frequency, severity, claims_count=claims_count)
        return _on(grid, frequency, severity, exact, edge_tolerance=_edge_tolerance(frequency))
    return _refined(frequency, severity, exact, claims_count, report)


def _refined(
    frequency: Frequency, severity: Severity, exact: Moments, claims_count: int, report: Report
) -> Total:
    """The first grid with which the next finer one agrees."""
    tolerance, known = _edge_tolerance(frequency), Levels()
    before: Floats | None = None
    gap, refused, aliased_count = np.inf, "", 0
    ladder = grids.ladder(frequency, severity, claims_count=claims_count)
    for grid in ladder:
        report(grid.points, 2 * ladder[-1].points)
        try:
            total = _on(grid, frequency, severity, exact, edge_tolerance=tolerance, known=known)
        except AliasedError as error:
            # Too coarse a step spreads the total as well, so finer ones get their chance first.
            aliased_count += 1
            if aliased_count > _ALIASED_MAX:
                raise
            refused = str(error)
            continue
        except GridError as error:
            refused = str(error)
            continue
        found = np.array([total.risk(p) for p in _PROBES]).ravel()
        if before is not None:
            apart = float(np.abs(found - before).max()) / exact.sd
            # Once rounding is all that is left, finer grids no longer come closer.
            if (
                apart <= (AGREED if grid.points <= _LARGE else AGREED_LARGE)
                or gap / 2.0 < apart <= TOLERATED
            ):
                return total
            gap = apart
        before = found
    if before is not None and gap <= TOLERATED:
        return total
    raise GridError(
        refused
        or f"too coarse: the finest grid of {grids.POINTS_MAX} points leaves {gap:.2g} sd "
        "of doubt: ask for fewer claims, or claims of a lighter tail (a cap)"
    )


def _edge_tolerance(frequency: Frequency) -> float:
    return min(max(EDGE_TOLERANCE_CHOSEN, 1e-15 * frequency.mean), EDGE_TOLERANCE / 2.0)


def lattice_masses(severity: Severity, *, step: float, points: int) -> Floats:
    """Probabilities of one claim on 0, step, 2 step, ...; what is beyond stands on the last."""
    if is_discrete(severity):
        return _atoms(severity, step=step, points=points)
    excess = severity.excess(np.arange(points, dtype=np.float64) * step)
    excess -= excess[-1]
    masses = np.zeros(points)
    masses[0] = 1.0 - (excess[0] - excess[1]) / step
    masses[1:-1] = (excess[:-2] - 2.0 * excess[1:-1] + excess[2:]) / step
    masses[-1] = excess[-2] / step
    return masses


def _atoms(severity: Severity, *, step: float, points: int) -> Floats:
    masses = np.zeros(points)
    for value, probability in severity.atoms:
        masses[min(round(value / step), points - 1)] += probability
    return masses


def _on(
    grid: Grid,
    frequency: Frequency,
    severity: Severity,
    exact: Moments,
    *,
    edge_tolerance: float = EDGE_TOLERANCE,
    known: Levels | None = None,
) -> Total:
    """The total on one grid, guarded; a level that is `known` is not computed again."""
    known = {} if known is None else known
    if is_discrete(severity):
        masses = _level(grid, frequency, severity)
        grids.guard(grid, masses, exact, edge_tolerance=edge_tolerance)
        return Total(exact=exact, grid=grid, steps=Steps(grid.nodes, masses), smooth=None)
    levels = [grid.coarser(times) for times in (LEVELS, 2, 1)]
    for level in levels:
        if level not in known:
            known[level] = _level(level, frequency, severity)
    chosen = edge_tolerance != EDGE_TOLERANCE
    sd_tolerance = grids.SD_TOLERANCE_CHOSEN if chosen else grids.SD_TOLERANCE
    grids.guard(grid, known[grid], exact, edge_tolerance=edge_tolerance, sd_tolerance=sd_tolerance)
    steps = _steps(grid, frequency, severity)
    smooth = []
    for level in levels:
        masses = known[level].copy()
        masses[np.rint(steps.nodes / level.step).astype(np.int64) - level.first] -= steps.masses
        every = levels[0].step / level.step
        smooth.append(_tails(masses, step=level.step, every=round(every)))
    return Total(exact=exact, grid=grid, steps=steps, smooth=_extrapolated(smooth, grid, severity))


def _level(grid: Grid, frequency: Frequency, severity: Severity) -> Floats:
    """P(total = node) for claims on the nodes."""
    one = lattice_masses(severity, step=grid.step, points=grid.points)
    return _folded(frequency, severity, one, first=grid.first)


def _folded(frequency: Frequency, severity: Severity, one: Floats, *, first: int) -> Floats:
    """Probabilities of the total on nodes from `first` on; `one` are those of a claim, from 0."""
    square_ratio = square_of(severity) / mean_of(severity) ** 2
    missing = np.asarray(1.0 - rfft(one), dtype=np.complex128)
    generated = frequency.generate(missing, square_ratio=square_ratio)
    return np.roll(np.asarray(irfft(generated, one.size)), -(first % one.size))


def _steps(grid: Grid, frequency: Frequency, severity: Severity) -> Steps:
    """Atoms of the total: no claim with a continuous part. They are multiples of the unit."""
    unit = grids.unit_of(severity)
    every = grid.points if unit is None else round(float(unit) / grid.step)
    first = -(-grid.first // every)
    count = (grid.first + grid.points - 1) // every - first + 1
    if count < 1:
        return Steps(np.zeros(0), np.zeros(0))
    step, points = every * grid.step, next_fast_len(count, real=True)
    one = _atoms(severity, step=step, points=points)
    masses = _folded(frequency, severity, one, first=first)[:count]
    found = np.flatnonzero(np.abs(masses) >= _NOTHING)
    return Steps(np.asarray((first + found) * step), masses[found])


def _tails(masses: Floats, *, step: float, every: int) -> tuple[Floats, Floats]:
    """Mean of P(S > x) over the coarse cells, and E[(S - x)+] on the coarse nodes."""
    above = np.zeros_like(masses)
    above[:-1] = np.cumsum(masses[:0:-1])[::-1]
    excess = step * np.cumsum(above[::-1])[::-1]
    return above.reshape(-1, every).mean(axis=1), excess[::every]


def _extrapolated(levels: list[tuple[Floats, Floats]], grid: Grid, severity: Severity) -> Smooth:
    means, excesses = ([level[part] for level in levels] for part in (0, 1))
    step = grid.step * LEVELS
    unit = grids.unit_of(severity)
    return Smooth(
        first=grid.first // LEVELS,
        step=step,
        tail_means=without_even_powers(means),
        excess=without_even_powers(excesses),
        block=0 if unit is None else round(float(unit) / step),
    )
