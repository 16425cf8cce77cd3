"""Tables `payout_pots` and `payout_pot_amounts`: when pots run dry, and what would have held.

A pot is exhausted by a day if by its end some due payment could not be met in full from it. The
amount that holds at 95 % is the 95 % quantile, over replications, of what was due from the pot in
all, or on its largest day: with that limit and no other change, so many seasons were paid in full.
What a dry pot does to later claims (review) stays as it was in the run.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from scenarios.words import GUARANTEES
from sim.experiment.confidence import share
from sim.payout.frames import cells, frame
from sim.payout.seasons import Seasons
from sim.payout.statistics import mean, quantile

HOLDS_AT: Final = (0.95, 0.99)
HALF: Final = 0.5
NINE_TENTHS: Final = 0.9


class PotDays:
    """The pots by day: `due_fen`, `shortfall_fen` and `dry` of shape (pots, days, replications)."""

    def __init__(self, seasons: Seasons) -> None:
        daily = (
            seasons.table("pots")
            .group_by("guarantee", "lunar_day", "replication")
            .agg(
                pl.col("due_fen", "shortfall_fen").sum(),
                pl.col("exhausted").max().cast(pl.Int64),
            )
            .sort("guarantee", "lunar_day", "replication")
        )
        shape = (len(GUARANTEES), len(seasons.days), seasons.count)
        self.due_fen, self.shortfall_fen, dry = (
            daily[name].to_numpy().reshape(shape)
            for name in ("due_fen", "shortfall_fen", "exhausted")
        )
        self.dry = np.maximum.accumulate(dry, axis=1)


def pots(seasons: Seasons, daily: PotDays) -> pl.DataFrame:
    """Exhaustion and shortfall of every pot, by day and over the horizon."""
    rows = []
    for pot, guarantee in enumerate(GUARANTEES):
        for number, day in enumerate(seasons.days):
            rows.append(
                {
                    "guarantee": guarantee,
                    "lunar_day": day,
                    **_exhausted(daily.dry[pot, number]),
                    **_dates(None, seasons.days),
                    **_shortfall(daily.shortfall_fen[pot, number]),
                }
            )
        rows.append(
            {
                "guarantee": guarantee,
                "lunar_day": None,
                **_exhausted(daily.dry[pot, -1]),
                **_dates(daily.dry[pot], seasons.days),
                **_shortfall(daily.shortfall_fen[pot].sum(axis=0)),
            }
        )
    return frame("payout_pots", rows)


def amounts(seasons: Seasons, daily: PotDays) -> pl.DataFrame:
    """What would have held, beside what the scenario gives."""
    rows = []
    for pot, guarantee in enumerate(GUARANTEES):
        now = seasons.scenario["pots"][guarantee]
        due = {"total": daily.due_fen[pot].sum(axis=0), "day": daily.due_fen[pot].max(axis=0)}
        rows += [
            {
                "guarantee": guarantee,
                "limit": limit,
                "now_fen": now[f"{limit}_limit_fen"],
                "level": level,
                **cells(quantile(values.astype(float), level)),
            }
            for limit, values in due.items()
            for level in HOLDS_AT
        ]
    return frame("payout_pot_amounts", rows)


def budgets(seasons: Seasons, daily: PotDays, asked_fen: dict[str, int]) -> pl.DataFrame:
    """Probability that what was due from a pot so far is above a budget of the user's own."""
    rows = []
    for guarantee, budget_fen in asked_fen.items():
        so_far = np.cumsum(daily.due_fen[GUARANTEES.index(guarantee)], axis=0)
        for number, day in enumerate(seasons.days):
            passed = _exhausted((so_far[number] > budget_fen).astype(np.int64))
            rows.append(
                {"guarantee": guarantee, "budget_fen": budget_fen, "lunar_day": day, **passed}
                | {"n": seasons.count}
            )
    return frame("payout_budgets", rows)


def _exhausted(dry: npt.NDArray[np.int64]) -> dict[str, Any]:
    chance = share(dry)
    known = chance.n > 1
    return {
        "exhausted_ratio": chance.mean,
        "exhausted_low_ratio": chance.low if known else None,
        "exhausted_high_ratio": chance.high if known else None,
    }


def _dates(dry: npt.NDArray[np.int64] | None, days: tuple[int, ...]) -> dict[str, Any]:
    names = ("half_exhausted_day", "nine_tenths_exhausted_day")
    if dry is None:
        return dict.fromkeys(names)
    shares = dry.mean(axis=1)
    return {
        name: next((day for day, part in zip(days, shares, strict=True) if part >= cut), None)
        for name, cut in zip(names, (HALF, NINE_TENTHS), strict=True)
    }


def _shortfall(values: npt.NDArray[np.int64]) -> dict[str, Any]:
    one = mean(values.astype(float))
    return {
        "expected_shortfall_fen": one.value,
        # A shortfall is never below 0, whatever a t interval says.
        "expected_shortfall_low_fen": None if one.low is None else max(one.low, 0.0),
        "expected_shortfall_high_fen": one.high,
        "n": one.n,
    }
