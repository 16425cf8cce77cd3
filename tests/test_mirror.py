"""A run to a URL: the copy is the run, and survives a stop between any two of its writes."""

import json
import sys
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from sim.experiment import worker
from sim.experiment.files import RunError
from sim.experiment.runner import RunResult, run
from tests.dask_workers import ROOT
from tests.fake_replication import SCENARIO, simulate
from tests.interrupted_replication import failing
from tests.synthetic_run import InlineExecutor, same_results
from tests.test_cli import springpeak_says

URL = "memory://bucket/run"


class Killed(BaseException):
    """What ends the process; nobody catches it."""


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryFileSystem:
    """An empty object store, and fakes that leave no cycles to be looked for."""
    monkeypatch.setattr(worker.gc, "collect", lambda: 0)
    memory: MemoryFileSystem = fsspec.filesystem("memory")
    memory.store.clear()
    return memory


def _run(path: Path, **options: Any) -> RunResult:
    settings = {
        "replications": 3,
        "seed": 1,
        "workers": 1,
        "days": (0, 0),
        "executor": InlineExecutor(),
        "simulate": simulate,
        "copy_to": URL,
        **options,
    }
    return run(SCENARIO, out=path, **settings)


def _files(store: MemoryFileSystem) -> dict[str, bytes]:
    return {name.removeprefix("/bucket/run/"): store.cat_file(name) for name in store.find("")}


def _local(path: Path) -> dict[str, bytes]:
    files = (file for file in path.rglob("*") if file.is_file())
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in files}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run without a URL."""
    return _run(tmp_path_factory.mktemp("whole") / "run", copy_to=None).path


def test_the_copy_is_the_run(store: MemoryFileSystem, whole: Path, tmp_path: Path) -> None:
    result = _run(tmp_path / "run")
    same_results(result.path, whole)
    assert _files(store) == _local(result.path)
    (result.path / "payout_booking.csv").write_text("later\n", encoding="utf-8")
    result.copy()
    assert _files(store) == _local(result.path)


def test_a_url_may_be_a_folder(whole: Path, tmp_path: Path) -> None:
    _run(tmp_path / "run", copy_to=(tmp_path / "mounted" / "run").as_uri())
    assert _local(tmp_path / "mounted" / "run") == _local(tmp_path / "run")
    same_results(tmp_path / "mounted" / "run", whole)


def test_parts_stream_to_the_url_as_they_finish(store: MemoryFileSystem, tmp_path: Path) -> None:
    seen = []

    def look(_finished: int, _planned: int) -> None:
        names = store.find("/bucket/run/parts") if store.exists("/bucket/run/parts") else []
        seen.append(sum(name.endswith("receipt.json") for name in names))

    _run(tmp_path / "run", progress=look)
    assert seen == [0, 1, 2, 3]


class Mortal:
    """Counts writes to the store and removals from it, and dies after some."""

    def __init__(self, patched: pytest.MonkeyPatch, *, last: int | None = None) -> None:
        self.count, self._last = 0, last
        for name in ("put_file", "rm_file"):
            patched.setattr(MemoryFileSystem, name, self._counted(getattr(MemoryFileSystem, name)))

    def _counted(self, method: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> None:
            if self.count == self._last:
                raise Killed
            self.count += 1
            method(*args, **kwargs)

        return call


def test_another_machine_goes_on_wherever_the_first_was_killed(
    store: MemoryFileSystem, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After so many writes and removals, the first machine and its disk are gone."""
    with monkeypatch.context() as patched:
        whole_run = Mortal(patched)
        _run(tmp_path / "run")
    count = whole_run.count
    assert count == 100
    # Most stops are alike: within a part, within the merged tables, within the removal.
    for last in [0, 1, 2, *range(5, count, 13), count - 1]:
        store.store.clear()
        with monkeypatch.context() as patched:
            Mortal(patched, last=last)
            with pytest.raises(Killed):
                _run(tmp_path / f"first-{last}")
        there = _files(store)
        manifest = json.loads(there.get("manifest.json", "{}"))
        if manifest.get("status") == "complete":
            assert there["summary.json"] == (whole / "summary.json").read_bytes()
        second = _run(tmp_path / f"second-{last}", resume=True)
        same_results(second.path, whole)
        assert _files(store) == _local(second.path)


def test_a_full_url_is_refused_without_resume(store: MemoryFileSystem, tmp_path: Path) -> None:
    _run(tmp_path / "run", replications=1)
    before = _files(store)
    with pytest.raises(RunError, match=f"{URL} is not empty: go on with --resume"):
        _run(tmp_path / "other", replications=1)
    with pytest.raises(RunError, match=f"{URL} holds a run with seed 1, this one has 2"):
        _run(tmp_path / "other", seed=2, resume=True)
    assert _files(store) == before
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_two_machines_that_went_on_are_told_apart(tmp_path: Path) -> None:
    _run(tmp_path / "one", replications=1)
    _run(tmp_path / "two", replications=2, resume=True)
    with pytest.raises(RunError, match=r"holds replications 1 that .*one has not: remove"):
        _run(tmp_path / "one", replications=2, resume=True)


def test_a_run_without_a_replication_leaves_nothing_at_the_url(
    store: MemoryFileSystem, tmp_path: Path
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(RunError, match="ZeroDivisionError"):
        _run(tmp_path / "run", simulate=broken)
    assert not _files(store)
    assert not any(tmp_path.iterdir())


def test_finished_replications_are_kept_when_one_fails(
    store: MemoryFileSystem, whole: Path, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match="replication 3"):
        _run(tmp_path / "run", simulate=failing, replications=4)
    same_results(_run(tmp_path / "run", resume=True).path, whole)
    assert _files(store) == _local(tmp_path / "run")


def test_what_is_no_run_is_refused(store: MemoryFileSystem, tmp_path: Path) -> None:
    store.pipe_file("/bucket/run/letters.txt", b"dear all")
    with pytest.raises(RunError, match=r"is not a run directory: it has no manifest\.json"):
        _run(tmp_path / "run", resume=True)
    assert list(_files(store)) == ["letters.txt"]


def test_without_fsspec_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "sim.experiment.mirror", raising=False)
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(RunError, match=r"needs fsspec.*pip install springpeak\[cluster\]"):
        _run(tmp_path / "run")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nowhere://bucket/run", "nowhere://bucket/run cannot be opened: ValueError: Protocol not"),
        ("absent://bucket/run", "absent://bucket/run cannot be opened: ImportError: Install it"),
    ],
)
def test_a_url_that_cannot_be_is_refused(
    url: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    fsspec.register_implementation("absent", "absent.Absent", clobber=True, errtxt="Install it")
    said = springpeak_says("run", str(ROOT / "docs" / "small.toml"), "--days=1", "--out", url)
    assert said.status == 2
    assert message in said.err
    assert not any(tmp_path.iterdir())
