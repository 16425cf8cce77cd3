"""A roster on trial: the same replications for every plan, and what each interval held.

All plans meet the same consumers: seeds and replications are equal, attendance is drawn from the
same streams (common random numbers). On a tape only the floor runs: what it would change in the
world (pots that run dry earlier or later) stays as the tape has it; the whole simulation has it
all, and payouts. An interval of a queue holds when its service level reaches the channel's target;
one in which nothing was offered holds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from scenarios.scenario import Scenario
from scenarios.words import CHANNELS
from sim.columns import Floats, Ints
from sim.market.shocks import shock_field
from sim.replication import simulate
from sim.streams import Streams
from sim.support.attempts import ABANDONED, ANSWERED
from sim.support.layout import QUEUES_COUNT, Layout
from sim.support.roster import Roster
from sim.support.service import CHANNEL_OF
from sim.support.tape import Tape

FLOOR_METRICS: Final = (
    "service_level_phone_ratio",
    "service_level_im_ratio",
    "abandoned_ratio",
    "contacts_abandoned_count",
    "wage_fen",
)
METRICS: Final = (*FLOOR_METRICS, "payout_net_fen")
Counts = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Shows:
    """What one replication of a plan shows: contacts by (interval, queue), and metrics by name."""

    offered: Counts
    within: Counts
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Trial:
    """What the replications of one plan showed; arrays are replications x intervals x queues."""

    offered: Counts
    within: Counts
    metrics: Mapping[str, Floats]
    """Metrics by name, one value a replication."""

    @classmethod
    def of(cls, shown: Sequence[Shows]) -> "Trial":
        """The trial of replications in order."""
        return cls(
            offered=np.array([one.offered for one in shown]),
            within=np.array([one.within for one in shown]),
            metrics={
                name: np.array([one.metrics[name] for one in shown]) for name in shown[0].metrics
            },
        )

    def held(self, target_ratio: Floats) -> NDArray[np.bool_]:
        """Whether an interval of a queue reached its target; `target_ratio` by queue."""
        return np.asarray(self.within >= target_ratio * self.offered)


def targets_by_queue(scenario: Scenario) -> Floats:
    """Service-level target of every queue."""
    targets = scenario.support.targets
    ratios = [targets.phone.service_level_ratio, targets.im.service_level_ratio]
    return np.array(ratios)[CHANNEL_OF]


def whole(scenario: Scenario, *, seed: int, replication: int) -> Shows:
    """The whole simulation of a replication."""
    result = simulate(scenario, seed=seed, replication=replication)
    table, shape = result.tables["intervals"], (-1, QUEUES_COUNT)
    return Shows(
        offered=table["offered_count"].reshape(shape),
        within=table["answered_within_threshold_count"].reshape(shape),
        metrics={name: result.metrics[name][0] for name in METRICS},
    )


def floor(scenario: Scenario, tape: Tape, *, seed: int, replication: int) -> Shows:
    """The floor of a replication alone, with the scenario's roster; counts and metrics are those
    of `whole`, as sim/support/service.py defines them."""
    support, horizon = scenario.support, scenario.horizon
    roster = Roster.draw(
        support,
        calendar=scenario.calendar,
        horizon=horizon,
        streams=Streams(seed=seed, replication=replication),
        attendance_multiple_by_day=shock_field(scenario).attendance_multiple,
    )
    tick_s = float(horizon.tick_s)
    attempts = tape.play(Layout.of(support), tick_s=tick_s, slots=roster.slots, pace=roster.pace)
    first = horizon.warm_up_days * horizon.ticks_per_day
    ticks_count = horizon.days_count * horizon.ticks_per_day
    cell = (attempts.arrived_s / tick_s).astype(np.int64) * QUEUES_COUNT + attempts.queue
    targets = support.targets
    threshold_s = np.array([targets.phone.threshold_s, targets.im.threshold_s])[CHANNEL_OF]
    wait_s = attempts.answered_s - attempts.arrived_s
    in_time = (attempts.outcome == ANSWERED) & (wait_s <= threshold_s[attempts.queue])

    def count(cells: Ints) -> Counts:
        counts = np.bincount(cells, minlength=ticks_count * QUEUES_COUNT)
        return counts.reshape(ticks_count, QUEUES_COUNT)[first:].astype(np.int32)

    offered, within = count(cell), count(cell[in_time])
    abandoned_count = float(count(cell[attempts.outcome == ABANDONED]).sum())
    metrics = {}
    for number, name in enumerate(CHANNELS):
        mine = number == CHANNEL_OF
        metrics[f"service_level_{name}_ratio"] = _ratio(
            within[:, mine].sum(), offered[:, mine].sum()
        )
    metrics |= {
        "abandoned_ratio": _ratio(abandoned_count, offered.sum()),
        "contacts_abandoned_count": abandoned_count,
        "wage_fen": float(roster.wage_fen[first:].sum()),
    }
    return Shows(offered, within, metrics)


def _ratio(part: Any, all_of_it: Any) -> float:
    return float(part) / float(all_of_it) if all_of_it > 0 else float("nan")
