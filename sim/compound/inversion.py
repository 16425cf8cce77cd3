"""Totals of many claims: their Fourier transform known exactly, and summed where it is not nothing.

A grid for single claims must be as fine as a claim and as wide as the total, which a season's
900,000 claims do not allow. Their total is smooth, though: its transform dies away long before a
frequency t at which a single claim would need a grid. So the transform of a claim is integrated,

    E exp(itX) = 1 + i t E[X] - t^2 * integral over x of E[(X - x)+] exp(itx),

(twice by parts, which also takes atoms in), put into the generating function of the number, and
the total is read from the Fourier series on a window that it does not leave. What is approximate:
what lies outside the window (1e-15; 1e-11 where claims or counts have a very long tail), what the
series leaves out, and rounding, both below 1e-13. Where counts spread so much that the transform
dies away like a power of t only, the series may leave out 1e-12 (`_NOTHING_SLOW`).
Source: Abate and Whitt, Queueing Systems 10 (1992), on Fourier series for distributions.

Refused (GridError) where the transform does not die away: few claims, counts of a very large CV,
claims that are nearly a lattice, tails so long that the window would be far wider than the spread.
Units: the claim's; frequencies are 1 over that.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.polynomial.legendre import leggauss
from scipy.fft import irfft

from sim.compound import grid as grids
from sim.compound.along import Complexes, Local, along
from sim.compound.frequency import Frequency
from sim.compound.grid import Grid, Moments
from sim.compound.problems import GridError
from sim.compound.severity import Floats, Severity, mean_of, square_of
from sim.compound.terms import Cap
from sim.compound.total import LEVEL_MAX, Smooth, Steps, Total

NOTHING: Final = 1e-14
"""A transform below this adds nothing that is kept."""
_NOTHING_SLOW: Final = 1e-12
"""The same where no number of terms up to the most reaches that."""
_TERMS_MIN: Final = 64
_TERMS_MAX: Final = 2**20
_CELLS_PER_TERM: Final = 16
_TERMS_FEW: Final = 2**16
_CELLS_PER_TERM_OF_MANY: Final = 4
"""A transform that has died away slowly is so small at the last of many terms that reading between
cells loses less than the series leaves out: (2 pi / 4)^6 / 200 of it."""
_CELLS_MIN: Final = 2**13
_SAMPLES: Final = 128
_SCANNED: Final = 4.0 * 2.0 * math.pi
"""Up to so many radians of a mean claim a lattice is looked for."""
_SCAN_STEP: Final = 0.01
_SCAN_OUTSIDE: Final = 1e-3
"""Share of the largest claims that a lattice is looked for without."""
_SCAN_TOLERANCE: Final = 1e-6
_NODES: Final = 16
_PANELS_MAX: Final = 3_000
_TOLERANCE: Final = 1e-15
"""Of the integral of the excess function, a panel's share of error."""
_CHUNK: Final = 2**22
_MEAN_TOLERANCE: Final = 1e-7
"""Distance of the computed mean from the exact one, in standard deviations."""
_OUTSIDE_LONG: Final = 1e-11
"""Left outside of the window where claims have so long a tail that no other window will do."""
_CERTAIN: Final = 1e3
"""No tail is given that is not so many times what the window leaves out."""


_WAYS: Final = (
    (grids.OUTSIDE, NOTHING),
    (_OUTSIDE_LONG, NOTHING),
    (_OUTSIDE_LONG, _NOTHING_SLOW),
)
"""Outside of the window, and outside of the series: one is tried after the other."""


class Rule(NamedTuple):
    """A quadrature of f against the excess function: sum of weights * f(nodes)."""

    nodes: Floats
    weights: Floats


def inverted(frequency: Frequency, severity: Severity, exact: Moments) -> Total:
    """The total of a law with a continuous part. Raises GridError where it does not fit."""
    jumping = math.fsum(atom.probability for atom in severity.atoms)
    for outside_ratio, nothing in _WAYS:
        # Whatever the frequency, the atoms of the claims leave at least this much of the total's.
        if _generated(frequency, severity, jumping) > nothing:
            refused = GridError("so few claims that their total jumps")
            continue
        try:
            return _on_window(
                frequency, severity, exact, outside_ratio=outside_ratio, nothing=nothing
            )
        except GridError as error:
            refused = error
    raise refused


