"""The folder of a staffing plan: tables as CSV, the overlay that runs it, and summary.json.

Everything is written into a folder beside the one asked for, which is then put in its place: a plan
is there whole or not at all.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl

from scenarios.labour import STEP_H
from sim.staffing.breaches import breaches
from sim.staffing.curve import Answers, curve, steps
from sim.staffing.plan import Plan, Planner
from sim.staffing.study import Findings
from sim.staffing.tables import tables, typed
from sim.staffing.worth import Worth

SUMMARY = "summary.json"
OVERLAY = "overlay.toml"


@contextmanager
def whole(out: Path) -> Iterator[Path]:
    """A folder to write into that takes the place of `out` at the end."""
    beside = out.with_name(f"{out.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    try:
        yield beside
        shutil.rmtree(out, ignore_errors=True)
        beside.rename(out)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def write(folder: Path, found: Findings, *, said: Answers, worth: Sequence[Worth]) -> int:
    """Write everything; returns the breaches that the judge of lines.csv finds."""
    planner, mine = found.planner, found.mine_whole
    frames = tables(planner, mine)
    frames["curve"] = typed("curve", pl.DataFrame(curve(found), infer_schema_length=None))
    frames["steps"] = typed("steps", pl.DataFrame(steps(found)))
    for name, frame in frames.items():
        frame.write_csv(folder / f"{name}.csv")
    (folder / OVERLAY).write_text(overlay_text(planner, mine.plan), encoding="utf-8")
    support = planner.scenario.support
    broken, heads_count = breaches(
        folder / "lines.csv",
        support.labour,
        teams=support.teams,
        heads_count=mine.plan.heads_count,
    )
    roster = mine.plan.roster
    missed = frames["required"]["missed_because"]
    summary: dict[str, Any] = {
        "scenario": planner.scenario.name,
        "fingerprint": planner.scenario.fingerprint,
        **asdict(said),
        "missed_because": {why: int((missed == why).sum()) for why in ("heads", "chance")},
        "uncovered_h": float(mine.plan.uncovered.sum()) * STEP_H,
        "open_shifts_count": len(mine.plan.lines.open_shifts),
        "program_cost_fen": roster.cost_fen,
        "program_bound_fen": roster.bound_fen,
        "program_gap_ratio": roster.gap_ratio,
        "heads_with_lines_count": heads_count,
        "worth": [asdict(one) for one in worth],
        "breaches": [str(one) for one in broken],
    }
    text = json.dumps(summary, ensure_ascii=False, indent=2, default=float) + "\n"
    (folder / SUMMARY).write_text(text, encoding="utf-8")
    return len(broken)


def overlay_text(planner: Planner, plan: Plan) -> str:
    """The overlay with which `springpeak run --overlay` simulates the roster."""
    heads_count = plan.heads_count
    support = planner.scenario.support
    lines = [
        f'description = "Roster of {heads_count} heads, found by springpeak staff"',
        "",
        "[support]",
        'growth = "to"',
        f"headcount_count = {heads_count}",
        f"headcount_before_count = {min(support.headcount_before_count, heads_count)}",
        f"seats_count = {max(support.seats_count, heads_count)}",
        "",
        "[support.duties]",
    ]
    lines += [
        f"{name} = {json.dumps(list(values), ensure_ascii=False)}"
        for name, values in plan.duties.model_dump().items()
    ]
    return "\n".join(lines) + "\n"
