"""Compound distributions: published figures, the second way and the guard.

Tolerances are one unit of the last digit that the reference states, two in F8, whose last digit is
that of a plain grid (test_plain_grids_come_closer_to_ours_as_their_step_falls).
Nothing here is random but Hypothesis, which is derandomised.
"""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gammaincc

from sim.compound.along import Local, along
from sim.compound.fourier import compound, gridded, lattice_masses
from sim.compound.frequency import Frequency
from sim.compound.grid import Moments
from sim.compound.inversion import inverted
from sim.compound.panjer import recursion
from sim.compound.problems import CompoundError, GridError
from sim.compound.severity import (
    Discrete,
    Exponential,
    Gamma,
    Lognormal,
    Severity,
    mean_of,
    square_of,
)
from sim.compound.terms import Cap, net_of_recovery, payable, with_legal_minimum
from sim.compound.total import Total, exhaustion
from sim.compound.unbounded import unbounded

DICE = Discrete.of({1.0: 0.5, 2.0: 0.3, 5.0: 0.2})
CLAIM = Lognormal(mean=120.0, cv=0.8)
CAPPED = payable(CLAIM, cap=500.0)
SEASON = (800.0, 950.0, 1400.0, 1800.0, 2000.0, 1700.0, 1200.0, 900.0)


def holds(total: Total, level: float, var: float, tvar: float, tolerance: float) -> None:
    assert total.risk(level) == pytest.approx((var, tvar), abs=tolerance)


def test_f1_exponential_claims() -> None:
    total = compound(Frequency(days=(5.0,)), Exponential(mean=1.0))
    assert (total.mean, total.sd**2) == pytest.approx((5.0, 10.0), rel=1e-14)
    assert total.steps.masses[0] == pytest.approx(0.00673794699909, abs=1e-14)
    assert 1.0 - total.exceedance(0.0) == pytest.approx(0.00673794699909, abs=1e-11)
    holds(total, 0.5, 4.49058952436, 7.45804985684, 1e-11)
    holds(total, 0.9, 9.27556670867, 11.5484659182, 1e-10)
    holds(total, 0.95, 10.9341500342, 13.0759574187, 1e-10)
    holds(total, 0.99, 14.4043793297, 16.35278102, 1e-9)
    holds(total, 0.995, 15.7917449991, 17.6828122745, 2e-10)
    holds(total, 0.999, 18.8500683116, 20.6403382641, 2e-10)
    above = [total.exceedance(x) for x in (5.0, 8.0, 10.0, 15.0)]
    stated = [0.436083331418, 0.163549939925, 0.0743920147493, 0.00744920180636]
    assert above == pytest.approx(stated, abs=1e-12)
    unpaid = [total.excess(x) for x in (5.0, 8.0, 10.0, 15.0)]
    stated = [1.24548009274, 0.392599020662, 0.164520254921, 0.0143226320049]
    assert unpaid == pytest.approx(stated, abs=1e-11)


def test_f2_and_f3_discrete_claims_are_exact() -> None:
    total = compound(Frequency(days=(3.0,)), DICE)
    assert (total.mean, total.sd) == pytest.approx((6.3, 4.48330235429), abs=1e-11)
    first = [0.0497870683679, 0.0746806025518, 0.100818813445, 0.0952177682535]
    assert total.steps.masses[:4] == pytest.approx(first, abs=1e-12)
    stated = [(0.5, 6, 9.82335483227), (0.9, 12, 15.5542781014), (0.95, 15, 17.6431748526)]
    for level, var, tvar in [*stated, (0.99, 19, 22.0776627692), (0.995, 21, 23.8307378957)]:
        holds(total, level, var, tvar, 1e-10)
    total = compound(Frequency(days=(3.0,), mixing_cv=0.5), DICE)
    assert (total.sd**2, total.sd) == pytest.approx((30.0225, 5.47927914967), abs=1e-11)
    for level, var, tvar in [
        (0.9, 14, 18.1226371138), (0.95, 17, 21.0854522394), (0.99, 24, 27.6168774951)
    ]:  # fmt: skip
        holds(total, level, var, tvar, 1e-10)


