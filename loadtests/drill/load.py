"""The load of a drill: a replay in a process of its own, so that it keeps its times whatever the
service does."""

import json
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import Any, Final

from loadtests.drill.service import Service, files_count

TIMEOUT_S: Final = 10.0
POLL_S: Final = 0.05
STOP_S_MAX: Final = 30.0
"""An interrupted replay may take so long for its journal."""
SPARE_FILES: Final = 500
ENDED: Final = (0, 1, 3)
"""Exit statuses with a journal: thresholds held or broken, or the sender was late."""


def _connections_count() -> int:
    return files_count(resource.getrlimit(resource.RLIMIT_NOFILE)[1]) - SPARE_FILES


class LoadError(Exception):
    """The replay could not be made; the message says why, for the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is to be sent, and where its journal goes."""

    trace_path: Path
    out: Path
    speed: float
    attempts_count: int = 1
    lag_limit_ms: float = 50.0
    thresholds: Sequence[str] = ()


def empty_folder(folder: Path) -> None:
    """Make it, or see that nothing is in it. Raises LoadError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise LoadError(f"--out {folder} is not empty: choose another")
    except OSError as error:
        raise LoadError(f"--out {folder} is no folder: {error.strerror}") from None


class Replay:
    """A running replay; use as a context, so that it never outlives the drill."""

    def __init__(self, load: Load, service: Service) -> None:
        self._out = load.out
        self._said = load.out.with_suffix(".json")
        self._complained = load.out.with_suffix(".log")
        command = [
            sys.executable, "-m", "springpeak", "replay", str(load.trace_path),
            "--host", service.url, "--token-file", str(service.tokens_path),
            "--speed", repr(load.speed), "--out", str(load.out),
            "--attempts", str(load.attempts_count), "--timeout-s", str(TIMEOUT_S),
            "--connections", str(_connections_count()),
            "--lag-limit-ms", str(load.lag_limit_ms), "--json",
        ]  # fmt: skip
        for text in load.thresholds:
            command += ["--threshold", text]
        with self._said.open("wb") as stdout, self._complained.open("wb") as stderr:
            # A session of its own: Ctrl-C is for the drill, which passes it on once.
            self._process = subprocess.Popen(
                command, stdout=stdout, stderr=stderr, start_new_session=True
            )

    def __enter__(self) -> "Replay":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if self.runs and kind is not None and issubclass(kind, KeyboardInterrupt):
                # It keeps a journal of what it has sent.
                self._process.send_signal(signal.SIGINT)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(timeout=STOP_S_MAX)
        finally:  # also when Ctrl-C is pressed again
            if self.runs:
                self._process.kill()
            self._process.wait()

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    @property
    def failed(self) -> bool:
        """Whether it ended without a journal."""
        return self._process.poll() not in (None, *ENDED)

    @property
    def sends(self) -> bool:
        """Whether it has begun to write down what it sends."""
        return any(self._out.glob("parts/*.part")) or not self.runs

    def summary(self) -> dict[str, Any]:
        """What it comes to, once it has ended. Raises LoadError."""
        # Not one long wait: where Ctrl-C reaches another thread, that would not be interrupted.
        while self.runs:
            sleep(POLL_S)
        text = self._said.read_text(encoding="utf-8")
        if self.failed or not text:
            why = self._complained.read_text(encoding="utf-8", errors="replace")[-1000:].strip()
            status = self._process.returncode
            raise LoadError(f"the replay ended with status {status}: {why}")
        found: dict[str, Any] = json.loads(text)
        return found
