"""Replications that hold still in the middle, importable by workers of a cluster."""

import fcntl
import os
import threading
from pathlib import Path
from typing import Any

from scenarios.scenario import Scenario
from sim.replication import ReplicationResult, simulate
from tests import fake_replication
from tests.fake_replication import FakeResult, FakeScenario

ONCE, PIPE = "held-once", "held-pipe"
HELD = 1
FREE_COUNT = 2


def held_once(
    scenario: Scenario, *, folder: Path, seed: int, replication: int, **asked: Any
) -> ReplicationResult:
    """The first worker that has this replication says who it is, into a pipe, and never ends."""
    if replication == HELD and _first(folder / ONCE):
        (folder / PIPE).write_text(str(os.getpid()), encoding="utf-8")
        threading.Event().wait()
    return simulate(scenario, seed=seed, replication=replication, **asked)


def _first(file: Path) -> bool:
    try:
        file.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def held_by_lock(
    scenario: FakeScenario, *, lock: Path, seed: int, replication: int, **_asked: Any
) -> FakeResult:
    """But for the first two, replications wait until nobody holds the lock."""
    if replication >= FREE_COUNT:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
    return fake_replication.simulate(scenario, seed=seed, replication=replication)
