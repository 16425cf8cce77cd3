"""The service under drill: the reference API in a process of its own, killed, frozen and restarted.

Decides nothing about load or money. Down times are int ns of the monotonic clock.
"""

import os
import pickle
import resource
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from time import monotonic_ns, sleep, time
from typing import TYPE_CHECKING, Final

import msgspec

from loadtests import tokenfile
from loadtests.guarantee_api.programme import Programme
from loadtests.guarantee_api.server import Plan
from loadtests.guarantee_api.tokens import issue_all, secret_from

if TYPE_CHECKING:  # a second that the process to be restarted need not wait
    from scenarios.scenario import Scenario

HOST: Final = "127.0.0.1"
START_S_MAX: Final = 60.0
POLL_S: Final = 0.02
TOKENS_H: Final = 24
FILES_COUNT: Final = 4500
"""Open files of the service and of its clients: the connections that either takes, and some."""


class ServiceFailed(Exception):
    """The service does not start, or not again; the message quotes what it said."""


class Service:
    """One service on loopback, with its store, secret and tokens in a folder."""

    def __init__(
        self, folder: Path, scenario: "Scenario", *, store: str, faults: bool, workers: int = 1
    ) -> None:
        self._folder = folder
        self._workers = workers
        self.port = _free_port()
        self.url = f"http://{HOST}:{self.port}"
        self.tokens_path = folder / "tokens.json"
        self.kills_count = 0
        self.freezes_count = 0
        self.down_ns: list[tuple[int, int]] = []
        """From each kill or freeze to the first good answer after it."""
        self._process: subprocess.Popen[bytes] | None = None
        programme = folder / "programme.pickle"
        programme.write_bytes(pickle.dumps(Programme.of(scenario)))
        secret_path = folder / "secret"
        expires_s = int(time()) + TOKENS_H * 3600
        self.tokens = issue_all(secret_from(secret_path), expires_s=expires_s)
        tokenfile.write(self.tokens_path, self.tokens)
        self._plan = Plan(
            scenario=scenario.name,
            overlays=[],
            sets=[],
            store=store or f"sqlite:///{folder / 'guarantee.db'}",
            secret_file=str(secret_path),
            settings_file=None,
            faults=faults,
            programme_file=str(programme),
        )

    def start(self) -> None:
        """Start, and wait until it answers. Raises ServiceFailed."""
        self._launch()
        self.wait_ready()

    def _launch(self) -> None:
        plan = msgspec.json.encode(self._plan).decode()
        with (self._folder / "service.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "loadtests.drill.child",
                    str(self.port),
                    str(self._workers),
                    plan,
                ],
                stdout=log,
                stderr=log,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            )

    def kill(self) -> None:
        """As when the power fails: no chance to finish anything; then start again."""
        process = self._running()
        began_ns = monotonic_ns()
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.kills_count += 1
        self._launch()
        self.wait_ready()
        self.down_ns.append((began_ns, monotonic_ns()))

    def freeze(self, length_s: float) -> None:
        """Stop it for a while, as a long pause of the machine would."""
        process = self._running()
        began_ns = monotonic_ns()
        process.send_signal(signal.SIGSTOP)
        try:
            sleep(length_s)
        finally:
            process.send_signal(signal.SIGCONT)
        self.freezes_count += 1
        self.wait_ready()
        self.down_ns.append((began_ns, monotonic_ns()))

    def wait_ready(self) -> None:
        """Wait until a write can be made durable. Raises ServiceFailed."""
        until_ns = monotonic_ns() + int(START_S_MAX * 1e9)
        while monotonic_ns() < until_ns:
            if self._running().poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                sleep(POLL_S)
        said = (self._folder / "service.log").read_text(encoding="utf-8", errors="replace")
        raise ServiceFailed(f"the service did not start; it said: {said[-1000:].strip()}")

    def plant(self, spoil: str) -> None:
        """Have the service spoil its own books (tests of the auditor)."""
        request = urllib.request.Request(
            f"{self.url}/v1/faults",
            method="PUT",
            data=msgspec.json.encode({"spoil": spoil}),
            headers={
                "authorization": f"Bearer {self.tokens.staff['operator']}",
                "content-type": "application/json",
            },
        )
        with urllib.request.urlopen(request, timeout=30):
            pass

    def stop(self) -> None:
        """End it, in order if it can."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "start() comes first"
        return self._process


def files_count(hard: int) -> int:
    """Open files to ask for, where the machine allows `hard` of them."""
    return FILES_COUNT if hard == resource.RLIM_INFINITY else min(hard, FILES_COUNT)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind((HOST, 0))
        return int(one.getsockname()[1])
