"""The highest rate that still holds its thresholds: doubling until they break, then bisection.

Decides which rates are tried and what the result is: an interval, since the true limit lies between
the highest rate that held and the lowest that did not. A step whose sender was late says nothing
about the service: it ends the search from above without having broken anything.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import sqrt
from typing import Any, Literal

Word = Literal["held", "broken", "late"]


@dataclass(frozen=True, slots=True)
class Step:
    """One rate that was tried."""

    rate_per_s: float
    word: Word
    figures: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limit:
    """Where thresholds break."""

    low_per_s: float
    """Highest rate that held; 0 if none did."""
    high_per_s: float
    """Lowest rate above it that did not."""
    proven: bool
    """The upper end broke thresholds; otherwise the load could not be made, and the limit is
    higher than `low_per_s` by an unknown amount."""
    steps: tuple[Step, ...]


def search(
    measure: Callable[[float], Step],
    *,
    start_per_s: float,
    most_per_s: float,
    precision_ratio: float,
) -> Limit:
    """Try rates until the interval's ends lie within `precision_ratio` of each other."""
    steps = [measure(start_per_s)]
    low, high, proven = 0.0, most_per_s, False
    while True:
        step = steps[-1]
        if step.word == "held":
            low = max(low, step.rate_per_s)
        elif step.rate_per_s <= high:
            high, proven = step.rate_per_s, step.word == "broken"
        untried_above = all(one.word == "held" for one in steps)
        closed = not untried_above and high <= low * (1.0 + precision_ratio)
        if closed or low >= most_per_s or high <= start_per_s / 64:
            break
        untried_below = all(one.word != "held" for one in steps)
        if untried_above:
            rate = min(2.0 * low, most_per_s)
        else:
            rate = high / 2.0 if untried_below else sqrt(low * high)
        steps.append(measure(rate))
    return Limit(low, high, proven, tuple(sorted(steps, key=lambda one: one.rate_per_s)))
