"""Which settings the page holds results against, and when it calls an answer yes, no or open.

The cuts below are words, not model inputs: they only decide which sentence the page prints, and the
page states them beside the probability that they were applied to.
"""

from typing import Final

from reports.cells import Cell

# Keys of the resolved scenario.
HEADS: Final = "support.headcount_count"
PHONE_TARGET: Final = "support.targets.phone.service_level_ratio"
IM_TARGET: Final = "support.targets.im.service_level_ratio"
PHONE_THRESHOLD: Final = "support.targets.phone.threshold_s"
IM_THRESHOLD: Final = "support.targets.im.threshold_s"
ABANDONED_TARGET: Final = "support.targets.abandoned_ratio"

# An hour or a pot "holds" when it does in at least half of the replications.
HELD_AT_RATIO: Final = 0.5
# The whole festival is a promise: one replication in ten may miss it, not more.
YES_AT_RATIO: Final = 0.9
NO_BELOW_RATIO: Final = 0.1


def tone(chance: Cell) -> str:
    """Yes, no or on the edge, by the cuts that the page states; one replication cannot tell."""
    return "unknown" if chance.low is None else tone_of(chance.mean or 0.0)


def tone_of(ratio: float) -> str:
    """Yes, no or on the edge of a probability that is known."""
    if ratio >= YES_AT_RATIO:
        return "good"
    return "bad" if ratio < NO_BELOW_RATIO else "edge"
