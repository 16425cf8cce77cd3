"""What Prometheus reads: counts of requests, batches and refusals, latencies, and the pots.

Plain integers of one process, written out as text (exposition format 0.0.4) when asked.
"""

from bisect import bisect_left
from collections.abc import Iterable
from typing import Final

from loadtests.guarantee_api.books import Pot
from loadtests.guarantee_api.programme import RESERVE
from scenarios.words import GUARANTEES

BOUNDS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """Counters of one serving process."""

    def __init__(self) -> None:
        self.requests: dict[tuple[str, int], int] = {}
        """By route name and status."""
        self.buckets = [0] * (len(BOUNDS_S) + 1)
        self.seconds_sum_s = 0.0
        self.batches_count = 0
        self.failed_batches_count = 0
        self.writes_count = 0
        self.replays_count = 0

    def seen(self, route: str, status: int, took_s: float) -> None:
        """Count one answered request."""
        key = route, status
        self.requests[key] = self.requests.get(key, 0) + 1
        self.buckets[bisect_left(BOUNDS_S, took_s)] += 1
        self.seconds_sum_s += took_s

    def text(self, pots: dict[int, Pot]) -> bytes:
        """Everything in Prometheus' text format."""
        lines = [
            "# TYPE springpeak_requests_total counter",
            *(
                f'springpeak_requests_total{{route="{route}",status="{status}"}} {count}'
                for (route, status), count in sorted(self.requests.items())
            ),
            "# TYPE springpeak_request_seconds histogram",
            *self._histogram(),
        ]
        counters = {
            "batches": self.batches_count,
            "failed_batches": self.failed_batches_count,
            "writes": self.writes_count,
            "replayed_answers": self.replays_count,
        }
        for name, count in counters.items():
            full = f"springpeak_{name}_total"
            lines += [f"# TYPE {full} counter", f"{full} {count}"]
        for column in ("available", "held", "settled"):
            full = f"springpeak_pot_{column}_fen"
            lines.append(f"# TYPE {full} gauge")
            lines += _gauges(full, column, pots)
        return ("\n".join(lines) + "\n").encode()

    def _histogram(self) -> Iterable[str]:
        total = 0
        for bound_s, count in zip((*BOUNDS_S, "+Inf"), self.buckets, strict=True):
            total += count
            yield f'springpeak_request_seconds_bucket{{le="{bound_s}"}} {total}'
        yield f"springpeak_request_seconds_sum {self.seconds_sum_s:.6f}"
        yield f"springpeak_request_seconds_count {total}"


def _gauges(full: str, column: str, pots: dict[int, Pot]) -> Iterable[str]:
    for number, pot in sorted(pots.items()):
        name = "reserve" if number == RESERVE else GUARANTEES[number]
        yield f'{full}{{pot="{name}"}} {getattr(pot, f"{column}_fen")}'
