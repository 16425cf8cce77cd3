"""What a way of staffing is worth: the program without it, beside the program with it.

Compared are bounds of the program (wages and priced uncovered hours of the best roster, however it
rounds) and the fewest heads that cover the need, of a floor that knows no skills; nothing is
simulated. Cross-training is compared in the plan: what its lines leave uncovered without it. A
better forecast is one whose days miss it by 5 % less (sim/staffing/start.py): the need
shrinks by the share that theory says.
"""

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np

from scenarios.labour import STEP_H, Labour
from scenarios.scenario import Scenario
from sim.columns import Floats, Ints
from sim.staffing.floors import all_of
from sim.staffing.plan import Planner
from sim.staffing.study import Findings, Tell


@dataclass(frozen=True, slots=True)
class Worth:
    """An option: the cost and the heads that it saves; null where it has no such effect."""

    option: str
    cost_fen: float
    heads_count: int | None


@dataclass(frozen=True, slots=True)
class _Job:
    """A need under rules of work; picklable."""

    kind: type[Scenario]
    values: Mapping[str, Any]
    labour: Mapping[str, Any]
    need: Ints
    heads_count: int


def worths(found: Findings, pool: Executor, tell: Tell) -> list[Worth]:
    """What long shifts, part-timers, overtime, a better forecast and cross-training are worth."""
    scenario, plan = found.planner.scenario, found.mine.plan
    labour, values = scenario.support.labour, scenario.model_dump()

    def job(rules: Labour, need: Ints) -> _Job:
        return _Job(type(scenario), values, rules.model_dump(), need, plan.heads_count)

    without = _without(labour)
    better = better_forecast(found.need, found.requirement.better_forecast_ratio)
    jobs = [job(labour, found.need), job(labour, better)]
    jobs += [job(rules, found.need) for rules in without.values()]
    futures = [pool.submit(_priced, one) for one in jobs]
    what = "what options are worth"
    priced = all_of(futures, lambda done: tell(what, done, len(futures)))
    (base_fen, base_heads), (better_fen, better_heads), *others = priced
    worth = [
        Worth(option, fen - base_fen, heads - base_heads)
        for option, (fen, heads) in zip(without, others, strict=True)
    ]
    worth.append(Worth("cross_training", _crossed_fen(found), None))
    worth.append(Worth("better_forecast", base_fen - better_fen, base_heads - better_heads))
    return worth


def better_forecast(need: Ints, ratio: Floats) -> Ints:
    """The need by slot when its agents by interval shrink by these shares, to the nearest head:
    rounding up would hide what is saved in small groups."""
    per_slot = len(ratio) // len(need)
    by_slot = ratio.reshape(len(need), per_slot, -1).mean(axis=1)
    return np.asarray(np.rint(need * by_slot), dtype=np.int64)


def _priced(job: _Job) -> tuple[float, int]:
    """Bound of the program (fen) and fewest heads."""
    planner = Planner(_scenario(job))
    bound_fen = planner.bound_fen(job.need, heads_count=job.heads_count)
    return bound_fen, planner.fewest_heads(job.need)


def _crossed_fen(found: Findings) -> float:
    """Price of what stays uncovered when cross-trained heads do not help, less what does anyway."""
    planner, plan = found.planner, found.mine.plan
    price_fen = planner.scenario.support.labour.uncovered_fen_per_h * STEP_H
    with_none = planner.uncovered(plan.heads, plan.need, helping=False)
    return float(with_none.sum() - plan.uncovered.sum()) * price_fen


def _scenario(job: _Job) -> Scenario:
    support = {**job.values["support"], "labour": job.labour}
    return job.kind.model_validate({**job.values, "support": support})


def _without(labour: Labour) -> dict[str, Labour]:
    """The rules without each option that they allow."""
    values = labour.model_dump()
    found = {}
    for name, kind in values["kinds"].items():
        if 0.0 < kind["heads_max_ratio"] < 1.0:
            kinds = values["kinds"] | {name: kind | {"heads_max_ratio": 0.0}}
            found[f"{kind['work_h']:g}_h_shifts"] = Labour.model_validate(values | {"kinds": kinds})
    kinds = {name: kind | {"overtime_max_h": 0} for name, kind in values["kinds"].items()}
    found["overtime"] = Labour.model_validate(values | {"kinds": kinds})
    return found
