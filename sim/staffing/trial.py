"""A roster on trial: the same replications for every plan, and what each interval held.

All plans meet the same consumers: seeds and replications are equal, attendance is drawn from the
same streams (common random numbers). An interval of a queue holds when its service level reaches
the channel's target; one in which nothing was offered holds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios.scenario import Scenario
from scenarios.words import CHANNELS
from sim.experiment.runner import worker_pool
from sim.replication import simulate
from sim.support.cases import Floats
from sim.support.layout import QUEUES_COUNT
from sim.support.roster import Ints

Progress = Callable[[int], None]
METRICS = (
    "service_level_phone_ratio",
    "service_level_im_ratio",
    "abandoned_ratio",
    "contacts_abandoned_count",
    "payout_net_fen",
    "wage_fen",
)


@dataclass(frozen=True, slots=True)
class Trial:
    """What the replications of one plan showed; arrays are replications x
    intervals x queues."""

    offered: Ints
    within: Ints
    metrics: Mapping[str, Floats]
    """Metrics by name, one value a replication."""

    def held(self, target_ratio: Floats) -> NDArray[np.bool_]:
        """Whether an interval of a queue reached its target; `target_ratio` by queue."""
        return self.within >= target_ratio * self.offered


def targets_by_queue(scenario: Scenario) -> Floats:
    """Service-level target of every queue."""
    targets = scenario.support.targets
    ratios = [targets.phone.service_level_ratio, targets.im.service_level_ratio]
    return np.array([ratios[queue % len(CHANNELS)] for queue in range(QUEUES_COUNT)])


def trial(
    scenario: Scenario,
    *,
    seed: int,
    replications: Sequence[int],
    workers: int,
    progress: Progress,
) -> Trial:
    """Simulate a scenario with its roster; `progress` hears of every finished replication."""
    values = scenario.model_dump()
    found = []
    with worker_pool(workers, None) as pool:
        jobs = [(values, seed, replication) for replication in replications]
        for one in pool.map(_one, jobs):
            found.append(one)
            progress(1)
    return Trial(
        offered=np.array([one["offered"] for one in found]),
        within=np.array([one["within"] for one in found]),
        metrics={name: np.array([one["metrics"][name] for one in found]) for name in METRICS},
    )


def _one(job: tuple[dict[str, Any], int, int]) -> dict[str, Any]:
    values, seed, replication = job
    scenario = Scenario.model_validate(values)
    result = simulate(scenario, seed=seed, replication=replication)
    table = result.tables["intervals"]
    shape = (-1, QUEUES_COUNT)
    return {
        "offered": table["offered_count"].reshape(shape).astype(np.int64),
        "within": table["answered_within_threshold_count"].reshape(shape).astype(np.int64),
        "metrics": {name: result.metrics[name][0] for name in METRICS},
    }
