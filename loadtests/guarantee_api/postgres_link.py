"""Connections to PostgreSQL over a network that may fail: how long each side waits for the other.

Decides when the other side is gone, and when it is tried again; knows no table. A host that
acknowledges nothing for `store_silent_s_max` is gone, found by the kernels of both sides (TCP's
user timeout, RFC 5482, and keep-alive probes), while one that acknowledges and works on is given
`store_s_max`. A session of ours that goes quiet within a transaction is ended by the server after
`store_idle_s_max`: it holds the lock that every other process waits for. After a failure nothing is
tried for a pause that doubles up to `store_retry_s_max`; who asks meanwhile is told so at once,
rather than left to hang. Times in seconds; to sockets and server in whole s or ms.
"""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg

from loadtests.guarantee_api.settings import Settings
from loadtests.guarantee_api.store import StoreUnavailable

GONE: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    asyncio.TimeoutError,
)
"""Whatever a batch or a read may fail with, of the server's or of the way to it."""
PROBES_COUNT: Final = 3
READERS_COUNT: Final = 4
_PAUSE_S_MIN: Final = 0.05
_ROLLBACK_S_MAX: Final = 1.0
_MS: Final = 1000


class Link:
    """The connections of one process: one that writes, and a few that read."""

    def __init__(self, url: str, settings: Settings, session: dict[str, str]) -> None:
        """`session` is what the writing session is set to besides its limits."""
        self._url = url
        self._settings = settings
        shared = _server_limits(settings)
        busy_ms = round(settings.store_s_max * _MS)
        self._writer_session = shared | session | {"statement_timeout": str(busy_ms)}
        # Every look-up has its index, and pages are read in its order.
        self._reader_session = shared | {"enable_seqscan": "off", "jit": "off"}
        self._writer: asyncpg.Connection | None = None
        self._readers: asyncpg.Pool | None = None
        self._failures_count = 0
        self._again_s = 0.0

    async def close(self) -> None:
        """Let go of every connection; those that cannot say goodbye are cut."""
        limit_s = self._settings.store_silent_s_max
        for one in (self._readers, self._writer):
            if one is None:
                continue
            try:
                async with asyncio.timeout(limit_s):
                    await one.close()
            except GONE:
                one.terminate()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[asyncpg.Connection]:
        """The writing connection for one transaction; raises StoreUnavailable if that fails, with
        nobody knowing whether a commit that was sent was kept."""
        try:
            async with asyncio.timeout(self._settings.store_s_max):
                db = await self.writer()
                yield db
        except GONE as error:
            await self._give_up(error)
            raise StoreUnavailable(_said(error)) from error
        except BaseException as error:
            await self._give_up(error)
            raise
        self._failures_count = 0

    async def writer(self) -> asyncpg.Connection:
        """The writing connection. Raises one of GONE, or StoreUnavailable during a pause."""
        if self._writer is None or self._writer.is_closed():
            self._check_pause()
            self._writer = await asyncpg.connect(
                self._url,
                timeout=self._settings.store_silent_s_max,
                server_settings=self._writer_session,
                connection_class=self._watched(),
            )
        return self._writer

    async def read(self, sql: str, *values: Any, patient: bool = False) -> list[Any]:
        """Rows; `patient` if the question is a long one. Raises StoreUnavailable."""
        limit_s = None if patient else self._settings.store_s_max
        try:
            async with asyncio.timeout(limit_s):
                rows = await self._fetched(sql, values, limit_s)
        except GONE as error:
            self._pause(error)
            raise StoreUnavailable(_said(error)) from error
        self._failures_count = 0
        return rows

    async def _fetched(self, sql: str, values: tuple[Any, ...], limit_s: float | None) -> list[Any]:
        if self._readers is None:
            self._check_pause()
            self._readers = await asyncpg.create_pool(
                self._url,
                min_size=1,
                max_size=READERS_COUNT,
                timeout=self._settings.store_silent_s_max,
                server_settings=self._reader_session,
                connection_class=self._watched(),
                reset=_nothing,
            )
        db = await self._readers.acquire(timeout=limit_s)
        try:
            rows: list[Any] = await db.fetch(sql, *values)
        except asyncpg.PostgresError:  # the server said so: the connection stands
            await self._readers.release(db)
            raise
        except BaseException:
            db.terminate()
            raise
        await self._readers.release(db)
        return rows

    async def _give_up(self, error: BaseException) -> None:
        """Undo. A connection that is in doubt is cut rather than asked: the server then undoes what
        was not committed, and keeps what was."""
        self._pause(error)
        if self._writer is None or self._writer.is_closed():
            return
        try:
            if _is_lost(error):
                raise error
            async with asyncio.timeout(_ROLLBACK_S_MAX):
                await self._writer.execute("ROLLBACK")
        except GONE:
            self._writer.terminate()

    def _check_pause(self) -> None:
        left_s = self._again_s - asyncio.get_running_loop().time()
        if left_s > 0.0:
            raise StoreUnavailable(f"the data base does not answer; tried again in {left_s:.2f} s")

    def _pause(self, error: BaseException) -> None:
        if not _is_lost(error):
            return
        pause_s = min(_PAUSE_S_MIN * 2.0**self._failures_count, self._settings.store_retry_s_max)
        self._failures_count = min(self._failures_count + 1, 30)
        self._again_s = asyncio.get_running_loop().time() + pause_s

    def _watched(self) -> type[asyncpg.Connection]:
        silent_s = self._settings.store_silent_s_max

        class Watched(asyncpg.Connection):  # type: ignore[misc]
            """A connection whose kernel looks whether the other side is still there."""

            def __init__(self, protocol: Any, transport: Any, *rest: Any, **more: Any) -> None:
                super().__init__(protocol, transport, *rest, **more)
                _watch(transport.get_extra_info("socket"), silent_s)

        return Watched


async def _nothing(_: asyncpg.Connection) -> None:
    """Reads leave nothing behind that the next one would have to be protected from: asking the
    server to forget it would be a second round trip for each."""


def _is_lost(error: BaseException) -> bool:
    """Whether the connection, and not the statement, is what failed."""
    if isinstance(error, asyncpg.PostgresError):
        return isinstance(error, asyncpg.PostgresConnectionError)
    return isinstance(error, GONE)


def _said(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _probe_s(silent_s: float) -> int:
    """Between two probes of a silent connection; probes are counted in whole seconds."""
    return max(1, round(silent_s / PROBES_COUNT))


def _watch(sock: Any, silent_s: float) -> None:
    if sys.platform != "linux" or sock.family == socket.AF_UNIX:
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        (socket.TCP_KEEPIDLE, _probe_s(silent_s)),
        (socket.TCP_KEEPINTVL, _probe_s(silent_s)),
        (socket.TCP_KEEPCNT, PROBES_COUNT),
        (socket.TCP_USER_TIMEOUT, round(silent_s * _MS)),
    ):
        sock.setsockopt(socket.IPPROTO_TCP, name, value)


def _server_limits(settings: Settings) -> dict[str, str]:
    """The same for the server's end of the connection, and the end of quiet transactions."""
    probe_s = str(_probe_s(settings.store_silent_s_max))
    return {
        "application_name": "springpeak",
        "tcp_user_timeout": str(round(settings.store_silent_s_max * _MS)),
        "tcp_keepalives_idle": probe_s,
        "tcp_keepalives_interval": probe_s,
        "tcp_keepalives_count": str(PROBES_COUNT),
        "idle_in_transaction_session_timeout": str(round(settings.store_idle_s_max * _MS)),
    }
