"""How many productive agents each skill needs in each interval, for targets and a stated risk.

Start: theory on the load of an endless floor (sim/staffing/start.py). Then simulation-based
iterative staffing (sim/staffing/isa.py) through the real pool: every replication's floor is run
again with the agents found so far, until they stop moving. Source: Feldman et al., Management
Science 54 (2008). Absence is the roster's matter, not this one's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sim.columns import Floats, Ints
from sim.staffing.floor import Groups, Shown
from sim.staffing.floors import Tapes
from sim.staffing.start import Start, asked_of
from sim.theory.targets import Target

ITERATIONS: Final = 3
# Agents that move by less than one and this share of a standard deviation are found.
STILL_RATIO: Final = 0.25


@dataclass(frozen=True, slots=True)
class Requirement:
    """Productive agents needed, of shape (intervals, skills), over the whole horizon.

    A skill is named with its channel (general/phone); skills that share all their agents are one
    (a+b). Intervals start at 00:00 of the first simulated day, warm-up included.
    """

    skills: tuple[str, ...]
    first_lunar_day: int
    tick_s: int
    agents: Ints
    better_forecast_ratio: Floats
    """Of those, what a 5 % better forecast would leave; by theory, same shape."""


def required(
    tapes: Tapes,
    replications: Sequence[int],
    endless: Sequence[Shown],
    *,
    targets: Sequence[Target],
    risk_ratio: float,
    report: Callable[[int, int], None] = lambda _done, _planned: None,
) -> Requirement:
    """The agents needed so that on `risk_ratio` of replications an interval keeps the targets.

    `endless` is what the tapes' recording showed of the replications. `report(done, planned)`
    counts floors run. Raises TargetError where targets contradict each other.
    """
    scenario = tapes.scenario
    groups = Groups.of(scenario.support)
    start = Start(
        groups,
        asked_of(scenario, targets),
        loads=np.array([one.load for one in endless]),
        handle_s=np.mean([one.handle_s for one in endless], axis=0),
        risk_ratio=risk_ratio,
        ticks_per_day=scenario.horizon.ticks_per_day,
    )
    agents, count = start.agents, len(replications)
    planned = count * ITERATIONS
    for number in range(ITERATIONS):
        before = number * count

        def told(done: int, before: int = before) -> None:
            report(before + done, planned)

        found = start.iterate(tapes.floors(replications, agents, told))
        moved = np.abs(found - agents) > 1.0 + STILL_RATIO * np.sqrt(agents)
        # Half a step after the first: where nobody gives up (escalations), too few agents pile up
        # a queue that asks for too many the next time.
        agents = found if number == 0 else (found + agents + 1) // 2
        if not moved.any():
            break
    report(planned, planned)
    return Requirement(
        skills=groups.names,
        first_lunar_day=scenario.horizon.start_day,
        tick_s=scenario.horizon.tick_s,
        agents=agents,
        better_forecast_ratio=start.better_forecast_ratio(),
    )