def test_f4_f5_and_f11_a_thousand_claims() -> None:
    total = compound(Frequency(days=(1000.0,)), CLAIM)
    assert (total.mean, total.sd) == pytest.approx((120_000.0, 4859.629616), abs=1e-6)
    holds(total, 0.5, 119946.244, 123876.73, 0.003)
    holds(total, 0.99, 131542.588, 133287.125, 0.001)
    holds(total, 0.995, 132821.678, 134457.34, 0.001)
    assert total.exceedance(125_000.0) == pytest.approx(0.1518605, abs=1e-7)
    assert total.exceedance(130_000.0) == pytest.approx(0.0215031, abs=1e-7)
    total = compound(Frequency(days=(1000.0,)), CAPPED)
    assert (total.mean, total.sd) == pytest.approx((118711.5424, 4677.4679), abs=1e-4)
    holds(total, 0.9, 124733.43, 127017.41, 0.005)
    holds(total, 0.99, 129783.52, 131445.88, 0.005)
    assert mean_of(CAPPED) == pytest.approx(118.71154240, abs=1e-8)
    assert square_of(CAPPED) == pytest.approx(21878.706158, abs=1e-6)
    net = compound(Frequency(days=(1000.0,)), net_of_recovery(CAPPED, recovered_ratio=0.6))
    assert net.mean == pytest.approx(47484.617, abs=1e-3)
    assert net.sd == pytest.approx(2958.2905, abs=1e-4)


def rounded(claims: float, step: float, points: int) -> np.ndarray:
    """The plain way: each claim of CAPPED to its nearest node, one transform, no extrapolation."""
    edges = (np.arange(points) + 0.5) * step
    below = 1.0 - CAPPED.tail(edges)
    transformed = np.fft.rfft(np.diff(np.concatenate(([0.0], below))))
    return np.fft.irfft(np.exp(claims * (transformed - 1.0)), points)


def test_plain_grids_come_closer_to_ours_as_their_step_falls() -> None:
    """The published 131542.588 and 0.399844 are those of such a grid; the limit is ours.

    A node's mass stands for the cell around it, so half of it lies above the budget.
    """
    claims, budget = sum(SEASON), 1.28e6
    exact = compound(Frequency(days=SEASON), CAPPED).exceedance(budget)
    errors = []
    for step, points in ((4.0, 2**19), (2.0, 2**20)):
        masses, node = rounded(claims, step, points), round(budget / step)
        errors.append(masses[node + 1 :].sum() + masses[node] / 2.0 - exact)
    assert errors[0] == pytest.approx(4.0 * errors[1], rel=0.01)
    assert errors[1] - errors[0] / 4.0 == pytest.approx(0.0, abs=3e-8)
    assert exact == pytest.approx(0.399842844, abs=1e-9)


@pytest.mark.parametrize(
    ("frequency", "law"),
    [
        (Frequency(days=(1000.0,)), CLAIM),
        (Frequency(days=(60.0,)), Gamma(mean=3.0, cv=0.7)),
        (Frequency(days=SEASON, common_cv=0.1), CAPPED),
        (Frequency(days=(100.0, 200.0, 300.0), mixing_cv=0.2, common_cv=0.1), CAPPED),
        (Frequency(days=(700.0,), mixing_cv=0.15), payable(CLAIM, deductible=20.0, cap=500.0)),
        (Frequency(days=(1000.0,)), net_of_recovery(CAPPED, recovered_ratio=0.6)),
        (
            Frequency(days=(300.0,)),
            with_legal_minimum(Cap(CLAIM, 80.0), minimum=100.0, legal_ratio=0.2),
        ),
    ],
)  # fmt: skip
def test_inverting_the_transform_and_a_grid_of_claims_agree(
    frequency: Frequency, law: Severity
) -> None:
    """Two ways that share only the laws; the grid refines itself to 1e-8 standard deviations."""
    exact = Moments.of(frequency, law)
    ours, grid = inverted(frequency, law, exact), gridded(frequency, law, exact)
    for level in (0.05, 0.5, 0.9, 0.99, 0.999):
        assert ours.risk(level) == pytest.approx(grid.risk(level), abs=1e-8 * exact.sd)
    for x in (exact.mean - exact.sd, exact.mean, exact.mean + 2.0 * exact.sd):
        assert ours.exceedance(x) == pytest.approx(grid.exceedance(x), abs=1e-8)


def test_a_season_of_the_whole_country() -> None:
    """900,000 claims: normal, skewed by Cornish and Fisher, whose next term is O(1/n)."""
    total = compound(Frequency(days=(9e5,)), CLAIM)
    # E X^3 = mean^3 (1 + cv^2)^3 of a lognormal; the total's skewness is n E X^3 / sd^3.
    skewness = 9e5 * 120.0**3 * 1.64**3 / total.sd**3
    for level, z in ((0.5, 0.0), (0.99, 2.3263478740408408)):
        var = total.mean + total.sd * (z + (z**2 - 1.0) * skewness / 6.0)
        assert total.risk(level).var == pytest.approx(var, abs=total.sd / 9e5)
    mixed = compound(Frequency(days=(9e5,), mixing_cv=0.15), CAPPED)
    assert mixed.excess(0.0) == pytest.approx(mixed.mean, rel=1e-9)


