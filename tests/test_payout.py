"""Payout statistics and tables: known orders of statistics, sums that must hold, refusals.

Coverage is measured on laws whose quantiles are known; seeds are fixed, false-alarm rates stand in
the docstrings. Tables are those of a synthetic run under the real base scenario.
"""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import springpeak
from reports.language import speaking
from reports.payout import page
from scenarios.loader import SHIPPED
from scenarios.payout_tables import PAYOUT_TABLES
from sim.experiment.confidence import quantile_interval, quantile_ranks
from sim.payout.bridge import bridge, whole_fen
from sim.payout.frames import frame, write
from sim.payout.movers import movers
from sim.payout.seasons import GROUPS, MEASURES, Seasons
from sim.payout.statistics import (
    Figure,
    count_for_bound,
    count_for_interval,
    figures,
    mean,
    quantile,
    shortfall,
    tail_weights,
)
from sim.payout.tables import tables
from tests.glyphs import covered
from tests.page_walk import Files, mistakes, walked
from tests.synthetic_run import write_synthetic_run
from tests.test_cli import springpeak_says

TORNADO = frame(
    "payout_tornado",
    [
        {
            "rank": 1,
            "key": "demand.orders_multiple",
            "low_value": 0.8,
            "base_value": 1.0,
            "high_value": 1.25,
            "source": "A: 0.8/1.0/1.25",
            "low_effect_fen": -2e8,
            "low_effect_low_fen": -3e8,
            "low_effect_high_fen": -1e8,
            "high_effect_fen": None,
            "high_effect_low_fen": None,
            "high_effect_high_fen": None,
            "n": 4,
        }
    ],
)
BASE = SHIPPED / "spring-festival-2026.toml"
COUNT = 80


def synthetic(path: Path, seed: int, replications: int) -> Seasons:
    write_synthetic_run(path, replications=replications, seed=seed)
    (path / "scenario.toml").write_text(BASE.read_text(encoding="utf-8"), encoding="utf-8")
    return Seasons(path)


@pytest.fixture(scope="module")
def seasons(tmp_path_factory: pytest.TempPathFactory) -> Seasons:
    return synthetic(tmp_path_factory.mktemp("payout") / "run", seed=3, replications=COUNT)


@pytest.fixture(scope="module")
def found(seasons: Seasons) -> dict[str, pl.DataFrame]:
    budgets = {"instant_compensation": 10**9}
    return tables(seasons, budgets_fen=budgets, asked_level=0.9)


def test_counts_from_which_quantiles_are_said() -> None:
    assert [count_for_bound(level) for level in (0.9, 0.95, 0.99, 0.995)] == [29, 59, 299, 598]
    assert [count_for_interval(level) for level in (0.95, 0.99, 0.995)] == [72, 368, 736]
    for count in (298, 299, 367, 368):
        one = quantile(np.arange(float(count)), 0.99)
        assert (one.value is None) == (count < 299)
        assert (one.high is None) == (count < 299)
        assert (one.low is None) == (count < 368)
        assert (one.withheld is None) == (count >= 368)
    assert "299 replications for an upper bound and 368 for an interval, there are 298" in str(
        quantile(np.arange(298.0), 0.99).withheld
    )


def test_interpolated_ends_lie_inside_the_ranks() -> None:
    for count, level in ((72, 0.95), (100, 0.9), (500, 0.99), (1000, 0.95), (6, 0.5)):
        ranks = quantile_ranks(count, level)
        ends = quantile_interval(np.arange(1.0, count + 1.0), level)
        assert ranks is not None
        assert ends is not None
        assert ranks[0] <= ends[0] <= ranks[0] + 1
        assert ranks[1] - 1 <= ends[1] <= ranks[1]
    assert quantile_interval(np.arange(367.0), 0.99) is None


LAWS: dict[str, tuple[Callable[[np.random.Generator, tuple[int, int]], np.ndarray], float, float]]
LAWS = {  # draws, mean, 95 % quantile
    "normal": (lambda rng, shape: rng.standard_normal(shape), 0.0, 1.6448536269514722),
    "exponential": (lambda rng, shape: rng.standard_exponential(shape), 1.0, 2.995732273553991),
}


@pytest.mark.stat
@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("count", [72, 100, 400])
def test_nominal_intervals_cover_in_1000_macro_replications(law: str, count: int) -> None:
    """93-97 %: true coverage is 94.5-95.3 %, so one of the twelve fails in 4 of 1000 seeds."""
    draw, true_mean, true_p95 = LAWS[law]
    samples = draw(np.random.default_rng(20260217 + count), (1000, count))

    def share(of: Callable[[np.ndarray], Figure], truth: float) -> float:
        ends = [of(sample) for sample in samples]
        return float(np.mean([(one.low or -9.0) <= truth <= (one.high or 9.0) for one in ends]))

    assert 0.93 <= share(lambda sample: quantile(sample, 0.95), true_p95) <= 0.97
    assert 0.93 <= share(mean, true_mean) <= 0.97


