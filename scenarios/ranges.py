"""Assumptions that can be moved: keys whose source comment states a range, low/base/high.

Decides how a range is read against the value that a scenario has, and how the key is set to a value
of it. An array is moved as a whole, by a multiple.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scenarios.overlays import at
from scenarios.sources import Source


@dataclass(frozen=True, slots=True)
class Ranged:
    """An assumption with its range; of an array low, base and high are multiples."""

    key: str
    low: float
    base: float
    high: float
    source: str
    is_array: bool
    is_whole: bool

    def sets(self, scenario: Mapping[str, Any], value: float) -> str:
        """The `key=value` that moves the scenario to a value of the range."""
        there = at(scenario, self.key)
        if self.is_array:
            return f"{self.key}={[float(entry) * value for entry in there]!r}"
        return f"{self.key}={round(value) if self.is_whole else float(value)!r}"


def ranged(scenario: Mapping[str, Any], key: str, source: Source | None) -> Ranged | None:
    """The range of a key in a scenario's values; None where the key is no number or has none."""
    number = numeric(scenario, key)
    if source is None or source.low is None or source.high is None or number is None:
        return None
    base, is_array, is_whole = number
    # Where a run has another value than the file, its range is as wide in proportion.
    moved = 1.0 if is_array or not source.base else base / source.base
    return Ranged(
        key=key,
        low=source.low * moved,
        base=base,
        high=source.high * moved,
        source=str(source),
        is_array=is_array,
        is_whole=is_whole,
    )


def numeric(scenario: Mapping[str, Any], key: str) -> tuple[float, bool, bool] | None:
    """(value, is it an array, is it whole) of a key; the value of an array is the multiple 1."""
    value = at(scenario, key)
    if isinstance(value, list | tuple):
        is_numbers = all(isinstance(e, int | float) and not isinstance(e, bool) for e in value)
        return (1.0, True, False) if value and is_numbers else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value), False, isinstance(value, int)
