"""What a calculator is asked: checked at the door, answered for a number of agents or the least.

Decides the ranges of the inputs, and the form of the answer. A queue itself is a function of agents
and threshold (sim/theory/calculators.py); times in seconds, rates per hour.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from math import ceil, isfinite
from typing import Final

import numpy as np

from scenarios.problems import Problem
from sim.theory import targets as target_words
from sim.theory.erlang import Measures
from sim.theory.targets import AGENTS_LIMIT, Target, contradictions, least_agents

Solve = Callable[[int, float], Measures]
THRESHOLD_S: Final = 20.0
# Option: (least, most, what would be right). A least of 0 is itself right only in `FROM_ZERO`.
RANGES: Final[dict[str, tuple[float, float, str]]] = {
    "agents": (1, AGENTS_LIMIT, f"a whole number from 1 to {AGENTS_LIMIT}"),
    "arrivals_per_h": (0.0, 1e9, "contacts per hour, above 0"),
    "aht_s": (0.0, 1e7, "a mean handle time in seconds, above 0"),
    "patience_s": (0.0, 1e15, "a mean patience in seconds, above 0"),
    "threshold_s": (0.0, 1e9, "seconds, 0 or more"),
    "shrinkage_ratio": (0.0, 0.99, "a share of paid time, 0 or more and at most 0.99"),
    "rate_cv": (0.0, 1.0, "a coefficient of variation from 0 to 1"),
    "redial_ratio": (0.0, 1.0, "a share from 0 to 1"),
    "reconnect_ratio": (0.0, 0.999, "a share from 0 to 0.999"),
    "sessions": (1, 100, "whole chats at a time, from 1 to 100"),
    "efficiency_ratio": (0.01, 1.0, "a share from 0.01 to 1"),
}
FROM_ZERO: Final = {
    "threshold_s",
    "shrinkage_ratio",
    "rate_cv",
    "redial_ratio",
    "reconnect_ratio",
}
LOAD_LEAST_ERLANG: Final = 1e-9
LOAD_MOST_ERLANG: Final = 1e6


@dataclass(frozen=True, slots=True)
class Queue:
    """Measures by agents and threshold, and what else the answer names."""

    solve: Solve
    details: Callable[[int, float], dict[str, object]] = lambda _agents, _threshold_s: {}


class Refusal(Exception):
    """Raised with all that is wrong with a question."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


@dataclass(frozen=True, slots=True)
class Question:
    """A checked question; `agents` is None where the least agents for `targets` are asked."""

    agents: int | None
    arrivals_per_s: tuple[float, ...]
    aht_s: float
    patience_s: float | None
    threshold_s: float
    targets: tuple[Target, ...]
    shrinkage_ratio: float

    @property
    def arrival_per_s(self) -> float:
        """All classes together."""
        return sum(self.arrivals_per_s)


def wrong(option: str, value: object, right: str) -> Problem:
    """A problem with the value of an option."""
    place = "--" + option.replace("_", "-")
    return Problem(file=place, message=f"{value} is not right", hint=right)


def range_problems(values: Mapping[str, float | None]) -> list[Problem]:
    """All values outside their ranges; None is not given."""
    found = []
    for name, value in values.items():
        low, high, right = RANGES[name]
        if value is None:
            continue
        above = value >= low if low > 0.0 or name in FROM_ZERO else value > low
        if not (isfinite(value) and above and value <= high):
            found.append(wrong(name, f"{value:g}", right))
    return found


def ask(
    *,
    agents: int | None,
    arrivals_per_h: list[str],
    aht_s: float,
    threshold_s: float | None,
    required: bool,
    targets: list[str] | None,
    shrinkage_ratio: float,
    patience_s: float | None,
    own: Mapping[str, float | str | None],
) -> Question:
    """The question, or a Refusal with everything that is wrong with it."""
    scalars = {
        "agents": agents,
        "aht_s": aht_s,
        "patience_s": patience_s,
        "threshold_s": threshold_s,
        "shrinkage_ratio": shrinkage_ratio,
    }
    numbers = {name: value for name, value in own.items() if isinstance(value, int | float)}
    problems = range_problems({**scalars, **numbers})
    rates = _rates(arrivals_per_h, problems)
    load = sum(rates) / 3600.0 * aht_s
    if not problems and not LOAD_LEAST_ERLANG <= load <= LOAD_MOST_ERLANG:
        right = f"arrivals x handle time from {LOAD_LEAST_ERLANG:g} to {LOAD_MOST_ERLANG:g} erlang"
        problems.append(wrong("arrivals_per_h", f"a load of {load:g} erlang", right))
    wanted = parse_targets(targets or [], problems)
    if required and agents is not None:
        problems.append(wrong("agents", agents, "--required finds the agents: leave one out"))
    if required and not targets:
        problems.append(wrong("required", "a search without --target", target_words.RIGHT))
    if not required and targets:
        problems.append(wrong("target", " ".join(targets), "a target goes with --required"))
    if not required and agents is None:
        problems.append(wrong("agents", "none", "--agents 13, or --required --target 80/20"))
    if problems:
        raise Refusal(tuple(problems))
    own_s = next((one.threshold_s for one in wanted if one.threshold_s is not None), THRESHOLD_S)
    return Question(
        agents=agents,
        arrivals_per_s=tuple(rate / 3600.0 for rate in rates),
        aht_s=aht_s,
        patience_s=patience_s,
        threshold_s=own_s if threshold_s is None else threshold_s,
        targets=tuple(wanted),
        shrinkage_ratio=shrinkage_ratio,
    )


def _rates(texts: list[str], problems: list[Problem]) -> list[float]:
    parts = [part for text in texts for part in text.split(",")]
    try:
        rates = [float(part) for part in parts]
    except ValueError:
        problems.append(
            wrong("arrivals_per_h", ",".join(texts), RANGES["arrivals_per_h"][2])
        )
        return []
    for rate in rates:
        problems += range_problems({"arrivals_per_h": rate})
    return rates


def parse_targets(texts: list[str], problems: list[Problem]) -> list[Target]:
    """Targets as written with --target; what is wrong with them, alone or together, to `problems`.
    """
    found = []
    for text in texts:
        try:
            found.append(target_words.parse(text))
        except ValueError as error:
            problems.append(Problem(file="--target", message=str(error)))
    problems += [Problem(file="--target", message=said) for said in contradictions(found)]
    return found


def answer(question: Question, queue: Queue) -> dict[str, object]:
    """The measures by name, with the agents that must be paid under the shrinkage."""
    agents = question.agents
    try:
        if agents is None:
            agents = least_agents(queue.solve, question.targets, threshold_s=question.threshold_s)
        measures = queue.solve(agents, question.threshold_s)
        details = queue.details(agents, question.threshold_s)
    except ValueError as error:
        place = "--target" if question.agents is None else "--agents"
        raise Refusal((Problem(file=place, message=str(error)),)) from None
    paid = ceil(agents / (1.0 - question.shrinkage_ratio) - 1e-9)
    return {
        **plain(measures),
        "agents": agents,
        "agents_paid": paid,
        "offered_load_erlang": question.arrival_per_s * question.aht_s,
        "threshold_s": question.threshold_s,
        **details,
    }


def plain(measures: Measures, row: int = 0) -> dict[str, object]:
    """Measures of one interval as numbers; an endless wait is None."""
    named = {one.name: np.ravel(getattr(measures, one.name))[row] for one in fields(measures)}
    return {name: float(v) if np.isfinite(v) else None for name, v in named.items()}
