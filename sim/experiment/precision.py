"""When to stop: after a number of replications, or once the chosen metrics are known well enough.

Replications are planned in whole batches and looked at only between batches, so that the number
of replications depends on their results and never on how many workers there were or who was
first. Counts and money are held to a half-width relative to their mean, service levels to an
absolute one, because a service level near 1 is known "within 2 %" trivially. Source: sequential
procedure, A. M. Law, Simulation Modeling and Analysis (5th ed.), 9.4.1; its first look comes
after a whole batch because the deviation of very few replications is itself too uncertain to stop
on.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sim.experiment.confidence import student

BATCH_COUNT: Final = 6
# A precision out of reach has to end somewhere: an hour or two at national scale.
MOST_COUNT: Final = 360
RELATIVE: Final = ("contacts_offered_count", "payout_gross_fen")
ABSOLUTE: Final = ("service_level_phone_ratio", "service_level_im_ratio")


@dataclass(frozen=True, slots=True)
class Plan:
    """Either a number of replications or a precision."""

    replications: int | None
    precision_ratio: float | None

    def __post_init__(self) -> None:
        if (self.replications is None) == (self.precision_ratio is None):
            raise ValueError("give either a number of replications or a precision")
        if self.replications is not None and self.replications < 1:
            raise ValueError(f"the number of replications must be at least 1: {self.replications}")
        if self.precision_ratio is not None and not 0.0 < self.precision_ratio < 1.0:
            raise ValueError(f"the precision must lie between 0 and 1: {self.precision_ratio}")

    def first_count(self, finished: Sequence[int]) -> int:
        """How many replications to aim at first; finished ones are never thrown away."""
        reach = max(finished, default=-1) + 1
        if self.replications is not None:
            return self.replications
        return BATCH_COUNT * max(1, math.ceil(reach / BATCH_COUNT))

    def next_count(self, planned: int, metrics: Mapping[int, Mapping[str, float]]) -> int | None:
        """How many to aim at after `planned` are finished; None = enough."""
        if self.precision_ratio is None or planned >= MOST_COUNT:
            return None
        if precise([metrics[r] for r in range(planned)], self.precision_ratio):
            return None
        return planned + BATCH_COUNT

    def missed(self, metrics: Mapping[int, Mapping[str, float]]) -> bool:
        """Whether a precision was asked for that these replications do not have."""
        if self.precision_ratio is None:
            return False
        return not precise(list(metrics.values()), self.precision_ratio)


def precise(metrics: Sequence[Mapping[str, float]], ratio: float) -> bool:
    """Whether all chosen metrics have a 95 % half-width of at most `ratio` (of their mean)."""
    for name in (*RELATIVE, *ABSOLUTE):
        estimate = student([values[name] for values in metrics])
        scale = abs(estimate.mean) if name in RELATIVE else 1.0
        # A metric that no replication has (no contact on that channel) cannot become more precise.
        if estimate.n > 0 and not estimate.half_width <= ratio * scale:
            return False
    return True
