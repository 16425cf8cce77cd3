"""One serving process: store, writer, terms and what they were told. Starts and stops in order."""

import asyncio
from collections.abc import Callable
from time import monotonic, time
from typing import Final

from loadtests.guarantee_api.commands import Answer, Probe, Write
from loadtests.guarantee_api.decide import Decider
from loadtests.guarantee_api.faults import Faults
from loadtests.guarantee_api.messages import GuaranteesAnswer, encode
from loadtests.guarantee_api.metrics import Metrics
from loadtests.guarantee_api.openapi import document
from loadtests.guarantee_api.problems import Refusal
from loadtests.guarantee_api.programme import Programme
from loadtests.guarantee_api.rates import Rates
from loadtests.guarantee_api.settings import Settings
from loadtests.guarantee_api.store import open_store
from loadtests.guarantee_api.tokens import Gate
from loadtests.guarantee_api.writer import Writer
from scenarios.words import CATEGORIES

MS: Final = 1000


class Service:
    """What handlers work with."""

    def __init__(
        self,
        programme: Programme,
        settings: Settings,
        *,
        store_url: str,
        secret: bytes,
        with_faults: bool = False,
        process: str = "",
        now_s: Callable[[], float] = time,
        clock_s: Callable[[], float] = monotonic,
    ) -> None:
        self.programme = programme
        self.settings = settings
        self._now_s = now_s
        key_lifetime_ms = round(settings.key_lifetime_s * MS)
        decider = Decider(programme, key_lifetime_ms=key_lifetime_ms)
        self.store = open_store(store_url, decider, settings)
        self.faults = Faults(self.store) if with_faults else None
        self.metrics = Metrics(process)
        self.writer = Writer(
            self.faults or self.store,
            self.metrics,
            batch_count_max=settings.batch_count_max,
            pending_count_max=settings.pending_count_max,
        )
        self.gate = Gate(secret, now_s)
        self.rates = Rates(settings, clock_s)
        self.openapi = encode(document())
        self.terms = [
            encode(GuaranteesAnswer(terms=programme.views(category), merchant_status=None))
            for category in range(len(CATEGORIES))
        ]

    def now_ms(self) -> int:
        return int(self._now_s() * MS)

    async def start(self) -> None:
        """Open the store, prove its books, begin to write."""
        try:
            await self.store.open(self.now_ms())
        except BaseException:
            await self.store.close()
            raise
        self.writer.start()

    async def stop(self) -> None:
        """Commit what waits, then let go of the store."""
        await self.writer.close()
        await self.store.close()

    async def is_writable(self) -> bool:
        """Whether a write becomes durable soon enough."""
        probe = Write(key_hash=b"", digest=b"", now_ms=self.now_ms(), command=Probe())
        answers: asyncio.Queue[Answer | Refusal] = asyncio.Queue()
        try:
            self.writer.submit(probe, answers.put_nowait)
            async with asyncio.timeout(self.settings.health_s_max):
                return isinstance(await answers.get(), Answer)
        except (Refusal, TimeoutError):
            return False
