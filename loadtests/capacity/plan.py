"""How many workers the peak needs: limits by number of workers, the law through them, its inverse.

Decides the trace and the peak. The peak is the busiest second of the trace at its own speed, unless
told. The interval comes from the limits' intervals: the law is fitted to the highest rates that
held and to the lowest that did not.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import inf
from pathlib import Path
from typing import Any, Final

import polars as pl

from loadtests import trace
from loadtests.capacity.scaling import Law, doubts, fit, plural
from loadtests.capacity.search import Limit, search
from loadtests.capacity.steps import Bench
from loadtests.drill.load import LoadError, empty_folder
from loadtests.thresholds import of_the_host
from loadtests.traffic.make import make
from loadtests.traffic.rundata import open_run
from loadtests.traffic.window import parse
from scenarios.load import parse as parse_thresholds
from scenarios.loader import load

WINDOW: Final = "busiest/PT10M"
BASE: Final = "spring-festival-2026"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the user asks for."""

    source: Path
    folder: Path
    thresholds: tuple[str, ...]
    """The trace's or its scenario's own if empty."""
    workers: tuple[int, ...]
    peak_per_s: float | None
    step_s: float
    start_per_s: float
    most_per_s: float
    precision_ratio: float
    lag_limit_ms: float


@dataclass(frozen=True, slots=True)
class Capacity:
    """What was found."""

    limits: dict[int, Limit]
    """By number of workers."""
    peak_per_s: float
    at_peak: Path
    """Journal of the peak's own rate, with the fewest workers."""

    def laws(self) -> tuple[Law, Law]:
        """The law through the limits' lower and upper ends. Raises LoadError if nothing held."""
        counts = list(self.limits)
        if not all(limit.low_per_s for limit in self.limits.values()):
            raise LoadError("no rate held the thresholds: --start lower, or looser thresholds")
        ends = [[getattr(one, key) for one in self.limits.values()] for key in _ENDS]
        return fit(counts, ends[0]), fit(counts, ends[1])

    def doubts(self) -> list[str]:
        """Why the law should not be believed. Raises LoadError if nothing held."""
        limits = {
            count: (one.low_per_s, one.high_per_s if one.proven else inf)
            for count, one in self.limits.items()
        }
        said = [
            one
            for key, law in zip(_ENDS, self.laws(), strict=True)
            for one in doubts(law, limits, {n: getattr(of, key) for n, of in self.limits.items()})
        ]
        return list(dict.fromkeys(said))

    def workers_needed(self) -> dict[str, int | None]:
        """Fewest and most workers that the peak may need: by the law, or, where it is in doubt, by
        what was measured. None where no number is known to do."""
        if not self.doubts():
            low, high = self.laws()
            return {
                "low": high.workers_for(self.peak_per_s),
                "high": low.workers_for(self.peak_per_s),
            }
        enough = min(
            (n for n, one in self.limits.items() if one.low_per_s >= self.peak_per_s), default=None
        )
        too_few = [
            n
            for n, one in self.limits.items()
            if one.proven and one.high_per_s <= self.peak_per_s and (enough is None or n < enough)
        ]
        return {"low": max(too_few, default=0) + 1, "high": enough}

    def document(self) -> dict[str, Any]:
        """For --json."""
        low, _ = self.laws()
        return {
            "peak_per_s": self.peak_per_s,
            "workers": {
                count: {
                    "low_per_s": limit.low_per_s,
                    "high_per_s": limit.high_per_s,
                    "proven": limit.proven,
                    "steps": [
                        {
                            "rate_per_s": step.rate_per_s,
                            "word": step.word,
                            "p99_response_ms": step.figures["p99_response_ms"],
                            "send_lag_p99_ms": step.figures["send_lag_p99_ms"],
                        }
                        for step in limit.steps
                    ],
                }
                for count, limit in self.limits.items()
            },
            "law": asdict(low),
            "law_doubts": self.doubts(),
            "workers_needed": self.workers_needed(),
        }


_ENDS: Final = ("low_per_s", "high_per_s")


def measure(order: Order, say: Say = lambda _: None) -> Capacity:
    """Find the limits. Raises LoadError, ServiceFailed, ThresholdError, TraceError."""
    parse_thresholds(order.thresholds)
    if order.source.is_dir():
        loaded = make(order.source, asked=parse(WINDOW), reads=True).trace
        scenario = open_run(order.source).scenario
    else:
        loaded, scenario = trace.read(order.source), load(BASE)
    # The sender's own lag has a limit of its own here: a late sender breaks no threshold.
    held = of_the_host(scenario.load.thresholds) if scenario.load else ()
    thresholds = order.thresholds or of_the_host(loaded.thresholds) or held
    if not thresholds:
        raise LoadError("neither the trace nor the scenario says what must hold: give --threshold")
    empty_folder(order.folder)
    peak_per_s = order.peak_per_s or busiest_second(loaded)
    bench = Bench(
        loaded=loaded,
        folder=order.folder,
        scenario=scenario,
        thresholds=thresholds,
        step_s=order.step_s,
        lag_limit_ms=order.lag_limit_ms,
    )
    most_per_s = min(order.most_per_s, loaded.steps.height / order.step_s)
    limits = {}
    for count in order.workers:

        def step(rate_per_s: float, count: int = count) -> Any:
            say(f"{plural(count)}, {rate_per_s:,.0f} requests per second")
            return bench.measure(rate_per_s, count)

        limits[count] = search(
            step,
            start_per_s=min(order.start_per_s, most_per_s),
            most_per_s=most_per_s,
            precision_ratio=order.precision_ratio,
        )
    say("the peak itself")
    at_peak = bench.measure_at(min(peak_per_s, most_per_s), order.workers[0])
    return Capacity(limits, peak_per_s, at_peak)


def busiest_second(loaded: trace.Trace) -> float:
    """Requests in the busiest second of a trace."""
    seconds = loaded.steps.group_by(pl.col("intended_ns") // 1_000_000_000).len()
    return float(seconds.select(pl.col("len").max()).item())
