"""A network between a service and its data base that a test can cut: it holds what it is given.

Bytes are held rather than dropped, as TCP would send them again until the cut is over; the end of a
connection is held like any other byte, so that the other side does not learn of it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

PIECE_BYTES = 65_536
Seen = Callable[[bytes], None]


class Relay:
    """Passes connections on; `seen` is told of each piece on its way up, before it is passed on."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.port is not None
        self._upstream = parts.hostname, parts.port
        self._url, self._server = url, None
        self._gates: list[tuple[asyncio.Event, asyncio.Event]] = []
        self._new_open = True
        self._tasks: set[asyncio.Task[None]] = set()
        self.connections_count = 0
        self.seen: Seen = lambda _: None
        self.url = ""

    async def start(self) -> None:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._server = server
        port = server.sockets[0].getsockname()[1]
        self.url = self._url.replace(f":{self._upstream[1]}/", f":{port}/")

    async def close(self) -> None:
        for one in self._tasks:
            one.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        assert self._server is not None
        self._server.close()

    def cut(self, *, up: bool = True, down: bool = True, new: bool = True) -> None:
        """Hold what the connections that stand send up or down, and perhaps new ones."""
        for up_open, down_open in self._gates:
            if up:
                up_open.clear()
            if down:
                down_open.clear()
        self._new_open = not new

    def heal(self) -> None:
        """Pass on everything that was held, and all that follows."""
        self._new_open = True
        for gates in self._gates:
            for one in gates:
                one.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections_count += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        gates = asyncio.Event(), asyncio.Event()
        self._gates.append(gates)
        if self._new_open:
            for one in gates:
                one.set()
        await gates[0].wait()
        up_reader, up_writer = await asyncio.open_connection(*self._upstream)
        try:
            await asyncio.gather(
                self._pass(reader, up_writer, gates[0], watched=True),
                self._pass(up_reader, writer, gates[1], watched=False),
            )
        finally:
            for one in (writer, up_writer):
                one.transport.abort()
            self._tasks.discard(task)

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        gate: asyncio.Event,
        *,
        watched: bool,
    ) -> None:
        while True:
            try:
                piece = await reader.read(PIECE_BYTES)
            except OSError:
                piece = b""
            if watched:
                self.seen(piece)
            await gate.wait()
            if not piece:
                writer.close()
                return
            writer.write(piece)


@asynccontextmanager
async def relayed(url: str) -> AsyncIterator[Relay]:
    """A relay to the server of a URL; its own `url` leads through it."""
    relay = Relay(url)
    await relay.start()
    try:
        yield relay
    finally:
        await relay.close()
