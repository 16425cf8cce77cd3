"""Plans for several headcounts at once, one a worker.

The plan that is handed over gets the program's full effort; those that it is compared with, a
quick one, which ends a little farther from the bound.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any

from scenarios.scenario import Scenario
from sim.columns import Ints
from sim.staffing.plan import Plan, Planner
from sim.staffing.rolling import FULL, QUICK, Effort


@dataclass(frozen=True, slots=True)
class _Job:
    """A headcount and its need; picklable."""

    kind: type[Scenario]
    values: Mapping[str, Any]
    need: Ints
    heads_count: int
    effort: Effort


def start(
    pool: Executor,
    scenario: Scenario,
    need: Ints,
    heads_counts: Sequence[int],
    *,
    fine_count: int | None,
) -> "list[Future[Plan]]":
    """Starts the plans of several headcounts for one need, shape (slots, groups), the one of
    `fine_count` heads with full effort."""
    values = scenario.model_dump()
    jobs = []
    for count in heads_counts:
        effort = FULL if count == fine_count else QUICK
        jobs.append(_Job(type(scenario), values, need, count, effort))
    return [pool.submit(_plan, job) for job in jobs]


def _plan(job: _Job) -> Plan:
    planner = Planner(job.kind.model_validate(job.values))
    return planner.plan(job.need, heads_count=job.heads_count, effort=job.effort)
