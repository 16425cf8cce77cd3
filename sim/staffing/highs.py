"""A linear or mixed-integer program, solved by HiGHS.

Huangfu and Hall, Mathematical Programming Computation 10 (2018). One thread each and limits that
count work, not time, so that the result depends neither on the machine's cores nor on its load.
"""

from dataclasses import dataclass
from typing import Final

import highspy
import numpy as np
import scipy.sparse as sp

from sim.columns import Bools, Floats, Ints

INTERIOR_TOLERANCE: Final = 1e-5
WHOLE_TOLERANCE: Final = 1e-6
LEAST_FIXED: Final = 4
# Steps of a dive that turn out infeasible before it is given up.
REFUSED_COUNT: Final = 40


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


@dataclass(frozen=True, slots=True)
class Problem:
    """Minimise costs @ x with lower <= matrix @ x <= upper, 0 <= x <= bounds, some of x whole."""

    costs: Floats
    matrix: sp.csc_matrix
    lower: Floats
    upper: Floats
    bounds: Floats
    whole: Bools

    def solver(self, options: dict[str, bool | int | float | str]) -> highspy.Highs:
        """HiGHS with the program, its whole numbers left out."""
        program = highspy.HighsLp()
        program.num_col_, program.num_row_ = len(self.costs), len(self.lower)
        program.col_cost_ = self.costs
        program.col_lower_, program.col_upper_ = np.zeros(len(self.costs)), self.bounds
        program.row_lower_, program.row_upper_ = self.lower, self.upper
        program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        program.a_matrix_.start_ = self.matrix.indptr
        program.a_matrix_.index_ = self.matrix.indices
        program.a_matrix_.value_ = self.matrix.data
        solver = highspy.Highs()  # type: ignore[no-untyped-call]
        for option, value in {"output_flag": False, "threads": 1, **options}.items():
            solver.setOptionValue(option, value)
        solver.passModel(program)
        return solver


def optimise(problem: Problem, *, vertex: bool = True) -> Solved:
    """The best values, whole or not, and what rows and columns are worth.

    Without `vertex` any optimum will do, which is faster for a large program.
    """
    options: dict[str, bool | int | float | str] = {}
    if not vertex:
        options = {"solver": "ipx", "run_crossover": "off"}
        options |= {"ipm_optimality_tolerance": INTERIOR_TOLERANCE}
    return _solved(problem.solver(options))


def search(problem: Problem, limits: Limits, *, known: Floats | None = None) -> Solved:
    """Whole numbers by branch and cut, never worse than values that are `known` to be allowed."""
    options: dict[str, bool | int | float | str] = {"mip_rel_gap": 0.0, "mip_abs_gap": limits.gap}
    solver = problem.solver(options | {"mip_max_nodes": limits.nodes_count})
    places = np.flatnonzero(problem.whole).astype(np.int32)
    kinds = np.full(len(places), int(highspy.HighsVarType.kInteger), dtype=np.uint8)
    solver.changeColsIntegrality(len(places), places, kinds)
    if known is None:
        return _solved(solver)
    solution = highspy.HighsSolution()
    solution.col_value = known.tolist()
    solver.setSolution(solution)
    found = _solved(solver)
    before = float(problem.costs @ known)
    if found.objective < before:
        return found
    return Solved(known, found.reduced, found.prices, before)


def dive(problem: Problem, share: float) -> Solved | None:
    """Whole numbers by diving: fix the nearest, solve again, until all are whole; None if stuck.

    A step fixes a share of the fractional variables. Sparing branch and cut this is tens of times
    faster, and a little worse.
    """
    solver = problem.solver({})
    whole = np.flatnonzero(problem.whole)
    # What costs money first: breaks, which save some, follow from the shifts.
    late = problem.costs[whole] < 0.0
    refused_count = 0
    solver.run()
    while True:
        values = np.array(solver.getSolution().col_value)
        apart = np.abs(values[whole] - np.rint(values[whole]))
        open_ones = np.flatnonzero(apart > WHOLE_TOLERANCE)
        if len(open_ones) == 0:
            return _solved(solver)
        first = open_ones[~late[open_ones]]
        ordered = first if len(first) else open_ones
        ordered = ordered[np.argsort(apart[ordered], kind="stable")]
        chosen = whole[ordered[: max(LEAST_FIXED, int(np.ceil(share * len(ordered))))]]
        fixed = np.rint(values[chosen])
        _bound(solver, chosen, fixed, fixed)
        solver.run()
        while solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            refused_count += 1
            _bound(solver, chosen, np.zeros(len(chosen)), problem.bounds[chosen])
            if len(chosen) == 1:
                fixed = np.floor(values[chosen]) + np.ceil(values[chosen]) - fixed
            else:
                chosen = chosen[: len(chosen) // 2]
                fixed = np.rint(values[chosen])
            _bound(solver, chosen, fixed, fixed)
            solver.run()
            if refused_count >= REFUSED_COUNT:
                return None


def _bound(solver: highspy.Highs, columns: Ints, lower: Floats, upper: Floats) -> None:
    solver.changeColsBounds(len(columns), columns.astype(np.int32), lower, upper)


def _solved(solver: highspy.Highs) -> Solved:
    solver.run()
    solution = solver.getSolution()
    assert solution.value_valid, f"HiGHS: {solver.getModelStatus()}"
    return Solved(
        values=np.array(solution.col_value),
        reduced=np.array(solution.col_dual),
        prices=np.array(solution.row_dual),
        objective=float(solver.getInfo().objective_function_value),
    )
