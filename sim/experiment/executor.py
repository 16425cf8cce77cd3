"""Work on an executor: processes of our own or the caller's, and every result kept as it comes.

Decides what Ctrl-C and a failure leave behind; knows nothing of what is worked on.
"""

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Final, TypeVar

from sim.experiment.files import RunError
from sim.experiment.worker import start_worker

Key = TypeVar("Key")
Job = TypeVar("Job")
Result = TypeVar("Result")
LOST: Final = "the connection to the workers was lost"


def carry_out(
    pool: Executor,
    work: Callable[[Job], Result],
    jobs: Mapping[Key, Job],
    *,
    keep: Callable[[Key, Result], None],
    kept: Callable[[Key, int], None],
    named: Callable[[Key], str],
) -> None:
    """Do the jobs, keep each result as it comes, and say how many were kept.

    Raises RunError, which names the job, when one fails. That, and Ctrl-C, give up what has not
    begun; what has ended by then is kept. A result that is kept does not stay in memory.
    """
    with sigint_ignored():
        futures = {pool.submit(work, job): key for key, job in jobs.items()}
    try:
        for count, future in enumerate(as_completed(list(futures)), start=1):
            key = futures.pop(future)
            keep(key, _result(future, named(key)))
            kept(key, count)
    finally:
        for future, key in futures.items():
            if not future.cancel() and future.done() and future.exception() is None:
                keep(key, future.result())


def _result(future: Future[Result], name: str) -> Result:
    try:
        return future.result()
    except CancelledError as error:
        raise RunError(f"{name}: {LOST}") from error
    except Exception as error:
        raise RunError(f"{name}: {type(error).__name__}: {error}") from error


def processes(workers: int) -> ProcessPoolExecutor:
    """Worker processes, started afresh rather than forked: polars has threads, and a forked thread
    pool can stand still."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=start_worker)


@contextmanager
def worker_pool(workers: int, executor: Executor | None) -> Iterator[Executor]:
    """The caller's executor, or processes of our own, which do not outlive an interrupt.

    Raises RunError where `workers` is below 1.
    """
    if workers < 1:
        raise RunError(f"the number of workers must be at least 1, not {workers}")
    if executor is not None:
        yield executor
        return
    others = set(multiprocessing.active_children())
    pool = processes(workers)
    try:
        yield pool
    except BaseException:
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def sigint_ignored() -> Iterator[None]:
    """Processes started in here ignore Ctrl-C from their first instruction on."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
