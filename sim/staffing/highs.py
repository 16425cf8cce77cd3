"""A linear or mixed-integer program, solved by HiGHS.

Huangfu and Hall, Mathematical Programming Computation 10 (2018).

One thread each, so that the result does not depend on the machine's cores.
"""

from typing import Final

import highspy
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from sim.support.cases import Floats

GAP_RATIO: Final = 2e-4


def optimise(
    costs: Floats,
    matrix: sp.csc_matrix,
    lower: Floats,
    upper: Floats,
    bounds: Floats,
    *,
    whole: NDArray[np.bool_] | None = None,
    start: Floats | None = None,
    limit_s: float = 60.0,
    vertex: bool = True,
) -> tuple[Floats, Floats, float]:
    """Values, reduced costs and the objective of a program with variables >= 0.

    `whole` marks variables that take whole numbers, `start` is a solution to begin with;
    without `vertex` any optimum will do, which is faster.
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
    for option, value in (
        ("output_flag", False),
        ("threads", 1),
        ("mip_rel_gap", GAP_RATIO),
        ("time_limit", limit_s),
    ):
        solver.setOptionValue(option, value)
    if not vertex:
        solver.setOptionValue("solver", "ipm")
        solver.setOptionValue("run_crossover", "off")
    if whole is not None:
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        program.integrality_ = [kinds[int(one)] for one in whole]
    solver.passModel(program)
    if start is not None:
        known = highspy.HighsSolution()
        known.col_value = start.tolist()
        solver.setSolution(known)
    solver.run()
    solution = solver.getSolution()
    values = np.array(solution.col_value)
    assert solution.value_valid, f"HiGHS: {solver.getModelStatus()}"
    return values, np.array(solution.col_dual), float(solver.getInfo().objective_function_value)
