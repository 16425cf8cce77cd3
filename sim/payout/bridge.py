"""Table `payout_bridge`: from one run's net payout to another's, part by part, to the fen.

In every cell (guarantee, category) the net payout of a season is a product: orders in all (volume)
x share of the category (mix) x claims an order (frequency) x order value a claim (severity) x paid
for each fen of order value (terms) x share not recovered (recovery). The Shapley value of a part is
its effect averaged over all orders in which the parts could be changed (Shapley 1953; Shorrocks,
Journal of Economic Inequality 11, 2013), so parts neither overlap nor leave a rest. Taken in every
pair of seasons and averaged over them; whole fen by the largest remainders.
"""

from itertools import combinations
from math import factorial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from scenarios.words import CATEGORIES, GUARANTEES
from sim.experiment.files import RunError
from sim.payout.frames import frame
from sim.payout.seasons import Seasons
from sim.payout.statistics import mean

Floats = npt.NDArray[np.float64]
PARTS: Final = ("volume", "mix", "frequency", "severity", "terms", "recovery")


def bridge(before: Seasons, after: Seasons) -> pl.DataFrame:
    """From `before` to `after`, over the replications that both have.

    Raises RunError when the runs are no pairs.
    """
    _check_pairs(before.path, before.manifest, after.path, after.manifest)
    count = min(before.count, after.count)
    a, b = (_factors(seasons)[..., :count] for seasons in (before, after))
    a, b = _known(a, b), _known(b, a)
    shares = _shapley(a, b)
    start, end = _net(a), _net(b)
    assert np.allclose(shares.sum(axis=0), end - start, rtol=0.0, atol=1.0)
    whole = whole_fen(float(start.mean()), [float(part.mean()) for part in shares])
    figures = [mean(start), *(mean(part) for part in shares), mean(end)]
    amounts = [whole[0], *whole[1:], sum(whole)]
    rows = [
        {
            "position": position,
            "part": part,
            "amount_fen": amount,
            "low_fen": one.low,
            "high_fen": one.high,
            "n": count,
        }
        for position, (part, amount, one) in enumerate(
            zip(("start", *PARTS, "end"), amounts, figures, strict=True)
        )
    ]
    return frame("payout_bridge", rows)


def whole_fen(start: float, parts: list[float]) -> list[int]:
    """Start and parts as whole fen whose sum is the rounded sum."""
    exact = [start, *parts]
    floors = [int(np.floor(value)) for value in exact]
    missing = round(sum(exact)) - sum(floors)
    order = sorted(range(len(exact)), key=lambda k: floors[k] - exact[k])
    for k in order[:missing]:
        floors[k] += 1
    return floors


def _check_pairs(
    before: Path, there: dict[str, Any], after: Path, here: dict[str, Any]
) -> None:
    for key in ("seed", "first_day", "last_day"):
        if there.get(key) != here.get(key):
            raise RunError(
                f"{before} has {key} {there.get(key)}, {after} has {here.get(key)}, so they are "
                "no pairs: run one of them again with the other's"
            )


def _factors(seasons: Seasons) -> Floats:
    """The six factors; shape (parts, guarantees, categories, replications), NaN where 0 / 0."""
    payouts = seasons.table("payouts")
    shape = (len(GUARANTEES), len(CATEGORIES), seasons.count)
    keys = [f"{guarantee}/{category}" for guarantee in GUARANTEES for category in CATEGORIES]
    joined = payouts.with_columns(
        cell=pl.concat_str(
            pl.col("guarantee").cast(pl.String), pl.lit("/"), pl.col("category").cast(pl.String)
        )
    )
    claims, value, gross, net = (
        seasons.pivot(joined, "cell", keys, column).reshape(shape).astype(np.float64)
        for column in ("claims_count", "order_value_fen", "gross_fen", "net_fen")
    )
    orders = seasons.pivot(seasons.table("demand"), "category", CATEGORIES, "orders_count")
    by_category = np.broadcast_to(orders.astype(np.float64), shape)
    volume = np.broadcast_to(by_category[0].sum(axis=0), shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = (by_category / volume, claims / by_category, value / claims, gross / value)
        factors = np.stack([volume, *ratios, net / gross])
    # A recovery in a season without a payment in the cell: nothing to be a share of.
    return np.where(np.isfinite(factors), factors, np.nan)


def _known(factors: Floats, other: Floats) -> Floats:
    """What one run cannot say (terms that never applied) is taken from the other, else 0.

    In that run the cell has no claims, so its own payout stays 0 whatever stands there.
    """
    return np.where(np.isnan(factors), np.where(np.isnan(other), 0.0, other), factors)


def _net(factors: Floats) -> Floats:
    """Net payout by replication."""
    return np.asarray(factors.prod(axis=0).sum(axis=(0, 1)))


def _shapley(a: Floats, b: Floats) -> Floats:
    """Shapley values of the parts; shape (parts, replications)."""
    count = len(PARTS)
    net: dict[frozenset[int], Floats] = {}
    for size in range(count + 1):
        for changed in combinations(range(count), size):
            mixed = np.stack([b[k] if k in changed else a[k] for k in range(count)])
            net[frozenset(changed)] = _net(mixed)
    shares = np.zeros((count, a.shape[-1]))
    for part in range(count):
        for others, value in net.items():
            if part not in others:
                size = len(others)
                weight = factorial(size) * factorial(count - size - 1) / factorial(count)
                shares[part] += weight * (net[others | {part}] - value)
    return shares