def test_tvar_is_the_mean_of_the_worst_with_the_border_in_part() -> None:
    sample = np.arange(1.0, 91.0)
    # 4.5 of 90: the four largest and half of the fifth.
    assert shortfall(sample, 0.95).value == pytest.approx((90 + 89 + 88 + 87 + 43) / 4.5)
    assert shortfall(np.full(400, 7.0), 0.99) == Figure(7.0, 7.0, 7.0, 400)


@given(st.lists(st.integers(0, 10**12), min_size=60, max_size=200), st.sampled_from([0.5, 0.95]))
def test_tail_weights_are_a_mean_over_the_worst(values: list[int], level: float) -> None:
    sample = np.array(values, dtype=np.float64)
    weights = tail_weights(sample, level)
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    tail = float(weights @ sample)
    assert tail >= float(sample.mean()) * (1.0 - 1e-12)
    assert tail <= float(sample.max()) * (1.0 + 1e-12)


def test_one_replication_has_figures_without_intervals() -> None:
    found = figures([5.0])
    assert found["mean"].value == 5.0
    assert found["mean"].low is None
    assert found["p95"].value is None
    assert all(one.withheld for one in found.values())


def test_every_column_is_in_the_dictionary(found: dict[str, pl.DataFrame], tmp_path: Path) -> None:
    write(tmp_path, found)
    for name, table in found.items():
        wanted = [column.name for column in PAYOUT_TABLES[name]]
        assert table.columns == wanted
        assert pl.read_parquet(tmp_path / f"{name}.parquet").equals(table)
        assert (tmp_path / f"{name}.csv").read_text("utf-8").splitlines()[0] == ",".join(wanted)
        for column in PAYOUT_TABLES[name]:
            if "null" not in column.meaning:
                assert table[column.name].null_count() == 0, (name, column.name)


def test_parts_add_up_to_the_total(seasons: Seasons) -> None:
    for measure in MEASURES:
        for group in GROUPS:
            parts = seasons.by(group, measure).fen.sum(axis=0)
            assert (parts == seasons.total(measure)).all(), (measure, group)


def test_attribution_adds_up_to_tvar(found: dict[str, pl.DataFrame]) -> None:
    tvar = found["payout_distribution"].filter(by="total", statistic="tvar95")
    rows = found["payout_attribution"].filter(level=0.95)
    for (measure, by), part in rows.group_by("measure", "by"):
        whole = tvar.filter(measure=measure)["value_fen"].item()
        assert part["cotvar_fen"].sum() == pytest.approx(whole, rel=1e-9), (measure, by)
        assert part["share_ratio"].sum() == pytest.approx(1.0, rel=1e-9)
    assert found["payout_attribution"].filter(level=0.99)["cotvar_fen"].null_count() > 0


def test_peak_funding_is_a_path_quantity(found: dict[str, pl.DataFrame]) -> None:
    cash = found["payout_cash"].filter(statistic="mean")
    peak = cash.filter(flow="peak_funding")["value_fen"].item()
    assert peak >= cash.filter(flow="cumulative_net")["value_fen"].max()
    last = cash.filter(flow="cumulative_paid").sort("lunar_day")["value_fen"][-1]
    assert last == pytest.approx(cash.filter(flow="paid")["value_fen"].sum(), rel=1e-12)


def test_pots_dry_up_once_and_for_all_days_after(found: dict[str, pl.DataFrame]) -> None:
    for _, rows in found["payout_pots"].filter(pl.col("lunar_day").is_not_null()).group_by(
        "guarantee"
    ):
        assert rows.sort("lunar_day")["exhausted_ratio"].is_sorted()
    passed = found["payout_budgets"].sort("lunar_day")["exhausted_ratio"]
    assert passed.is_sorted()
    assert passed[-1] == 1.0


def test_receivables_are_in_one_state_each(found: dict[str, pl.DataFrame]) -> None:
    whole = found["payout_recoveries"].filter(by="total")
    fen = dict(whole.select("measure", "mean_fen").iter_rows())
    ended = fen["recovered"] + fen["contested"] + fen["defaulted"] + fen["open"]
    assert ended == pytest.approx(fen["owed"], rel=1e-12)


def test_bridge_leaves_no_rest(seasons: Seasons, tmp_path: Path) -> None:
    other = synthetic(tmp_path / "other", seed=3, replications=5)
    table = bridge(other, seasons)
    amounts = table["amount_fen"].to_list()
    assert sum(amounts[:-1]) == amounts[-1]
    assert amounts[1:-1] == [0] * 6, "same seed, same replications: nothing differs"
    assert table["part"].to_list()[0] == "start"


@given(st.floats(-1e12, 1e12), st.lists(st.floats(-1e10, 1e10), min_size=6, max_size=6))
def test_whole_fen_have_the_rounded_sum(start: float, parts: list[float]) -> None:
    whole = whole_fen(start, parts)
    assert sum(whole) == round(start + sum(parts))
    assert all(abs(a - b) <= 1.0 for a, b in zip(whole, [start, *parts], strict=True))


