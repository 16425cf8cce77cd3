"""The catering patrol, and reports by consumers for a bounty.

Inspectors visit restaurants uniformly at random. A speculator's kitchen is in violation with
`violating_ratio` (times `caught_multiple` once caught), and a visit finds it with `find_ratio`.
Reports arrive as a Poisson count; each is valid with `reports_valid_ratio` and then names a
speculator.
"""

from dataclasses import dataclass

import numpy as np

from scenarios.scenario import Scenario
from scenarios.words import CATEGORIES
from sim.columns import Floats, Ints
from sim.market.fleet import Fleet
from sim.streams import Streams

CATERING = CATEGORIES.index("catering")


@dataclass(frozen=True, slots=True)
class PatrolDay:
    """What one day of patrol and reports established."""

    visits_count: int
    caught_stores: Ints
    """Stores found in violation, each once."""
    reports_count: int
    reported_stores: Ints
    """Store of each valid report."""
    reported_s: Floats
    """Time of day of each valid report's decision (s); may pass midnight."""
    verification_work_s: float


def patrol_day(
    scenario: Scenario, fleet: Fleet, streams: Streams, *, lunar_day: int
) -> PatrolDay:
    """One day of inspections and reports; changes nothing."""
    patrol = scenario.patrol
    rows = fleet.rows(CATERING)
    kitchens = rows.stop - rows.start
    day = f"d{lunar_day:+d}"
    visits = (
        patrol.online_inspectors_count * patrol.online_visits_per_day_count
        + patrol.onsite_inspectors_count * patrol.onsite_visits_per_day_count
    )
    visited = rows.start + streams.rng(f"patrol.visit/{day}").integers(0, kitchens, visits)
    conduct = np.where(fleet.caught[visited], scenario.conduct.caught_multiple, 1.0)
    violating = fleet.speculator[visited] & fleet.listed[visited]
    violating &= streams.rng(f"patrol.violating/{day}").random(visits) < (
        patrol.violating_ratio * conduct
    )
    found = streams.rng(f"patrol.find/{day}").random(visits) < patrol.find_ratio
    reports = int(streams.rng(f"report.count/{day}").poisson(patrol.reports_per_day_count))
    valid = streams.rng(f"report.valid/{day}").random(reports) < patrol.reports_valid_ratio
    suspects = rows.start + np.flatnonzero(fleet.speculator[rows] & fleet.listed[rows])
    named = streams.rng(f"report.store/{day}").random(reports)[valid]
    hour_s = streams.rng(f"report.time/{day}").random(reports)[valid] * 86400.0
    wait_s = patrol.report_decision_median_s * np.exp(
        0.5 * streams.rng(f"report.decision/{day}").standard_normal(reports)[valid]
    )
    return PatrolDay(
        visits_count=visits,
        caught_stores=np.unique(visited[violating & found]),
        reports_count=reports,
        reported_stores=suspects[(named * suspects.size).astype(np.int64)],
        reported_s=hour_s + wait_s,
        verification_work_s=reports * patrol.verification_work_s,
    )
