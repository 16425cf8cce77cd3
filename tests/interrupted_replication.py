"""Replications that go wrong on purpose, importable by worker processes."""

import os
import signal
import threading
from typing import Any

from tests.fake_replication import FakeResult, FakeScenario, simulate

LAST_GOOD = 2


def interrupting(
    scenario: FakeScenario, *, seed: int, replication: int, **_asked: Any
) -> FakeResult:
    """After three good replications, presses Ctrl-C in the parent and hangs until it is ended."""
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN, "a worker must leave Ctrl-C alone"
    if replication > LAST_GOOD:
        os.kill(os.getppid(), signal.SIGINT)
        threading.Event().wait()
    return simulate(scenario, seed=seed, replication=replication)


def failing(
    scenario: FakeScenario, *, seed: int, replication: int, **_asked: Any
) -> FakeResult:
    """After three good replications, breaks an invariant."""
    if replication > LAST_GOOD:
        raise AssertionError("debits 5 fen, credits 4 fen")
    return simulate(scenario, seed=seed, replication=replication)
