"""Locust's statistics as Prometheus text (exposition format 0.0.4), for its own web server.

Takes Locust's entries as they are: one an operation, with a histogram of response times in ms.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
QUANTILES: Final = (0.5, 0.9, 0.99, 0.999)
_PREFIX: Final = "springpeak_replay"


def text(entries: Iterable[Any]) -> str:
    """All metrics; a response time counts from the request's intended time."""
    kept = sorted(entries, key=lambda entry: (entry.name, entry.method))
    lines = [
        f"# TYPE {_PREFIX}_requests_total counter",
        *(f"{_PREFIX}_requests_total{_labels(one)} {one.num_requests}" for one in kept),
        f"# TYPE {_PREFIX}_failures_total counter",
        *(f"{_PREFIX}_failures_total{_labels(one)} {one.num_failures}" for one in kept),
        f"# TYPE {_PREFIX}_response_seconds summary",
        *(line for one in kept for line in _summary(one)),
    ]
    return "\n".join(lines) + "\n"


def _summary(entry: Any) -> Iterator[str]:
    name = f"{_PREFIX}_response_seconds"
    timed_count = entry.num_requests - entry.num_none_requests
    if timed_count:
        for one in QUANTILES:
            value_s = entry.get_response_time_percentile(one) / 1e3
            yield f"{name}{_labels(entry, quantile=str(one))} {value_s:.6g}"
    yield f"{name}_sum{_labels(entry)} {entry.total_response_time / 1e3:.6g}"
    yield f"{name}_count{_labels(entry)} {timed_count}"


def _labels(entry: Any, **more: str) -> str:
    pairs = {"operation": entry.name, "method": entry.method, **more}
    return "{" + ",".join(f'{key}="{value}"' for key, value in pairs.items()) + "}"
