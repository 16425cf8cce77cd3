"""The connection itself: requests that come too slowly or with too large a head are cut off.

uvicorn bounds neither the time in which a request arrives nor the size of its head; both are what a
slow-loris client holds a server with. One timer a connection runs only while a request is
incomplete. Refusals are problems here, too.
"""

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from loadtests.guarantee_api.problems import CONTENT_TYPE, TITLES, problem


class HeadTooLarge(Exception):
    """Stops the parser."""


class GuardedProtocol(HttpToolsProtocol):
    """HTTP/1.1 with limits; `limits` sets them for the process before it serves."""

    header_bytes_max: ClassVar[int] = 16_384
    request_s_max: ClassVar[float] = 10.0
    connections_count_max: ClassVar[int] = 4096

    @classmethod
    def limits(
        cls, *, header_bytes_max: int, request_s_max: float, connections_count_max: int
    ) -> None:
        cls.header_bytes_max = header_bytes_max
        cls.request_s_max = request_s_max
        cls.connections_count_max = connections_count_max

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._head_bytes = 0
        self._headers_bytes = 0
        self.url = b""
        self._arriving = True
        self._timer: asyncio.TimerHandle | None = None
        super().connection_made(transport)
        if len(self.connections) > self.connections_count_max:
            self._refuse("overloaded")
            return
        self._timer = self.loop.call_later(self.request_s_max, self._late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._head_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._arriving:
            if self._head_bytes > self.header_bytes_max:
                self._refuse("headers-too-large")
            elif self._timer is None:
                self._timer = self.loop.call_later(self.request_s_max, self._late)

    def on_message_begin(self) -> None:
        self._arriving = True
        self._headers_bytes = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers_bytes += len(name) + len(value) + 4
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._headers_bytes + len(self.url) > self.header_bytes_max:
            # A large head that came whole. The parser hands this on to send_400_response.
            raise HeadTooLarge
        # From here on bytes are a body, which the application counts.
        self._head_bytes = -(1 << 62)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._arriving = False
        self._head_bytes = 0
        self._disarm()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        too_large = self._headers_bytes + len(self.url) > self.header_bytes_max
        self._refuse("headers-too-large" if too_large else "malformed", msg)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._timer = None
        if self.transport.is_closing():
            return
        begun: Any = self.cycle
        if begun is not None and begun.response_started and not begun.response_complete:
            self.transport.close()
            return
        self._refuse("timeout")

    def _refuse(self, kind: str, detail: str = "") -> None:
        status, _ = TITLES[kind]
        body = problem(kind, detail)
        self.transport.write(
            b"HTTP/1.1 %d Refused\r\ncontent-type: %s\r\ncontent-length: %d\r\n"
            b"connection: close\r\n\r\n%s" % (status, CONTENT_TYPE, len(body), body)
        )
        self.transport.close()
