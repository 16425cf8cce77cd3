"""A factor of a study: what is moved, between which values, how likely they are.

Decides how a place in [0, 1], which designs deal in, becomes a value. Values of a key that counts
whole things are rounded when they are set, and the table of points has the rounded value.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any, Literal

import numpy as np

from scenarios.ranges import Ranged

Law = Literal["uniform", "log_uniform", "triangular"]


@dataclass(frozen=True, slots=True)
class Factor:
    """One thing that is moved."""

    key: str
    """Its name: a key of the scenario, or an argument of a plain function."""
    low: float
    base: float
    """Where it stands when nothing is moved; of an array 1, the multiple."""
    high: float
    law: Law = "uniform"
    levels: tuple[float, ...] = ()
    """Values that it goes through at every point of the design; empty for a range."""
    also: tuple[str, ...] = ()
    """Keys that take the same value."""
    decided: bool = False
    is_array: bool = False
    is_whole: bool = False
    source: str = ""
    """What the scenario says of its origin."""

    def value(self, place: float) -> float:
        """The value below which a share `place` of all values lies."""
        width = self.high - self.low
        if self.law == "log_uniform":
            found = self.low * math.exp(place * math.log(self.high / self.low))
        elif self.law == "triangular":
            found = self._triangular(place, width)
        else:
            found = self.low + place * width
        return float(round(found)) if self.is_whole else min(max(found, self.low), self.high)

    def _triangular(self, place: float, width: float) -> float:
        """Inverse of the triangular law with its mode at `base`."""
        mode = (self.base - self.low) / width
        if place < mode:
            return self.low + width * math.sqrt(place * mode)
        return self.high - width * math.sqrt((1.0 - place) * (1.0 - mode))

    def sets(self, scenario: Mapping[str, Any], value: float) -> tuple[str, ...]:
        """The `key=value` of every key that it moves."""
        moved = Ranged(
            self.key, self.low, self.base, self.high, self.source, self.is_array, self.is_whole
        )
        first = moved.sets(scenario, value)
        said = first.partition("=")[2]
        return (first, *(f"{key}={said}" for key in self.also))

    def told(self) -> dict[str, Any]:
        """For a file, from which `factor` makes it again."""
        return asdict(self)


def factor(told: Mapping[str, Any]) -> Factor:
    """The factor that `told` tells of."""
    lists = {name: tuple(told[name]) for name in ("levels", "also")}
    return Factor(**{**told, **lists})


def in_levels(one: Factor, count: int) -> Factor:
    """The range as so many levels, at even shares of its law, both ends included."""
    levels = tuple(dict.fromkeys(one.value(float(place)) for place in np.linspace(0.0, 1.0, count)))
    return Factor(**{**one.told(), "levels": levels})


def choice(crossed: Sequence[Factor], levels: Sequence[float]) -> str:
    """A combination in words: key=value, with commas between."""
    said = zip(crossed, levels, strict=True)
    return ", ".join(f"{one.key}={level:.12g}" for one, level in said)


def combinations(crossed: Sequence[Factor]) -> list[tuple[float, ...]]:
    """Every combination of the factors' levels, the last factor fastest."""
    return list(product(*(one.levels for one in crossed)))
