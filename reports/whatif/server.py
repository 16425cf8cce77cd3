"""The server of the what-if page: a socket, the guard in front, uvicorn behind.

Decides what it listens on; a socket that is bound before anything is said, so that a port that is
taken is refused at once and port 0 can be told.
"""

import socket
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from pathlib import Path

import uvicorn

from reports.language import Language
from reports.whatif.app import Site
from reports.whatif.guard import LOOPBACK, Guard, in_address
from reports.whatif.page import Page
from scenarios.loader import Library
from scenarios.scenario import Scenario
from sim.whatif.study import Desk


class Server:
    """One what-if page on one address."""

    def __init__(
        self,
        library: Library[Scenario],
        *,
        scenarios: Sequence[str],
        overlays: Sequence[str],
        folder: Path,
        workers: int,
        host: str,
        port: int,
        token: str | None,
        language: Language,
        executor: Callable[[], Executor] | None = None,
    ) -> None:
        self.desk = Desk(folder, workers=workers, executor=executor)
        self._site = Site(library, self.desk, Page(scenarios, overlays), language=language)
        self._host, self._port = host, port
        self._token = token
        self._socket: socket.socket | None = None
        self._uvicorn: uvicorn.Server | None = None

    def bind(self) -> str:
        """Take the address; returns where the page is. Raises OSError."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        found = socket.socket(family, socket.SOCK_STREAM)
        try:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind((self._host, self._port))
            # From here on a browser that is quicker than uvicorn waits instead of being refused.
            found.listen()
        except BaseException:
            found.close()
            raise
        self._socket = found
        self._port = int(found.getsockname()[1])
        query = f"?token={self._token}" if self._token else ""
        return f"http://{in_address(self._host)}:{self._port}/{query}"

    def serve(self) -> None:
        """Answer until Ctrl-C or `stop`."""
        assert self._socket is not None, "bind first"
        guarded = Guard(
            self._site.app(), port=self._port, token=self._token, loopback=self._host in LOOPBACK
        )
        config = uvicorn.Config(
            guarded, log_level="warning", access_log=False, ws="none", server_header=False,
            timeout_graceful_shutdown=3,
        )  # fmt: skip
        self._uvicorn = uvicorn.Server(config)
        try:
            self._uvicorn.run(sockets=[self._socket])
        except KeyboardInterrupt:
            # uvicorn has ended in order and only hands the signal on.
            pass
        finally:
            self._socket.close()

    def stop(self) -> None:
        """End from another thread."""
        if self._uvicorn is not None:
            self._uvicorn.should_exit = True
