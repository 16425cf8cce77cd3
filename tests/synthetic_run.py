"""A run directory without the model: what the report, the comparison and their tests read."""

from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import polars as pl

from sim.experiment.rundir import ESTIMATES, MERGED
from sim.experiment.runner import run
from tests.fake_replication import SCENARIO, simulate


class InlineExecutor(Executor):
    """Runs every call at once, in this thread."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class ShortExecutor(InlineExecutor):
    """Runs so many calls at once, and leaves the others waiting until they are cancelled."""

    def __init__(self, calls: int) -> None:
        self.calls = calls

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.calls -= 1
        return super().submit(fn, *args, **kwargs) if self.calls >= 0 else Future()


def same_results(a: Path, b: Path) -> None:
    """Holds two runs to the same summary, byte for byte, and the same rows in every table."""
    assert (a / "summary.json").read_bytes() == (b / "summary.json").read_bytes()
    for name in (*MERGED, ESTIMATES):
        assert pl.read_parquet(a / f"{name}.parquet").equals(pl.read_parquet(b / f"{name}.parquet"))


def write_synthetic_run(
    path: Path, replications: int = 5, seed: int = 1, *, resume: bool = False
) -> Path:
    """A complete run of the fake over lunar days -2..6."""
    return run(
        SCENARIO,
        replications=replications,
        precision_ratio=None,
        seed=seed,
        workers=1,
        out=path,
        resume=resume,
        executor=InlineExecutor(),
        simulate=simulate,
    ).path
