"""Pairs: planted differences, exact zeros, and runs that are no pairs."""

from pathlib import Path

import polars as pl
import pytest

from sim.experiment.compare import PairedDifference, compare
from sim.experiment.files import RunError
from sim.experiment.runner import run
from tests.fake_replication import SCENARIO, FakeScenario, simulate
from tests.synthetic_run import InlineExecutor
from tests.test_cli import springpeak_says

# CHECKS.md A.8: the paired example, published with its half-width.
A = (12.1, 13.4, 11.8, 12.9, 14.2, 12.5, 13.1, 12.0)
B = (11.2, 12.7, 11.1, 12.0, 13.5, 11.4, 12.6, 11.3)


def _run(path: Path, scenario: FakeScenario = SCENARIO, **options: object) -> Path:
    settings = {"replications": 3, "seed": 1, "days": (0, 1), **options}
    result = run(
        scenario,
        precision_ratio=None,
        workers=1,
        out=path,
        executor=InlineExecutor(),
        simulate=simulate,
        **settings,
    )
    return result.path


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _run(tmp_path_factory.mktemp("compare") / "base")


def _plant(run_path: Path, values: tuple[float, ...]) -> None:
    file = run_path / "replications.parquet"
    rows = [(r, "asa_phone_s", value, "s") for r, value in enumerate(values)]
    schema = pl.read_parquet_schema(file)
    pl.DataFrame(rows, schema=schema, orient="row").write_parquet(file)


def _by_name(found: tuple[PairedDifference, ...]) -> dict[str, PairedDifference]:
    return {entry.metric: entry for entry in found}


def test_the_published_example(tmp_path: Path) -> None:
    a, b = _run(tmp_path / "a"), _run(tmp_path / "b")
    _plant(a, B)
    _plant(b, A)
    (found,) = compare(a, b)
    assert found.n == 8
    assert found.unit == "s"
    assert found.difference == pytest.approx(0.775, abs=1e-12)
    assert found.low == pytest.approx(0.775 - 0.15318, abs=5e-6)
    assert found.high == pytest.approx(0.775 + 0.15318, abs=5e-6)
    assert found.clear_of_zero


def test_a_change_that_changes_nothing_differs_by_exactly_0(base: Path, tmp_path: Path) -> None:
    """Twin worlds: another description, the same figures."""
    renamed = SCENARIO.model_copy(update={"description": "The same world."})
    found = compare(base, _run(tmp_path / "b", renamed))
    assert len(found) >= 21
    for entry in found:
        assert (entry.difference, entry.low, entry.high) == (0.0, 0.0, 0.0)
        assert entry.mean_a == entry.mean_b
        assert not entry.clear_of_zero


def test_only_what_changed_differs(base: Path, tmp_path: Path) -> None:
    fewer = SCENARIO.model_copy(update={"heads_count": 2000})
    found = _by_name(compare(base, _run(tmp_path / "b", fewer)))
    assert found["orders_count"].difference == 0.0
    assert found["incidents_count"].difference == 0.0
    waits = found["asa_phone_s"]
    assert waits.low is not None
    assert waits.low > 0.0
    assert waits.clear_of_zero
    assert waits.mean_b - waits.mean_a == pytest.approx(waits.difference)


def test_common_replications_only(base: Path, tmp_path: Path) -> None:
    found = compare(base, _run(tmp_path / "b", replications=5))
    assert {entry.n for entry in found} == {3}


def test_runs_of_different_length_are_told_of(base: Path, tmp_path: Path) -> None:
    longer = str(_run(tmp_path / "b", replications=5))
    said = springpeak_says("compare", str(base), longer)
    assert said.status == 0
    assert f"{base} has 3 replications, {longer} has 5: means and differences are" in said.out
    assert "replications" not in springpeak_says("compare", str(base), str(base)).out


def test_one_replication_has_no_interval(tmp_path: Path) -> None:
    found = compare(_run(tmp_path / "a", replications=1), _run(tmp_path / "b", replications=1))
    assert {(entry.low, entry.high, entry.n) for entry in found} == {(None, None, 1)}


def test_a_metric_that_was_not_there_is_left_out_of_its_pairs(tmp_path: Path) -> None:
    a, b = _run(tmp_path / "a"), _run(tmp_path / "b")
    _plant(a, (1.0, float("nan"), 3.0))
    _plant(b, (2.0, 5.0, float("nan")))
    (found,) = compare(a, b)
    assert (found.n, found.mean_a, found.mean_b, found.difference) == (1, 1.0, 2.0, 1.0)


def test_other_seeds_are_no_pairs(base: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"seed 1.*has 2.*--seed"):
        compare(base, _run(tmp_path / "b", seed=2))


def test_other_days_are_no_pairs(base: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"last_day 1.*has 2.*--days"):
        compare(base, _run(tmp_path / "b", days=(0, 2)))


def test_no_common_replication(base: Path, tmp_path: Path) -> None:
    b = _run(tmp_path / "b")
    file = b / "replications.parquet"
    pl.read_parquet(file).with_columns(pl.col("replication") + 100).write_parquet(file)
    with pytest.raises(RunError, match="no replication in common"):
        compare(base, b)


def test_not_a_run(base: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not a run directory"):
        compare(base, tmp_path)
