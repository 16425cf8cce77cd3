"""Table `payout_cash`: what is paid and received by day, and the highest need on the way.

The peak funding need of a replication is the highest point of what was paid so far less what was
received so far, looked at every tick: a path quantity, which no sum of daily quantiles gives.
"""

import numpy as np
import numpy.typing as npt
import polars as pl

from sim.payout.frames import cells, frame
from sim.payout.seasons import Seasons
from sim.payout.statistics import figures


def cash(seasons: Seasons) -> pl.DataFrame:
    """Statistics of every flow on every day, and of the peak."""
    rows = []
    for flow, matrix in _flows(seasons).items():
        for day, values in zip(seasons.days, matrix, strict=True):
            rows += _rows(flow, day, values)
    return frame("payout_cash", [*rows, *_rows("peak_funding", None, peak_fen(seasons))])


def peak_fen(seasons: Seasons) -> npt.NDArray[np.int64]:
    """Peak funding need by replication."""
    path = np.cumsum(seasons.paths("paid_fen") - seasons.paths("recovered_fen"), axis=0)
    return np.asarray(np.maximum(path.max(axis=0), 0))


def _flows(seasons: Seasons) -> dict[str, npt.NDArray[np.int64]]:
    days_count = len(seasons.days)
    paid, recovered = (
        seasons.paths(name).reshape(days_count, -1, seasons.count).sum(axis=1)
        for name in ("paid_fen", "recovered_fen")
    )
    flows = {"paid": paid, "recovered": recovered, "net": paid - recovered}
    return flows | {f"cumulative_{name}": np.cumsum(fen, axis=0) for name, fen in flows.items()}


def _rows(flow: str, day: int | None, values: npt.NDArray[np.int64]) -> list[dict[str, object]]:
    return [
        {"flow": flow, "lunar_day": day, "statistic": name, **cells(one)}
        for name, one in figures(values).items()
    ]
