"""Plans for several headcounts at once, one a worker: the program runs on one thread."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from scenarios.scenario import Scenario
from sim.staffing.floors import Report, all_of
from sim.staffing.plan import Plan, Planner
from sim.support.roster import Ints


@dataclass(frozen=True, slots=True)
class _Job:
    """A headcount and its need; picklable."""

    kind: type[Scenario]
    values: Mapping[str, Any]
    need: Ints
    heads_count: int


def plans(
    pool: Executor, scenario: Scenario, need: Ints, heads_counts: Sequence[int], report: Report
) -> list[Plan]:
    """Plans for one need, shape (slots, groups), in the order of the headcounts."""
    values = scenario.model_dump()
    jobs = [_Job(type(scenario), values, need, count) for count in heads_counts]
    found: list[Plan] = all_of([pool.submit(_plan, job) for job in jobs], report)
    return found


def _plan(job: _Job) -> Plan:
    planner = Planner(job.kind.model_validate(job.values))
    return planner.plan(job.need, heads_count=job.heads_count)
