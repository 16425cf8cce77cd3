"""The fleet: every store as a row of columns, ordered by category, region and type.

Drawn once a replication. The order makes each (category, region, type) a run of rows, so that sums
over them and draws within them need no index. Popularity is a lognormal weight, normalised so that
each category's weights add up to 1: an order of the category goes to a listed store with
probability proportional to it.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from scenarios.scenario import Scenario
from scenarios.words import CATEGORIES, REGIONS, STORE_TYPES
from sim.columns import Bools, Floats, Ints
from sim.streams import Streams

CELLS: Final = len(REGIONS) * len(STORE_TYPES)


@dataclass(slots=True)
class Fleet:
    """Columns over all stores; those that change during a run say so."""

    category: NDArray[np.int8]
    region: NDArray[np.int8]
    speculator: Bools
    weight: Floats
    """Share of its category's orders if every store were listed."""
    threshold: NDArray[np.float32]
    """The store closes on a day whose closed share is above it (ratio)."""
    candour: NDArray[np.float32]
    """Uniform draw behind declaring a closure."""
    watch: NDArray[np.float32]
    """Uniform draw behind being monitored: low values are monitored first."""
    luck: NDArray[np.float32]
    """Uniform draw behind the delay and the misses of sweeps, rotated from day to day."""
    deposit_fen: Ints
    """Changes: recourse and fines draw on it."""
    points: NDArray[np.int32]
    """Changes: violation points."""
    listed: Bools
    """Changes: False once delisted."""
    caught: Bools
    """Changes: True once a violation was established."""
    edges: Ints
    """Row at which each (category, region, type) starts, category-major, and the end."""

    def rows(self, category: int) -> slice:
        """The rows of a category."""
        return slice(int(self.edges[category * CELLS]), int(self.edges[(category + 1) * CELLS]))

    def cell_edges(self, category: int) -> Ints:
        """Start of each (region, type) within the category's rows, and their end: (CELLS + 1,)."""
        edges = self.edges[category * CELLS : (category + 1) * CELLS + 1]
        return np.asarray(edges - edges[0])

    def type_sums(self, values: NDArray[Any]) -> Floats:
        """Sums of counts over all stores by category and type; shape (categories, types)."""
        filled = np.flatnonzero(np.diff(self.edges))
        cells = np.zeros(self.edges.size - 1)
        cells[filled] = np.add.reduceat(values, self.edges[filled], dtype=np.int64)
        return np.asarray(cells.reshape(-1, len(REGIONS), len(STORE_TYPES)).sum(axis=1))


def draw_fleet(scenario: Scenario, streams: Streams) -> Fleet:
    """Draw the stores of one replication."""
    merchants = scenario.merchants
    counts = np.floor(
        merchants.store_count * np.array(merchants.category_share.row()) + 0.5
    ).astype(np.int64)
    by_region = np.stack(
        [np.diff(np.rint(np.cumsum((0.0, *scenario.regions.row())) * n)) for n in counts]
    )
    share = np.array(merchants.speculator_ratio.row())[:, None]
    speculators = binom.ppf(streams.rng("store.type").random(by_region.shape), by_region, share)
    cell_counts = np.stack([by_region - speculators, speculators], axis=-1).astype(np.int64)
    edges = np.concatenate(([0], np.cumsum(cell_counts.ravel())))
    total = int(edges[-1])
    cell = np.repeat(np.arange(cell_counts.size), cell_counts.ravel())
    category = (cell // CELLS).astype(np.int8)
    weight = np.exp(
        merchants.popularity_sigma_ratio * streams.rng("store.popularity").standard_normal(total)
    )
    weight /= np.bincount(category, weights=weight, minlength=len(CATEGORIES))[category]
    spread = np.exp(
        merchants.deposit_sigma_ratio * streams.rng("store.deposit").standard_normal(total)
    )
    deposit = np.array(merchants.deposit_fen.row(), dtype=np.float64)[category]
    return Fleet(
        category=category,
        region=(cell % CELLS // len(STORE_TYPES)).astype(np.int8),
        speculator=(cell % len(STORE_TYPES)).astype(np.bool_),
        weight=weight,
        threshold=streams.rng("store.closing_threshold").random(total, dtype=np.float32),
        candour=streams.rng("store.candour").random(total, dtype=np.float32),
        watch=streams.rng("store.watch").random(total, dtype=np.float32),
        luck=streams.rng("store.luck").random(total, dtype=np.float32),
        deposit_fen=np.rint(deposit * spread).astype(np.int64),
        points=np.zeros(total, dtype=np.int32),
        listed=np.ones(total, dtype=np.bool_),
        caught=np.zeros(total, dtype=np.bool_),
        edges=edges,
    )
