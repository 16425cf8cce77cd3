"""What agents are staffed for: a service level, an abandonment ratio, an occupancy cap, or several.

Decides how a target is written (`80/20`, `p_abandon<=0.03`, `occupancy<=0.95`), which targets
contradict each other, and the least number of agents that meets them all. Shares in [0, 1].
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.theory.erlang import Measures

SHARES: Final = (
    "sl_of_offered",
    "sl_excluding_short_abandons",
    "sl_counting_short_abandons",
    "sl_of_answered",
    "p_wait",
    "p_abandon",
    "occupancy",
)
TIMES: Final = ("mean_wait_s", "asa_all_s", "asa_answered_s", "asa_virtual_s")
ALIASES: Final = {
    "": "sl_of_offered",
    "sl": "sl_of_offered",
    "service_level": "sl_of_offered",
    "service_level_ratio": "sl_of_offered",
    "abandonment": "p_abandon",
    "abandoned_ratio": "p_abandon",
    "occupancy_ratio": "occupancy",
    "asa_s": "asa_answered_s",
}
FORM: Final = re.compile(
    r"\s*(?P<measure>[a-z_]*)\s*(?P<sign><=|>=|=|:)?\s*"
    r"(?P<bound>[0-9.]+(?:e-?[0-9]+)?)(?P<percent>%?)(?:/(?P<threshold>[0-9.]+)s?)?\s*"
)
RIGHT: Final = (
    "right is 80/20 (80 % of offered contacts answered within 20 s), 0.8, p_abandon<=0.03, "
    "occupancy<=0.95, asa_answered_s<=15, or any other measure with <= or >="
)
AGENTS_LIMIT: Final = 100_000


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on one measure; `threshold_s` is set where the target names its own."""

    measure: str
    at_least: bool
    bound: float
    threshold_s: float | None = None

    def met(self, value: ArrayLike) -> NDArray[np.bool_]:
        """Whether values keep the bound."""
        values = np.asarray(value)
        return np.asarray(values >= self.bound if self.at_least else values <= self.bound)

    @property
    def wants_more_agents(self) -> bool:
        """Whether more agents help."""
        return self.at_least == self.measure.startswith("sl_")

    def __str__(self) -> str:
        within = f" within {self.threshold_s:g} s" if self.threshold_s is not None else ""
        return f"{self.measure} {'>=' if self.at_least else '<='} {self.bound:g}{within}"


def parse(text: str) -> Target:
    """A target as written; ValueError says what would be right."""
    found = FORM.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a target; {RIGHT}")
    measure = ALIASES.get(found["measure"], found["measure"])
    if measure not in (*SHARES, *TIMES):
        known = ", ".join((*SHARES, *TIMES))
        raise ValueError(f"{text!r}: no measure is called {measure}; there are {known}")
    try:
        bound = float(found["bound"])
        threshold_s = None if found["threshold"] is None else float(found["threshold"])
    except ValueError:
        raise ValueError(f"{text!r} is not a target; {RIGHT}") from None
    service_level = measure.startswith("sl_")
    if found["percent"] or (service_level and threshold_s is not None and bound > 1.0):
        bound /= 100.0
    if measure in SHARES and not 0.0 < bound < 1.0:
        raise ValueError(f"{text!r}: a share lies between 0 and 1 (or 0 % and 100 %), exclusive")
    if measure in TIMES and bound <= 0.0:
        raise ValueError(f"{text!r}: a time must be above 0 s")
    if threshold_s is not None and not service_level:
        raise ValueError(f"{text!r}: only a service level has a threshold")
    at_least = found["sign"] == ">=" or (found["sign"] != "<=" and service_level)
    return Target(measure, at_least, bound, threshold_s)


def contradictions(targets: Sequence[Target]) -> list[str]:
    """Pairs of targets that no number of agents can meet together, in words."""
    lower = {(t.measure, t.threshold_s): t for t in targets if t.at_least}
    said = [
        f"{low} contradicts {high}"
        for high in targets
        if not high.at_least
        for low in [lower.get((high.measure, high.threshold_s))]
        if low is not None and low.bound > high.bound
    ]
    served = [t for t in targets if t.at_least and t.measure == "sl_of_offered"]
    lost = [t for t in targets if t.at_least and t.measure == "p_abandon"]
    said += [
        f"{one} contradicts {other}: together they are more than all contacts"
        for one in served
        for other in lost
        if one.bound + other.bound > 1.0
    ]
    return said


def least_agents(
    measures_at: Callable[[int, float], Measures],
    targets: Sequence[Target],
    *,
    threshold_s: float,
) -> int:
    """The least agents that meet every target, of measures(agents, threshold) that improve with
    agents. Raises ValueError where a target asks for fewer agents than another needs."""
    helped = [target for target in targets if target.wants_more_agents]
    capped = [target for target in targets if not target.wants_more_agents]

    def value(agents: int, target: Target) -> float:
        within_s = threshold_s if target.threshold_s is None else target.threshold_s
        return float(getattr(measures_at(agents, within_s), target.measure))

    def enough(agents: int) -> bool:
        return all(bool(target.met(value(agents, target))) for target in helped)

    low, high = 0, 1
    while not enough(high):
        low, high = high, 2 * high
        if high > AGENTS_LIMIT:
            raise ValueError(f"more than {AGENTS_LIMIT} agents would be needed")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    for target in capped:
        found = value(high, target)
        if not target.met(found):
            others = " and ".join(str(one) for one in helped) or "at least one agent"
            raise ValueError(
                f"{target} contradicts {others}: with {high} agents {target.measure} is {found:.6g}"
            )
    return high
