"""The fleet: every store as a row of columns, ordered by category and, within it, by region.

Drawn once a replication. Popularity is a lognormal weight, normalised so that each category's weights
add up to 1: an order of the category goes to a listed store with probability proportional to it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios.scenario import Scenario
from scenarios.words import CATEGORIES, REGIONS
from sim.columns import Bools, Floats, Ints
from sim.streams import Streams


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
    """Row at which each (category, region) starts, category-major; one more entry for the end."""

    def rows(self, category: int) -> slice:
        """The rows of a category."""
        width = len(REGIONS)
        return slice(int(self.edges[category * width]), int(self.edges[(category + 1) * width]))

    def region_starts(self, category: int) -> Ints:
        """Start of each region within the category's rows, and their end: shape (regions + 1,)."""
        width = len(REGIONS)
        edges = self.edges[category * width : (category + 1) * width + 1]
        return edges - edges[0]


def draw_fleet(scenario: Scenario, streams: Streams) -> Fleet:
    """Draw the stores of one replication."""
    merchants = scenario.merchants
    counts = np.floor(
        merchants.store_count * np.array(merchants.category_share.row()) + 0.5
    ).astype(np.int64)
    cell_counts = np.concatenate(
        [np.diff(np.rint(np.cumsum((0.0, *scenario.regions.row())) * n)) for n in counts]
    ).astype(np.int64)
    edges = np.concatenate(([0], np.cumsum(cell_counts)))
    total = int(edges[-1])
    cell = np.repeat(np.arange(cell_counts.size), cell_counts)
    category = (cell // len(REGIONS)).astype(np.int8)
    weight = np.exp(
        merchants.popularity_sigma_ratio * streams.rng("store.popularity").standard_normal(total)
    )
    weight /= np.bincount(category, weights=weight, minlength=len(CATEGORIES))[category]
    spread = np.exp(
        merchants.deposit_sigma_ratio * streams.rng("store.deposit").standard_normal(total)
    )
    deposit = np.array(merchants.deposit_fen.row(), dtype=np.float64)[category]
    speculator_ratio = np.array(merchants.speculator_ratio.row())[category]
    return Fleet(
        category=category,
        region=(cell % len(REGIONS)).astype(np.int8),
        speculator=streams.rng("store.type").random(total) < speculator_ratio,
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
