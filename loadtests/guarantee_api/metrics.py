"""What Prometheus reads: counts of requests, batches and refusals, latencies, and the pots.

Plain integers of one process, written out as text (exposition format 0.0.4) when asked. Processes
that share a port answer in turn, so that each then names itself in a label: its counters are series
of their own, which add up. The pots are the data base's and the same from whoever is asked.
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

    def __init__(self, process: str = "") -> None:
        """`process` is the label's value; empty where the process has a port of its own."""
        self._label = f'process="{process}"' if process else ""
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
                f"springpeak_requests_total{self._labels(*pair)} {count}"
                for pair, count in self._by_route()
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
            lines += [f"# TYPE {full} counter", f"{full}{self._labels()} {count}"]
        for column in ("available", "held", "settled"):
            full = f"springpeak_pot_{column}_fen"
            lines.append(f"# TYPE {full} gauge")
            lines += _gauges(full, column, pots)
        return ("\n".join(lines) + "\n").encode()

    def _by_route(self) -> Iterable[tuple[tuple[str, str], int]]:
        for (route, status), count in sorted(self.requests.items()):
            yield (f'route="{route}"', f'status="{status}"'), count

    def _histogram(self) -> Iterable[str]:
        total = 0
        for bound_s, count in zip((*BOUNDS_S, "+Inf"), self.buckets, strict=True):
            total += count
            bound = self._labels(f'le="{bound_s}"')
            yield f"springpeak_request_seconds_bucket{bound} {total}"
        yield f"springpeak_request_seconds_sum{self._labels()} {self.seconds_sum_s:.6f}"
        yield f"springpeak_request_seconds_count{self._labels()} {total}"

    def _labels(self, *more: str) -> str:
        pairs = [one for one in (self._label, *more) if one]
        return f"{{{','.join(pairs)}}}" if pairs else ""


def _gauges(full: str, column: str, pots: dict[int, Pot]) -> Iterable[str]:
    for number, pot in sorted(pots.items()):
        name = "reserve" if number == RESERVE else GUARANTEES[number]
        yield f'{full}{{pot="{name}"}} {getattr(pot, f"{column}_fen")}'
