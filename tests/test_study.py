"""A study is the same data set however often it was stopped, and by whatever workers."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import stdev
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.study_file import Design
from scenarios.study_tables import STUDY_TABLES
from sim.experiment.files import RunError
from sim.experiment.rundir import RunDirectory
from sim.study.conduct import Conducted, conduct
from sim.study.dataset import read
from sim.study.journal import Journal, season_line
from sim.study.plan import plan
from sim.study.points import points_frame
from tests.study_models import failing, interrupting, noisy, ten_factors, values_of
from tests.synthetic_run import InlineExecutor, ShortExecutor

PLAN = ten_factors(Design(kind="lhs", points_count=12), replications_count=3)


def carry_out(path: Path, **changed: Any) -> Conducted:
    settings: dict[str, Any] = {"workers": 1, "executor": InlineExecutor(), **changed}
    chosen = settings.pop("plan", PLAN)
    return conduct(chosen, settings.pop("model", noisy), values_of, path=path, **settings)


def data(path: Path) -> bytes:
    return (path / "study_trials.parquet").read_bytes()


def stop_after(jobs: int) -> Callable[[int, int], None]:
    """Reports until so many jobs are done, then is Ctrl-C."""
    calls: list[int] = []

    def press(finished: int, _planned: int) -> None:
        calls.append(finished)
        if len(calls) > jobs:
            raise KeyboardInterrupt

    return press


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    done = carry_out(tmp_path_factory.mktemp("study") / "whole")
    assert (done.finished_count, done.planned_count, done.interrupted) == (36, 36, False)
    return done.path


def test_a_study_is_a_row_a_point_season_and_metric(whole: Path) -> None:
    table = pl.read_parquet(whole / "study_trials.parquet")
    assert table.columns == [column.name for column in STUDY_TABLES["study_trials"]]
    assert len(table) == 12 * 3 * 2
    assert table.sort("point", "replication", "metric").equals(table)
    assert table.filter(pl.col("metric") == "nothing")["value"].null_count() == 36
    point = next(p for p in PLAN.points() if p.number == 5)
    said = table.filter(point=5, replication=2, metric="y")["value"].item()
    assert said == noisy(point.values, 2)["y"][0], "to the last bit, through the file"
    assert not (whole / "parts").exists()


@given(stops=st.lists(st.integers(min_value=1, max_value=12), max_size=4))
def test_stopped_at_any_points_it_is_the_same(
    stops: list[int], whole: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("stopped") / "study"
    for jobs in stops:
        done = carry_out(path, report=stop_after(jobs), executor=ShortExecutor(jobs))
        assert done.interrupted is (done.finished_count < 36)
    assert carry_out(path).finished_count == 36
    assert data(path) == data(whole)


@given(cut=st.floats(min_value=0.0, max_value=1.0))
def test_killed_at_any_byte_it_is_the_same(
    cut: float, whole: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What `kill -9` leaves: lines up to any byte, nothing merged, the account still running."""
    path = tmp_path_factory.mktemp("killed") / "study"
    carry_out(path)
    journal = Journal(path)
    journal.table.unlink()
    with journal.open() as writer:
        for point in PLAN.points():
            for replication in range(3):
                metrics = noisy(point.values, replication)
                writer.add(season_line(point.number, replication, metrics))
    text = journal.lines.path.read_bytes()
    journal.lines.path.write_bytes(text[: round(cut * len(text))])
    assert carry_out(path).finished_count == 36
    assert data(path) == data(whole)


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_and_ctrl_c_in_the_middle_change_nothing(
    workers: int, whole: Path, tmp_path: Path
) -> None:
    """Real processes: a worker presses Ctrl-C in the parent, which ends them and keeps its rows."""
    path = tmp_path / "study"
    if workers == 1:
        done = carry_out(path, model=interrupting, executor=None)
        assert done.interrupted
        assert 0 < done.finished_count < 36
        assert json.loads((path / "manifest.json").read_text())["status"] == "interrupted"
    done = carry_out(path, executor=None, workers=workers)
    assert (done.finished_count, done.interrupted) == (36, False)
    assert data(path) == data(whole)


def test_any_executor_will_do(whole: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as threads:
        carry_out(tmp_path / "study", executor=threads)
        assert threads.submit(int).result() == 0, "the caller's executor is left open"
    assert data(tmp_path / "study") == data(whole)


def test_more_seasons_go_on_from_fewer(whole: Path, tmp_path: Path) -> None:
    few = ten_factors(Design(kind="lhs", points_count=12), replications_count=1)
    path = tmp_path / "study"
    assert carry_out(path, plan=few).finished_count == 12
    assert read(path).values("y").shape == (12, 1)
    assert carry_out(path).finished_count == 36
    assert data(path) == data(whole)
    assert read(path).values("y").shape == (12, 3)


def test_a_failing_point_is_named_and_the_others_are_kept(whole: Path, tmp_path: Path) -> None:
    few = ten_factors(Design(kind="lhs", points_count=12), replications_count=1)
    path = tmp_path / "study"
    done = carry_out(path, plan=few, report=stop_after(4), executor=ShortExecutor(4))
    assert (done.finished_count, done.interrupted) == (4, True)
    with pytest.raises(RunError, match="misses points"):
        read(path)
    kept = len(Journal(path).finished())
    with pytest.raises(RunError, match=r"point \d+ failed.*a is too large"):
        carry_out(path, model=failing)
    assert len(Journal(path).finished()) >= kept > 0
    carry_out(path)
    assert data(path) == data(whole)


def test_another_study_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "study"
    carry_out(path)
    before = data(path)
    other = ten_factors(Design(kind="lhs", points_count=12), replications_count=3, seed=2)
    with pytest.raises(RunError, match="other points"):
        carry_out(path, plan=other)
    with pytest.raises(RunError, match="holds a run with model"):
        carry_out(path, asked_of={"model": "another"})
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "note.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(RunError, match="not a run directory"):
        carry_out(tmp_path / "other")
    with pytest.raises(RunError, match="workers must be at least 1, not 0"):
        carry_out(tmp_path / "none", workers=0)
    assert not (tmp_path / "none").exists()
    assert data(path) == before


def test_two_at_work_on_one_study_are_told(whole: Path) -> None:
    """The first one that ends would take the other's lines away."""
    before = data(whole)
    with RunDirectory(whole).held(), pytest.raises(RunError, match="another springpeak is at work"):
        carry_out(whole)
    assert data(whole) == before


def test_a_plan_is_what_its_file_tells() -> None:
    again = plan(json.loads(json.dumps(PLAN.told())), 3)
    assert again.fingerprint() == PLAN.fingerprint()
    assert points_frame(again).equals(points_frame(PLAN))


def test_points_share_their_seasons() -> None:
    """Common random numbers: the difference of two points does not see the common season."""
    first, second = list(PLAN.points())[:2]
    apart = [noisy(first.values, r)["y"][0] - noisy(second.values, r)["y"][0] for r in range(30)]
    alone = [noisy(first.values, r)["y"][0] for r in range(30)]
    assert stdev(apart) < 0.5 * stdev(alone)
