"""Every payout table that a run's own files give, without simulating anything more."""

import polars as pl

from sim.payout.answers import answers
from sim.payout.attribution import attribution
from sim.payout.cash import cash
from sim.payout.distribution import distribution
from sim.payout.pots import PotDays, amounts, budgets, pots
from sim.payout.recoveries import recoveries
from sim.payout.seasons import Seasons


def tables(
    seasons: Seasons, *, budgets_fen: dict[str, int], asked_level: float | None
) -> dict[str, pl.DataFrame]:
    """The tables by name."""
    daily = PotDays(seasons)
    found = {
        "payout_answers": answers(seasons, asked_level=asked_level),
        "payout_distribution": distribution(seasons),
        "payout_cash": cash(seasons),
        "payout_pots": pots(seasons, daily),
        "payout_pot_amounts": amounts(seasons, daily),
        "payout_attribution": attribution(seasons),
        "payout_recoveries": recoveries(seasons),
    }
    if budgets_fen:
        found["payout_budgets"] = budgets(seasons, daily, budgets_fen)
    return found
