"""A study laid out: its points, numbered, each with the values that the factors take there.

Knows nothing of what is simulated: scenarios are names here, so that any function of the factors
can be studied the same way. Points go scenario by scenario, then combination by combination of the
factors that have levels, then row by row of the design, so that equal rows have equal values in
every scenario and combination.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from scenarios.study_file import Design, StudyFrontier
from sim.columns import Floats
from sim.study.design import places
from sim.study.factors import Factor, combinations, factor, in_levels


@dataclass(frozen=True, slots=True)
class Point:
    """One setting of all factors in one scenario."""

    number: int
    scenario: str
    combination: int
    row: int
    values: Mapping[str, float]
    """By factor."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is studied. `crossed` are the factors with levels, `sampled` those with a range."""

    name: str
    description: str
    design: Design
    seed: int
    replications_count: int
    outcomes: tuple[str, ...]
    scenarios: tuple[str, ...]
    crossed: tuple[Factor, ...]
    sampled: tuple[Factor, ...]
    places: Floats
    """Shape (rows, sampled)."""
    frontier: StudyFrontier

    @property
    def factors(self) -> tuple[Factor, ...]:
        return (*self.crossed, *self.sampled)

    @property
    def points_count(self) -> int:
        levels_counts = [len(one.levels) for one in self.crossed]
        return len(self.scenarios) * math.prod(levels_counts) * len(self.places)

    def points(self) -> Iterator[Point]:
        """All points in order."""
        rows = [[f.value(place) for f, place in zip(self.sampled, row, strict=True)]
                for row in self.places.tolist()]  # fmt: skip
        keys = [one.key for one in self.factors]
        number = 0
        for scenario in self.scenarios:
            for combination, levels in enumerate(combinations(self.crossed)):
                for row, values in enumerate(rows):
                    at = dict(zip(keys, (*levels, *values), strict=True))
                    yield Point(number, scenario, combination, row, at)
                    number += 1

    def told(self) -> dict[str, Any]:
        """For a file, from which `plan` makes it again; how often a point is simulated is no part
        of it, so that a study can be made longer."""
        return {
            "name": self.name,
            "description": self.description,
            "design": self.design.model_dump(),
            "seed": self.seed,
            "outcomes": list(self.outcomes),
            "scenarios": list(self.scenarios),
            "factors": [one.told() for one in self.factors],
            "frontier": self.frontier.model_dump(),
        }

    def fingerprint(self) -> str:
        """BLAKE2b of what is moved and where to; the words about it and what is then looked at do
        not count."""
        kept = {k: v for k, v in self.told().items() if k in ("design", "seed", "scenarios")}
        kept["factors"] = [[one.key, *one.also] for one in self.factors]
        kept["points"] = [list(point.values.values()) for point in self.points()]
        text = json.dumps(kept, sort_keys=True)
        return blake2b(text.encode(), digest_size=16).hexdigest()


def lay_out(
    *,
    name: str,
    description: str = "",
    design: Design,
    seed: int,
    replications_count: int,
    outcomes: Sequence[str],
    scenarios: Sequence[str] = ("",),
    factors: Sequence[Factor],
    frontier: StudyFrontier | None = None,
) -> Plan:
    """Deal the design's places to the factors that have a range; in a grid these become levels."""
    if design.kind == "grid" and design.levels_count is not None:
        count = design.levels_count
        factors = [one if one.levels else in_levels(one, count) for one in factors]
    sampled = tuple(one for one in factors if not one.levels)
    return Plan(
        name=name,
        description=description,
        design=design,
        seed=seed,
        replications_count=replications_count,
        outcomes=tuple(outcomes),
        scenarios=tuple(scenarios),
        crossed=tuple(one for one in factors if one.levels),
        sampled=sampled,
        places=places(design, len(sampled), seed),
        frontier=frontier or StudyFrontier(),
    )


def plan(told: Mapping[str, Any], replications_count: int) -> Plan:
    """The plan that `told` tells of."""
    return lay_out(
        name=told["name"],
        description=told["description"],
        design=Design.model_validate(told["design"]),
        seed=told["seed"],
        replications_count=replications_count,
        outcomes=told["outcomes"],
        scenarios=told["scenarios"],
        factors=[factor(one) for one in told["factors"]],
        frontier=StudyFrontier.model_validate(told["frontier"]),
    )
