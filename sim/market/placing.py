"""Placing: which store, region and time an order falls to, by inversion of cumulated weights.

Compiled loops over flat arrays, for there are millions of orders and of stores in a run; they sum
and compare in the order in which NumPy's `cumsum` and `searchsorted` do, so that every figure is
the same to the last bit. Draws nothing: uniforms in [0, 1) come in.
"""

import numpy as np
from numpy.typing import NDArray

from sim.columns import Floats, Ints
from sim.compiled import compiled

Guide = NDArray[np.int32]


@compiled
def _first_above(cum: Floats, key: float) -> int:
    """First position whose value is above the key; the size if none is."""
    start, count = 0, cum.size
    while count > 0:
        half = count >> 1
        if cum[start + half] <= key:
            start += half + 1
            count -= half + 1
        else:
            count = half
    return start


@compiled
def find(cum: Floats, keys: Floats) -> Ints:
    """`searchsorted(cum, keys, "right")`."""
    found = np.empty(keys.size, dtype=np.int64)
    for i in range(keys.size):
        found[i] = _first_above(cum, keys[i])
    return found


@compiled
def split_cumulated(
    weight: Floats, first_kind: NDArray[np.bool_]
) -> tuple[Floats, Floats, Floats]:
    """Cumulated weight of the rows of the first kind, of all others, and of both; leading 0."""
    ones = np.empty(weight.size + 1)
    others = np.empty(weight.size + 1)
    both = np.empty(weight.size + 1)
    one, other = 0.0, 0.0
    ones[0] = others[0] = both[0] = 0.0
    for i in range(weight.size):
        if first_kind[i]:
            one += weight[i]
        else:
            other += weight[i]
        ones[i + 1], others[i + 1], both[i + 1] = one, other, one + other
    return ones, others, both


@compiled
def guide(cum: Floats) -> Guide:
    """Where to look for a key: the number of values in earlier parts, of as many equal parts of the
    total as there are values (the method of guide tables, Chen and Asau 1974)."""
    count = cum.size
    parts_per_one = count / cum[-1] if cum[-1] > 0.0 else 0.0
    earlier = np.zeros(count + 1, dtype=np.int32)
    for i in range(count):
        earlier[min(int(cum[i] * parts_per_one), count - 1) + 1] = i + 1
    for part in range(count):
        earlier[part + 1] = max(earlier[part], earlier[part + 1])
    return earlier


@compiled
def _guided(cum: Floats, earlier: Guide, key: float) -> int:
    """As _first_above over all of `cum`, in a step or two: the values of earlier parts are smaller
    than the key, because the part is a monotone function of the value."""
    parts_per_one = cum.size / cum[-1] if cum[-1] > 0.0 else 0.0
    at = int(earlier[min(int(key * parts_per_one), cum.size - 1)])
    while at < cum.size and cum[at] <= key:
        at += 1
    return at


@compiled
def place(
    intensity_cum: Floats,
    store_cum: Floats,
    store_guide: Guide,
    edges: Ints,
    time_u: Floats,
    store_u: Floats,
) -> tuple[Floats, Ints]:
    """Time in ticks and row of the store of each order.

    `intensity_cum` is cumulated by (tick, cell), `store_cum` by store with a leading 0, and `edges`
    are the rows at which the cells' stores start, with the end: shape (cells + 1,).
    """
    time_guide = guide(intensity_cum)
    cells_count = edges.size - 1
    total = intensity_cum[-1]
    ticks = np.empty(time_u.size)
    stores = np.empty(time_u.size, dtype=np.int64)
    for i in range(time_u.size):
        target = time_u[i] * total
        at = min(_guided(intensity_cum, time_guide, target), intensity_cum.size - 1)
        before = intensity_cum[at - 1] if at > 0 else 0.0
        width = max(intensity_cum[at] - before, 1e-300)
        within = min(max(1.0 - (intensity_cum[at] - target) / width, 0.0), 1.0)
        tick = at // cells_count
        cell = at - tick * cells_count
        start, stop = edges[cell], edges[cell + 1]
        low, high = store_cum[start], store_cum[stop]
        draw = low + store_u[i] * (high - low)
        ticks[i] = tick + within
        stores[i] = min(_guided(store_cum, store_guide, draw) - 1, stop - 1)
    return ticks, stores
