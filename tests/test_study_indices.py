"""Sobol' indices, screening and effects, through the very same study as the festival goes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import qmc

from scenarios.study_file import Design
from sim.study.conduct import conduct
from sim.study.dataset import read
from sim.study.design import places
from sim.study.expansion import of_levels, of_ranges
from sim.study.explained import explained, noise_ratio
from sim.study.factors import Factor, combinations
from sim.study.plan import lay_out
from sim.study.shares import Share, fit_of, shares
from sim.study.tables import tables
from tests.study_models import FIRST, TOTAL, noisy, study_ishigami, ten_factors, values_of
from tests.synthetic_run import InlineExecutor

LHS = Design(kind="lhs", points_count=400)
SALTELLI = Design(kind="saltelli", base_points_count=4096)


def indices(table: pl.DataFrame, order: str) -> list[float]:
    return table.filter(pl.col("order") == order)["value"].to_list()


@pytest.mark.parametrize("design", [SALTELLI, LHS, Design(kind="sobol", points_count=256)])
def test_ishigami_through_a_study(design: Design, tmp_path: Path) -> None:
    """CHECKS: within 0.01 of the closed form, first order and total, for each design."""
    done = study_ishigami(design, tmp_path / "study")
    found = tables(read(done.path))["study_indices"]
    assert indices(found, "first") == pytest.approx(FIRST, abs=0.01)
    assert indices(found, "total") == pytest.approx(TOTAL, abs=0.01)
    inside = found.filter(pl.col("low") <= pl.col("value"), pl.col("value") <= pl.col("high"))
    assert len(inside) == len(found)


def test_pairs_of_ishigami(tmp_path: Path) -> None:
    """Only x1 and x3 act together; SALib's second order, and the expansion's."""
    pair = TOTAL[0] - FIRST[0]
    for design, apart in (
        (Design(kind="saltelli", base_points_count=512, second_order=True), 0.03),
        (LHS, 0.01),
    ):
        done = study_ishigami(design, tmp_path / design.kind)
        found = tables(read(done.path))["study_indices"].filter(pl.col("order") == "pair")
        by_pair = {(row["key"], row["other"]): row["value"] for row in found.to_dicts()}
        assert by_pair["x1", "x3"] == pytest.approx(pair, abs=apart)
        assert by_pair["x1", "x2"] == pytest.approx(0.0, abs=apart)


def test_a_season_in_which_nothing_varies_has_no_indices() -> None:
    design = Design(kind="saltelli", base_points_count=64)
    rows = places(design, 2, 1)
    values = np.stack([rows[:, 0], np.zeros(len(rows)), rows[:, 0]], axis=1)
    found = {(one.order, one.factors): one for one in explained(design, rows, values, 1).shares}
    first = found["first", (0,)]
    assert first.low <= first.value <= first.high
    # Of 64 base points; SALib's own 95 % half-width is 0.03.
    assert first.value == pytest.approx(1.0, abs=0.1)


def test_effects_follow_the_function(tmp_path: Path) -> None:
    """The mean over x2 and x3 at x1 is (1 + pi^4 / 50) sin x1 + 7 / 2: it lies in the interval of
    every step. Were the nine independent, one would miss in 37 % of designs; the seed is fixed."""
    done = study_ishigami(LHS, tmp_path / "study")
    effects = tables(read(done.path))["study_effects"].filter(pl.col("key") == "x1")
    at, low, high = (effects[name].to_numpy() for name in ("value", "low", "high"))
    true = 3.5 + (1.0 + np.pi**4 / 50.0) * np.sin(at)
    assert ((low <= true) & (true <= high)).all()
    assert (high - low).max() < 0.1, "a fiftieth of what x1 moves"


def test_morris_screens(tmp_path: Path) -> None:
    done = study_ishigami(Design(kind="morris", trajectories_count=50), tmp_path / "study")
    found = tables(read(done.path))
    assert "study_indices" not in found
    rows = found["study_screening"].to_dicts()
    assert all(row["size"] > abs(row["mean"]) - 1e-9 for row in rows)
    assert rows[2]["sd"] > 1.0
    # x3 acts through x1 alone, both ways. Three standard errors: by chance once in 370.
    assert abs(rows[2]["mean"]) < 3.0 * rows[2]["sd"] / np.sqrt(50)


def _noisy_shares(seed: int) -> tuple[Sequence[Share], np.ndarray]:
    plan = ten_factors(Design(kind="lhs", points_count=120), seed=seed)
    values = np.array(
        [
            # Other seasons for each seed, or the same four would speak for all of them.
            [noisy(values_of(point), 100 * seed + r)["y"][0] for r in range(4)]
            for point in plan.points()
        ]
    )
    found = list(shares(fit_of(of_ranges(plan.places, values), seed), 10))
    return [one for one in found if one.order == "first"], values


@pytest.mark.stat
def test_chance_is_no_effect() -> None:
    """200 intervals of 95 %, over 20 designs and as many sets of four seasons, under seasons that
    pull at each factor and chance at each point. Fewer than 180 that hold would come by chance
    once in 1,000 (binomial, were all of them independent and exact); six factors do nothing."""
    variance = np.array([16.0, 4.0, *[0.0] * 8]) / 12.0
    true = variance / (variance.sum() + 9.0 / 144.0)
    held, values = 0, []
    for seed in range(20):
        found, _ = _noisy_shares(seed)
        values.append([one.value for one in found])
        held += sum(one.low <= t <= one.high for one, t in zip(found, true, strict=True))
    assert held >= 180
    means = np.mean(values, axis=0)
    assert means[2:].max() < 0.01
    # Four standard errors over the designs: by chance once in 8,000.
    errors = np.std(values, axis=0, ddof=1) / np.sqrt(len(values))
    assert (np.abs(means - true)[:2] < 4.0 * errors[:2]).all()


def test_noise_ratio_is_that_of_a_two_way_table() -> None:
    rng = np.random.default_rng(1)
    points, seasons = rng.normal(size=(400, 1)), rng.normal(size=(1, 8))
    assert noise_ratio(points + seasons) == pytest.approx(0.0, abs=1e-12)
    noisy_table = points + seasons + 2.0 * rng.normal(size=(400, 8))
    # Variance 1 of the points and 4 / 8 of chance; standard error of the share about 0.03.
    assert noise_ratio(noisy_table) == pytest.approx(0.5 / 1.5, abs=0.1)
    assert noise_ratio(points) is None


def test_a_grid_is_taken_apart_exactly() -> None:
    """y = 2 A + B + A B over two levels of A and three of B, against sums of squares by hand."""
    levels = np.array([(a, b) for a in (-1.0, 1.0) for b in (-1.0, 0.0, 1.0)])
    a, b = levels.T
    values = (2.0 * a + b + a * b)[:, None]
    found = {(s.order, s.factors): s for s in shares(fit_of(of_levels(levels, values), 1), 2)}
    total = 4.0 + 2.0 / 3.0 + 2.0 / 3.0
    assert found["first", (0,)].value == pytest.approx(4.0 / total)
    assert found["first", (1,)].value == pytest.approx(2.0 / 3.0 / total)
    assert found["pair", (0, 1)].value == pytest.approx(2.0 / 3.0 / total)
    assert np.isnan(found["first", (0,)].low), "one replication says nothing of chance"


def test_more_terms_than_points_are_not_tried() -> None:
    places = qmc.LatinHypercube(10, rng=1).random(20)
    found = of_ranges(places, places[:, :1])
    assert len(found.terms) <= 12


def test_the_frontier_drops_what_another_choice_beats(tmp_path: Path) -> None:
    """b costs and serves, d only costs: its higher level is never efficient."""
    factors = [
        Factor("a", low=0.0, base=0.5, high=1.0),
        Factor("c", low=0.0, base=0.5, high=1.0),
        Factor("b", low=0.0, base=0.0, high=2.0, levels=(0.0, 1.0, 2.0), decided=True),
        Factor("d", low=0.5, base=0.5, high=2.5, levels=(0.5, 2.5), decided=True),
    ]
    plan = lay_out(
        name="costs",
        design=Design(kind="lhs", points_count=8),
        seed=1,
        replications_count=3,
        outcomes=["wage_fen"],
        factors=factors,
    )
    assert plan.points_count == 8 * len(combinations(plan.crossed)) == 48
    done = conduct(
        plan, costs, values_of, path=tmp_path / "study", workers=1, executor=InlineExecutor()
    )
    table = tables(read(done.path))["study_frontier"]
    by_choice = {row["choice"]: row for row in table.to_dicts()}
    assert [row["choice"] for row in table.to_dicts() if row["efficient"]] == [
        "b=0, d=0.5", "b=1, d=0.5", "b=2, d=0.5"
    ]  # fmt: skip
    assert by_choice["b=1, d=0.5"]["service"] == pytest.approx(0.5)
    assert table["cost_fen"].is_sorted()


def costs(values: dict[str, float], replication: int) -> dict[str, tuple[float, str]]:
    """Money and service from what is decided."""
    return {
        "wage_fen": (100.0 * values["b"] + 10.0 * values["d"] + values["a"] + replication, "fen"),
        "payout_net_fen": (1000.0 * values["a"], "fen"),
        "service_level_phone_ratio": (values["b"] / 2.0, "ratio"),
    }
