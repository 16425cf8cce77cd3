"""Finished requests on their way into Locust's statistics, added up many at a time.

Locust adds each request to two of its entries as it comes, which costs a sender a quarter of its
core. Here requests wait in lists; `take` adds up what waits, in the form in which Locust's workers
report to their master, so that Locust itself merges it. Times in ms and, of the clock, Unix s.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any, Final

import numpy as np

DIGITS: Final = 3
"""Significant digits of a time in Locust's histogram: its own two are too few for percentiles."""
_LEAST_MS: Final = 1e-9
_CODES: Final = 10 ** (DIGITS + 1)


class Tally:
    """Takes finished requests one by one and gives them back as sums."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._rows: dict[tuple[str, str], list[tuple[float | None, int, int]]]
        self._rows = defaultdict(list)
        self._failures: Counter[tuple[str, str, Exception, int]] = Counter()

    def add(self, method: str, name: str, response_ms: float | None, answer_bytes: int) -> None:
        """One request; None = it has no time, because it was never sent."""
        self._rows[name, method].append((response_ms, answer_bytes, int(self._clock())))

    def add_failure(self, method: str, name: str, error: Exception) -> None:
        """That the request just added failed."""
        self._failures[name, method, error, int(self._clock())] += 1

    def take(self) -> dict[str, Any] | None:
        """What waited longest of one name and method, as Locust's StatsEntryDict; None if nothing
        waits. One at a time, since the sender stands still meanwhile."""
        if not self._rows:
            return None
        name, method = next(iter(self._rows))
        return {"name": name, "method": method, **_sums(self._rows.pop((name, method)))}

    def take_failures(self) -> Counter[tuple[str, str, Exception, int]]:
        """Failures that waited, by name, method, error and second."""
        failures, self._failures = self._failures, Counter()
        return failures


def _sums(rows: list[tuple[float | None, int, int]]) -> dict[str, Any]:
    times, sizes, seconds = zip(*rows, strict=True)
    response_ms = np.array(times, dtype=np.float64)  # None becomes nan
    response_ms = response_ms[~np.isnan(response_ms)]
    some = response_ms.size > 0
    return {
        "last_request_timestamp": float(seconds[-1]),
        "num_requests": len(rows),
        "num_none_requests": len(rows) - response_ms.size,
        "total_response_time": float(response_ms.sum()),
        "max_response_time": float(response_ms.max()) if some else 0,
        "min_response_time": float(response_ms.min()) if some else None,
        "total_content_length": sum(sizes),
        "response_times": histogram(response_ms),
        "num_reqs_per_sec": dict(Counter(seconds)),
    }


def histogram(response_ms: np.ndarray) -> dict[float, int]:
    """How many times round to each value of DIGITS significant digits."""
    exponent = np.floor(np.log10(np.maximum(response_ms, _LEAST_MS))) - (DIGITS - 1)
    digits = np.rint(response_ms / 10.0**exponent)
    codes, counts = np.unique(exponent * _CODES + digits, return_counts=True)
    found: Counter[float] = Counter()
    for code, count in zip(codes.tolist(), counts.tolist(), strict=True):
        exponent_, digits_ = divmod(int(code), _CODES)
        found[float(f"{digits_}e{exponent_}")] += count  # 1000e-1 and 100e0 are one value
    return dict(found)
