"""Expected oversold rooms: the mean of sim/market/stock.py over hotels of all sizes.

Bookings are Poisson around a hotel's popularity, the allotment is the calibrated headroom with its
spread; popularity and spread are integrated at midpoint quantiles, as the calibration does.
"""

from typing import Final

import numpy as np

from scenarios.calibration import allotment, lognormal_nodes, oversold
from scenarios.scenario import Scenario
from sim.columns import Floats

POPULARITY_NODES: Final = 32
SPREAD_NODES: Final = 12


def oversold_mean(scenario: Scenario, *, relative: Floats, oversell_multiple: Floats) -> Floats:
    """Expected rooms oversold in the whole country if every region were as given.

    `relative`: expected bookings relative to a normal day; same shape as the multiple.
    """
    stock, merchants = scenario.stock, scenario.merchants
    stores = merchants.store_count * merchants.category_share.hotel
    weight = lognormal_nodes(1.0, merchants.popularity_sigma_ratio, POPULARITY_NODES)
    normal = scenario.demand.orders_per_day.hotel * weight / weight.mean() / stores
    spread = lognormal_nodes(1.0, stock.allotment_sigma_ratio, SPREAD_NODES)
    rooms = allotment(
        scenario.solved.allotment_headroom_ratio, np.outer(normal, spread).ravel()
    )
    pairs = np.stack([relative.ravel(), oversell_multiple.ravel()], axis=1)
    distinct, place = np.unique(np.round(pairs, 9), axis=0, return_inverse=True)
    mean = distinct[:, :1] * np.repeat(normal, SPREAD_NODES)
    share = merchants.speculator_ratio.hotel
    found = np.zeros(len(distinct))
    for ratio, part in (
        (stock.oversell_ratio.compliant, 1.0 - share),
        (stock.oversell_ratio.speculator, share),
    ):
        beyond = np.floor(ratio * stock.oversell_multiple * distinct[:, 1:] * rooms)
        over = oversold(mean, np.broadcast_to(rooms, mean.shape), beyond,
                        mean * stock.listing_lag_s / 86400.0)
        found += part * over.mean(axis=1) * stores
    return np.asarray(found[place.ravel()].reshape(relative.shape))