def test_a_million_claims_that_both_factors_move() -> None:
    """Given the factors, a total is normal about its mean Y = n E[X] G1 G2, with variance v(Y):
    P(S > x) = P(Y > x) - (v g)'(x) / 2 + O(1/n^2), g the density of Y. The series leaves out 1e-12.
    """
    claims, shape = 1e6, 4.0
    total = compound(Frequency(days=(claims,), mixing_cv=0.5, common_cv=0.5), CLAIM)
    logs = np.arange(-14.0, 3.5, 0.02)
    factors = np.exp(logs)
    weights = 0.02 * np.exp(shape * logs - shape * factors) * shape**shape / 6.0

    def spread(y: float) -> float:
        """v(y) g(y): the variance is y / E[X] claims' squares."""
        z = shape * y / (claims * 120.0 * factors)
        return float(120.0 * 1.64 * (weights * z**shape * np.exp(-z)).sum() / 6.0)

    for x in (0.2 * total.mean, 0.8 * total.mean, 3.0 * total.mean):
        above = float((weights * gammaincc(shape, shape * x / (claims * 120.0 * factors))).sum())
        h = 1e-3 * x
        slope = (spread(x - 2 * h) - 8 * spread(x - h) + 8 * spread(x + h) - spread(x + 2 * h)) / h
        assert total.exceedance(x) == pytest.approx(above - slope / 24.0, abs=1e-11)


TIMES = np.arange(200_001) / 500.0


@pytest.mark.parametrize(
    ("curve", "computed_ratio"),
    [
        (TIMES / (1.0 + TIMES) - 0.5j * np.exp(-TIMES / 50.0) * np.sin(TIMES), 0.05),
        (1.0 - 0.3 * np.exp(0.2j * TIMES) - 0.2 * np.exp(0.5j * TIMES), 0.5),
        (np.zeros(0, dtype=np.complex128), 0.0),
    ],
)
def test_a_function_along_a_curve_is_computed_at_few_places(
    curve: np.ndarray, computed_ratio: float
) -> None:
    """What rounding does to the curve comes through: less than a tenth of that is lost."""
    rounding = 1e-13 * np.random.default_rng(1).standard_normal(curve.size)
    curve = curve + rounding
    computed = [0]

    def power(z: np.ndarray) -> Local:
        computed.append(z.size)
        return Local((1.0 + 3.0 * z) ** -4, -12.0 * (1.0 + 3.0 * z) ** -5)

    found = along(curve, power)
    assert sum(computed) <= computed_ratio * curve.size
    exact, slopes = power(curve)
    through = np.abs(slopes * rounding).max(initial=0.0)
    assert np.abs(found - exact).max(initial=0.0) <= 0.1 * through


def test_what_does_not_die_away_is_left_to_the_grid() -> None:
    """Few claims, claims that are nearly all alike, and a window that the tail makes too wide."""
    for claims, law, reason in [
        (10.0, CLAIM, "jumps"),
        (1e6, Lognormal(mean=120.0, cv=0.02), "nearly multiples"),
        (1000.0, Lognormal(mean=120.0, cv=5.0), "too many nodes"),
    ]:
        frequency = Frequency(days=(claims,))
        with pytest.raises(GridError, match=reason):
            inverted(frequency, law, Moments.of(frequency, law))


def test_a_grid_that_shows_nothing_of_the_bulk_is_refused() -> None:
    """Of a billion standard deviations the whole bulk is a cell, on every grid alike."""
    thousand, law = Frequency(days=(1000.0,)), Lognormal(mean=120.0, cv=1e9)
    with pytest.raises(GridError, match="too coarse"):
        unbounded(thousand, law, Moments.of(thousand, law))


@pytest.mark.parametrize(
    "law",
    [
        Discrete.of({0.0: 1.0}),
        net_of_recovery(Exponential(mean=1.0), recovered_ratio=1.0),
        payable(Exponential(mean=1.0), deductible=1e4),
    ],
)
def test_claims_that_are_nothing_add_up_to_nothing(law: Severity) -> None:
    total = compound(Frequency(days=(1000.0,)), law)
    assert (total.mean, total.sd, total.risk(0.99)) == (0.0, 0.0, (0.0, 0.0))
    assert (total.exceedance(0.0), total.exceedance(5.0), total.excess(0.0)) == (0.0, 0.0, 0.0)


def test_an_open_window_gives_what_a_whole_one_gives() -> None:
    thousand = Frequency(days=(1000.0,))
    whole = compound(thousand, CLAIM)
    found = unbounded(thousand, CLAIM, Moments.of(thousand, CLAIM))
    for level in (0.05, 0.5, 0.95, 0.99, 0.999):
        assert found.risk(level) == pytest.approx(whole.risk(level), abs=1e-3)


