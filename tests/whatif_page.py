"""The what-if page over a small world, served on loopback for tests, and the browser for it.

Replications run in one thread behind a gate that the test opens one by one, so that a progress can
be looked at without waiting for time to pass.
"""

import threading
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reports.whatif.server import Server
from scenarios.loader import SHIPPED, names, shipped

ROOT = Path(__file__).parent.parent
BASE = "spring-festival-2026"
# A fiftieth of the country, 初二 and 初三.
SMALL = ROOT / "docs" / "small.toml"
PAGES = ROOT / "results" / "pages"
CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser")


class Gate(Executor):
    """Runs calls one after another; each waits for a permit."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)
        self._permits = threading.Semaphore(0)

    def open(self, count: int) -> None:
        """Let so many more calls run."""
        self._permits.release(count)

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        def gated() -> Any:
            self._permits.acquire()
            return fn(*args, **kwargs)

        return self._pool.submit(gated)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self.open(1000)
        self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)


@contextmanager
def served(folder: Path, *, token: str | None = None) -> Iterator[tuple[str, Gate]]:
    """The page's address and the gate of its replications."""
    gate = Gate()
    server = Server(
        shipped(),
        scenarios=(str(SMALL),),
        overlays=tuple(names(SHIPPED / "overlays")),
        folder=folder / "runs",
        workers=1,
        host="127.0.0.1",
        port=0,
        token=token,
        language="en",
        executor=lambda: gate,
    )
    address = server.bind()
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield address, gate
    finally:
        server.stop()
        thread.join()


def chromium() -> str | None:
    """Where Debian's package puts the browser; None where it is not."""
    return next((path for path in CHROMIUM if Path(path).exists()), None)


def why_no_browser() -> str | None:
    """Why the page cannot be driven here; None if it can."""
    if chromium() is None:
        return "no Chromium (Debian's package `chromium`): the pages were not driven in a browser"
    return None
