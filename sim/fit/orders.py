"""Incident ratios by category and day, prices and profiles, from a log of orders.

Decides ratios with intervals, and by day a ratio that is drawn towards its category's mean as far
as its own orders are few: gamma-Poisson shrinkage (C. N. Morris, JASA 78, 1983). The prior's
strength comes from the scatter of days; no scatter beyond Poisson means that all days are one.
"""

from dataclasses import dataclass
from math import inf, sqrt
from typing import Final

import numpy as np
import polars as pl
from scipy import stats

from sim.experiment.confidence import Estimate
from sim.fit.keys import Setting
from sim.fit.likelihood import Floats, Z

DAY_S: Final = 86400.0
FEWEST: Final = 30


@dataclass(frozen=True, slots=True)
class Shrunk:
    """One category and incident type: the ratio, its prior, and the days (local, since 1970)."""

    category: str
    incident: str
    ratio: Estimate
    prior_shape: float
    """Gamma shape; infinite where days differ no more than chance."""
    days: list[int]
    raw_ratio: list[float]
    shrunk_ratio: list[float]


def shrink(hits: Floats, orders: Floats) -> tuple[float, float, Floats]:
    """Mean ratio, gamma shape, and the shrunk ratio of each day. Days need orders."""
    mean = float(hits.sum() / orders.sum())
    excess = float(((hits - mean * orders) ** 2 - mean * orders).sum())
    strength = mean**2 * float((orders**2).sum())
    if excess <= 0.0 or mean == 0.0:
        return mean, inf, np.full_like(hits, mean)
    shape = strength / excess
    return mean, shape, (hits + shape) / (orders + shape / mean)


def incident_ratios(log: pl.DataFrame) -> list[Shrunk]:
    """Every category and incident type that occurs."""
    days = (pl.col("local_s") / DAY_S).floor().cast(pl.Int64).alias("day")
    table = log.with_columns(days)
    orders = table.group_by("category", "day").len("orders").sort("category", "day")
    found = table.filter(pl.col("incident").is_not_null())
    hits = found.group_by("category", "incident", "day").len("hits")
    rows = []
    for category, incident in sorted(hits.select("category", "incident").unique().iter_rows()):
        own = hits.filter((pl.col("category") == category) & (pl.col("incident") == incident))
        by_day = orders.filter(pl.col("category") == category).join(own, on="day", how="left")
        by_day = by_day.sort("day")
        n = by_day["orders"].to_numpy().astype(np.float64)
        y = by_day["hits"].fill_null(0).to_numpy().astype(np.float64)
        mean, shape, shrunk = shrink(y, n)
        rows.append(
            Shrunk(
                category=category,
                incident=incident,
                ratio=_interval(y, n, mean, shape),
                prior_shape=shape,
                days=by_day["day"].to_list(),
                raw_ratio=(y / n).tolist(),
                shrunk_ratio=shrunk.tolist(),
            )
        )
    return rows


def _interval(y: Floats, n: Floats, mean: float, shape: float) -> Estimate:
    """Exact for Poisson counts; where days differ beyond chance, widened by their scatter."""
    total, orders = float(y.sum()), float(n.sum())
    low = float(stats.chi2.ppf(0.025, 2.0 * total)) / 2.0 / orders if total else 0.0
    high = float(stats.chi2.ppf(0.975, 2.0 * total + 2.0)) / 2.0 / orders
    if shape == inf:
        return Estimate(mean, low, min(high, 1.0), int(orders))
    wider = sqrt(1.0 + mean * float((n**2).sum()) / (shape * orders))
    low, high = mean - (mean - low) * wider, mean + (high - mean) * wider
    return Estimate(mean, max(low, 0.0), min(high, 1.0), int(orders))


def order_settings(log: pl.DataFrame, ratios: list[Shrunk]) -> list[Setting]:
    """The keys of a scenario that a log of orders speaks of: ratios of every category, the rest of
    those with at least `FEWEST` orders."""
    found = [
        Setting(
            f"incidents.ratio.{one.category}.{one.incident}",
            one.ratio.mean,
            one.ratio.low,
            one.ratio.high,
            f"{one.ratio.n} orders",
        )
        for one in ratios
    ]
    for (category,), rows in log.group_by("category", maintain_order=True):
        if rows.height < FEWEST:
            continue
        hours = (rows["local_s"].to_numpy() // 3600 % 24).astype(np.int64)
        shares = np.bincount(hours, minlength=24) / len(hours)
        profile = [float(share) for share in shares]
        found.append(
            Setting(f"demand.hour_profile.{category}", profile, None, None, f"{len(hours)} orders")
        )
        found += _prices(str(category), rows) + _leads(str(category), rows)
    return sorted(found, key=lambda one: one.key)


def _prices(category: str, rows: pl.DataFrame) -> list[Setting]:
    value = rows["value_fen"].drop_nulls().to_numpy().astype(np.float64)
    value = value[value > 0]
    if len(value) < FEWEST:
        return []
    mean, sd, n = float(value.mean()), float(value.std(ddof=1)), len(value)
    half = Z * sd / sqrt(n)
    said = f"{n} orders with a price"
    return [
        Setting(f"demand.order_value_fen.{category}", round(mean), mean - half, mean + half, said),
        Setting(f"demand.order_value_cv.{category}", sd / mean, None, None, said),
    ]


def _leads(category: str, rows: pl.DataFrame) -> list[Setting]:
    lead_s = (rows["due_s"] - rows["placed_s"]).drop_nulls().to_numpy()
    if len(lead_s) < FEWEST:
        return []
    middle = float(np.median(lead_s))
    said = f"{len(lead_s)} orders with placed_at"
    return [Setting(f"demand.lead_time_median_s.{category}", middle, None, None, said)]
