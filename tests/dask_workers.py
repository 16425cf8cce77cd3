"""A Dask scheduler in this process and workers beside it, as `dask worker` starts them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from distributed import LocalCluster

ROOT = Path(__file__).parent.parent


@contextmanager
def scheduler() -> Iterator[str]:
    """The address of a scheduler without workers."""
    with LocalCluster(
        n_workers=0, dashboard_address="127.0.0.1:0", silence_logs="ERROR"
    ) as one:
        yield one.scheduler_address


@contextmanager
def worker(address: str, folder: Path, *, code: Path = ROOT) -> Iterator[int]:
    """The process id of a worker without a nanny, that works in `folder`, registered."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-P", "-m", "distributed.cli.dask_worker", address]
    options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--memory-limit", "0"]
    places = {"PYTHONPATH": str(code), "TMPDIR": str(folder), "PYTHONWARNINGS": "ignore"}
    with subprocess.Popen(
        [*command, *options, "--local-directory", str(folder)],
        cwd=folder,
        env={**os.environ, **places},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        try:
            for line in process.stderr:
                if "Registered to:" in line:
                    break
            yield process.pid
        finally:
            process.kill()
            process.stderr.read()


@contextmanager
def two_workers(folder: Path) -> Iterator[tuple[str, list[int]]]:
    """The address of a scheduler with two workers, each in a folder of its own, and their ids."""
    with ExitStack() as stack:
        address = stack.enter_context(scheduler())
        pids = [stack.enter_context(worker(address, folder / name)) for name in ("one", "two")]
        yield address, pids
