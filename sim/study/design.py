"""Where a design puts its points: rows of places in [0, 1], a column for each factor with a range.

Latin hypercubes and Sobol' sequences are SciPy's (scipy.stats.qmc; scrambled), Saltelli's pairs of
matrices and Morris' trajectories are SALib's, whose indices they are made for. A grid has no places
of its own: its factors have levels. The same design, count and seed give the same rows.
"""

from typing import Any, Final

import numpy as np
from SALib.sample import morris, sobol
from scipy.stats import qmc

from scenarios.study_file import Design
from sim.columns import Floats

MORRIS_LEVELS: Final = 4


def rows_count(design: Design, factors_count: int) -> int:
    """How many rows `places` deals to so many factors with a range."""
    if factors_count == 0:
        return 1
    if design.kind == "morris":
        return (design.trajectories_count or 0) * (factors_count + 1)
    if design.kind == "saltelli":
        matrices_count = 2 * factors_count if design.second_order else factors_count
        return (design.base_points_count or 0) * (matrices_count + 2)
    return design.points_count or 0


def places(design: Design, factors_count: int, seed: int) -> Floats:
    """Rows of the design; shape (rows, factors). One empty row where nothing has a range."""
    if factors_count == 0:
        return np.empty((1, 0))
    if design.kind == "lhs":
        assert design.points_count is not None
        cube = qmc.LatinHypercube(factors_count, rng=seed)
        return np.asarray(cube.random(design.points_count), dtype=np.float64)
    if design.kind == "sobol":
        assert design.points_count is not None
        sequence = qmc.Sobol(factors_count, rng=seed)
        return np.asarray(sequence.random(design.points_count), dtype=np.float64)
    problem = salib_problem(factors_count)
    if design.kind == "saltelli":
        found = sobol.sample(
            problem, design.base_points_count, calc_second_order=design.second_order, seed=seed
        )
    else:
        levels = design.levels_count or MORRIS_LEVELS
        found = morris.sample(problem, design.trajectories_count, num_levels=levels, seed=seed)
    return np.asarray(found, dtype=np.float64)


def salib_problem(factors_count: int) -> dict[str, Any]:
    """Factors as SALib wants them: all of them over [0, 1]."""
    return {
        "num_vars": factors_count,
        "names": [str(number) for number in range(factors_count)],
        "bounds": [[0.0, 1.0]] * factors_count,
    }
