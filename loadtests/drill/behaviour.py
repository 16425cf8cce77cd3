"""How an API behaved under load, and the overlay that lets the simulation feel it.

Decides what a person saw. A page does not repeat a request by itself: whatever did not succeed at
the first attempt failed for whoever waited for it. What agents wait for is the response time above
that of a calm service, for which the fastest tenth stands. The overlay puts this behaviour into
hours of a day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from loadtests import journal

NAME: Final = "measured_api"
CALM_RATIO: Final = 0.1


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What people saw of an API."""

    failed_ratio: float
    """Requests that did not succeed at the first attempt."""
    latency_s: float
    """Mean response time of all requests above that of the fastest tenth (s)."""


@dataclass(frozen=True, slots=True)
class When:
    """Hours of a lunar day on which the behaviour is assumed."""

    lunar_day: int
    start_h: float
    end_h: float


def behaviour(folder: Path) -> Behaviour:
    """What a journal shows. Raises JournalError."""
    rows = journal.read(folder).rows.filter(pl.col("sent_ns").is_not_null())
    failed = (pl.col("attempts") > 1) | (pl.col("outcome") != "ok")
    response_s = rows["response_ns"] / 1e9
    mean_s, calm_s = response_s.mean(), response_s.quantile(CALM_RATIO)
    assert isinstance(mean_s, float)
    assert isinstance(calm_s, float)
    return Behaviour(rows.select(failed.mean()).item(), max(0.0, mean_s - calm_s))


def overlay(found: Behaviour, when: When, *, described: str, sources: Sequence[str]) -> str:
    """An overlay's text: a shock with the measured failures and latency."""
    lines = [
        f'description = "{described}"',
        "",
        f"# Measured: {'; '.join(sources)}.",
        f"[shocks.{NAME}]",
        f"lunar_days = [{when.lunar_day}]  # M",
        f"start_h = {when.start_h:.2f}  # M",
        f"end_h = {when.end_h:.2f}  # M",
        f"api_failed_ratio = {min(1.0, found.failed_ratio):.6f}  # D: measured by springpeak",
        f"api_latency_s = {found.latency_s:.6f}  # D: measured by springpeak",
    ]
    return "\n".join(lines) + "\n"