def _on_window(
    frequency: Frequency,
    severity: Severity,
    exact: Moments,
    *,
    outside_ratio: float,
    nothing: float,
) -> Total:
    """The total on a window that it leaves with about this probability."""
    low, high = grids.window(frequency, severity, claims_count=1, outside_ratio=outside_ratio)
    width = high - low
    terms = _TERMS_MIN
    while True:
        end = 2.0 * math.pi * terms / width
        rule = _rule(severity, end, least=outside_ratio / frequency.mean, tolerance=_TOLERANCE)
        last = _transform(frequency, severity, np.linspace(end / 2.0, end, _SAMPLES), rule)
        if np.abs(last).max() < nothing:
            break
        terms *= 2
        if terms > _TERMS_MAX:
            raise GridError(f"the total is not smooth on a window of {width:.3g}")
    _refuse_lattices(frequency, severity, end, nothing=nothing)
    per_term = _CELLS_PER_TERM if terms <= _TERMS_FEW else _CELLS_PER_TERM_OF_MANY
    cells = max(per_term * terms, _CELLS_MIN)
    step = width / cells
    first = math.floor(low / step)
    times = 2.0 * math.pi / width * np.arange(1.0, terms + 1.0)
    transformed = _transform(frequency, severity, times, rule)
    above = _tail_means(transformed, times, start=first * step, step=step, cells=cells)
    excess = step * np.cumsum(above[::-1])[::-1]
    apart = abs(excess[0] - (exact.mean - first * step))
    if apart > _MEAN_TOLERANCE * exact.sd or abs(above[-1]) > grids.EDGE_TOLERANCE:
        raise GridError(f"the mean is missed by {apart:.2g} on a window of {width:.3g}")
    return Total(
        exact=exact,
        grid=Grid(step=step, first=first, points=cells),
        steps=Steps(np.zeros(0), np.zeros(0)),
        smooth=Smooth(first=first, step=step, tail_means=above, excess=excess, block=0),
        level_max=min(LEVEL_MAX, 1.0 - _CERTAIN * outside_ratio),
    )


def _transform(frequency: Frequency, severity: Severity, times: Floats, rule: Rule) -> Complexes:
    """E exp(itS) at each of `times`."""
    missing = _missing(times, rule, mean_of(severity))
    return frequency.generate(missing, square_ratio=_square_ratio(severity))


def _square_ratio(severity: Severity) -> float:
    return square_of(severity) / mean_of(severity) ** 2


