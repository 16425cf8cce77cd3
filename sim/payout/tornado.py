"""Table `payout_tornado`: what the net payout does when one assumption is low or high.

Each case and the scenario as it is meet the same seasons (common random numbers), so an effect is a
paired difference (A. M. Law, Simulation Modeling and Analysis, 5th ed., 10.2.1 and 11.2). Seasons
are those of a smaller world (sim/payout/sample.py); effects are multiplied by its divisor.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from scenarios.loader import shipped
from scenarios.ranges import Ranged
from sim.experiment.rundir import SCENARIO
from sim.payout.frames import frame
from sim.payout.sample import divisor_for, sample_sets
from sim.payout.seasons import Seasons
from sim.payout.statistics import Figure, mean
from sim.payout.trials import Outcome, Trial, outcomes

ORDERS_PER_DAY: Final = 700_000.0
"""Size of the smaller world: a twentieth of the country, a second or two a season."""
MEASURE: Final = "payout_net_fen"


def tornado(
    seasons: Seasons,
    movers: Sequence[Ranged],
    *,
    replications: int,
    folder: Path,
    executor: Executor,
    report: Callable[[int, int], None],
) -> pl.DataFrame:
    """Effects of every mover's low and high case, the one that moves most first."""
    file = str(seasons.path / SCENARIO)
    scenario = shipped().load(file)
    divisor = divisor_for(scenario, ORDERS_PER_DAY)
    smaller = sample_sets(scenario, divisor)
    cases: list[tuple[()] | tuple[Ranged, float]] = [()]
    cases += [(mover, value) for mover in movers for value in (mover.low, mover.high)]
    trials = [
        Trial(file, _sets(seasons.scenario, smaller, case, divisor), seasons.manifest["seed"], r)
        for case in cases
        for r in range(replications)
    ]
    found = outcomes(trials, folder=folder, executor=executor, report=report)
    by_case = [found[k : k + replications] for k in range(0, len(found), replications)]
    base, effects = by_case[0], by_case[1:]
    rows = []
    for mover, low, high in zip(movers, effects[::2], effects[1::2], strict=True):
        ends = [_effect(base, case, divisor) for case in (low, high)]
        rows.append(_row(mover, *ends))
    rows.sort(key=_swing, reverse=True)
    return frame("payout_tornado", [{"rank": k, **row} for k, row in enumerate(rows, start=1)])


def _sets(
    scenario: dict[str, Any],
    smaller: dict[str, float],
    case: tuple[()] | tuple[Ranged, float],
    divisor: int,
) -> tuple[str, ...]:
    """The smaller world, with one key moved; a key of the smaller world is moved in it."""
    sets = {key: f"{key}={value!r}" for key, value in smaller.items()}
    if case:
        mover, value = case
        size = divisor if mover.key in smaller else 1
        sets[mover.key] = mover.sets(scenario, value / size)
    return tuple(sets.values())


def _effect(base: Sequence[Outcome], case: Sequence[Outcome], divisor: int) -> Figure | None:
    """The paired difference at full size; None where the case is no valid scenario."""
    pairs = [(a[MEASURE], b[MEASURE]) for a, b in zip(base, case, strict=True) if a and b]
    if not pairs:
        return None
    differences = np.array([after - before for before, after in pairs])
    return mean(differences * divisor)


def _row(mover: Ranged, low: Figure | None, high: Figure | None) -> dict[str, Any]:
    row: dict[str, Any] = {
        "key": mover.key,
        "low_value": mover.low,
        "base_value": mover.base,
        "high_value": mover.high,
        "source": mover.source,
        "n": max(one.n for one in (low, high) if one) if low or high else 0,
    }
    for side, one in (("low", low), ("high", high)):
        row[f"{side}_effect_fen"] = one.value if one else None
        row[f"{side}_effect_low_fen"] = one.low if one else None
        row[f"{side}_effect_high_fen"] = one.high if one else None
    return row


def _swing(row: dict[str, Any]) -> float:
    """How far apart the two cases lie, and how far from the scenario."""
    ends = [row[f"{side}_effect_fen"] or 0.0 for side in ("low", "high")]
    return float(max(0.0, *ends) - min(0.0, *ends))
