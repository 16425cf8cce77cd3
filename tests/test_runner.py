"""Runs end the same whatever the workers, the order, Ctrl-C and resumption in between."""

import json
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sim.experiment.account import run_id
from sim.experiment.contents import ALL
from sim.experiment.files import RunError
from sim.experiment.precision import BATCH_COUNT
from sim.experiment.rundir import MERGED
from sim.experiment.runner import RunResult, run
from tests.fake_replication import SCENARIO, simulate
from tests.interrupted_replication import failing, interrupting
from tests.synthetic_run import InlineExecutor


class BackwardExecutor(Executor):
    """Runs nothing until the last call is in, then the last call first."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.calls: list[tuple[Future[Any], Any, Any]] = []

    def submit(self, fn: Any, /, *args: Any, **_kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.calls.append((future, fn, args))
        if len(self.calls) == self.count:
            for waiting, function, values in reversed(self.calls):
                waiting.set_result(function(*values))
            self.calls.clear()
        return future


def _run(path: Path, **options: Any) -> RunResult:
    settings = {
        "replications": 4,
        "precision_ratio": None,
        "seed": 1,
        "workers": 1,
        "days": (0, 1),
        "executor": InlineExecutor(),
        "simulate": simulate,
        **options,
    }
    return run(SCENARIO, out=path, **settings)


def _summary(path: Path) -> bytes:
    return (path / "summary.json").read_bytes()


def _same_results(a: Path, b: Path) -> None:
    assert _summary(a) == _summary(b)
    for name in (*MERGED, "estimates"):
        assert pl.read_parquet(a / f"{name}.parquet").equals(pl.read_parquet(b / f"{name}.parquet"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that all others must equal: in this process, in order, without a break."""
    return _run(tmp_path_factory.mktemp("whole") / "run").path


@pytest.mark.parametrize("workers", [1, 2])
def test_worker_processes_change_nothing(workers: int, whole: Path, tmp_path: Path) -> None:
    result = _run(tmp_path / "run", executor=None, workers=workers)
    assert (result.finished_count, result.planned_count, result.interrupted) == (4, 4, False)
    _same_results(result.path, whole)


def test_the_order_of_completion_changes_nothing(whole: Path, tmp_path: Path) -> None:
    _same_results(_run(tmp_path / "run", executor=BackwardExecutor(4)).path, whole)


def test_any_executor_will_do(whole: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as threads:
        _same_results(_run(tmp_path / "run", executor=threads).path, whole)
        assert threads.submit(int).result() == 0  # The caller's executor is left open.


def test_another_seed_is_another_run(whole: Path, tmp_path: Path) -> None:
    assert _summary(_run(tmp_path / "run", seed=2).path) != _summary(whole)


def test_progress_counts_finished_of_planned(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    _run(tmp_path / "run", progress=lambda finished, planned: seen.append((finished, planned)))
    assert seen == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


def _press_after(count: int) -> Callable[[int, int], None]:
    def press(finished: int, _planned: int) -> None:
        if finished == count:
            os.kill(os.getpid(), signal.SIGINT)
            threading.Event().wait(60.0)  # The signal arrives here, at once.

    return press


def test_ctrl_c_keeps_what_is_finished_and_resume_goes_on(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "run"
    broken = _run(path, progress=_press_after(2), executor=BackwardExecutor(4))
    assert broken.interrupted
    assert json.loads((path / "manifest.json").read_text())["status"] == "interrupted"
    resumed = _run(path, resume=True)
    assert (resumed.finished_count, resumed.interrupted) == (4, False)
    _same_results(path, whole)


def test_ctrl_c_ends_workers_and_keeps_their_finished_replications(
    whole: Path, tmp_path: Path
) -> None:
    path = tmp_path / "run"
    broken = _run(path, executor=None, simulate=interrupting)
    assert (broken.finished_count, broken.planned_count, broken.interrupted) == (3, 4, True)
    assert json.loads(_summary(path))["replications"] == 3
    resumed = _run(path, resume=True)
    assert (resumed.finished_count, resumed.interrupted) == (4, False)
    _same_results(path, whole)
    manifest = json.loads((path / "manifest.json").read_text())
    assert manifest["status"] == "complete"
    assert [receipt["replication"] for receipt in manifest["replications"]] == [0, 1, 2, 3]


def test_ctrl_c_before_the_first_replication_leaves_nothing_behind(tmp_path: Path) -> None:
    result = _run(tmp_path / "run", progress=_press_after(0))
    assert (result.finished_count, result.interrupted) == (0, True)
    assert not any(tmp_path.iterdir())


def test_a_complete_run_is_carried_further(whole: Path, tmp_path: Path) -> None:
    _run(tmp_path / "run", replications=2)
    _run(tmp_path / "run", replications=4, resume=True)
    _same_results(tmp_path / "run", whole)


def test_resuming_a_complete_run_simulates_nothing(whole: Path, tmp_path: Path) -> None:
    _run(tmp_path / "run")
    tables = [tmp_path / "run" / f"{name}.parquet" for name in MERGED]
    before = [table.stat().st_mtime_ns for table in tables]
    result = _run(tmp_path / "run", resume=True, simulate=failing, replications=2)
    assert (result.finished_count, result.planned_count) == (4, 4)
    assert [table.stat().st_mtime_ns for table in tables] == before
    _same_results(tmp_path / "run", whole)


def test_a_failing_replication_is_named_and_the_finished_ones_resumed(
    whole: Path, tmp_path: Path
) -> None:
    message = "replication 3 of seed 1 failed.*debits 5 fen, credits 4 fen"
    with pytest.raises(RunError, match=message):
        _run(tmp_path / "run", simulate=failing)
    assert _run(tmp_path / "run", resume=True).finished_count == 4
    _same_results(tmp_path / "run", whole)


def test_a_run_whose_first_replication_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(RunError, match=r"replication \d of seed 1 failed.*ZeroDivisionError"):
        _run(tmp_path / "run", simulate=broken)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"replications": 0}, "at least 1"),
        ({"replications": None}, "either a number of replications or a precision"),
        ({"precision_ratio": 0.02}, "either a number of replications or a precision"),
        ({"replications": None, "precision_ratio": 2.0}, "between 0 and 1"),
        ({"workers": 0}, "workers must be at least 1"),
        ({"days": (0, "1")}, r"days 0\.\.1: "),
    ],
)
def test_bad_input_leaves_nothing_behind(
    options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match=message):
        _run(tmp_path / "run", **options)
    assert not any(tmp_path.iterdir())


