"""One kept-alive HTTP/1.1 connection with at most one request under way, in callbacks of the hub.

Decides nothing about requests: it sends bytes, says when an answer is whole or the connection is
lost. No greenlet: a wake-up costs a switch, which at thousands of requests a second is most of the
work.
"""

import _socket
import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from errno import EINPROGRESS
from typing import Any, Final

import httptools

_READ: Final = 1
_WRITE: Final = 2
_RECEIVED_BYTES_MAX: Final = 65_536
"""Below the 128 KiB from which malloc asks the kernel for pages of its own each time, which costs
more than the call."""
_CLOSED: Final = "the host closed the connection"


@dataclass(frozen=True, slots=True)
class Host:
    """Where requests go: resolved once, so that no look-up is measured."""

    family: int
    address: Any
    """As the socket module takes it."""
    name: str
    """For the certificate's check."""
    tls: ssl.SSLContext | None


class Connection:
    """See the module; `answered` and `lost` are called in the hub."""

    __slots__ = (
        "_answered",
        "_lost",
        "_parser",
        "_reader",
        "_refused",
        "_socket",
        "_unsent",
        "_writer",
        "body",
        "complete",
        "handed",
        "keep_alive",
        "sent_ns",
        "status",
        "task",
    )

    def __init__(
        self,
        loop: Any,
        host: Host,
        answered: "Callable[[Connection], None]",
        lost: "Callable[[Connection, str], None]",
    ) -> None:
        self._answered, self._lost = answered, lost
        self.task: Any = None
        """Whose request is under way; None if none is."""
        self.sent_ns = 0
        self.handed = False
        """Whether any byte of the request may have reached the host."""
        self.status = 0
        self.body = b""
        self.complete = False
        self.keep_alive = True
        self._unsent = b""
        self._parser: Any = httptools.HttpResponseParser(self)
        # Not the socket module's: that one may be gevent's, which blocks greenlets.
        self._socket = _socket.socket(host.family, _socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        self._reader = loop.io(self._socket.fileno(), _READ)
        self._writer = loop.io(self._socket.fileno(), _WRITE)
        refused = self._socket.connect_ex(host.address)
        self._refused = 0 if refused == EINPROGRESS else refused
        self._reader.start(self._on_readable)

    def send(self, request: bytes) -> None:
        """Send one request; at once if the connection stands, else when it does."""
        self.body, self.complete, self.handed = b"", False, False
        self._transmit(request)

    def close(self) -> None:
        """Close for good; nothing is called any more."""
        for watcher in (self._reader, self._writer):
            watcher.stop()
            watcher.close()
        self._socket.close()

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        self.body = self.body + body if self.body else body

    def on_message_complete(self) -> None:
        """Called by the parser. 1xx only announces an answer."""
        self.status = self._parser.get_status_code()
        self.keep_alive = self._parser.should_keep_alive()
        self.complete = self.status >= 200

    def _transmit(self, data: bytes) -> None:
        if self._refused:
            self._lost(self, os.strerror(self._refused))
            return
        self._unsent = b""
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._lost(self, _said(error))
            return
        if sent:
            self.handed = True
        if sent < len(data):
            self._unsent = data[sent:]
            self._writer.start(self._on_writable)

    def _on_writable(self) -> None:
        self._writer.stop()
        self._transmit(self._unsent)

    def _on_readable(self) -> None:
        try:
            data = self._socket.recv(_RECEIVED_BYTES_MAX)
        except BlockingIOError:
            return
        except OSError as error:
            self._lost(self, _said(error))
            return
        if data:
            self._received(data)
        else:
            self._lost(self, _CLOSED)

    def _received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._lost(self, "the answer is not HTTP/1.1")
            return
        if self.complete and self.task is not None:
            self._answered(self)


class TlsConnection(Connection):
    """The same under TLS."""

    __slots__ = ("_incoming", "_outgoing", "_plain", "_shaken", "_tls")

    def __init__(
        self,
        loop: Any,
        host: Host,
        answered: Callable[[Connection], None],
        lost: Callable[[Connection, str], None],
    ) -> None:
        assert host.tls is not None
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = host.tls.wrap_bio(self._incoming, self._outgoing, server_hostname=host.name)
        self._plain = b""
        self._shaken = False
        super().__init__(loop, host, answered, lost)

    def send(self, request: bytes) -> None:
        """As Connection.send; the first one shakes hands before."""
        self.body, self.complete, self.handed = b"", False, False
        self._plain = request
        self._step()

    def _step(self) -> None:
        """Go on with the handshake, send what can be sent, read what can be read."""
        plain, closed = b"", True  # reading nothing at all is the other side's farewell
        try:
            if not self._shaken:
                self._tls.do_handshake()
                self._shaken = True
            if self._plain:
                self._tls.write(self._plain)
                self._plain = b""
            while data := self._tls.read(_RECEIVED_BYTES_MAX):
                plain += data
        except ssl.SSLWantReadError:
            closed = False
        except ssl.SSLError as error:
            self.handed = self.handed and self._shaken  # a handshake carries no request
            self._lost(self, error.reason or str(error))
            return
        waiting = self._outgoing.read()
        if waiting:
            self._transmit(self._unsent + waiting)
        if plain:
            super()._received(plain)
        if closed:
            self._lost(self, _CLOSED)

    def _received(self, data: bytes) -> None:
        self._incoming.write(data)
        self._step()


def _said(error: OSError) -> str:
    return error.strerror or str(error)
