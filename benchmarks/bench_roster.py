"""The roster's program at full size: gap, seconds, columns, uncovered hours, open shifts, breaches.

Method: the need of a made-up festival, from the base scenario alone: its nine days and the day
before weighted by the day multipliers of inquiries, the hours of a day by the hour profile, the
skills by the shares of their teams, so much work that it takes most of the 2,400 heads. CPU time of
the process, both channels included. The gap is to the bound of the same program.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Final

import numpy as np

from scenarios.command import BASE
from scenarios.labour import STEP_H
from scenarios.loader import load
from scenarios.model import FIRST_OFFSET_D
from scenarios.scenario import Scenario
from sim.columns import Ints
from sim.staffing.breaches import breaches
from sim.staffing.plan import Planner
from sim.staffing.shifts import SLOTS_PER_DAY
from sim.staffing.tables import lines_table

HEADS_COUNT: Final = 2_400
HOURS_PER_HEAD: Final = 72.0


def made_up_need(scenario: Scenario, planner: Planner) -> Ints:
    """Heads by half hour and skill; deterministic."""
    ratios = np.array(scenario.consumers.inquiries.ratio.row())
    first = planner.first_lunar_day - FIRST_OFFSET_D
    multipliers = np.array(scenario.demand.day_multiplier.row())
    weights = ratios @ multipliers[:, first : first + planner.days_count]
    hours = np.arange(SLOTS_PER_DAY) * STEP_H
    profile = np.interp(
        hours, np.arange(24) + 0.5, scenario.consumers.inquiries.hour_profile, period=24.0
    )
    groups = planner.groups
    shares = np.zeros(len(groups.names))
    for name, group in zip(planner.teams, groups.of_team(scenario.support), strict=True):
        shares[group] += scenario.support.teams[name].heads_ratio
    load = np.outer(np.outer(weights, profile), shares / shares.sum())
    load *= HEADS_COUNT * HOURS_PER_HEAD / (load.sum() * STEP_H)
    return np.ceil(load).astype(np.int64)


def main() -> None:
    """Plan once and print."""
    scenario = load(BASE)
    planner = Planner(scenario)
    need = made_up_need(scenario, planner)
    start_s, wall_s = process_time(), perf_counter()
    plan = planner.plan(need, heads_count=HEADS_COUNT)
    cpu_s, wall_s = process_time() - start_s, perf_counter() - wall_s
    with TemporaryDirectory() as folder:
        path = Path(folder) / "lines.csv"
        lines_table(planner, plan.lines).write_csv(path)
        found, heads_count = breaches(
            path,
            scenario.support.labour,
            teams=scenario.support.teams,
            heads_count=HEADS_COUNT,
        )
    roster = plan.roster
    print(
        f"roster: need {need.sum() * STEP_H:,.0f} h, peak {need.sum(axis=1).max():,} heads; "
        f"{len(planner.shifts):,} shifts x {len(planner.teams)} teams, {HEADS_COUNT:,} heads"
    )
    print(f"gap {roster.gap_ratio:.3%} of the bound; {cpu_s:.1f} s CPU, {wall_s:.1f} s wall")
    print(
        f"uncovered {roster.uncovered.sum() * STEP_H:,.1f} h in the program, "
        f"{plan.uncovered.sum() * STEP_H:,.1f} h in the lines; open shifts "
        f"{len(plan.lines.open_shifts):,} of {roster.heads.sum():,}; {len(found)} breaches in the "
        f"lines of {heads_count:,} heads"
    )


if __name__ == "__main__":
    main()