def test_claims_of_a_very_long_tail() -> None:
    """Ten claims of CV 5: no window holds the tail; Panjer's recursion needs none."""
    ten, law = Frequency(days=(10.0,)), Lognormal(mean=120.0, cv=5.0)
    total = compound(ten, law)
    assert total.excess(0.0) == pytest.approx(1200.0, rel=1e-12)
    masses = recursion(ten, lattice_masses(law, step=2.0, points=4001), points=4000)
    below = float(masses[:2001].sum()) - masses[2000] / 2.0
    assert total.exceedance(4000.0) == pytest.approx(1.0 - below, abs=2e-6)
    with pytest.raises(CompoundError, match=r"at most 0\.999999 for this total"):
        total.risk(0.9999999)


def test_f8_budgets_by_day_and_a_common_factor() -> None:
    season = Frequency(days=SEASON)
    totals = [compound(season.until(day), CAPPED) for day in (7, 8)]
    assert totals[1].mean == pytest.approx(1_276_149.08, abs=0.005)
    assert totals[1].sd == pytest.approx(15_336.10, abs=0.005)
    for budget, stated in [
        (1.20e6, (0.018725, 1.0)), (1.25e6, (0.0, 0.956417)),
        (1.28e6, (0.0, 0.399844)), (1.30e6, (0.0, 0.060423)),
    ]:  # fmt: skip
        assert exhaustion(totals, budget) == pytest.approx(stated, abs=2e-6)
    common = compound(Frequency(days=SEASON, common_cv=0.1), CAPPED)
    assert common.sd == pytest.approx(128_533.0, abs=0.5)


def test_quadrature_over_the_common_factor_agrees_with_the_closed_form() -> None:
    closed = compound(Frequency(days=(20.0, 30.0), common_cv=0.3), DICE)
    mixed = compound(Frequency(days=(20.0, 30.0), common_cv=0.3, mixing_cv=1e-5), DICE)
    assert mixed.risk(0.99) == pytest.approx(closed.risk(0.99), rel=1e-7)


@pytest.mark.parametrize("mixing_cv", [0.0, 0.4])
def test_recursion_and_transform_agree(mixing_cv: float) -> None:
    frequency = Frequency(days=(20.0,), mixing_cv=mixing_cv)
    for law in (DICE, payable(DICE, deductible=1.0, cap=3.0)):
        total = compound(frequency, law)
        one = lattice_masses(law, step=1.0, points=16)
        found = recursion(frequency, one, points=total.grid.points)
        assert np.abs(found - total.steps.masses).max() < 1e-14


def test_a_bad_grid_is_refused() -> None:
    thousand = Frequency(days=(1000.0,))
    with pytest.raises(GridError, match="aliased"):
        compound(thousand, CLAIM, step=1.0, points=2**16)
    with pytest.raises(GridError, match="coarse"):
        compound(thousand, CLAIM, step=64.0, points=2**12)
    with pytest.raises(GridError, match="too coarse"):
        compound(thousand, CAPPED, step=0.3, points=2**20)
    with pytest.raises(GridError, match="too many claims: with 1e\\+06"):
        compound(Frequency(days=(1e6,)), Lognormal(mean=120.0, cv=0.001))
    with pytest.raises(GridError, match="common unit"):
        compound(thousand, Discrete.of({1.0000001: 0.5, 2.0: 0.5}))
    fine = compound(thousand, CLAIM, step=0.5, points=2**19)
    assert fine.risk(0.99).tvar == pytest.approx(133287.124, abs=0.001)


LAWS = st.sampled_from(
    [
        DICE, Exponential(mean=2.0), CLAIM, Gamma(mean=3.0, cv=0.7),
        payable(Exponential(mean=2.0), deductible=1.0, cap=4.0),
        with_legal_minimum(Cap(Exponential(mean=4.0), 8.0), minimum=10.0, legal_ratio=0.2),
    ]
)  # fmt: skip


@settings(max_examples=15)
@given(law=LAWS, claims=st.floats(0.5, 60.0), mixing_cv=st.sampled_from([0.0, 0.3]))
def test_moments_are_the_closed_forms_and_quantiles_rise(
    law: Exponential, claims: float, mixing_cv: float
) -> None:
    total = compound(Frequency(days=(claims,), mixing_cv=mixing_cv), law)
    assert total.excess(0.0) == pytest.approx(total.mean, rel=1e-8)
    risks = [total.risk(level) for level in (0.1, 0.5, 0.9, 0.99, 0.999)]
    assert all(low.var <= high.var for low, high in pairwise(risks))
    assert all(low.tvar <= high.tvar for low, high in pairwise(risks))
    assert all(risk.var <= risk.tvar for risk in risks)


def test_money_scales() -> None:
    one, ten = (compound(Frequency(days=(9.0,)), Exponential(mean=k)) for k in (1.0, 10.0))
    assert ten.risk(0.99) == pytest.approx([10.0 * part for part in one.risk(0.99)], rel=1e-9)
