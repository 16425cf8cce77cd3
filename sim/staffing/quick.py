"""The bare need, from a run's own files: how many heads theory asks for, about.

Nothing is simulated. The load is what the run's floor was offered, without what too few agents
provoked (redials, escalations), at its mean handle times; theory (sim/staffing/start.py) gives
agents at the stated risk, the roster's linear program the fewest heads that cover them if every
head has every skill and absence is as expected. The interval leaves out a group of replications at
a time (delete-a-group jackknife; Kott, Journal of Official Statistics 17, 2001). How many heads are
enough is what `springpeak staff` proves by simulation, with a roster; this does not.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from scipy.special import stdtrit

from scenarios.scenario import Scenario
from scenarios.words import CHANNELS, SKILLS
from sim.columns import Floats, Ints
from sim.experiment.rundir import REPLICATIONS, RunDirectory
from sim.staffing.floor import Groups
from sim.staffing.need import heads_of
from sim.staffing.plan import Planner
from sim.staffing.start import Start, asked_of
from sim.support.layout import QUEUES_COUNT

FILE_NAME: Final = "staffing_quick.json"
RISK_RATIO: Final = 0.95
GROUPS_COUNT: Final = 6


@dataclass(frozen=True, slots=True)
class Quick:
    """The fewest heads, about, with a 95 % interval; null with fewer than six replications."""

    heads_count: int
    fewest_count: int
    low_count: int | None
    high_count: int | None
    risk_ratio: float
    replications: int


def quick(run: Path, scenario: Scenario) -> Quick:
    """The answer of a run of this scenario; kept in the run, and found there by a second call."""
    directory = RunDirectory(run)
    count = pl.read_parquet(directory.table(REPLICATIONS))["replication"].n_unique()
    kept = run / FILE_NAME
    if kept.exists():
        found = Quick(**json.loads(kept.read_text(encoding="utf-8")))
        if found.replications == count:
            return found
    found = _answer(pl.read_parquet(directory.table("intervals")), scenario)
    directory.write_text(FILE_NAME, json.dumps(asdict(found), indent=1) + "\n")
    return found


def _answer(intervals: pl.DataFrame, scenario: Scenario) -> Quick:
    loads, handle_s = _loads(intervals, scenario)
    groups = Groups.of(scenario.support)
    asked, planner = asked_of(scenario, ()), Planner(scenario)
    count = len(loads)

    def fewest(chosen: Ints) -> int:
        start = Start(
            groups,
            asked,
            loads=loads[chosen],
            handle_s=handle_s,
            risk_ratio=RISK_RATIO,
            ticks_per_day=scenario.horizon.ticks_per_day,
        )
        return planner.fewest_heads(heads_of(start.agents, scenario))

    everyone = np.arange(count)
    middle, low, high = fewest(everyone), None, None
    if count >= GROUPS_COUNT:
        part = everyone % GROUPS_COUNT
        without = np.array([fewest(everyone[part != one]) for one in range(GROUPS_COUNT)])
        # Around their own mean: fewer replications ask for more heads, which is not spread.
        spread = np.sqrt((GROUPS_COUNT - 1) * without.var())
        half = float(stdtrit(GROUPS_COUNT - 1.0, 0.975) * spread)
        low, high = int(np.floor(middle - half)), int(np.ceil(middle + half))
    return Quick(scenario.support.heads_count, middle, low, high, RISK_RATIO, count)


def _loads(intervals: pl.DataFrame, scenario: Scenario) -> tuple[Floats, Floats]:
    """Load in slots (replications, intervals, groups), nothing on the warm-up day, and mean handle
    time by group."""
    horizon, of_queue = scenario.horizon, Groups.of(scenario.support).of_queue
    rows = intervals.with_columns(
        queue=pl.col("skill").cast(pl.Enum(SKILLS)).to_physical().cast(pl.Int64) * len(CHANNELS)
        + pl.col("channel").cast(pl.Enum(CHANNELS)).to_physical().cast(pl.Int64)
    ).sort("replication", "interval_start_s", "queue")
    shape = (intervals["replication"].n_unique(), -1, QUEUES_COUNT)

    def by_queue(name: str) -> Floats:
        return rows[name].to_numpy().astype(np.float64).reshape(shape)

    count = int(of_queue.max()) + 1
    member = np.eye(count)[of_queue]
    answered = by_queue("answered_count").sum(axis=(0, 1)) @ member
    handle_s = by_queue("handle_s_sum").sum(axis=(0, 1)) @ member / np.maximum(answered, 1.0)
    provoked = by_queue("redial_count") + by_queue("escalation_count")
    offered = (by_queue("offered_count") - provoked) @ member
    loads = offered * handle_s / horizon.tick_s
    warm_up = horizon.warm_up_days * horizon.ticks_per_day
    return np.pad(loads, ((0, 0), (warm_up, 0), (0, 0))), handle_s
