"""A plan for a headcount: the program's roster, dealt to teams, as lines of work, and as duties.

Decides nothing itself: it strings sim/staffing/program.py, skills.py and lines.py together. What
the lines of work leave open is not in the duties: the simulation only sees heads who may come.
"""

from dataclasses import dataclass

import numpy as np

from scenarios.labour import STEP_H, Duties
from scenarios.scenario import Scenario
from sim.columns import Floats, Ints
from sim.staffing import skills
from sim.staffing.floor import Groups
from sim.staffing.lines import Lines, lines
from sim.staffing.program import Program, Roster
from sim.staffing.rolling import FULL, Effort
from sim.staffing.shifts import Pay, Shifts
from sim.support.layout import Layout


@dataclass(frozen=True, slots=True)
class Plan:
    """A roster for a headcount."""

    heads_count: int
    roster: Roster
    lines: Lines
    heads: Ints
    """By column and team, as the lines of work have them."""
    need: Ints
    uncovered: Floats
    """Heads missing by slot and group of queues."""
    duties: Duties


class Planner:
    """Everything about a scenario that plans for different headcounts share."""

    def __init__(self, scenario: Scenario) -> None:
        horizon = scenario.horizon
        self.scenario = scenario
        self.first_lunar_day = horizon.start_day
        days = range(horizon.start_day, horizon.last_day + 1)
        labour = scenario.support.labour
        self.pay = Pay.of(scenario.support.wage, scenario.calendar, days)
        self.days_count = horizon.days_count
        self.shifts = Shifts.of(labour, days_count=self.days_count)
        self.teams = tuple(team.name for team in Layout.of(scenario.support).teams)
        self.groups = Groups.of(scenario.support)
        queues = [
            np.flatnonzero(self.groups.of_queue == g).tolist()
            for g in range(len(self.groups.names))
        ]
        self._serves = skills.served(scenario.support, queues)
        self._program = Program(labour, self.pay, self.shifts, serves=self._serves)
        self._floor = Program(labour, self.pay, self.shifts, serves=[[0]])
        self._flexible_ratio = sum(
            scenario.support.teams[name].heads_ratio
            for name, groups in zip(self.teams, self._serves, strict=True)
            if len(groups) > 1
        )

    def fewest_heads(self, need: Ints) -> int:
        """Fewer heads cannot cover a need, shape (slots, groups), even if all had all skills."""
        return self._floor.fewest_heads(need.sum(axis=1, keepdims=True))

    def bound_fen(self, need: Ints, *, heads_count: int) -> float:
        """What a roster costs at least, even if all heads had all skills."""
        return self._floor.bound_fen(need.sum(axis=1, keepdims=True), heads_count=heads_count)

    def plan(self, need: Ints, *, heads_count: int, effort: Effort = FULL) -> Plan:
        """The plan of a headcount for a need of shape (slots, groups)."""
        roster = self._program.solve(
            need,
            heads_count=heads_count,
            flexible_heads_max=self._flexible_ratio * heads_count,
            effort=effort,
        )
        labour = self.scenario.support.labour
        found = lines(roster, self.shifts, labour, days_count=self.days_count)
        heads = found.heads(len(self.shifts), len(self.teams))
        missing = self.uncovered(heads, need)
        return Plan(heads_count, roster, found, heads, need, missing, self.duties(heads))

    def uncovered(self, heads: Ints, need: Ints, *, helping: bool = True) -> Floats:
        """Heads missing by slot and group for heads by column and team.

        Without `helping` cross-trained heads only serve their own skill.
        """
        serves = self._serves if helping else [groups[:1] for groups in self._serves]
        return skills.uncovered(heads, self.shifts, serves=serves, need=need)

    def duties(self, heads: Ints) -> Duties:
        """Heads by column and team as an explicit roster."""
        columns, teams = np.nonzero(heads)
        shifts, kinds = self.shifts, self.scenario.support.labour.kinds
        of_kind = [kinds[shifts.kind_names[k]] for k in shifts.kind[columns]]
        return Duties(
            lunar_day=tuple((self.first_lunar_day + shifts.day[columns]).tolist()),
            team=tuple(self.teams[team] for team in teams),
            start_h=tuple((shifts.start[columns] * STEP_H).tolist()),
            length_h=tuple(kind.length_h for kind in of_kind),
            break_start_h=tuple((shifts.break_start[columns] * STEP_H).tolist()),
            break_h=tuple(kind.break_h for kind in of_kind),
            overtime_h=tuple(shifts.overtime_h[columns].astype(float).tolist()),
            heads_count=tuple(heads[columns, teams].tolist()),
        )

    def staffed(self, plan: Plan) -> Scenario:
        """The scenario with a plan's headcount and roster."""
        values = self.scenario.model_dump()
        before = min(values["support"]["headcount_before_count"], plan.heads_count)
        values["support"] |= {
            "duties": plan.duties.model_dump(),
            "growth": "to",
            "headcount_count": plan.heads_count,
            "headcount_before_count": before,
            "seats_count": max(values["support"]["seats_count"], plan.heads_count),
        }
        return Scenario.model_validate(values)
