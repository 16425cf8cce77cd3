"""A replay in the course of time: what the pictures of its report show, computed from its journal.

Decides the width of an interval (at most MAX_COUNT of them), the steps of the heat map and the
points of the percentile curve. A request counts in the interval of its intended time.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from loadtests.latency import NS_PER_MS, quantile

MAX_COUNT: Final = 240
_WIDTHS_MS: Final = (100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 300_000, 3_600_000)
NS_PER_S: Final = 10**9
STEPS_PER_DECADE: Final = 6
FLOOR_MS: Final = 0.01
CURVE_SHARES: Final = (
    *(one / 100 for one in range(99)),
    *(0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99995, 0.99999, 1.0),
)

Values = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Timeline:
    """Intervals of equal width, from the start; nan where nothing was sent."""

    width_s: float
    start_s: Values
    planned_per_s: Values
    sent_per_s: Values
    """By the time of sending."""
    good_per_s: Values
    """Requests that came to a good end, by intended time."""
    p50_ms: Values
    p99_ms: Values
    max_ms: Values


@dataclass(frozen=True, slots=True)
class HeatMap:
    """How many response times lie in each step of each interval."""

    counts: np.ndarray[Any, np.dtype[np.int64]]
    """Shape (steps, intervals), the shortest times first."""
    edges_ms: Values
    width_s: float


@dataclass(frozen=True, slots=True)
class Curve:
    """The time that a share of the requests does not exceed."""

    share: Values
    response_ms: Values
    service_ms: Values


def timeline(rows: pl.DataFrame) -> Timeline:
    """Rates and percentiles of response time by interval."""
    width_s, count = _intervals(rows)
    response_ms = (rows["response_ns"] / NS_PER_MS).to_numpy()
    place = _place(rows["intended_ns"], width_s)
    there = ~np.isnan(response_ms)
    percentiles: Values = np.full((3, count), np.nan)
    order = np.lexsort((response_ms[there], place[there]))
    ordered, places = response_ms[there][order], place[there][order]
    bounds = np.searchsorted(places, np.arange(count + 1))
    for at in range(count):
        part = ordered[bounds[at] : bounds[at + 1]]
        if part.size:
            percentiles[:, at] = [quantile(part, ratio) for ratio in (0.5, 0.99, 1.0)]
    sent = _place(rows["sent_ns"].drop_nulls(), width_s)
    good = place[(rows["outcome"] == "ok").to_numpy()]
    rates: list[Values] = [
        np.bincount(one, minlength=count)[:count].astype(np.float64) / width_s
        for one in (place, sent, good)
    ]
    start_s: Values = np.arange(count, dtype=np.float64) * width_s
    return Timeline(width_s, start_s, *rates, *percentiles)


def heat_map(rows: pl.DataFrame) -> HeatMap:
    """Response times by interval and logarithmic step."""
    width_s, count = _intervals(rows)
    sent = rows.filter(pl.col("response_ns").is_not_null())
    response_ms = np.maximum((sent["response_ns"] / NS_PER_MS).to_numpy(), FLOOR_MS)
    top_ms = float(response_ms.max()) if response_ms.size else 1.0
    steps = max(1, int(np.floor(np.log10(top_ms / FLOOR_MS) * STEPS_PER_DECADE)) + 1)
    edges_ms = FLOOR_MS * 10.0 ** (np.arange(steps + 1) / STEPS_PER_DECADE)
    step = np.clip(np.searchsorted(edges_ms, response_ms, side="right") - 1, 0, steps - 1)
    counts = np.zeros((steps, count), dtype=np.int64)
    np.add.at(counts, (step, _place(sent["intended_ns"], width_s)), 1)
    return HeatMap(counts, edges_ms, width_s)


def curve(rows: pl.DataFrame) -> Curve:
    """Percentiles of response and service time; empty if nothing was sent."""
    times = [
        np.sort(rows[name].drop_nulls().to_numpy()) / NS_PER_MS
        for name in ("response_ns", "service_ns")
    ]
    size = times[0].size
    # A share that leaves less than one request says nothing but the maximum.
    shares = [one for one in CURVE_SHARES if one == 1.0 or (1.0 - one) * size >= 1.0]
    if not size:
        shares = []
    values = [np.array([quantile(one, share) for share in shares], float) for one in times]
    return Curve(np.array(shares, float), *values)


def _intervals(rows: pl.DataFrame) -> tuple[float, int]:
    """Width in seconds and count."""
    last_ns = rows["intended_ns"].max()
    whole_ms = (last_ns if isinstance(last_ns, int) else 0) // 1_000_000 + 1
    width_ms = next((one for one in _WIDTHS_MS if one * MAX_COUNT >= whole_ms), _WIDTHS_MS[-1])
    return width_ms / 1000, -(-whole_ms // width_ms)


def _place(times_ns: pl.Series, width_s: float) -> np.ndarray[Any, np.dtype[np.int64]]:
    places: np.ndarray[Any, np.dtype[np.int64]] = times_ns.to_numpy() // int(width_s * NS_PER_S)
    return places
