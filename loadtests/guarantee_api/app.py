"""From a call to its reply: routing, tokens, rates, keys, and every error as a problem.

No framework stands between a connection and the handlers: one route table (routes.py) says what
exists. A write is decided and kept with others (writer.py) and answered by a callback; a read is a
task of its own. ASGI is spoken only for uvicorn's start and stop.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from time import perf_counter
from typing import Any

from loadtests.guarantee_api.calls import Call, Reply, refused
from loadtests.guarantee_api.commands import Answer
from loadtests.guarantee_api.handlers import READS, WRITES, check_key, kept, written
from loadtests.guarantee_api.problems import Refusal
from loadtests.guarantee_api.routes import NOWHERE, Router
from loadtests.guarantee_api.service import Service
from loadtests.guarantee_api.store import StoreUnavailable

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Done = Callable[[Call, Reply], None]
log = logging.getLogger(__name__)


class Application:
    """Answers calls on a service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.settings = service.settings
        self._router = Router()
        self._reading: set[asyncio.Task[None]] = set()

    def admit(self, method: bytes, target: bytes, headers: dict[bytes, bytes]) -> Call:
        """The call that a head begins, refused or not: nothing is read of a body in vain."""
        call = Call(route=NOWHERE, method=method, headers=headers, began_s=perf_counter())
        service = self._service
        try:
            call.route, call.number, call.query = self._router.find(method, target)
            route = call.route
            if route.roles is not None:
                call.principal = principal = service.gate.principal(headers.get(b"authorization"))
                service.rates.take(principal)
                if principal.role not in route.roles:
                    raise Refusal("forbidden", f"for {', '.join(sorted(route.roles))}")
            if route.body is not None:
                told = headers.get(b"content-length", b"0")
                most = self.settings.body_bytes_max
                if len(told) > 12 or int(told) > most:
                    raise Refusal("too-large", f"at most {most} bytes")
            if route.writes:
                check_key(call)
        except Refusal as refusal:
            call.refusal = refusal
        return call

    def answer(self, call: Call, done: Done) -> None:
        """Carry the call out; `done` is called once with its reply, now or later."""
        faults = self._service.faults
        if faults is not None and faults.latency_ms:
            delay_s = faults.latency_ms / 1000
            asyncio.get_running_loop().call_later(delay_s, self._answer, call, done)
        else:
            self._answer(call, done)

    def _answer(self, call: Call, done: Done) -> None:
        service = self._service
        if call.refusal is not None:
            self._done(call, done, refused(call.refusal))
            return
        prepare = WRITES.get(call.route.name)
        if prepare is None:
            task = asyncio.get_running_loop().create_task(self._read(call, done))
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)
            return
        try:
            write = kept(service, call, prepare(call))
            service.writer.submit(write, partial(self._written, call, done))
        except Exception as error:
            self._done(call, done, _failed(call, error))

    def _written(self, call: Call, done: Done, answer: Answer | Refusal) -> None:
        reply = written(self._service, answer) if isinstance(answer, Answer) else refused(answer)
        self._done(call, done, reply)

    async def _read(self, call: Call, done: Done) -> None:
        try:
            reply = await READS[call.route.name](self._service, call)
        except Exception as error:
            reply = _failed(call, error)
        self._done(call, done, reply)

    def _done(self, call: Call, done: Done, reply: Reply) -> None:
        done(call, reply)
        took_s = perf_counter() - call.began_s if call.began_s else 0.0
        self._service.metrics.seen(call.route.name, reply.status, took_s)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Start and stop (ASGI's lifespan); requests come through connection.py."""
        assert scope["type"] == "lifespan", "requests do not come this way"
        await receive()
        try:
            await self._service.start()
        except Exception as error:
            log.error("not started", extra={"why": str(error)})
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        log.info("started")
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._service.stop()
        log.info("stopped")
        await send({"type": "lifespan.shutdown.complete"})


def _failed(call: Call, error: Exception) -> Reply:
    if isinstance(error, StoreUnavailable):
        log.error("store unavailable", extra={"why": str(error)})
        error = Refusal("unavailable", header="retry-after 1")
    if not isinstance(error, Refusal):
        log.error("request failed", exc_info=error, extra={"route": call.route.name})
        error = Refusal("internal")
    return refused(error)
