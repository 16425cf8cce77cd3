"""One process of the service under drill: launched, killed, frozen, waited for."""

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from time import monotonic_ns, sleep
from typing import Final

import msgspec

from loadtests.guarantee_api.server import Plan
from loadtests.port import LOOPBACK

START_S_MAX: Final = 60.0
STOP_S_MAX: Final = 15.0
POLL_S: Final = 0.02


class ServiceFailed(Exception):
    """The service does not start, or not again; the message quotes what it said."""


class Member:
    """A serving process on a port of loopback."""

    def __init__(self, plan: Plan, *, port: int, workers: int, log: Path) -> None:
        self.port = port
        self._plan, self._workers, self._log = plan, workers, log
        self._process: subprocess.Popen[bytes] | None = None

    def launch(self) -> None:
        """Start it, without waiting."""
        plan = msgspec.json.encode(self._plan).decode()
        with self._log.open("ab") as log:
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

    def wait_ready(self) -> None:
        """Wait until a write can be made durable. Raises ServiceFailed."""
        wait_answer(f"http://{LOOPBACK}:{self.port}", self._running(), self._log)

    def kill(self) -> None:
        """SIGKILL."""
        process = self._running()
        process.send_signal(signal.SIGKILL)
        process.wait()

    def freeze(self, length_s: float) -> None:
        """SIGSTOP for a while."""
        process = self._running()
        process.send_signal(signal.SIGSTOP)
        try:
            sleep(length_s)
        finally:
            process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it, in order if it can."""
        end(self._process)

    @property
    def pid(self) -> int:
        """Its number in the system."""
        return self._running().pid

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "launch() comes first"
        return self._process


def wait_answer(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a write through `url` can be made durable. Raises ServiceFailed, which quotes the
    log, where `process` ends first."""
    until_ns = monotonic_ns() + int(START_S_MAX * 1e9)
    while monotonic_ns() < until_ns:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            sleep(POLL_S)
    said = log.read_text(encoding="utf-8", errors="replace")
    raise ServiceFailed(f"the service did not start; it said: {said[-1000:].strip()}")


def end(process: subprocess.Popen[bytes] | None) -> None:
    """End a process, in order if it can; one that has ended or was never started stays so."""
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(STOP_S_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
