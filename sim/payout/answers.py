"""Table `payout_answers`: what to book and what to fund.

Booked is an expected value: gross payouts less what recourse is expected to bring, also after the
horizon. Funded is a quantile of a path: the highest point that payments less money received reach,
whatever merchants still owe. The two differ, and neither stands in for the other.
"""

from typing import Final

import polars as pl

from sim.payout.cash import peak_fen
from sim.payout.frames import cells, frame
from sim.payout.recoveries import ultimate_fen
from sim.payout.seasons import Seasons
from sim.payout.statistics import Figure, mean, quantile

LEVELS: Final = (0.95, 0.99)
_BOOK: Final = {
    "book_gross": "expected payments to consumers",
    "book_recovery": "expected recoveries from merchants, those after the horizon included",
    "book_net": "expected cost: payments less recoveries, those after the horizon included",
    "book_opportunistic": "of the payments, expected to go to claims without a true grievance",
}


def answers(seasons: Seasons, *, asked_level: float | None = None) -> pl.DataFrame:
    """The figures with their intervals; quantiles at LEVELS and at the level asked for."""
    gross = seasons.total("gross").astype(float)
    recovered = ultimate_fen(seasons)
    peak = peak_fen(seasons).astype(float)
    figures: dict[str, Figure] = {
        "book_gross": mean(gross),
        "book_recovery": mean(recovered),
        "book_net": mean(gross - recovered),
        "book_opportunistic": mean(seasons.metric("payout_opportunistic_fen")),
    }
    meanings = dict(_BOOK)
    for level in sorted({*LEVELS, *([asked_level] if asked_level is not None else [])}):
        name, percent = level_name(level), f"{100.0 * level:g} %"
        figures[f"fund_{name}"] = quantile(peak, level)
        meanings[f"fund_{name}"] = f"cash that is enough at every moment in {percent} of seasons"
        figures[f"gross_{name}"] = quantile(gross, level)
        meanings[f"gross_{name}"] = f"payments to consumers that {percent} of seasons stay below"
    rows = [{"figure": k, **cells(one), "meaning": meanings[k]} for k, one in figures.items()]
    return frame("payout_answers", rows)


def level_name(level: float) -> str:
    """p95 for 0.95."""
    return f"p{100.0 * level:g}"
