"""Small worlds for tests: the shipped scenario at a fiftieth of the country, two days long.

Everything that counts heads, stores, orders or money in pots is divided by 50; ratios, laws and
profiles stay. Seeds are fixed, so that each test either always holds or never does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from scipy.stats import t as student

from scenarios.loader import load
from scenarios.scenario import Scenario
from sim.experiment.runner import run
from sim.payout.sample import sample_sets
from sim.replication import ReplicationResult, simulate
from tests.synthetic_run import InlineExecutor

SCALE = 50
SEED = 20260217
BASE = "spring-festival-2026"


@cache
def small(overlays: tuple[str, ...] = (), sets: tuple[str, ...] = ()) -> Scenario:
    """The small scenario on 初二 and 初三, with overlays and `key=value` changes on top."""
    two_days = ("horizon.first_day=1", "horizon.last_day=2")
    mine = {line.split("=")[0] for line in sets}
    days = tuple(line for line in two_days if line.split("=")[0] not in mine)
    return scaled(SCALE, overlays, (*days, *sets))


def scaled(scale: int, overlays: tuple[str, ...], sets: tuple[str, ...]) -> Scenario:
    """The shipped scenario with everything that is counted divided by `scale`."""
    changes = sample_sets(load(BASE), scale)
    mine = {line.split("=")[0] for line in sets}
    lines = [f"{key}={value!r}" for key, value in changes.items() if key not in mine]
    return load(BASE, overlays=overlays, sets=(*lines, *sets))


@cache
def result(
    overlays: tuple[str, ...] = (), sets: tuple[str, ...] = (), replication: int = 0
) -> ReplicationResult:
    """One replication of a small world; kept, because several tests look at the same one."""
    return simulate(small(overlays, sets), seed=SEED, replication=replication)


def write_small_run(path: Path, *, replications: int) -> Path:
    """A complete run of the small world, simulated in this process."""
    return run(
        small(),
        replications=replications,
        precision_ratio=None,
        seed=SEED,
        workers=1,
        out=path,
        executor=InlineExecutor(),
    ).path


@dataclass(frozen=True, slots=True)
class Paired:
    """Paired differences b - a of a metric, replication by replication."""

    differences: np.ndarray

    def interval(self, confidence: float = 0.99) -> tuple[float, float]:
        """Student-t interval of the mean difference."""
        n = self.differences.size
        mean, sd = float(self.differences.mean()), float(self.differences.std(ddof=1))
        half = float(student.ppf(0.5 + confidence / 2.0, n - 1)) * sd / np.sqrt(n)
        return mean - half, mean + half

    @property
    def rises(self) -> bool:
        """The whole interval lies above 0."""
        return self.interval()[0] > 0.0

    @property
    def falls(self) -> bool:
        """The whole interval lies below 0."""
        return self.interval()[1] < 0.0

    @property
    def exactly_zero(self) -> bool:
        return bool((self.differences == 0.0).all())


World = tuple[tuple[str, ...], tuple[str, ...]]


def paired(metric: str, a: World, b: World, *, replications: Sequence[int] = range(5)) -> Paired:
    """Differences of a metric between two worlds under common random numbers."""
    values = [
        result(*b, replication=r).metrics[metric][0] - result(*a, replication=r).metrics[metric][0]
        for r in replications
    ]
    return Paired(np.array(values))
