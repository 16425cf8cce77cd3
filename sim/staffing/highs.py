"""A linear or mixed-integer program, solved by HiGHS.

Huangfu and Hall, Mathematical Programming Computation 10 (2018). One thread each and limits that
count work, not time, so that the result depends neither on the machine's cores nor on its load.
"""

from dataclasses import dataclass
from typing import Final

import highspy
import numpy as np
import scipy.sparse as sp

from sim.columns import Bools, Floats

INTERIOR_TOLERANCE: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Limits:
    """When a search for whole numbers may end."""

    gap: float
    """Difference from the best bound that is good enough, in units of the objective."""
    nodes_count: int
    """Nodes of the search tree at most."""


@dataclass(frozen=True, slots=True)
class Solved:
    """A solution; reduced costs and prices of rows only without whole numbers."""

    values: Floats
    reduced: Floats
    prices: Floats
    objective: float


def optimise(
    costs: Floats,
    matrix: sp.csc_matrix,
    lower: Floats,
    upper: Floats,
    bounds: Floats,
    *,
    whole: Bools | None = None,
    limits: Limits | None = None,
    vertex: bool = True,
) -> Solved:
    """The best values of variables from 0 to `bounds`, and what rows and columns are worth.

    `whole` marks variables that take whole numbers, and needs `limits`; without `vertex` any
    optimum will do, which is faster for a large program.
    """
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = len(costs), len(lower)
    program.col_cost_ = costs
    program.col_lower_, program.col_upper_ = np.zeros(len(costs)), bounds
    program.row_lower_, program.row_upper_ = lower, upper
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    program.a_matrix_.start_ = matrix.indptr
    program.a_matrix_.index_ = matrix.indices
    program.a_matrix_.value_ = matrix.data
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    options: dict[str, bool | int | float | str] = {"output_flag": False, "threads": 1}
    if not vertex:
        options |= {"solver": "ipx", "run_crossover": "off"}
        options |= {"ipm_optimality_tolerance": INTERIOR_TOLERANCE}
    if whole is not None:
        assert limits is not None, "a search has limits"
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        program.integrality_ = [kinds[int(one)] for one in whole]
        options |= {"mip_rel_gap": 0.0, "mip_abs_gap": limits.gap}
        options |= {"mip_max_nodes": limits.nodes_count}
    for option, value in options.items():
        solver.setOptionValue(option, value)
    solver.passModel(program)
    solver.run()
    solution = solver.getSolution()
    assert solution.value_valid, f"HiGHS: {solver.getModelStatus()}"
    return Solved(
        values=np.array(solution.col_value),
        reduced=np.array(solution.col_dual),
        prices=np.array(solution.row_dual),
        objective=float(solver.getInfo().objective_function_value),
    )
