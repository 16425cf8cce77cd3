"""One step of a capacity test: a fresh service, a piece of the trace at one rate, its figures.

Every step has a store of its own, so that none meets the keys and the books of another. The piece
is taken from the middle of the trace and sped up so that it lasts as long as a step should; what
depends on something before the piece is left out.
"""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from loadtests import trace
from loadtests.capacity.search import Step
from loadtests.drill.load import Load, Replay
from loadtests.drill.service import Service
from loadtests.trace import NONE, Trace, TraceError
from scenarios.scenario import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What every step has in common."""

    loaded: Trace
    folder: Path
    scenario: Scenario
    thresholds: tuple[str, ...]
    step_s: float
    lag_limit_ms: float

    def measure(self, rate_per_s: float, workers: int) -> Step:
        """Load a fresh service at one rate. Raises LoadError, ServiceFailed, TraceError."""
        return self._measure(rate_per_s, workers, self._place(rate_per_s, workers))

    def measure_at(self, rate_per_s: float, workers: int) -> Path:
        """As `measure`, for the journal; one that is there already is not made again."""
        place = self._place(rate_per_s, workers)
        if not place.exists():
            self._measure(rate_per_s, workers, place)
        return place / "journal"

    def _place(self, rate_per_s: float, workers: int) -> Path:
        return self.folder / f"workers-{workers}" / f"{rate_per_s:.0f}-per-s"

    def _measure(self, rate_per_s: float, workers: int, place: Path) -> Step:
        place.mkdir(parents=True)
        piece = piece_of(self.loaded, count=max(1, round(rate_per_s * self.step_s)))
        trace_path = place / "trace.parquet"
        trace.write(piece, trace_path)
        service = Service(place, self.scenario, store="", faults=False, workers=workers)
        load = Load(
            trace_path=trace_path,
            out=place / "journal",
            speed=max(piece.duration_s / self.step_s, 1e-3),
            lag_limit_ms=self.lag_limit_ms,
            thresholds=self.thresholds,
        )
        try:
            service.start()
            with Replay(load, service) as replay:
                figures = replay.summary()
        finally:
            service.stop()
        broken = [one for one in figures["thresholds"] if not one["held"]]
        late = figures["verdict"] != "valid"
        return Step(rate_per_s, "broken" if broken else "late" if late else "held", figures)


def piece_of(loaded: Trace, *, count: int) -> Trace:
    """So many steps from the trace's middle, from time 0. Raises TraceError if it is shorter."""
    if count > loaded.steps.height:
        raise TraceError(
            f"the trace has {loaded.steps.height} steps, a step of the test needs {count}: "
            "give a longer one (--amplify, --reads), or --at-most a lower rate"
        )
    start = (loaded.steps.height - count) // 2
    steps = loaded.steps[start : start + count]
    there = pl.col("depends_on").is_in(steps["step"].to_list()) | (pl.col("depends_on") == NONE)
    kept = steps.filter(there).with_columns(pl.col("intended_ns") - pl.col("intended_ns").first())
    return Trace(trace.numbered(kept), loaded.source, loaded.window, loaded.amplification)
