"""One connection: HTTP/1.1 bytes to calls, replies to bytes, in order, within limits.

uvicorn accepts the connection and ends it at shutdown; between the two, bytes go through httptools
straight to the application and its reply straight to the transport: no ASGI messages, no task a
request, which is worth half the time of a claim (`make bench-api`).

Decides what a connection may cost. A request arrives whole within `request_s_max`, its head within
`header_bytes_max` and its body within `body_bytes_max`; requests sent ahead wait their turn unread;
a client that does not read its answers is cut off. A slow-loris client is what this is for.
"""

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final

import httptools

from loadtests.guarantee_api.app import Application
from loadtests.guarantee_api.calls import Call, Reply
from loadtests.guarantee_api.problems import Refusal
from loadtests.guarantee_api.routes import NOWHERE

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

REASONS: Final = {200: b"OK", 201: b"Created", 304: b"Not Modified"}
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class HeadTooLarge(Exception):
    """Stops the parser."""


class Connection(asyncio.Protocol):
    """A client, from its first byte to its last answer."""

    def __init__(
        self,
        config: "Config",
        server_state: "ServerState",
        app_state: dict[str, Any],  # noqa: ARG002 - uvicorn's way of making connections
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        application: Any = config.loaded_app
        self._application: Application = application
        self._limits = self._application.settings
        self._loop = _loop or asyncio.get_running_loop()
        self._connections: set[Any] = server_state.connections
        self._parser: Any = httptools.HttpRequestParser(self)
        self._transport: Any = None
        # The request that arrives.
        self._arriving = True
        self._target = b""
        self._headers: dict[bytes, bytes] = {}
        self._head_bytes = 0
        self._received_bytes = 0
        self._call: Call | None = None
        self._pieces: list[bytes] = []
        self._body_bytes = 0
        # The request that is answered, and those that wait for it.
        self._answering: Call | None = None
        self._waiting: deque[Call] = deque()
        self._stuck = False
        self._deaf = False
        # One timer a connection, looked at when it rings: a request only moves the due time.
        self._due_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    # What the event loop and uvicorn call.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._connections.add(self)
        self._due_s = self._loop.time() + self._limits.request_s_max
        if len(self._connections) > self._limits.connections_count_max:
            self._refuse(Refusal("overloaded", header="retry-after 1"))
            return
        self._timer = self._loop.call_at(self._due_s, self._ring)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._connections.discard(self)
        self._deaf = True
        self._waiting.clear()
        self._parser = None  # it knows this connection: a circle
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        if not self._arriving:
            self._arriving = True
            self._due_s = self._loop.time() + self._limits.request_s_max
        self._received_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._deaf = True  # there is nothing to upgrade to: answered, then closed
        except httptools.HttpParserError as error:
            large = isinstance(error.__context__, HeadTooLarge)
            self._refuse(Refusal("headers-too-large" if large else "malformed"))
        else:
            in_head = self._arriving and self._call is None
            if in_head and self._received_bytes > self._limits.header_bytes_max:
                self._refuse(Refusal("headers-too-large"))

    def eof_received(self) -> None:
        """The client sends no more: the transport closes, whatever is under way."""

    def pause_writing(self) -> None:
        self._stuck = True
        self._due_s = self._loop.time() + self._limits.request_s_max
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._stuck = False
        if self._waiting and self._answering is None:
            self._begin(self._waiting.popleft())
        elif not self._waiting:
            self._transport.resume_reading()

    def shutdown(self) -> None:
        """Close as soon as the answer that is under way is sent."""
        self._deaf = True
        self._waiting.clear()
        if self._answering is None:
            self._transport.close()
        else:
            self._answering.keep_alive = False

    # What the parser calls.

    def on_message_begin(self) -> None:
        self._target = b""
        self._headers = {}
        self._head_bytes = 0
        self._call = None
        self._pieces = []
        self._body_bytes = 0
        self._arriving = True

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_bytes += len(name) + len(value) + 4
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        if self._head_bytes + len(self._target) > self._limits.header_bytes_max:
            raise HeadTooLarge  # and came in one piece with its end
        headers, parser = self._headers, self._parser
        call = self._application.admit(parser.get_method(), self._target, headers)
        call.keep_alive = parser.should_keep_alive() and not parser.should_upgrade()
        if b"connection" in headers and parser.get_http_version() == "1.0":
            call.keep_alive = False  # it would wait for a header that version 1.1 does not need
        self._call = call
        if call.refusal is not None:
            self._take(call)
        elif b"expect" in headers and self._answering is None:
            self._transport.write(CONTINUE)

    def on_body(self, body: bytes) -> None:
        call = self._call
        assert call is not None, "the head comes first"
        if call.refusal is not None:
            return  # answered already: read and dropped, so that the client can see why
        self._body_bytes += len(body)
        self._pieces.append(body)
        if self._body_bytes > self._limits.body_bytes_max:
            self._pieces = []
            call.refusal = Refusal("too-large", f"at most {self._limits.body_bytes_max} bytes")
            self._take(call)

    def on_message_complete(self) -> None:
        call = self._call
        assert call is not None, "the head comes first"
        self._arriving = False
        self._received_bytes = 0
        if call.refusal is None:
            pieces = self._pieces
            call.body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            self._take(call)

    # Answers, one after the other.

    def _take(self, call: Call) -> None:
        if self._answering is None and not self._stuck:
            self._begin(call)
        elif not self._transport.is_closing():
            self._waiting.append(call)
            self._transport.pause_reading()

    def _begin(self, call: Call) -> None:
        self._answering = call
        self._application.answer(call, self._send)

    def _send(self, call: Call, reply: Reply) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(_message(call, reply))
        if not call.keep_alive:
            self._deaf = True
            self._transport.close()
            return
        self._due_s = self._loop.time() + self._limits.request_s_max
        if self._waiting:
            self._loop.call_soon(self._next)
        else:
            self._answering = None

    def _next(self) -> None:
        """The next of the requests that were sent ahead."""
        self._answering = None
        if self._deaf and not self._waiting:
            self._transport.close()  # told to shut down in between
        elif not self._stuck:
            self._begin(self._waiting.popleft())
            if not self._waiting:
                self._transport.resume_reading()

    def _refuse(self, refusal: Refusal) -> None:
        """Nothing more is read; once this is answered the connection is closed."""
        self._deaf = True
        self._take(Call(route=NOWHERE, refusal=refusal, keep_alive=False))

    def _ring(self) -> None:
        now_s = self._loop.time()
        due_s = self._due_s
        if now_s >= due_s:
            if self._stuck:
                self._transport.abort()
                return
            if self._answering is None:
                if self._arriving and (self._call is None or self._call.refusal is None):
                    self._refuse(Refusal("timeout"))
                else:
                    self._transport.close()
                return
            due_s = now_s + self._limits.request_s_max  # our turn, not the client's
        self._timer = self._loop.call_at(due_s, self._ring)


def _message(call: Call, reply: Reply) -> bytes:
    """The reply as it is sent."""
    status, body = reply.status, reply.body
    more = b"".join([b"%b: %b\r\n" % one for one in reply.headers])
    if not call.keep_alive:
        more += b"connection: close\r\n"
    reason = REASONS.get(status, b"Refused")
    if status == 304:
        return b"HTTP/1.1 304 %b\r\n%b\r\n" % (reason, more)
    if call.method == b"HEAD":
        body = b""
    return b"HTTP/1.1 %d %b\r\n%bcontent-type: %b\r\ncontent-length: %d\r\n\r\n%b" % (
        status,
        reason,
        more,
        reply.content_type,
        len(reply.body),
        body,
    )
