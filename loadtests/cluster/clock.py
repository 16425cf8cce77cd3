"""A worker's clocks against its master's, by the exchange of messages.

Of several exchanges the one with the least round trip counts, and the difference is off by at most
half of that round trip (RFC 5905, section 8, and its clock filter, section 10). The schedule runs
on monotonic clocks: the worker starts at the master's instant in its own time, so that only what it
could not measure, and what the clocks drift apart later, is left. Wall clocks are compared for
people and for Locust's tables. Times int ns.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from loadtests.journal import Clock

EXCHANGES_COUNT: Final = 16


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment on both clocks of a machine."""

    monotonic_ns: int
    unix_ns: int


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer."""

    sent: Instant
    """Here."""
    received: Instant
    """There."""
    answered: Instant
    back: Instant
    """Here."""

    @property
    def round_trip_ns(self) -> int:
        """Under way, there and back."""
        there_ns = self.answered.monotonic_ns - self.received.monotonic_ns
        return self.back.monotonic_ns - self.sent.monotonic_ns - there_ns


@dataclass(frozen=True, slots=True)
class Reading:
    """What the clocks there show more than those here."""

    offset_ns: int
    """Of the monotonic clocks."""
    wall_offset_ns: int
    uncertainty_ns: int
    """Neither is off by more."""


def reading(exchanges: Sequence[Exchange]) -> Reading:
    """Of the exchange with the least round trip; at least one is needed."""
    best = min(exchanges, key=lambda one: one.round_trip_ns)
    sums_ns = [
        getattr(best.received, clock) - getattr(best.sent, clock)
        + getattr(best.answered, clock) - getattr(best.back, clock)
        for clock in ("monotonic_ns", "unix_ns")
    ]  # fmt: skip
    # Up, since the offset is cut off to whole nanoseconds.
    return Reading(sums_ns[0] // 2, sums_ns[1] // 2, best.round_trip_ns // 2 + 1)


def compared(before: Reading, after: Reading | None) -> Clock:
    """The worker's clock against its master's, by what the worker read before its start and after
    its end; None if it did not come to that."""
    last = after or before
    return Clock(
        offset_ns=last.offset_ns - before.offset_ns,
        uncertainty_ns=max(before.uncertainty_ns, last.uncertainty_ns),
        wall_offset_ns=-before.wall_offset_ns,
    )
