"""A Dask cluster as an executor: connect or start one, and refuse workers with another springpeak.

Dask schedules, and runs again what a lost worker had; here is only what makes its workers fit for
replications: the same model to the byte, one replication a process, one thread each. This is the
one file that imports distributed, and it is loaded only when a cluster is asked for.
"""

import logging
import os
import platform
from asyncio import CancelledError as AsyncCancelledError
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager, suppress
from functools import cache
from threading import Event, Thread
from typing import Any, Final, ParamSpec, TypeVar

from distributed import Client, LocalCluster, WorkerPlugin
from distributed import Future as Task
from distributed.comm.addressing import resolve_address

from sim.experiment.account import PACKAGES, code_digest, package_version
from sim.experiment.executor import sigint_ignored
from sim.experiment.files import RunError
from sim.experiment.worker import start_worker

LOCAL: Final = "local"
CONNECT_S: Final = 5.0
"""How long a scheduler may take to answer."""
WAIT_S: Final = 60.0
"""How long to wait for the first worker."""
WATCH_S: Final = 5.0
"""How often to look whether workers are left."""
Say = Callable[[str], None]
_Asked = ParamSpec("_Asked")
_Result = TypeVar("_Result")
Build = Mapping[str, str | None]
"""What must be equal for equal bytes: the model's source, Python and the packages, by name."""


@cache
def build() -> Build:
    """What this process computes with."""
    python = ".".join(platform.python_version_tuple()[:2])
    packages = {name: package_version(name) for name in (*PACKAGES, "numba")}
    return {"springpeak's code": code_digest(), "python": python, **packages}


def differences(theirs: Build) -> str:
    """In words, where a worker's build is not this process's; empty where it is."""
    mine = build()
    return ", ".join(
        f"{name} {theirs.get(name)} (here {mine[name]})"
        for name in mine
        if theirs.get(name) != mine[name]
    )


class Cluster(Executor):
    """Workers of a Dask cluster. A task of a lost worker runs again elsewhere, three times at most
    (Dask's `allowed-failures`); its error is then a KilledWorker."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def workers_count(self) -> int:
        """Workers there now."""
        return _workers_count(self._client)

    def submit(
        self, fn: Callable[_Asked, _Result], /, *args: _Asked.args, **kwargs: _Asked.kwargs
    ) -> Future[_Result]:
        """The call as a task. Its error is a RunError where the worker has another build."""
        # Not pure: two calls with equal arguments are two tasks, whoever else asks for the same.
        task = self._client.submit(_call, build(), fn, args, kwargs, pure=False)
        future: Future[_Result] = Future()
        future.add_done_callback(lambda done: task.cancel() if done.cancelled() else None)
        task.add_done_callback(lambda done: _hand_on(done, future))
        return future


def _hand_on(task: Task[_Result], future: Future[_Result]) -> None:
    """The task's end to the future, whatever it is.

    Dask's own executor forgets the future when the connection is lost while a result travels, and
    who waits for it waits for ever.
    """
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(task.result())
    except (CancelledError, AsyncCancelledError):
        future.set_exception(CancelledError())
    except Exception as error:
        future.set_exception(error)


@contextmanager
def cluster(address: str, *, workers: int, say: Say) -> Iterator[Cluster]:
    """The cluster of the scheduler at an address, or of `workers` processes here if it is "local".

    What still runs at the end is given up, and the tasks are forgotten. Raises RunError where there
    is no scheduler, no worker, or one that would not compute the same.
    """
    if address == LOCAL:
        with sigint_ignored():
            # Without a limit: a paused worker would wait for memory that it keeps on purpose.
            local = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                memory_limit=None,
                dashboard_address="127.0.0.1:0",
                silence_logs="ERROR",
            )
        with local, Client(local) as client:
            client.register_plugin(_OwnWorker())
            yield Cluster(client)
        return
    with _connected(address) as client:
        _check_workers(client, address, say)
        with _watched(client, address, say):
            yield Cluster(client)


class _OwnWorker(WorkerPlugin):
    """A worker process that nobody else uses is set up as one of our own pool."""

    name = "springpeak"

    def setup(self, worker: object) -> None:  # noqa: ARG002
        start_worker()
        # At the end a worker may still hear nothing from its scheduler; that is not worth a trace.
        logging.getLogger("distributed").setLevel(logging.CRITICAL)


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    try:
        # Not left to the client: one that was given nonsense cannot be closed.
        resolve_address(address)
        client = Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, ImportError) as error:
        raise RunError(
            f"--cluster {address}: no Dask scheduler answers there within {CONNECT_S:g} s "
            f"({type(error).__name__}: {error}); start one with `dask scheduler` and give its "
            f"address, e.g. tcp://scheduler:8786, or say --cluster {LOCAL}"
        ) from None
    with client:
        yield client


def _check_workers(client: Client, address: str, say: Say) -> None:
    """Wait for the first worker, and ask all for their build."""
    if not _workers_count(client):
        say(f"no worker at {address} yet, waiting for one for {WAIT_S:g} s")
    try:
        client.wait_for_workers(1, timeout=WAIT_S)
    except TimeoutError:
        raise RunError(
            f"--cluster {address}: the scheduler has no workers after {WAIT_S:g} s; start some "
            f"with `dask worker {address} --nworkers -1 --nthreads 1`"
        ) from None
    wrong = []
    for worker, theirs in sorted(client.run(build, on_error="return").items()):
        said = _without(theirs) if isinstance(theirs, Exception) else differences(theirs)
        if said:
            wrong.append(f"{worker} has {said}")
    if wrong:
        raise RunError(
            f"--cluster {address}: workers that would not compute the same: {'; '.join(wrong)}. "
            "Install the same springpeak and packages there"
        )
    crowded = [worker for worker, threads_count in client.nthreads().items() if threads_count > 1]
    if crowded:
        say(
            f"workers with several threads, {', '.join(sorted(crowded))}: replications then share "
            "one process and are slower; better one worker a core, with --nthreads 1"
        )


def _workers_count(client: Client) -> int:
    # Not the length of "workers", which the client's own heartbeat empties now and then.
    count: int = client.scheduler_info()["n_workers"]
    return count


@contextmanager
def _watched(client: Client, address: str, say: Say) -> Iterator[None]:
    """Say so when no worker is left: the tasks then wait for one that comes, however long."""
    ended = Event()

    def watch() -> None:
        there = True
        with suppress(OSError):  # A connection that is lost is said by the tasks.
            while client.status == "running" and not ended.wait(WATCH_S):
                before, there = there, _workers_count(client) > 0
                if before and not there:
                    left = f"no worker is left at {address}, waiting for one"
                    say(f"{left}; Ctrl-C keeps what there is")

    thread = Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _without(error: Exception) -> str:
    return f"no such springpeak ({type(error).__name__}: {error})"


def _call(
    theirs: Build,
    function: Callable[..., _Result],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> _Result:
    """At the worker: the call, unless this is another build than the caller's.

    Asked for each task, because workers come and go after the first question.
    """
    if differences(theirs):
        raise RunError(f"a worker that would not compute the same: asked for {differences(theirs)}")
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    return function(*args, **kwargs)