def test_movers_have_a_range_and_money_behind_them(seasons: Seasons) -> None:
    chosen = movers(seasons, count=10)
    assert len(chosen) == 10
    assert all(one.low <= one.base <= one.high for one in chosen)
    (asked,) = movers(seasons, count=0, asked=["demand.orders_multiple"])
    assert asked.sets(seasons.scenario, asked.high) == "demand.orders_multiple=1.25"
    (array,) = movers(seasons, count=0, asked=["demand.day_multiplier.movie"])
    assert array.sets(seasons.scenario, 0.5).startswith("demand.day_multiplier.movie=[0.2, 0.2,")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--budget", "instant_compensaton=5"), "did you mean instant_compensation?"),
        (("--budget", "advance_payout=-5"), "'-5' should be an amount in CNY, 0 or above"),
        (("--fund-at", "0.99"), "80 replications are too few, 299 give an upper bound, 368 an"),
        (("--replications", "400"), "holds 80; give the scenario instead"),
        (("--mover", "demand.colour"), "demand.colour has no range to move in"),
        (("--bridge", "no/such/run"), "no/such/run is not a run directory"),
    ],
)
def test_wrong_input_is_said_with_status_2(
    seasons: Seasons, arguments: tuple[str, str], message: str
) -> None:
    asked = ["payout", str(seasons.path), "--movers", "0", *arguments]
    said = CliRunner().invoke(springpeak.app, asked)
    assert (said.exit_code, said.stdout) == (2, "")
    assert message in said.stderr


def test_too_few_replications_are_refused_before_anything_is_simulated(tmp_path: Path) -> None:
    out = tmp_path / "run"
    asked = ("--fund-at", "0.99", "--replications", "100", "--out", str(out))
    said = CliRunner().invoke(springpeak.app, ["payout", "spring-festival-2026", *asked])
    assert said.exit_code == 2
    assert "299 give an upper bound" in said.stderr
    caps = "guarantees.instant_compensation.terms.closed_or_refused.extra_cap_fen=1"
    said = CliRunner().invoke(
        springpeak.app, ["payout", "spring-festival-2026", "--set", caps, "--out", str(out)]
    )
    assert said.exit_code == 2
    assert "raise the cap or lower the floor" in said.stderr
    assert not out.exists()


def test_a_budget_that_is_asked_about_is_answered(seasons: Seasons, tmp_path: Path) -> None:
    asked = ("--budget", "instant_compensation=60000000")
    said = springpeak_says(
        "payout", str(seasons.path), "--movers", "0", "--out", str(tmp_path), *asked
    )
    assert said.status == 0, said.err
    told = r"Budget, .*: CNY 60.*M is not enough in .* % of seasons \(95 % interval .* – .* %\)"
    assert re.search(told, said.out)


def test_tables_that_cannot_be_written_are_named(seasons: Seasons, tmp_path: Path) -> None:
    """A file in the folder's place, a folder in a table's: root may write where others may not."""
    (tmp_path / "file").touch()
    said = springpeak_says(
        "payout", str(seasons.path), "--movers", "0", "--out", str(tmp_path / "file")
    )
    assert said.status == 2
    assert "file is a file, not a directory" in said.err
    (tmp_path / "out" / "payout_pots.csv" / "below").mkdir(parents=True)
    said = springpeak_says(
        "payout", str(seasons.path), "--movers", "0", "--out", str(tmp_path / "out")
    )
    assert said.status == 2
    assert "payout_pots.csv cannot be written: " in said.err


def test_the_command_says_what_to_book_and_fund(seasons: Seasons, tmp_path: Path) -> None:
    asked = ["payout", str(seasons.path), "--movers", "0", "--out", str(tmp_path / "out")]
    said = CliRunner().invoke(springpeak.app, asked)
    assert said.exit_code == 0, said
    assert said.stdout.startswith("Book, payments: CNY ")
    assert "Fund, P95: CNY " in said.stdout
    assert "(the 99 % level needs 299 replications" in said.stdout
    assert (tmp_path / "out" / "payout_distribution.csv").exists()


def test_the_page_says_what_the_tables_say(
    seasons: Seasons, found: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    other = synthetic(tmp_path / "other", seed=3, replications=5)
    more = {"payout_tornado": TORNADO, "payout_bridge": bridge(other, seasons)}
    files = Files({"manifest": seasons.manifest}, found | more)
    for language, name in (("zh", "payout.zh.html"), ("en", "payout.html")):
        with speaking(language):
            path = page.write(seasons.path, tmp_path, found | more)
            text = path.read_text(encoding="utf-8")
            walk = walked(text)
            assert list(mistakes(walk, files)) == []
        assert path.name == name
        assert len(walk.numbers) > 300
        assert not set(text) - covered() - set("\n")
    page.write(seasons.path, tmp_path, found | more)
    assert path.read_text(encoding="utf-8") == text, "the same bytes again"
    words = re.sub(r"<[^>]+>|&nbsp;", "", text)
    assert "withheld" in words
    assert "demand.orders_multiple (now 1): at 0.8 CNY −2.00 M" in words
    assert all(head in words for head in ("Pots: when they run dry", "Co-TVaR", "Shapley"))
