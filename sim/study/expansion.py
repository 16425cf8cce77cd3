"""Least squares on orthogonal terms: each factor alone, each pair, and what is left.

Decides which terms explain an outcome. A range in [0, 1] gets Legendre polynomials, a factor with
levels in a full grid gets contrasts; both are orthonormal over the design's law, so that squared
coefficients are variances (polynomial chaos; B. Sudret, Reliability Engineering and System Safety
93, 2008). How many polynomials is chosen by the error of leaving each point out in turn, which
costs nothing beside the fit (the hat matrix), with the correction for small designs of G. Blatman
and B. Sudret, Journal of Computational Physics 230 (2011).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.polynomial import legendre
from scipy.linalg import cho_factor, cho_solve

from sim.columns import Floats

Term = tuple[tuple[int, int], ...]
"""(factor, degree) of each factor in a term; one factor or two."""
MOST_DEGREE: Final = 12
# A fit with nearly as many terms as points follows chance.
TERMS_A_POINT: Final = 0.6
MOST_TERMS: Final = 300
# Degrees are raised while that helps; an even or an odd effect may skip some.
PATIENCE: Final = 5


@dataclass(frozen=True, slots=True)
class Expansion:
    """A fit of all replications on the same terms; the first term, of no factor, is the mean."""

    terms: tuple[Term, ...]
    basis: Floats
    """Shape (points, terms)."""
    coefficients: Floats
    """Shape (terms, replications)."""
    spread: Floats
    """Variances of the coefficients under an error of 1; shape (terms, terms)."""
    residuals: Floats
    """Shape (points, replications)."""

    @property
    def spare_count(self) -> int:
        """Points beyond the terms."""
        return len(self.basis) - len(self.terms)


def of_ranges(places: Floats, values: Floats) -> Expansion:
    """The expansion of values, shape (points, replications), over places, (points, factors)."""
    points_count, factors_count = places.shape
    tables = [polynomials(column, MOST_DEGREE) for column in places.T]

    def fit(degree: int, pairs_degree: int) -> Expansion:
        terms = terms_of(factors_count, degree, pairs_degree)
        return _solved(_products(tables, terms, points_count), values, terms)

    best = fit(0, 0)
    least = left_out_error(best)
    idle_count = 0
    for degree in range(1, MOST_DEGREE + 1):
        idle_count += 1
        for pairs_degree in (0, *range(2, degree + 1)):
            if not _bearable(factors_count, degree, pairs_degree, points_count):
                break
            found = fit(degree, pairs_degree)
            error = left_out_error(found)
            if error < least:
                best, least, idle_count = found, error, 0
        if idle_count == PATIENCE:
            break
    return best


def of_levels(levels: Floats, values: Floats) -> Expansion:
    """The same over a full grid: contrasts of each factor and of each pair."""
    tables = [_contrasts(column) for column in levels.T]
    counts = [table.shape[1] for table in tables]
    terms: list[Term] = [()]
    for factor, count in enumerate(counts):
        terms += [((factor, degree),) for degree in range(1, count + 1)]
    for a, b in combinations(range(len(counts)), 2):
        terms += [
            ((a, i), (b, j)) for i in range(1, counts[a] + 1) for j in range(1, counts[b] + 1)
        ]
    return _solved(_products(tables, terms, len(levels)), values, tuple(terms))


def terms_of(factors_count: int, degree: int, pairs_degree: int) -> tuple[Term, ...]:
    """The mean, each factor up to `degree`, each pair up to a sum of degrees of `pairs_degree`."""
    terms: list[Term] = [()]
    terms += [((f, d),) for f in range(factors_count) for d in range(1, degree + 1)]
    for a, b in combinations(range(factors_count), 2):
        terms += [
            ((a, i), (b, j))
            for i in range(1, pairs_degree)
            for j in range(1, pairs_degree + 1 - i)
        ]
    return tuple(terms)


def polynomials(places: Floats, degree: int) -> Floats:
    """Legendre polynomials 1 to `degree`, orthonormal over [0, 1]; shape (points, degree)."""
    found = legendre.legvander(2.0 * places - 1.0, degree)[:, 1:]
    return np.asarray(found * np.sqrt(2.0 * np.arange(1, degree + 1) + 1.0))


def left_out_error(found: Expansion) -> float:
    """Mean squared error at a point that the fit has not seen, of the mean over replications."""
    count, terms = found.basis.shape
    if terms >= count:
        return math.inf
    leverage = ((found.basis @ found.spread) * found.basis).sum(axis=1)
    if leverage.max() >= 1.0 - 1e-9:
        return math.inf
    error = float(((found.residuals.mean(axis=1) / (1.0 - leverage)) ** 2).mean())
    return float(error * count / (count - terms) * (1.0 + np.trace(found.spread)))


def _bearable(
    factors_count: int, degree: int, pairs_degree: int, points_count: int
) -> bool:
    """Whether so many points can bear the terms of these degrees."""
    alone = 1 + factors_count * degree
    each = pairs_degree * (pairs_degree - 1) // 2
    of_pairs = factors_count * (factors_count - 1) // 2 * each
    return alone + of_pairs <= min(TERMS_A_POINT * points_count, MOST_TERMS)


def _products(tables: Sequence[Floats], terms: Sequence[Term], count: int) -> Floats:
    """A column a term, from the table of each factor; shape (count, terms)."""
    columns = []
    for term in terms:
        column = np.ones(count)
        for factor, degree in term:
            column = column * tables[factor][:, degree - 1]
        columns.append(column)
    return np.stack(columns, axis=1)


def _solved(basis: Floats, values: Floats, terms: tuple[Term, ...]) -> Expansion:
    # Normal equations: columns that are nearly orthonormal lose no digit by them.
    spread = cho_solve(cho_factor(basis.T @ basis), np.eye(len(terms)))
    coefficients = spread @ (basis.T @ values)
    return Expansion(
        terms=terms,
        basis=basis,
        coefficients=coefficients,
        spread=spread,
        residuals=values - basis @ coefficients,
    )


def _contrasts(column: Floats) -> Floats:
    """Orthonormal contrasts of a factor's levels, row by row; shape (points, levels - 1)."""
    levels, where = np.unique(column, return_inverse=True)
    count = len(levels)
    centred = np.eye(count) - 1.0 / count
    vectors = np.linalg.svd(centred)[0][:, : count - 1]
    return np.asarray((vectors * np.sqrt(count))[where])