def test_days_narrow_the_horizon_and_change_the_fingerprint(whole: Path, tmp_path: Path) -> None:
    path = _run(tmp_path / "run", days=(1, 1), replications=1).path
    assert pl.read_parquet(path / "demand.parquet")["lunar_day"].unique().to_list() == [1]
    a, b = (json.loads((p / "manifest.json").read_text()) for p in (path, whole))
    assert a["fingerprint"] != b["fingerprint"]
    assert (a["first_day"], a["last_day"]) == (1, 1)


def test_without_out_the_run_is_named_after_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(
        SCENARIO,
        replications=1,
        precision_ratio=None,
        seed=3,
        workers=1,
        executor=InlineExecutor(),
        simulate=simulate,
    )
    assert result.path == Path("results") / run_id(SCENARIO, seed=3, contents=ALL)
    assert result.path.name.startswith("fake-festival-")
    assert result.path.name.endswith("-3")


PRECISE: dict[str, Any] = {"replications": None, "precision_ratio": 0.05, "days": (0, 0)}


@pytest.fixture(scope="module")
def precise(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    return _run(tmp_path_factory.mktemp("precise") / "run", **PRECISE)


def test_precision_stops_after_whole_batches(precise: RunResult) -> None:
    assert precise.finished_count == precise.planned_count
    assert not precise.precision_missed
    assert precise.finished_count in range(2 * BATCH_COUNT, 10 * BATCH_COUNT, BATCH_COUNT)
    metrics = json.loads(_summary(precise.path))["metrics"]
    for name in ("contacts_offered_count", "payout_gross_fen"):
        half = (metrics[name]["high"] - metrics[name]["low"]) / 2
        assert half <= 0.05 * metrics[name]["mean"]
    for name in ("service_level_phone_ratio", "service_level_im_ratio"):
        assert metrics[name]["high"] - metrics[name]["low"] <= 2 * 0.05


def test_a_precision_out_of_reach_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.experiment.precision.MOST_COUNT", BATCH_COUNT)
    result = _run(tmp_path / "run", **(PRECISE | {"precision_ratio": 1e-6}))
    assert (result.finished_count, result.precision_missed) == (BATCH_COUNT, True)


def test_precision_stops_at_the_same_place_on_any_executor(
    precise: RunResult, tmp_path: Path
) -> None:
    with ThreadPoolExecutor(3) as threads:
        _same_results(_run(tmp_path / "run", executor=threads, **PRECISE).path, precise.path)


def test_precision_resumed_equals_precision_at_once(precise: RunResult, tmp_path: Path) -> None:
    _run(tmp_path / "run", progress=_press_after(4), **PRECISE)
    _same_results(_run(tmp_path / "run", resume=True, **PRECISE).path, precise.path)
