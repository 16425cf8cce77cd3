"""The tables of a proven plan, as scenarios/staff_tables.py describes them."""

import numpy as np
import polars as pl

from scenarios.labour import STEP_H
from scenarios.staff_tables import STAFF_TABLES
from sim.staffing.plan import Plan, Planner
from sim.staffing.proof import Proven
from sim.staffing.shifts import SLOTS_PER_DAY


def tables(planner: Planner, proven: Proven) -> dict[str, pl.DataFrame]:
    """required, cover, roster and lines by name."""
    found = {
        "required": _required(planner, proven),
        "cover": _cover(planner, proven.plan),
        "roster": pl.DataFrame(planner.duties(proven.plan.heads).model_dump()),
        "lines": lines_table(planner, proven.plan),
    }
    return {name: typed(name, frame) for name, frame in found.items()}


def typed(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """A table with the columns, in the order and of the types that the dictionary says."""
    columns = STAFF_TABLES[name]
    return frame.select([pl.col(one.name).cast(getattr(pl, one.dtype)) for one in columns])


def _required(planner: Planner, proven: Proven) -> pl.DataFrame:
    need, missing = proven.plan.need, proven.plan.uncovered
    groups = planner.groups
    slots, count = need.shape
    slot = np.repeat(np.arange(slots), count)
    held = np.full((slots, count), np.nan)
    per_slot = planner.scenario.horizon.ticks_per_day // SLOTS_PER_DAY
    by_slot = proven.held_ratio.reshape(-1, per_slot, proven.held_ratio.shape[1]).min(axis=1)
    for group in range(count):
        held[slots - len(by_slot) :, group] = by_slot[:, groups.of_queue == group].min(axis=1)
    why = np.where(missing.ravel() > 0.0, "heads", "chance")
    missed = held.ravel() < proven.risk_ratio
    return pl.DataFrame(
        {
            "missed_because": [str(w) if m else None for w, m in zip(why, missed, strict=True)],
            "lunar_day": planner.first_lunar_day + slot // SLOTS_PER_DAY,
            "start_h": slot % SLOTS_PER_DAY * STEP_H,
            "skill": np.tile(np.array(groups.names, dtype=object), slots).tolist(),
            "heads_count": need.ravel(),
            "uncovered_count": missing.ravel(),
            "held_ratio": pl.Series(held.ravel()).fill_nan(None),
        }
    )


def _cover(planner: Planner, plan: Plan) -> pl.DataFrame:
    slot = np.arange(len(plan.need))
    at_desks = np.zeros(len(slot), dtype=np.int64)
    of_column = plan.heads.sum(axis=1)
    for column in np.flatnonzero(of_column):
        at_desks[planner.shifts.covers[column]] += of_column[column]
    return pl.DataFrame(
        {
            "lunar_day": planner.first_lunar_day + slot // SLOTS_PER_DAY,
            "start_h": slot % SLOTS_PER_DAY * STEP_H,
            "needed_count": plan.need.sum(axis=1),
            "rostered_count": at_desks,
            "uncovered_count": plan.uncovered.sum(axis=1),
        }
    )


def lines_table(planner: Planner, plan: Plan) -> pl.DataFrame:
    """Every head's row of shifts, one line a head and day."""
    lines, shifts = plan.lines, planner.shifts
    heads, days = lines.shift.shape
    column = lines.shift.ravel()
    works, place = column >= 0, np.maximum(column, 0)
    kinds = [planner.scenario.support.labour.kinds[name] for name in shifts.kind_names]
    kind = np.repeat(lines.kind, days)

    def where_works(values: np.ndarray) -> list[float | None]:
        return [float(v) if w else None for v, w in zip(values, works, strict=True)]

    return pl.DataFrame(
        {
            "head": np.repeat(np.arange(1, heads + 1), days),
            "team": [planner.teams[team] for team in np.repeat(lines.team, days)],
            "kind": [shifts.kind_names[k] for k in kind],
            "lunar_day": planner.first_lunar_day + np.tile(np.arange(days), heads),
            "start_h": where_works(shifts.start[place] * STEP_H),
            "work_h": where_works(np.array([one.work_h for one in kinds])[kind]),
            "break_h": where_works(np.array([one.break_h for one in kinds])[kind]),
            "overtime_h": where_works(shifts.overtime_h[place]),
        }
    )
