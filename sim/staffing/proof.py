"""From a need to a proven roster: plan, simulate, raise the need where a target was missed, again.

A plan is good enough when, at the stated risk, at least 95 % of the intervals reach their target:
an interval counts when a share `risk_ratio` of replications held it. What still misses when the
rounds are used up is named with its reason.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scenarios.scenario import Scenario
from sim.experiment.confidence import Estimate, share
from sim.staffing import need as needs
from sim.staffing.plan import Plan, Planner
from sim.staffing.trial import Trial, targets_by_queue, trial
from sim.support.cases import Floats
from sim.support.roster import Ints

GOOD_INTERVALS_RATIO: Final = 0.95
Say = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Proven:
    """A plan and what its simulation showed."""

    plan: Plan
    trial: Trial
    held_ratio: Floats
    """Share of replications in which an interval of a queue held, shape (intervals, queues)."""
    good_intervals_ratio: float
    """Share of intervals that hold at the stated risk."""
    good: Estimate
    """Share of replications in which at least 95 % of the intervals hold."""
    risk_ratio: float
    """Share of replications in which an interval has to hold."""

    @property
    def enough(self) -> bool:
        return self.good_intervals_ratio >= GOOD_INTERVALS_RATIO


@dataclass(frozen=True, slots=True)
class Setting:
    """What all trials of a proof share."""

    seed: int
    replications: Sequence[int]
    workers: int
    risk_ratio: float


class Proof:
    """Trials of plans for one scenario; `say` hears what is done and how many replications."""

    def __init__(self, scenario: Scenario, setting: Setting, say: Say) -> None:
        self._setting, self._say = setting, say
        self._targets = targets_by_queue(scenario)
        self.planner = Planner(scenario)

    def prove(self, need: Ints, *, heads_count: int, rounds: int) -> tuple[Proven, Ints]:
        """The best plan of some rounds of cuts, and the need that it was made for."""
        best: tuple[Proven, Ints] | None = None
        ticks_per_day = self.planner.scenario.horizon.ticks_per_day
        for number in range(rounds):
            self._say(f"{heads_count:,} heads: program, round {number + 1}", 0)
            plan = self.planner.plan(need, heads_count=heads_count)
            found = self._judge(plan, self._run(heads_count, plan))
            if best is None or found.good_intervals_ratio > best[0].good_intervals_ratio:
                best = found, need
            if found.enough:
                break
            need, _ = needs.cut(
                need,
                self._by_group(found),
                risk_ratio=self._setting.risk_ratio,
                ticks_per_day=ticks_per_day,
            )
        assert best is not None, "at least one round"
        return best

    def _by_group(self, found: Proven) -> NDArray[np.bool_]:
        """Whether all queues of a group held, shape (replications, intervals, groups)."""
        held, groups = found.trial.held(self._targets), self.planner.groups
        count = len(groups.names)
        return np.stack(
            [held[:, :, groups.of_queue == g].all(axis=2) for g in range(count)], axis=2
        )

    def _judge(self, plan: Plan, shown: Trial) -> Proven:
        held = shown.held(self._targets)
        ratio = held.mean(axis=0)
        good = held.mean(axis=(1, 2)) >= GOOD_INTERVALS_RATIO
        return Proven(
            plan=plan,
            trial=shown,
            held_ratio=ratio,
            good_intervals_ratio=float((ratio >= self._setting.risk_ratio).mean()),
            good=share(good.astype(float)),
            risk_ratio=self._setting.risk_ratio,
        )

    def _run(self, heads_count: int, plan: Plan) -> Trial:
        setting, what = self._setting, f"{heads_count:,} heads: simulation"
        self._say(what, 0)
        return trial(
            self.planner.staffed(plan),
            seed=setting.seed,
            replications=setting.replications,
            workers=setting.workers,
            progress=lambda count: self._say(what, count),
        )


def saved_ratio(a: Floats, b: Floats) -> float:
    """How many times fewer replications paired plans need than independent ones, same half-width.

    Var(a) + Var(b) over Var(a - b) of equal replications (Law, Simulation Modeling and Analysis,
    5th ed., 11.2); NaN with fewer than two.
    """
    if len(a) < 2:
        return float("nan")
    apart = float(np.var(b - a, ddof=1))
    alone = float(np.var(a, ddof=1) + np.var(b, ddof=1))
    return alone / apart if apart > 0.0 else float("inf")
