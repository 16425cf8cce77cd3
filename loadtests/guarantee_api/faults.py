"""Faults on request, for tests only: they exist when the service is started with `--faults`.

Decides when a batch fails, and how: before the commit (nothing is kept), after it (all is kept, the
answers are lost), frozen for a while or until the faults are switched; or the data base itself is
made to refuse, or its books are spoiled (spoils.py). Times in ms.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from loadtests.guarantee_api.commands import Answer, Write
from loadtests.guarantee_api.messages import FaultsRequest
from loadtests.guarantee_api.spoils import SPOILS
from loadtests.guarantee_api.store import Store, StoreUnavailable


class Faults:
    """Stands between the writer and the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.latency_ms = 0
        self._before_count = 0
        self._after_count = 0
        self._frozen_ms = 0
        self._thawed = asyncio.Event()
        self._changes_answers = False

    async def set(self, request: FaultsRequest) -> None:
        """Switch to exactly these faults."""
        self.latency_ms = request.latency_ms
        self._before_count = request.fail_before_commit_count
        self._after_count = request.fail_after_commit_count
        self._frozen_ms = request.frozen_store_ms
        await self._store.hinder(disk_full=request.disk_full, read_only=request.read_only)
        self._changes_answers = request.spoil == "changed_answer"
        if request.spoil is not None and SPOILS[request.spoil]:
            await self._store.spoil(SPOILS[request.spoil])
        # Last: the store is alone while it is changed.
        self._thawed.set()

    async def run(self, writes: Sequence[Write]) -> list[Answer]:
        """As the store's own, with the faults."""
        frozen_ms, self._frozen_ms = self._frozen_ms, 0
        if frozen_ms:
            self._thawed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._thawed.wait(), frozen_ms / 1000)
        if self._before_count:
            self._before_count -= 1
            raise StoreUnavailable("fault: failed before the commit")
        answers = await self._store.run(writes)
        if self._after_count:
            self._after_count -= 1
            raise StoreUnavailable("fault: failed after the commit")
        if self._changes_answers:
            answers = [_changed(one) if one.replayed else one for one in answers]
        return answers


def _changed(answer: Answer) -> Answer:
    """The same answer about another claim, or of another version."""
    body = answer.body.replace(b'"claim_id":', b'"claim_id":1')
    body = body.replace(b'"version":', b'"version":1')
    return Answer(answer.status, answer.header, body, answer.replayed)
