"""Group commit: writes that come together are kept together, and answered only after the commit.

One task takes everything that waits, has the store decide and commit it, then answers each. What
arrives during the commit is the next batch: no timer, no delay when there is little to do. One
bad write does not take its batch with it: a batch that fails for a reason of its own is tried
again write by write. One sync a batch instead of one a request is what makes durability cheap
(`make bench-api` prints both).
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from loadtests.guarantee_api.commands import Answer, Write
from loadtests.guarantee_api.metrics import Metrics
from loadtests.guarantee_api.problems import Refusal
from loadtests.guarantee_api.store import StoreUnavailable

log = logging.getLogger(__name__)


Done = Callable[[Answer | Refusal], None]
Waiting = tuple[Write, Done]


class Keeper(Protocol):
    """A store, or the faults before one."""

    async def run(self, writes: Sequence[Write]) -> list[Answer]: ...


class Writer:
    """The one place from which a process writes."""

    def __init__(
        self, store: Keeper, metrics: Metrics, *, batch_count_max: int, pending_count_max: int
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._batch_count_max = batch_count_max
        self._pending_count_max = pending_count_max
        self._pending: deque[Waiting] = deque()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    def start(self) -> None:
        self._task = asyncio.create_task(self._work())

    async def close(self) -> None:
        """Commit what waits, then stop."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await self._task

    def submit(self, write: Write, done: Done) -> None:
        """Have it kept; `done` is called once, with the answer when that is durable, else with why
        not. Raises a refusal, and does not call `done`, where nothing more can wait."""
        if len(self._pending) >= self._pending_count_max or self._closing:
            raise Refusal("overloaded", header="retry-after 1")
        self._pending.append((write, done))
        self._wake.set()

    async def _work(self) -> None:
        while not (self._closing and not self._pending):
            await self._wake.wait()
            self._wake.clear()
            while self._pending:
                size = min(len(self._pending), self._batch_count_max)
                batch = [self._pending.popleft() for _ in range(size)]
                await self._commit(batch)

    async def _commit(self, batch: list[Waiting]) -> None:
        try:
            answers = await self._store.run([write for write, _ in batch])
        except StoreUnavailable as error:
            self._metrics.failed_batches_count += 1
            log.error("batch not kept", extra={"writes_count": len(batch), "why": str(error)})
            _answer(batch, [Refusal("unavailable", header="retry-after 1")] * len(batch))
        except Exception:
            log.exception("batch failed", extra={"writes_count": len(batch)})
            if len(batch) == 1:
                _answer(batch, [Refusal("internal")])
                return
            for one in batch:
                await self._commit([one])
        else:
            self._metrics.batches_count += 1
            self._metrics.writes_count += len(batch)
            _answer(batch, answers)


def _answer(batch: list[Waiting], answers: Sequence[Answer | Refusal]) -> None:
    for (_, done), answer in zip(batch, answers, strict=True):
        try:
            done(answer)
        except Exception:  # whoever asked is gone wrong: the others are answered
            log.exception("not answered")
