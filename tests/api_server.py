"""Runs the service in a process of its own, on loopback, for tests that need a real socket or kill.

Called as a program it serves what a plan file says, from a pickled programme: the real command
(test_api_serve.py) spends two seconds on reading a scenario, which twenty restarts cannot afford.
"""

import asyncio
import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from loadtests.guarantee_api import logs, settings
from loadtests.guarantee_api.app import Application
from loadtests.guarantee_api.server import UVICORN
from loadtests.guarantee_api.service import Service
from loadtests.port import free_port
from tests.api_cases import NOON_S, SECRET, bearer, programme

ROOT = Path(__file__).parent.parent


class Server:
    """A running service."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process = process
        self.port = port
        self.log = log

    def kill(self) -> None:
        """As when the power fails: no chance to finish anything."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def memory_bytes(self) -> int:
        """Most memory that the process has used."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(one for one in status.splitlines() if one.startswith("VmHWM"))
        return int(line.split()[1]) * 1024


def planned(
    folder: Path,
    store_url: str,
    *sets: str,
    port: int,
    address: str = "127.0.0.1",
    faults: bool = False,
    **limits: Any,
) -> list[str]:
    """The command of a server, to be called in ROOT, with its plan in `folder`."""
    plan = {
        "programme": programme(*sets),
        "settings": settings.load().model_dump() | limits,
        "store_url": store_url,
        "faults": faults,
        "address": address,
        "port": port,
    }
    path = folder / "plan.pickle"
    path.write_bytes(pickle.dumps(plan))
    return [sys.executable, "-m", "tests.api_server", str(path)]


@contextmanager
def server(
    folder: Path, store_url: str, *sets: str, faults: bool = False, **limits: Any
) -> Iterator[Server]:
    """Start a server and wait until it answers; it is stopped at the end if it still runs."""
    port, log = free_port(), folder / "server.log"
    words = planned(folder, store_url, *sets, port=port, faults=faults, **limits)
    with log.open("ab") as out:
        process = subprocess.Popen(
            words, stdout=out, stderr=out, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}
        )
    running = Server(process, port, log)
    try:
        asyncio.run(until_up(running))
        yield running
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait()


async def until_up(running: Server) -> None:
    while True:
        assert running.process.poll() is None, running.log.read_text()[-2000:]
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", running.port)
        except OSError:
            await asyncio.sleep(0.02)
            continue
        writer.close()
        return


class Connection:
    """A keep-alive connection that reads whole answers."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str = "",
        role: str = "agent",
        if_match: str = "",
    ) -> tuple[int, Any]:
        """Status and body; raises OSError or IncompleteReadError when the server is gone."""
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nhost: api\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in bearer(role).items())
        head += f"content-type: application/json\r\ncontent-length: {len(content)}\r\n"
        head += f"idempotency-key: {key}\r\n" if key else ""
        head += f"if-match: {if_match}\r\n" if if_match else ""
        return await self.raw(f"{head}\r\n".encode() + content)

    async def raw(self, data: bytes) -> tuple[int, Any]:
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        assert self._reader is not None
        self._writer.write(data)
        head = await self._reader.readuntil(b"\r\n\r\n")
        at = head.lower().find(b"content-length: ") + 16
        length = int(head[at : head.find(b"\r", at)])
        body = await self._reader.readexactly(length)
        return int(head[9:12]), json.loads(body) if body[:1] in b"{[" else body

    async def wait_closed(self) -> bytes:
        """What the server sends until it closes."""
        assert self._reader is not None
        return await self._reader.read()

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def main() -> None:
    plan = pickle.loads(Path(sys.argv[1]).read_bytes())
    limits = settings.Settings.model_validate(plan["settings"])
    logs.set_up()
    service = Service(
        plan["programme"],
        limits,
        store_url=plan["store_url"],
        secret=SECRET,
        with_faults=plan["faults"],
        now_s=lambda: NOON_S,
    )
    uvicorn.run(
        Application(service),
        host=plan["address"],
        port=plan["port"],
        **UVICORN,
    )


if __name__ == "__main__":
    main()
