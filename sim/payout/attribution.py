"""Table `payout_attribution`: which guarantee, category and region the worst seasons are made of.

Co-TVaR of a part is its mean over the replications that make the total's TVaR, with the same
weights, so the parts add up to the total's TVaR (Euler allocation: Tasche, Risk 12, 2000, "Risk
contributions and performance measurement"; Denault, Journal of Risk 4, 2001).
"""

from typing import Final

import polars as pl

from sim.payout.frames import frame
from sim.payout.seasons import Seasons
from sim.payout.statistics import SHORTFALLS, shortfall, tail_weights

GROUPS: Final = ("guarantee", "category", "region")
MEASURES: Final = ("gross", "net")


def attribution(seasons: Seasons) -> pl.DataFrame:
    """Mean and co-TVaR of every part."""
    rows = []
    for measure in MEASURES:
        total = seasons.total(measure).astype(float)
        for level in SHORTFALLS.values():
            whole = shortfall(total, level)
            weights = tail_weights(total, level)
            for group in GROUPS:
                matrix = seasons.by(group, measure)
                for key, values in zip(matrix.keys, matrix.fen, strict=True):
                    tail = None if whole.value is None else float(weights @ values)
                    rows.append(
                        {
                            "measure": measure,
                            "by": group,
                            "key": key,
                            "level": level,
                            "mean_fen": float(values.mean()),
                            "cotvar_fen": tail,
                            "share_ratio": tail / whole.value if tail and whole.value else tail,
                            "n": seasons.count,
                            "withheld": whole.withheld if whole.value is None else None,
                        }
                    )
    return frame("payout_attribution", rows)
