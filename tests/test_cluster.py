"""On a Dask cluster, and on any other executor, a run is the same run, and its errors are said."""

import fcntl
import os
import pickle
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from loky import ProcessPoolExecutor

from scenarios.loader import load
from sim.experiment import cluster as clusters
from sim.experiment.cluster import Cluster, build, cluster, differences
from sim.experiment.files import RunError
from sim.experiment.runner import RunResult, run
from sim.payout.trials import Trial, outcomes
from sim.staffing.floors import Tapes
from tests import fake_replication
from tests.cluster_replication import FREE_COUNT, PIPE, held_by_lock, held_once
from tests.dask_workers import ROOT, scheduler, two_workers, worker
from tests.interrupted_replication import failing
from tests.synthetic_run import InlineExecutor, same_results
from tests.test_cli import springpeak_says
from tests.worlds import SEED, small

SMALL = str(ROOT / "docs" / "small.toml")


def _say(_line: str) -> None:
    pass


def _run(path: Path, **options: Any) -> RunResult:
    settings = {
        "replications": 4,
        "seed": 1,
        "workers": 2,
        "days": (0, 1),
        "simulate": fake_replication.simulate,
        **options,
    }
    return run(fake_replication.SCENARIO, out=path, **settings)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that all others must equal."""
    return _run(tmp_path_factory.mktemp("whole") / "run", executor=InlineExecutor()).path


@pytest.fixture(scope="module")
def local() -> Iterator[Cluster]:
    """`--cluster local` with two workers."""
    with cluster("local", workers=2, say=_say) as found:
        yield found


def test_a_run_with_a_killed_worker_is_the_local_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of two workers is killed with -9 while it is in the middle of a replication."""
    scenario = load(SMALL)
    options: dict[str, Any] = {"replications": 4, "seed": 1, "workers": 1, "days": (1, 1)}
    alone = run(scenario, out=tmp_path / "local", **options)
    os.mkfifo(tmp_path / PIPE)
    killed: list[int] = []

    def kill() -> None:
        killed.append(int((tmp_path / PIPE).read_text(encoding="utf-8")))
        os.kill(killed[0], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    none_left = threading.Event()
    monkeypatch.setattr(clusters, "WATCH_S", 0.05)
    with (
        two_workers(tmp_path) as (address, pids),
        cluster(address, workers=2, say=lambda _line: none_left.set()) as executor,
    ):
        assert executor.workers_count == 2
        killer.start()
        simulate = partial(held_once, folder=tmp_path)
        spread = run(
            scenario, out=tmp_path / "cluster", executor=executor, simulate=simulate, **options
        )
        killer.join()
        assert executor.workers_count == 1
        assert not none_left.is_set()
        os.kill(next(pid for pid in pids if pid != killed[0]), signal.SIGKILL)
        assert none_left.wait(60.0), "somebody is told that no worker is left"
    assert len(killed) == 1
    assert (spread.finished_count, spread.interrupted) == (4, False)
    same_results(spread.path, alone.path)
    parquet = sorted(path.name for path in alone.path.glob("*.parquet"))
    assert parquet == sorted(path.name for path in spread.path.glob("*.parquet"))
    assert all((spread.path / n).read_bytes() == (alone.path / n).read_bytes() for n in parquet)


def test_a_local_cluster_changes_nothing(local: Cluster, whole: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    result = _run(
        tmp_path / "run", executor=local, progress=lambda done, of: seen.append((done, of))
    )
    assert seen == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    same_results(result.path, whole)


def test_ctrl_c_keeps_what_the_cluster_finished_and_cancels_the_rest(
    local: Cluster, whole: Path, tmp_path: Path
) -> None:
    def press(finished: int, _planned: int) -> None:
        if finished == FREE_COUNT:
            os.kill(os.getpid(), signal.SIGINT)
            threading.Event().wait(60.0)  # The signal arrives here, at once.

    lock = tmp_path / "lock"
    held = partial(held_by_lock, lock=lock)
    with lock.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        broken = _run(tmp_path / "run", executor=local, progress=press, simulate=held)
    assert (broken.finished_count, broken.planned_count, broken.interrupted) == (2, 4, True)
    resumed = _run(tmp_path / "run", executor=local, resume=True)
    assert (resumed.finished_count, resumed.interrupted) == (4, False)
    same_results(resumed.path, whole)


def test_a_replication_that_fails_on_the_cluster_is_named(
    local: Cluster, whole: Path, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match=r"replication 3 of seed 1 failed.*debits 5 fen"):
        _run(tmp_path / "run", executor=local, simulate=failing)
    same_results(_run(tmp_path / "run", executor=local, resume=True).path, whole)


def test_another_machine_records_the_tapes_that_it_has_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers with different folders for temporary files see nothing of each other's."""
    numbers, day = range(2), small(sets=("horizon.last_day=1",))
    staffed = small(sets=("horizon.last_day=1", "support.headcount_count=60"))

    def shown(machines: Sequence[Path]) -> list[Any]:
        folders = iter(machines)

        def move() -> None:
            monkeypatch.setattr(tempfile, "tempdir", str(next(folders)))

        with Tapes.open(day, seed=SEED, workers=1, executor=InlineExecutor()) as tapes:
            move()
            endless = tapes.record(numbers, lambda _done: None)
            move()
            trial = tapes.trials([staffed], numbers, lambda _done: None)
            move()
            agents = np.full((len(endless[0].offered), 6), 9)
            floors = tapes.floors(numbers, agents, lambda _done: None)
        return [pickle.dumps(one) for one in (endless, trial, floors)]

    machines = [tmp_path / name for name in ("one", "two", "three")]
    for machine in machines:
        machine.mkdir()
    assert shown([machines[0]] * 3) == shown(machines)


def test_trials_of_assumptions_run_on_the_cluster(local: Cluster, tmp_path: Path) -> None:
    sets = [("merchants.store_count=6000",), ("support.headcount_count=-1",)]
    trials = [Trial(SMALL, one, SEED, 0) for one in sets]
    (tmp_path / "one").mkdir()
    found = outcomes(trials, folder=tmp_path, executor=local)
    assert found == outcomes(trials, folder=tmp_path / "one", executor=InlineExecutor())
    assert (found[0] is None, found[1] is None) == (False, True)


def test_loky_needs_no_file_system_in_common(whole: Path, tmp_path: Path) -> None:
    with ProcessPoolExecutor(1) as executor:
        same_results(_run(tmp_path / "run", executor=executor).path, whole)


def test_a_lost_connection_is_said(tmp_path: Path) -> None:
    """Dask's client cancels what it waits for when its scheduler is gone."""

    class Losing(Executor):
        def submit(self, fn: Any, /, *_args: Any, **_kwargs: Any) -> Future[Any]:  # noqa: ARG002
            future: Future[Any] = Future()
            future.cancel()
            future.set_running_or_notify_cancel()
            return future

    with pytest.raises(RunError, match=r"replication \d of seed 1 failed.*connection.*was lost"):
        _run(tmp_path / "run", executor=Losing())
    assert not any(tmp_path.iterdir())


def test_a_worker_with_another_model_is_refused_by_name(tmp_path: Path) -> None:
    code = tmp_path / "code"
    for house in ("scenarios", "sim"):
        shutil.copytree(ROOT / house, code / house)
    (code / "sim" / "later.py").write_text('"""A change."""\n', encoding="utf-8")
    with (
        scheduler() as address,
        worker(address, tmp_path / "worker", code=code),
    ):
        said = springpeak_says("run", SMALL, "--cluster", address, "--out", str(tmp_path / "run"))
    assert said.status == 2
    assert "would not compute the same: tcp://127.0.0.1:" in said.err
    assert "has springpeak's code" in said.err
    assert not (tmp_path / "run").exists()


def test_a_worker_that_comes_later_is_asked_too() -> None:
    other = {**build(), "numpy": "1.0"}
    assert differences(other) == f"numpy 1.0 (here {build()['numpy']})"
    with pytest.raises(RunError, match="would not compute the same: asked for numpy"):
        clusters._call(other, int, (), {})
    assert clusters._call(build(), int, ("12",), {"base": 3}) == 5


def test_no_scheduler_and_no_worker_are_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(clusters, "CONNECT_S", 0.2)
    monkeypatch.setattr(clusters, "WAIT_S", 0.2)
    out = str(tmp_path / "run")
    with scheduler() as address:
        said = springpeak_says("run", SMALL, "--cluster", address, "--out", out)
    assert said.status == 2
    assert f"no worker at {address} yet, waiting for one for 0.2 s" in said.err
    assert "the scheduler has no workers after 0.2 s; start some with `dask worker" in said.err
    for wrong in (address, "somewhere", "tcp://", "nowhere://here:1"):
        if wrong != address:
            # A client that was given nonsense cannot be closed: none is made.
            monkeypatch.delattr(clusters, "Client", raising=False)
        said = springpeak_says("run", SMALL, "--cluster", wrong, "--out", out)
        assert said.status == 2, wrong
        assert f"--cluster {wrong}: no Dask scheduler answers there within 0.2 s" in said.err
    assert not any(tmp_path.iterdir())


def test_a_cluster_has_its_own_workers() -> None:
    said = springpeak_says("run", SMALL, "--cluster", "tcp://somewhere:8786", "--workers", "2")
    assert said.status == 2
    assert "--workers: tcp://somewhere:8786 has its own" in said.err


def test_without_dask_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "sim.experiment.cluster")
    monkeypatch.setitem(sys.modules, "distributed", None)
    said = springpeak_says("run", SMALL, "--cluster", "local")
    assert said.status == 2
    assert said.err == (
        "--cluster local needs Dask, there is no distributed here: "
        "pip install springpeak[cluster]\n"
    )
