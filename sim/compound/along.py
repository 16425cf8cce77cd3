"""A function of numbers that follow a smooth curve: computed at few, interpolated at the others.

Decides where the generating function of a count is computed. A million frequencies stand so close
that it hardly changes from one to the next, and each costs a sum over the common factor.

The numbers are cut into panels, in their order. On each the function is computed at nodes near
Chebyshev's, and the polynomial (in the place on the panel) through every other node is held against
the rest. Where it misses them by `_TOLERANCE` or less, the polynomial through all nodes, of twice
the degree, has about the square of that error, which is below rounding (geometric convergence:
Trefethen, Approximation Theory and Approximation Practice, theorem 8.2); else the panel is halved,
down to `_DIRECT` numbers, which are all computed. Polynomials are evaluated in barycentric form
(Berrut and Trefethen, SIAM Review 46, 2004).

The numbers carry rounding, which no curve follows. So they get the same polynomial, and what they
differ from it goes on to the result through the function's slope: else the rounding of a node would
become that of its panel, and rounding that does not cancel adds up in a tail. What is left of it is
its share by which the slope changes over a panel, some hundredths.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sim.compound.severity import Floats

Complexes = npt.NDArray[np.complex128]
Index = npt.NDArray[np.int64]

_PANEL: Final = 4096
_DIRECT: Final = 128
"""A shorter panel would save nothing."""
_DEGREE: Final = 24
_TOLERANCE: Final = 1e-12
"""Half of the degree misses the function by at most this, all of it by less than rounding: the
square would allow 1e-8, and 1e-10 has been seen to leave 4e-14 where convergence begins late."""


class Local(NamedTuple):
    """Values of a function, and its derivative there."""

    values: Complexes
    slopes: Complexes


class _Panel(NamedTuple):
    """The polynomial through values at `nodes`: `every` gives it on the whole panel.

    `check` gives the polynomial through every other node at those between them.
    """

    nodes: Index
    every: Floats
    check: Floats


def along(curve: Complexes, function: Callable[[Complexes], Local]) -> Complexes:
    """function(curve).values, for values of at most about 1 in size."""
    count = curve.size
    found = np.empty(count, dtype=np.complex128)
    length = min(count, _PANEL)
    starts = np.append(np.arange(0, count - length, _PANEL), count - length)
    while starts.size and length > _DIRECT:
        panel = _panel(length)
        known = curve[panel.nodes[:, np.newaxis] + starts]
        values, slopes = (part.reshape(known.shape) for part in function(known.ravel()))
        checked = _between(panel.check, known[1::2], known[::2], values[::2], slopes[::2])
        smooth = np.abs(checked - values[1::2]).max(axis=0) <= _TOLERANCE
        places = np.arange(length)[:, np.newaxis] + starts[smooth]
        at_nodes = (part[:, smooth] for part in (known, values, slopes))
        found[places] = _between(panel.every, curve[places], *at_nodes)
        half = (length + 1) // 2
        rough = starts[~smooth]
        starts, length = np.concatenate((rough, rough + length - half)), half
    if starts.size:
        left = np.unique(starts[:, np.newaxis] + np.arange(length))
        found[left] = function(curve[left]).values
    return found


def _between(
    polynomial: Floats, curve: Complexes, known: Complexes, values: Complexes, slopes: Complexes
) -> Complexes:
    """Values on `curve`, shape (places, panels), from those at nodes, shape (nodes, panels)."""
    on_it, there, slope = (_drawn(polynomial, part) for part in (known, values, slopes))
    return np.asarray(there + slope * (curve - on_it))


def _drawn(polynomial: Floats, known: Complexes) -> Complexes:
    """A real product: real and imaginary parts are columns of their own."""
    columns = np.ascontiguousarray(known).view(np.float64)
    return np.ascontiguousarray(polynomial @ columns).view(np.complex128)


@lru_cache(maxsize=64)
def _panel(length: int) -> _Panel:
    """Nodes are whole numbers, so those that crowd at the ends are kept apart."""
    half = np.arange(_DEGREE // 2)
    left = (length - 1) / 2.0 * (1.0 - np.cos(np.pi * half / _DEGREE))
    left = np.maximum(np.rint(left), half).astype(np.int64)
    nodes = np.concatenate((left, [length // 2], length - 1 - left[::-1]))
    every = _interpolation(nodes, np.arange(length))
    return _Panel(nodes, every, _interpolation(nodes[::2], nodes[1::2]))


def _interpolation(nodes: Index, places: Index) -> Floats:
    """Values at `nodes` into values at `places`, shape (places, nodes)."""
    apart = nodes[:, np.newaxis] - nodes + 0.0
    np.fill_diagonal(apart, 1.0)
    # Differences in units of a quarter of the panel, or their products leave a double's range.
    weights = 1.0 / np.prod(apart * (4.0 / (nodes[-1] - nodes[0])), axis=1)
    distance = places[:, np.newaxis] - nodes + 0.0
    there = distance == 0.0
    distance[there] = 1.0
    shares = weights / distance
    shares /= shares.sum(axis=1, keepdims=True)
    return np.asarray(np.where(there.any(axis=1, keepdims=True), there, shares))
