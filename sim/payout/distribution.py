"""Table `payout_distribution`: gross, recovered and net by everything that tells money apart."""

import polars as pl

from sim.payout.frames import cells, frame
from sim.payout.seasons import GROUPS, MEASURES, Matrix, Seasons
from sim.payout.statistics import figures


def distribution(seasons: Seasons) -> pl.DataFrame:
    """Every statistic of every measure, in all and by each group."""
    rows = []
    for measure in MEASURES:
        whole = Matrix(("",), seasons.total(measure)[None, :])
        parts = {"total": whole} | {group: seasons.by(group, measure) for group in GROUPS}
        for by, matrix in parts.items():
            for key, values in zip(matrix.keys, matrix.fen, strict=True):
                rows += [
                    {"measure": measure, "by": by, "key": key, "statistic": name, **cells(one)}
                    for name, one in figures(values).items()
                ]
    return frame("payout_distribution", rows)
