"""The whole study of a scenario's staffing: what is needed, which heads are enough, and what of it.

Worlds are simulated once and kept as tapes. The need is found on the fit replications: first by
iterative staffing, then by cuts, which raise it where a roster of ample heads misses a target.
Everything that is said is then shown on proof replications, which the need has never seen: rosters
of several headcounts on tapes, and the one asked about in whole simulations.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from math import ceil, floor, hypot
from typing import Final

import numpy as np

from scenarios.demand import Demand
from sim.columns import Floats, Ints
from sim.staffing import need as needs
from sim.staffing import planning
from sim.staffing.floors import Tapes, all_of
from sim.staffing.headcount import Smallest, smallest
from sim.staffing.plan import Plan, Planner
from sim.staffing.proof import Proven, by_group
from sim.staffing.requirement import Requirement, required
from sim.staffing.trial import Trial, targets_by_queue
from sim.theory.targets import Target

Tell = Callable[[str, int, int], None]
"""Hears what is being done, how much of it is, and how much of it there is."""
CUT_ROUNDS: Final = 2
# Above the 95 % that are asked, because unseen replications hold less than those of the fit.
ENOUGH_ON_FIT_RATIO: Final = 0.98
# Heads of the rosters that cuts look at, in shares of the fewest that cover the need: what such a
# roster misses is the need's fault, not for want of heads.
AMPLE_RATIO: Final = 1.1
# Headcounts of the curve, in shares of the fewest heads that cover the need.
CURVE_RATIOS: Final = (0.84, 0.92, 1.0)
SEARCH_ROUNDS: Final = 2
# The search ends where the last headcount that fails is so near to the first that holds.
NARROW_RATIO: Final = 0.015
# Where all headcounts tried are enough, or none is, the next one lies so far beyond.
BEYOND_RATIO: Final = 0.85
# Replications of a curve's point that are simulated whole, for what tapes do not have: payouts.
WHOLE_COUNT: Final = 3


@dataclass(frozen=True, slots=True)
class Setting:
    """What is asked, and with how much simulation it is answered."""

    heads_count: int
    targets: Sequence[Target]
    risk_ratio: float
    fit: Sequence[int]
    """Replications that the need is found with."""
    proof: Sequence[int]
    """Replications that everything is shown on."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a study found; `proven` in order of headcount."""

    setting: Setting
    planner: Planner
    requirement: Requirement
    need: Ints
    """Heads at desks by half hour and group, cuts included."""
    fewest_heads_count: int
    """The fewest heads that cover the need everywhere, by the program."""
    proven: tuple[Proven, ...]
    payouts_fen: dict[int, Floats]
    """Net payout by headcount, of the same first proof replications for all."""
    whole: Trial
    """Whole simulations of the plan asked about, of all proof replications."""
    smallest: Smallest

    @property
    def mine(self) -> Proven:
        """The plan of the headcount asked about, as its tapes show it."""
        asked = self.setting.heads_count
        return next(one for one in self.proven if one.plan.heads_count == asked)

    @property
    def mine_whole(self) -> Proven:
        """The same plan as whole simulations show it."""
        return Proven.of(
            self.mine.plan,
            self.whole,
            target_ratio=targets_by_queue(self.planner.scenario),
            risk_ratio=self.setting.risk_ratio,
        )


def demand_cv(demand: Demand) -> float:
    """Coefficient of variation of an hour around its forecast."""
    cvs = (
        demand.common_day_cv,
        demand.category_day_cv,
        demand.common_hour_cv,
        demand.category_hour_cv,
    )
    return hypot(*cvs)


