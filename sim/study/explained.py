"""Sobol' indices and screening of one block, by the method that its design was made for.

Decides the method: Saltelli's and Morris' designs go to SALib (S. Saltelli et al., Computer Physics
Communications 181, 2010; F. Campolongo et al., Environmental Modelling & Software 22, 2007), any
other sample and full grids to a least-squares expansion (expansion.py). Chance is no effect: what
the replications leave of it in the points' means is taken out of SALib's variances, too, and its
intervals are widened by the scatter of the indices over single replications.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from SALib.analyze import morris, sobol
from scipy.special import stdtrit

from scenarios.study_file import Design
from sim.columns import Floats
from sim.experiment.confidence import TAIL
from sim.study.design import MORRIS_LEVELS, salib_problem
from sim.study.expansion import Expansion, of_levels, of_ranges
from sim.study.shares import Share, fit_of, shares

RESAMPLES_COUNT: Final = 200


@dataclass(frozen=True, slots=True)
class Explained:
    """What explains an outcome over the rows of a design."""

    method: str
    shares: tuple[Share, ...]
    rest_ratio: float | None
    """Share of the variance that neither factors nor pairs explain."""
    expansion: Expansion | None


@dataclass(frozen=True, slots=True)
class Screened:
    """Elementary effects of a factor over its whole range, in units of the outcome."""

    mean: float
    size: float
    low: float
    high: float
    sd: float
    noise: float | None


def noise_ratio(values: Floats) -> float | None:
    """Share of the variance of the points' means, values by (points, replications), that is
    chance; None with one replication or without variance.

    Points by replications without interaction would move together; what is left of a two-way
    table, over the number of replications, is what chance adds to the variance of the means.
    """
    points, replications = values.shape
    if replications < 2 or points < 2:
        return None
    means = values.mean(axis=1)
    total = float(means.var(ddof=1))
    if total <= 0.0:
        return None
    rest = values - means[:, None] - values.mean(axis=0) + values.mean()
    apart = float((rest**2).sum()) / ((points - 1) * (replications - 1))
    return float(min(apart / replications / total, 1.0))


def explained(design: Design, places: Floats, values: Floats, seed: int) -> Explained:
    """The indices of the factors with a range; values by (rows, replications)."""
    if design.kind == "saltelli":
        return Explained("saltelli", tuple(_saltelli(design, places, values, seed)), None, None)
    return _of(of_ranges(places, values), places.shape[1], seed)


def explained_grid(levels: Floats, values: Floats, seed: int) -> Explained:
    """The indices of the factors of a full grid; levels by (points, factors)."""
    return _of(of_levels(levels, values), levels.shape[1], seed)


def screened(design: Design, places: Floats, values: Floats, seed: int) -> list[Screened]:
    """Morris' measures, factor by factor; values by (rows, replications)."""
    levels = design.levels_count or MORRIS_LEVELS
    problem = salib_problem(places.shape[1])
    means = values.mean(axis=1)
    found = morris.analyze(
        problem, places, means, num_levels=levels, num_resamples=RESAMPLES_COUNT, seed=seed
    )
    share = noise_ratio(values)
    step = levels / (2.0 * (levels - 1.0))
    # A difference of two points has twice the variance of one; the mean size of a normal is
    # sqrt(2 / pi) deviations.
    chance = None if share is None else share * float(means.var(ddof=1))
    noise = None if chance is None else float(np.sqrt(2.0 / np.pi * 2.0 * chance)) / step
    columns = (found["mu"], found["mu_star"], found["mu_star_conf"], found["sigma"])
    return [
        Screened(float(mu), float(size), float(size - half), float(size + half), float(sd), noise)
        for mu, size, half, sd in zip(*columns, strict=True)
    ]


def _of(expansion: Expansion, factors_count: int, seed: int) -> Explained:
    fit = fit_of(expansion, seed)
    rest = fit.rest / fit.total if fit.total > 0.0 else None
    return Explained("expansion", tuple(shares(fit, factors_count)), rest, expansion)


def _saltelli(design: Design, places: Floats, values: Floats, seed: int) -> Sequence[Share]:
    """SALib's indices of the means over replications, without chance."""
    count = places.shape[1]
    means = values.mean(axis=1)
    if float(means.var()) <= 0.0:
        return []
    chance = noise_ratio(values) or 0.0
    if chance >= 1.0:
        return []

    def indices(outcome: Floats) -> dict[str, Floats]:
        found = sobol.analyze(
            salib_problem(count),
            outcome,
            calc_second_order=design.second_order,
            num_resamples=RESAMPLES_COUNT if outcome is means else 2,
            seed=seed + 1,  # SALib takes a seed of 0 for none
        )
        return {name: np.asarray(column) for name, column in found.items()}

    whole = indices(means)
    # A season in which nothing varies has no indices.
    alone = [indices(column) for column in values.T if np.ptp(column) > 0.0]

    def share(order: str, name: str, at: tuple[int, ...], factors: tuple[int, ...]) -> Share:
        value = float(whole[name][at])
        # A mean square of differences holds all of chance, a mean product none of it.
        value = (value - (chance if name == "ST" else 0.0)) / (1.0 - chance)
        half = float(whole[f"{name}_conf"][at]) / (1.0 - chance)
        if len(alone) > 1:
            single = np.array([one[name][at] for one in alone])
            freedom = len(alone) - 1
            scatter = float(single.std(ddof=1)) / np.sqrt(len(alone))
            half = float(np.hypot(half, stdtrit(freedom, 1.0 - TAIL) * scatter))
        low, high = (min(max(end, 0.0), 1.0) for end in (value - half, value + half))
        return Share(order, factors, min(max(value, 0.0), 1.0), low, high)

    found = [share("first", "S1", (k,), (k,)) for k in range(count)]
    found += [share("total", "ST", (k,), (k,)) for k in range(count)]
    if design.second_order:
        found += [share("pair", "S2", pair, pair) for pair in combinations(range(count), 2)]
    return found