def _tail_means(
    transformed: Complexes, times: Floats, *, start: float, step: float, cells: int
) -> Floats:
    """Mean of P(S > x) over each cell from `start` on: the series, integrated term by term."""
    series = np.conj(transformed * np.exp(-1j * times * start)) / (1j * times)
    turns = 1j * times * step
    coefficients = np.zeros(cells // 2 + 1, dtype=np.complex128)
    coefficients[1 : times.size + 1] = series * np.expm1(turns) / turns
    width = step * cells
    straight = (np.arange(cells) + 0.5) / cells - 2.0 / width * float(series.real.sum())
    below: Floats = straight + irfft(coefficients, cells) * (cells / width)
    return 1.0 - below


def _missing(times: Floats, rule: Rule, mean: float) -> Complexes:
    """1 - E exp(itX) at each of `times`."""
    rows = max(_CHUNK // rule.nodes.size, 1)
    whole = float(rule.weights.sum())

    def transformed(some: Complexes) -> Local:
        found = np.empty(some.size, dtype=np.complex128)
        for begin in range(0, some.size, rows):
            part = slice(begin, begin + rows)
            found[part] = np.exp(1j * np.outer(some[part].real, rule.nodes)) @ rule.weights
        # Frequencies are evenly spaced up to rounding, which asks for no slope.
        return Local(found / whole, np.zeros_like(found))

    found = whole * along(times.astype(np.complex128), transformed)
    return np.asarray(times**2 * found - 1j * mean * times)


def _rule(severity: Severity, end: float, *, least: float, tolerance: float) -> Rule:
    """Nodes that integrate E[(X - x)+] exp(itx) for all t up to `end`.

    Panels are halved where their nodes disagree with those of their halves, at t = 0 and at the
    end, by a share `tolerance` of the whole integral. What lies beyond the last panel changes
    E exp(itX) by less than `least`: it is at most t^2 times its integral, and, as the excess
    function falls, at most about t times its first value.
    """
    reach = max([mean_of(severity), *(atom.value for atom in severity.atoms)])
    whole = square_of(severity) / 2.0
    while True:
        there = np.array([reach])
        beyond = end**2 * float(severity.square_excess(there)[0]) / 2.0
        if min(beyond, end * float(severity.excess(there)[0])) <= least:
            break
        reach *= 1.25
    cuts = np.unique([0.0, *(atom.value for atom in severity.atoms), reach])
    low, high = cuts[:-1], cuts[1:]
    kept: list[tuple[Floats, Floats]] = []
    count = 0
    while low.size:
        middle = (low + high) / 2.0
        coarse = _panels(severity, low, high)
        left, right = _panels(severity, low, middle), _panels(severity, middle, high)
        apart = np.zeros(low.size)
        for time in (0.0, end):
            sums = [(w * np.exp(1j * time * x)).sum(axis=1) for x, w in (coarse, left, right)]
            apart = np.maximum(apart, np.abs(sums[0] - sums[1] - sums[2]))
        good = apart <= tolerance * whole
        kept.extend((x[good].ravel(), w[good].ravel()) for x, w in (left, right))
        low, high = (
            np.concatenate((low[~good], middle[~good])),
            np.concatenate((middle[~good], high[~good])),
        )
        count += 2 * int(good.sum())
        if count + low.size > _PANELS_MAX:
            raise GridError("the claims' transform takes too many nodes")
    nodes, weights = (np.concatenate(parts) for parts in zip(*kept, strict=True))
    return Rule(nodes, weights)


def _panels(severity: Severity, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Nodes and excess-weighted Gauss-Legendre weights, shape (panels, nodes)."""
    places, weights = leggauss(_NODES)
    half = (high - low)[:, np.newaxis] / 2.0
    nodes = low[:, np.newaxis] + half * (places + 1.0)
    return nodes, severity.excess(nodes) * weights * half


def _refuse_lattices(
    frequency: Frequency, severity: Severity, end: float, *, nothing: float
) -> None:
    """Claims that are nearly multiples of one size: their transform comes back beyond `end`.

    |E z^N| is at most its value at the real part q of z = E exp(itX). Once q has fallen half of the
    way to what atoms leave of it, it must stay low: between samples it moves by less than t moves,
    in radians of a mean claim, and the largest claims, left out, move it by twice their share.
    Before, it cannot come back by much: 1 - q(2t) <= 4 (1 - q(t)) (Lukacs, Characteristic
    Functions, 2nd ed., theorem 4.1.2).
    """
    scanned = Cap(severity, severity.reach(_SCAN_OUTSIDE))
    mean = mean_of(scanned)
    times = np.arange(end, max(_SCANNED / mean, 2.0 * end), _SCAN_STEP / mean)
    rule = _rule(scanned, float(times[-1]), least=_SCAN_OUTSIDE, tolerance=_SCAN_TOLERANCE)
    real = 1.0 - _missing(times, rule, mean).real
    jumping = math.fsum(atom.probability for atom in severity.atoms)
    fallen = np.maximum.accumulate(real <= (1.0 + jumping) / 2.0)
    most = float(real[fallen].max(initial=0.0)) + _SCAN_STEP + 2.0 * _SCAN_OUTSIDE
    if not fallen.any() or _generated(frequency, severity, min(most, 1.0)) > nothing:
        raise GridError("claims that are nearly multiples of one size")


def _generated(frequency: Frequency, severity: Severity, z: float) -> float:
    """E z^N for a real z."""
    missing = np.array([1.0 - z], dtype=np.complex128)
    return float(frequency.generate(missing, square_ratio=_square_ratio(severity))[0].real)
