"""From proven plans to answers: verdict, curve over headcounts, and what each step of it costs.

Every difference is paired over the same replications. The price of the last agent is the wage that
separates two neighbouring headcounts, per contact that is not abandoned for it: a ratio of means,
with the interval of the ratio estimator (Cochran, Sampling Techniques, 3rd ed., 6.4).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from scenarios.staff_tables import PAIRED
from sim.columns import Floats
from sim.experiment.confidence import Estimate, band_rows, student
from sim.staffing.headcount import Smallest
from sim.staffing.proof import saved
from sim.staffing.study import Findings
from sim.staffing.trial import FLOOR_METRICS

ABANDONED: Final = "contacts_abandoned_count"


@dataclass(frozen=True, slots=True)
class Answers:
    """What a planner asks for."""

    heads_count: int
    enough: bool
    """At least 95 % of the intervals hold at the stated risk, in whole simulations."""
    probability: Estimate
    """That a season keeps its target in 95 % of its intervals."""
    good_intervals_ratio: float
    held_ratio: Estimate
    """Share of a season's intervals that hold."""
    smallest: Smallest
    fewest_heads_count: int
    risk_ratio: float
    fit_replications: tuple[int, int]
    """First and last replication that the need was found with."""
    proof_replications: tuple[int, int]
    tape_error: dict[str, float]
    """Largest difference of a replication's metric between tape and whole simulation."""


def answers(found: Findings) -> Answers:
    """The answers of a study."""
    mine, setting = found.mine_whole, found.setting
    on_tape = found.mine.trial.metrics
    return Answers(
        heads_count=setting.heads_count,
        enough=mine.enough,
        probability=mine.good,
        good_intervals_ratio=mine.good_intervals_ratio,
        held_ratio=mine.held_mean,
        smallest=found.smallest,
        fewest_heads_count=found.fewest_heads_count,
        risk_ratio=setting.risk_ratio,
        fit_replications=(setting.fit[0], setting.fit[-1]),
        proof_replications=(setting.proof[0], setting.proof[-1]),
        tape_error={
            name: float(np.abs(on_tape[name] - found.whole.metrics[name]).max())
            for name in FLOOR_METRICS
        },
    )


def curve(found: Findings) -> list[dict[str, Any]]:
    """Rows of the table curve, by headcount and metric."""
    rows: list[dict[str, Any]] = []
    for one in found.proven:
        count = one.plan.heads_count
        values = {name: one.trial.metrics[name] for name in FLOOR_METRICS}
        values["held_ratio"] = one.held.mean(axis=(1, 2))
        values["payout_net_fen"] = found.payouts_fen[count]
        for name, sample in values.items():
            low, high = band_rows(np.asarray(sample, dtype=float)[None, :])
            rows.append(
                {
                    "heads_count": count,
                    "metric": name,
                    **asdict(student(sample)),
                    "band_low": float(low[0]),
                    "band_high": float(high[0]),
                }
            )
        alone = dict.fromkeys(("low", "high", "band_low", "band_high"))
        rows.append(
            {
                "heads_count": count,
                "metric": "good_intervals_ratio",
                "mean": one.good_intervals_ratio,
                "n": len(one.held),
                **alone,
            }
        )
    return rows


def steps(found: Findings) -> list[dict[str, Any]]:
    """Rows of the table steps: every pair of neighbouring headcounts."""
    rows = []
    for fewer, more in pairwise(found.proven):
        a, b = fewer.trial.metrics, more.trial.metrics
        wage_fen, avoided = b["wage_fen"] - a["wage_fen"], a[ABANDONED] - b[ABANDONED]
        price = _price(wage_fen, avoided)
        rows.append(
            {
                "heads_from_count": fewer.plan.heads_count,
                "heads_to_count": more.plan.heads_count,
                **_named("wage", student(wage_fen), "fen"),
                **_named("avoided", student(avoided), "count"),
                "price_fen": price.mean,
                "price_low_fen": price.low,
                "price_high_fen": price.high,
            }
            | _saved(a, b)
        )
    return rows


def _saved(a: Mapping[str, Floats], b: Mapping[str, Floats]) -> dict[str, float]:
    row: dict[str, float] = {}
    for name in PAIRED:
        metric = f"{name}_ratio"
        row |= _named(f"saved_{name}", saved(a[metric], b[metric]), "ratio")
    return row


def _named(what: str, one: Estimate, unit: str) -> dict[str, float]:
    return {
        f"{what}_{unit}": one.mean,
        f"{what}_low_{unit}": one.low,
        f"{what}_high_{unit}": one.high,
    }


def _price(wage_fen: Floats, avoided: Floats) -> Estimate:
    """Wage for each abandonment avoided; NaN where it is not clear that any is."""
    nothing = Estimate(float("nan"), float("nan"), float("nan"), len(avoided))
    if not student(avoided).low > 0.0:
        return nothing
    price = float(wage_fen.mean() / avoided.mean())
    half = student(wage_fen - price * avoided).half_width / float(avoided.mean())
    return Estimate(price, price - half, price + half, len(avoided))