class Study:
    """Does one study on tapes; `tell` hears how far it is."""

    def __init__(self, tapes: Tapes, setting: Setting, tell: Tell) -> None:
        self._tapes, self._setting, self._tell = tapes, setting, tell
        self.planner = Planner(tapes.scenario)
        self._targets = targets_by_queue(tapes.scenario)
        self._proven: dict[int, Proven] = {}

    def findings(self) -> Findings:
        """The whole study. Raises TargetError where targets contradict each other."""
        setting, tapes = self._setting, self._tapes
        endless = tapes.record(setting.fit, self._counting("worlds to plan with", len(setting.fit)))
        requirement = required(
            tapes,
            setting.fit,
            endless,
            targets=setting.targets,
            risk_ratio=needs.aimed(setting.risk_ratio),
            report=lambda done, planned: self._tell("agents needed: floors", done, planned),
        )
        need = needs.heads_of(requirement.agents, tapes.scenario)
        # A program takes one worker for long: the worlds of the proof are simulated beside it.
        first = self._ample(need)
        tapes.record(setting.proof, self._counting("worlds to prove with", len(setting.proof)))
        need = self._cut(need, first)
        fewest = self.planner.fewest_heads(need)
        self._prove(need, self._curve_counts(fewest))
        for _ in range(SEARCH_ROUNDS):
            self._prove(need, self._next_counts())
        whole, payouts_fen = self._whole()
        proven = tuple(one for _, one in sorted(self._proven.items()))
        return Findings(
            setting=setting,
            planner=self.planner,
            requirement=requirement,
            need=need,
            fewest_heads_count=fewest,
            proven=proven,
            payouts_fen=payouts_fen,
            whole=whole,
            smallest=smallest(proven),
        )

    def _counting(self, what: str, count: int) -> Callable[[int], None]:
        self._tell(what, 0, count)
        return lambda done: self._tell(what, done, count)

    def _cut(self, need: Ints, first: "list[Future[Plan]]") -> Ints:
        """The need raised where a roster of ample heads misses on the fit."""
        fit, ticks_per_day = self._setting.fit, self.planner.scenario.horizon.ticks_per_day
        for number in range(CUT_ROUNDS):
            said = f"cuts {number + 1}"
            coming = first if number == 0 else self._ample(need)
            plans = self._ready(coming, f"{said}: program")
            (trial,) = self._trials(plans, fit, f"{said}: floors")
            held = trial.held(self._targets)
            if (held.mean(axis=0) >= self._setting.risk_ratio).mean() >= ENOUGH_ON_FIT_RATIO:
                break
            need, _ = needs.cut(
                need,
                by_group(held, self.planner.groups.of_queue),
                risk_ratio=self._setting.risk_ratio,
                cv=demand_cv(self.planner.scenario.demand),
                ticks_per_day=ticks_per_day,
            )
        return need

    def _ample(self, need: Ints) -> "list[Future[Plan]]":
        """A quick roster of more heads than the need asks for."""
        count = ceil(AMPLE_RATIO * self.planner.fewest_heads(need))
        return self._start(need, [max(count, self._setting.heads_count)], fine_count=None)

    def _curve_counts(self, fewest: int) -> list[int]:
        counts = {ceil(fewest * ratio) for ratio in CURVE_RATIOS}
        return sorted(counts | {self._setting.heads_count})

    def _next_counts(self) -> list[int]:
        """Two headcounts between the last that fails and the first that holds, or one beyond; none
        where they are near each other."""
        found = smallest(list(self._proven.values()))
        if found.fails_count is None:
            return [floor(min(self._proven) * BEYOND_RATIO)]
        if found.holds_count is None:
            return [ceil(max(self._proven) / BEYOND_RATIO)]
        if found.holds_count <= (1.0 + NARROW_RATIO) * found.fails_count:
            return []
        thirds = np.linspace(found.fails_count, found.holds_count, 4)[1:-1]
        return sorted({round(count) for count in thirds} - set(self._proven))

    def _prove(self, need: Ints, counts: Sequence[int]) -> None:
        if not counts:
            return
        said = f"{counts[0]:,} to {counts[-1]:,} heads" if counts[1:] else f"{counts[0]:,} heads"
        coming = self._start(need, counts, fine_count=self._setting.heads_count)
        plans = self._ready(coming, f"{said}: programs")
        trials = self._trials(plans, self._setting.proof, f"{said}: floors")
        for plan, trial in zip(plans, trials, strict=True):
            self._proven[plan.heads_count] = Proven.of(
                plan,
                trial,
                target_ratio=self._targets,
                risk_ratio=self._setting.risk_ratio,
            )

    def _start(
        self, need: Ints, counts: Sequence[int], *, fine_count: int | None
    ) -> "list[Future[Plan]]":
        return planning.start(
            self._tapes.pool, self.planner.scenario, need, counts, fine_count=fine_count
        )

    def _ready(self, coming: "list[Future[Plan]]", what: str) -> list[Plan]:
        plans: list[Plan] = all_of(coming, self._counting(what, len(coming)))
        return plans

    def _trials(self, plans: Sequence[Plan], replications: Sequence[int], what: str) -> list[Trial]:
        report = self._counting(what, len(plans) * len(replications))
        staffed = [self.planner.staffed(plan) for plan in plans]
        return self._tapes.trials(staffed, replications, report)

    def _whole(self) -> tuple[Trial, dict[int, Floats]]:
        """Whole simulations: all of the plan asked about, some of every other one."""
        asked, proof = self._setting.heads_count, self._setting.proof
        staffed = [
            (self.planner.staffed(one.plan), proof if count == asked else proof[:WHOLE_COUNT])
            for count, one in self._proven.items()
        ]
        report = self._counting("whole simulations", sum(len(numbers) for _, numbers in staffed))
        trials = dict(zip(self._proven, self._tapes.whole_trials(staffed, report), strict=True))
        return trials[asked], {
            count: trial.metrics["payout_net_fen"][:WHOLE_COUNT] for count, trial in trials.items()
        }
