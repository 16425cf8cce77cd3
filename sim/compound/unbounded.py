"""Totals whose right tail no grid can hold: the window stays open to the right.

What a total does below an amount M depends only on claims below M, so the probabilities on [0, M)
need no grid beyond M (the reason why Panjer's recursion never aliases). By transform they do alias;
exponential tilting, f_k exp(-theta k), damps what comes round (Gruebel and Hermesmeier, ASTIN
Bulletin 29, 1999). P(S > x) and E[(S - x)+] are then summed from the left, from the exact total
mass and the exact mean, so that nothing has to be known of the tail itself.

M leaves about OUTSIDE beyond it: one big claim on top of a bulk that is far below, as totals of
subexponential claims do (Embrechts, Klueppelberg and Mikosch, Modelling Extremal Events, 1997,
section 1.3). Nothing beyond M is answered. Steps are halved until two successive grids agree, and
a window half as large again must agree as well. Holds for claims whose only atom is 0.
"""

import math
from typing import Final

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from sim.compound import grid as grids
from sim.compound.frequency import Frequency
from sim.compound.grid import LEVELS, Grid, Moments, Report
from sim.compound.problems import CompoundError, GridError
from sim.compound.severity import Floats, Severity, mean_of, square_of
from sim.compound.total import Smooth, Steps, Total, without_even_powers

OUTSIDE: Final = 1e-6
AGREED: Final = 5e-8
"""Two grids agree when VaR and shortfall differ by less, in standard deviations or, where that is
less, in the largest of them."""
TOLERATED: Final = 2e-6
"""On the finest grid, which no finer one confirms, they must still agree this well."""
_PROBES: Final = (0.05, 0.5, 0.9, 0.99, 0.999, 0.9999)
_HIDDEN_TOLERANCE: Final = 1e-9
_TILT: Final = 16.0
_SPREADS: Final = 12.0
_WIDER: Final = 1.5
_POINTS_MIN: Final = 2**14


def fits(severity: Severity) -> bool:
    """Whether this engine can take the claims at all."""
    return all(atom.value == 0.0 for atom in severity.atoms)


def unbounded(
    frequency: Frequency, severity: Severity, exact: Moments, report: Report = grids.untold
) -> Total:
    """The total on an open window. Raises GridError when no grid is fine enough."""
    end = _end(frequency, severity)
    known: dict[int, Floats] = {}
    before: Floats | None = None
    gap = math.inf
    points = _POINTS_MIN
    while points <= grids.POINTS_MAX:
        report(points, 2 * grids.POINTS_MAX)
        total = _on(frequency, severity, exact, end=end, points=points, known=known)
        try:
            found = _probed(total)
        except CompoundError:
            # Not even the middle of the distribution lies inside the window: it is noise.
            raise GridError(
                f"too many claims: with {frequency.mean:g} of them rounding in the transform is no "
                "longer small beside the probabilities: ask for fewer, or for a part of them"
            ) from None
        if _is_hidden(total):
            # Grids of which one cell holds all of the bulk agree, and say nothing of it.
            points *= 2
            continue
        if before is not None:
            gap = float(np.abs(found - before).max()) / _scale(exact, found)
            if gap <= AGREED or (gap <= TOLERATED and 2 * points > grids.POINTS_MAX):
                wider = _on(frequency, severity, exact, end=_WIDER * end, points=points, known={})
                apart = float(np.abs(_probed(wider) - found).max()) / _scale(exact, found)
                if apart <= 10.0 * max(gap, AGREED):
                    return total
        before = found
        points *= 2
    raise GridError(
        f"too coarse: the tail reaches {end:.3g}, and the finest grid of {grids.POINTS_MAX} points "
        f"leaves {gap:.2g} sd of doubt: ask for claims of a lighter tail (a cap)"
    )


def _end(frequency: Frequency, severity: Severity) -> float:
    """An amount that the total passes with a probability of about OUTSIDE."""
    _, high = frequency.factor_range(OUTSIDE / 10.0)
    count = frequency.mean * high
    bulk = count * mean_of(severity) + _SPREADS * math.sqrt(count * square_of(severity))
    return bulk + severity.reach(min(OUTSIDE / 10.0 / count, 0.5))


def _on(
    frequency: Frequency,
    severity: Severity,
    exact: Moments,
    *,
    end: float,
    points: int,
    known: dict[int, Floats],
) -> Total:
    """One grid and those two and four times coarser, extrapolated to a step of 0.

    Masses that are `known`, by number of points up to `end`, are not computed again.
    """
    cells = next_fast_len(math.ceil(points / LEVELS), real=True)
    step = end / (LEVELS * cells)
    square_ratio = square_of(severity) / mean_of(severity) ** 2
    nothing = float(sum(atom.probability for atom in severity.atoms))
    start = frequency.generate(np.array([1.0 - nothing], complex), square_ratio=square_ratio)
    at_zero = float(start[0].real)
    smooth = []
    for coarser in (4, 2, 1):
        h, n = step * coarser, LEVELS // coarser * cells
        if n not in known:
            known[n] = _masses(frequency, severity, step=h, points=n, square_ratio=square_ratio)
            known[n][0] -= at_zero
        masses = known[n]
        above = (1.0 - at_zero) - np.cumsum(masses)
        excess = exact.mean - h * np.concatenate(([0.0], np.cumsum(above[:-1])))
        every = LEVELS // coarser
        smooth.append((above.reshape(-1, every).mean(axis=1), excess[::every]))
    means, excesses = ([level[part] for level in smooth] for part in (0, 1))
    return Total(
        exact=exact,
        grid=Grid(step=step * LEVELS, first=0, points=cells),
        steps=Steps(np.zeros(1), np.array([at_zero])),
        smooth=Smooth(
            first=0,
            step=step * LEVELS,
            tail_means=without_even_powers(means),
            excess=without_even_powers(excesses),
            block=0,
        ),
        level_max=1.0 - OUTSIDE,
    )


def _masses(
    frequency: Frequency, severity: Severity, *, step: float, points: int, square_ratio: float
) -> Floats:
    """P(total = k steps) for the mean-preserving lattice of the claims, k below `points`."""
    excess = severity.excess(np.arange(points + 1, dtype=np.float64) * step)
    one = np.empty(points)
    one[0] = 1.0 - (excess[0] - excess[1]) / step
    one[1:] = (excess[:-2] - 2.0 * excess[1:-1] + excess[2:]) / step
    damped = np.exp(-_TILT / points * np.arange(points))
    missing = np.asarray(1.0 - rfft(one * damped), dtype=np.complex128)
    generated = frequency.generate(missing, square_ratio=square_ratio)
    return np.asarray(irfft(generated, points) / damped)


def _scale(exact: Moments, found: Floats) -> float:
    """What grids are held against: where a few huge claims make the standard deviation, it says
    nothing of what the total mostly is."""
    return min(exact.sd, float(found.max()))


def _is_hidden(total: Total) -> bool:
    """Whether all quantiles seem to be 0, and no claim at all is not as likely as that."""
    last = _PROBES[-1]
    return total.risk(last).var == 0.0 and float(total.steps.masses[0]) < last - _HIDDEN_TOLERANCE


def _probed(total: Total) -> Floats:
    return np.array([total.risk(p) for p in _PROBES]).ravel()
