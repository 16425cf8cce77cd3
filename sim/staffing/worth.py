"""What a way of staffing is worth: the program without it, beside the program with it.

Compared are bounds of the program (wages and priced uncovered hours of the best roster, however it
rounds) and the fewest heads that cover the need; nothing is simulated. Cross-training is compared
where it acts, in the dealing of shifts to teams: what stays uncovered without it, at its price.
"""

from dataclasses import dataclass

from scenarios.labour import Labour
from scenarios.scenario import Scenario
from sim.staffing.plan import Plan, Planner
from sim.support.roster import Ints


@dataclass(frozen=True, slots=True)
class Worth:
    """An option: the cost and the heads that its absence adds; null where it has no such effect."""

    option: str
    cost_fen: float
    heads_count: int | None


def worths(planner: Planner, plan: Plan) -> list[Worth]:
    """What long shifts, part-timers, overtime and cross-training are worth to a plan."""
    labour, need = planner.scenario.support.labour, plan.need
    fewest = planner.fewest_heads(need)
    found = []
    for option, without in _without(labour).items():
        other = Planner(_with_labour(planner.scenario, without))
        cost_fen = other.bound_fen(need, heads_count=plan.heads_count) - plan.roster.bound_fen
        found.append(Worth(option, cost_fen, other.fewest_heads(need) - fewest))
    found.append(Worth("cross_training", _cross_training_fen(planner, plan, need), None))
    return found


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


def _with_labour(scenario: Scenario, labour: Labour) -> Scenario:
    values = scenario.model_dump()
    values["support"]["labour"] = labour.model_dump()
    return Scenario.model_validate(values)


def _cross_training_fen(planner: Planner, plan: Plan, need: Ints) -> float:
    """Price of what stays uncovered when nobody is cross-trained, less what does anyway."""
    price_fen = planner.scenario.support.labour.uncovered_fen_per_h / 2.0
    shares = [planner.deal(plan.roster, need, ratio).uncovered.sum() for ratio in (1.0, 0.0)]
    return float(shares[1] - shares[0]) * price_fen
