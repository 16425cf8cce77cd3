"""How often one sender may ask: a token bucket a sender, all in bounded memory.

A bucket holds `burst_s` seconds' worth of requests and refills at the role's rate. When there are
too many senders to remember, all start afresh: the limit protects the service, it is no accounting.
"""

from collections.abc import Callable
from typing import Final

from loadtests.guarantee_api.problems import Refusal
from loadtests.guarantee_api.settings import Settings
from loadtests.guarantee_api.tokens import Principal

SENDERS_COUNT_MAX: Final = 100_000


class Rates:
    """Buckets of all senders."""

    def __init__(self, settings: Settings, clock_s: Callable[[], float]) -> None:
        self._consumer_per_s = settings.consumer_requests_per_s
        self._staff_per_s = settings.staff_requests_per_s
        self._burst_s = settings.burst_s
        self._clock_s = clock_s
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}

    def take(self, principal: Principal) -> None:
        """Count one request; raises a refusal when the sender has used up its share."""
        per_s = self._consumer_per_s if principal.role == "consumer" else self._staff_per_s
        full = max(1.0, per_s * self._burst_s)
        sender = principal.role, principal.subject
        now_s = self._clock_s()
        left, seen_s = self._buckets.get(sender, (full, now_s))
        left = min(full, left + (now_s - seen_s) * per_s)
        if left < 1.0:
            raise Refusal("rate", header="retry-after 1")
        if len(self._buckets) >= SENDERS_COUNT_MAX:
            self._buckets.clear()
        self._buckets[sender] = left - 1.0, now_s
