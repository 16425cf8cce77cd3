"""The ASGI application: routing, tokens, rates, bodies, and every error as a problem.

No framework stands between uvicorn and the handlers: one route table (routes.py) says what exists,
and a claim spends two thirds of its time in the server and the store already (`make bench-api`).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from time import perf_counter
from typing import Any

from loadtests.guarantee_api.handlers import HANDLERS, Call, Reply, check_key
from loadtests.guarantee_api.problems import CONTENT_TYPE, Refusal
from loadtests.guarantee_api.routes import Route, Router
from loadtests.guarantee_api.service import Service
from loadtests.guarantee_api.store import StoreUnavailable

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
log = logging.getLogger(__name__)


class ClientGone(Exception):
    """Nobody waits for the answer any more."""


class Application:
    """Serves a service over ASGI."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._router = Router()
        self._running_count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        assert scope["type"] == "http", "no web sockets here"
        began_s = perf_counter()
        route: Route | None = None
        self._running_count += 1
        try:
            route, number = self._router.find(scope["method"], scope["path"])
            reply = await self._reply(route, number, scope, receive)
        except Refusal as refusal:
            reply = _refused(refusal)
        except StoreUnavailable as error:
            log.error("store unavailable", extra={"why": str(error)})
            reply = _refused(Refusal("unavailable", header="retry-after 1"))
        except ClientGone:
            return
        except Exception:
            log.exception("request failed", extra={"route": route.name if route else "none"})
            reply = _refused(Refusal("internal"))
        finally:
            self._running_count -= 1
        await _send(send, reply)
        name = route.name if route else "none"
        self._service.metrics.seen(name, reply.status, perf_counter() - began_s)

    async def _reply(self, route: Route, number: int, scope: Scope, receive: Receive) -> Reply:
        service = self._service
        if self._running_count > service.settings.connections_count_max:
            raise Refusal("overloaded", header="retry-after 1")
        headers: dict[bytes, bytes] = dict(scope["headers"])
        principal = None
        if route.roles is not None:
            principal = service.gate.principal(headers.get(b"authorization"))
            service.rates.take(principal)
            if principal.role not in route.roles:
                raise Refusal("forbidden", f"for {', '.join(sorted(route.roles))}")
        body = b""
        if route.body is not None:
            body = await self._body(headers, receive)
        call = Call(route, number, principal, headers, scope["query_string"], body)
        if route.writes:
            check_key(call)
        if service.faults is not None and service.faults.latency_ms:
            await asyncio.sleep(service.faults.latency_ms / 1000)
        return await HANDLERS[route.name](service, call)

    async def _body(self, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        most = self._service.settings.body_bytes_max
        # After a refusal the rest of the body is read and dropped (guard.py ends what takes too
        # long): a client that is cut off while sending would never see why.
        told = headers.get(b"content-length", b"0")
        if len(told) > 12 or int(told) > most:
            raise Refusal("too-large", f"at most {most} bytes")
        message = await receive()
        body: bytes = message.get("body", b"")
        while message.get("more_body", False) and len(body) <= most:
            message = await receive()
            body += message.get("body", b"")
        if message["type"] == "http.disconnect":
            raise ClientGone
        if len(body) > most:
            raise Refusal("too-large", f"at most {most} bytes")
        return body

    async def _live(self, receive: Receive, send: Send) -> None:
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


def _refused(refusal: Refusal) -> Reply:
    headers: tuple[tuple[bytes, bytes], ...] = ()
    if refusal.header:
        name, _, value = refusal.header.partition(" ")
        headers = ((name.encode(), value.encode()),)
    return Reply(refusal.status, refusal.body(), CONTENT_TYPE, headers)


async def _send(send: Send, reply: Reply) -> None:
    headers = [*reply.headers]
    if reply.status != 304:
        headers += [
            (b"content-type", reply.content_type),
            (b"content-length", b"%d" % len(reply.body)),
        ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
