"""Compiled placing against NumPy: the same sums and positions to the last bit."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sim.market.placing import find, guide, place, split_cumulated

weights = st.lists(
    st.sampled_from([0.0, 1e-300, 1e-9, 0.1, 0.3, 1.0, 7.0, 1e6]), min_size=1, max_size=60
)
uniforms = st.lists(
    st.one_of(st.sampled_from([0.0, 0.5, 1.0 - 2.0**-53]), st.floats(0.0, 1.0, exclude_max=True)),
    min_size=1,
    max_size=30,
)


@given(weights, st.integers(0, 2**60 - 1))
def test_sums_are_numpys(values: list[float], mask: int) -> None:
    weight = np.array(values)
    first = np.array([bool(mask >> i & 1) for i in range(weight.size)])
    found = split_cumulated(weight, first)
    ones, others = (np.append(0.0, np.cumsum(weight * kind)) for kind in (first, ~first))
    for mine, theirs in zip(found, (ones, others, ones + others), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@given(weights, uniforms)
def test_positions_are_numpys(values: list[float], draws: list[float]) -> None:
    cum = np.append(0.0, np.cumsum(values))
    keys = np.array(draws) * cum[-1]
    np.testing.assert_array_equal(find(cum, keys), np.searchsorted(cum, keys, side="right"))


@given(weights, st.lists(st.integers(0, 60), min_size=1, max_size=3), uniforms)
def test_orders_are_placed_as_by_numpy(
    values: list[float], cuts: list[int], draws: list[float]
) -> None:
    """Time by (tick, cell), store within the cell: the same inversion, written with arrays."""
    store_cum = np.append(0.0, np.cumsum(values))
    inner = sorted(min(cut, len(values)) for cut in cuts)
    edges = np.array([0, *inner, len(values)], dtype=np.int64)
    cells = edges.size - 1
    intensity_cum = np.cumsum(np.tile(np.diff(store_cum[edges]), 4))
    time_u = np.array(draws)
    store_u = time_u[::-1].copy()
    ticks, stores = place(intensity_cum, store_cum, guide(store_cum), edges, time_u, store_u)
    target = time_u * intensity_cum[-1]
    at = np.searchsorted(intensity_cum, target, side="right")
    at = np.minimum(at, intensity_cum.size - 1)
    width = np.maximum(np.diff(intensity_cum, prepend=0.0)[at], 1e-300)
    within = np.clip(1.0 - (intensity_cum[at] - target) / width, 0.0, 1.0)
    np.testing.assert_array_equal(ticks, at // cells + within)
    low, high = store_cum[edges[at % cells]], store_cum[edges[at % cells + 1]]
    draw = low + store_u * (high - low)
    rows = np.searchsorted(store_cum, draw, side="right") - 1
    np.testing.assert_array_equal(stores, np.minimum(rows, edges[at % cells + 1] - 1))
