"""What the tests of the guarantee API share: a small programme, tokens, a client without a socket.

The clock stands still unless a test moves it. PostgreSQL is started by the first test that needs it
(api_postgres.py); where that cannot be, those tests are skipped and say so.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from loadtests.guarantee_api import settings
from loadtests.guarantee_api.app import Application
from loadtests.guarantee_api.calls import Reply
from loadtests.guarantee_api.programme import Programme
from loadtests.guarantee_api.service import Service
from loadtests.guarantee_api.tokens import issue
from scenarios import loader

SECRET = b"a secret of the tests, of more than 32 bytes"
# 2026-02-18 12:00 in China, the second day of the festival.
NOON_S = 1_771_387_200.0
MONEY_KEYS = ("funded_fen", "available_fen", "held_fen", "settled_fen")
keys = count(1)


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now_s = NOON_S

    def __call__(self) -> float:
        return self.now_s


@cache
def programme(*sets: str) -> Programme:
    """The base scenario's programme, with keys replaced."""
    return Programme.of(loader.load("spring-festival-2026", sets=sets))


@cache
def _token(role: str, subject: str, expires_s: int) -> str:
    return issue(SECRET, role=role, subject=subject, expires_s=expires_s)


def bearer(role: str, subject: str = "7", *, hours: float = 2000.0) -> dict[str, str]:
    """The header of a genuine token."""
    expires_s = int(NOON_S + hours * 3600)
    return {"authorization": f"Bearer {_token(role, subject, expires_s)}"}


def claim_body(order_id: int, **changed: Any) -> dict[str, Any]:
    """A catering claim over 100 CNY: refund 10,000 fen, extra 2,000 fen."""
    body = {
        "trigger": "closed_or_refused",
        "category": "catering",
        "order_id": order_id,
        "merchant_id": 5,
        "consumer_id": 7,
        "order_value_fen": 10_000,
    }
    return body | changed


@dataclass(frozen=True, slots=True)
class Answer:
    """What the application sent."""

    status_code: int
    headers: dict[str, str]
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content)


class Client:
    """Calls the application without a socket (20 times faster than a client library, which counts
    in the races); every write gets a key of its own unless the test gives one."""

    def __init__(self, service: Service, clock: Clock) -> None:
        self.service = service
        self.clock = clock
        self._application = Application(service)

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        role: str | None = "agent",
        subject: str = "7",
        key: str | None = "fresh",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        sent = bearer(role, subject) if role else {}
        if method in ("POST", "PUT") and key is not None:
            sent["idempotency-key"] = f"fresh-{next(keys)}" if key == "fresh" else key
        content = body if isinstance(body, bytes) else b""
        if body is not None:
            sent["content-type"] = "application/json"
            if not isinstance(body, bytes):
                content = json.dumps(body).encode()
            sent["content-length"] = str(len(content))
        said = {
            name.lower().encode("latin-1"): value.encode("latin-1")
            for name, value in (sent | (headers or {})).items()
        }
        call = self._application.admit(method.encode(), path.encode(), said)
        call.body = content
        answered: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._application.answer(call, lambda _, reply: answered.set_result(reply))
        reply = await answered
        got = {name.decode(): value.decode() for name, value in reply.headers}
        got["content-type"] = reply.content_type.decode()
        return Answer(reply.status, got, reply.body)

    async def claim(self, order_id: int, *, key: str = "fresh", **changed: Any) -> Answer:
        return await self.call("POST", "/v1/claims", claim_body(order_id, **changed), key=key)

    async def resolve(self, claim_id: int, outcome: str = "settle", **how: Any) -> Answer:
        path = f"/v1/claims/{claim_id}/resolution"
        return await self.call("POST", path, {"outcome": outcome}, **how)

    async def pot(self, guarantee: str | None = "instant_compensation") -> dict[str, int]:
        found = (await self.call("GET", "/v1/budgets", role="auditor")).json()["budgets"]
        return next(one for one in found if one["guarantee"] == guarantee)

    async def ledger(self) -> list[dict[str, Any]]:
        """Every entry but the funding, page by page."""
        entries: list[dict[str, Any]] = []
        cursor: str | None = "0"
        while cursor is not None:
            path = f"/v1/ledger?cursor={cursor}&limit=1000"
            page = (await self.call("GET", path, role="auditor")).json()
            entries += page["entries"]
            cursor = page["next_cursor"]
        return [one for one in entries if one["kind"] != "funding"]


@asynccontextmanager
async def serving(
    store_url: str, *sets: str, faults: bool = False, **limits: Any
) -> AsyncIterator[Client]:
    """A started service and a client; the books are proved at the end."""
    clock = Clock()
    values = settings.load().model_dump() | limits
    service = Service(
        programme(*sets),
        settings.Settings.model_validate(values),
        store_url=store_url,
        secret=SECRET,
        with_faults=faults,
        now_s=clock,
        clock_s=clock,
    )
    await service.start()
    client = Client(service, clock)
    try:
        yield client
        assert await service.store.prove() == []
    finally:
        await service.stop()


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run an asynchronous test."""
    asyncio.run(test())


def sqlite_url(folder: Path) -> str:
    """An empty store, for what does not depend on the store."""
    return f"sqlite:///{folder / 'guarantee.db'}"
