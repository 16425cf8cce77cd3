"""M/M/n+G: contacts that abandon when their patience ends; Erlang A is the exponential law.

Everything is an integral of exp(lambda H(x) - n mu x) over the virtual wait x (Zeltyn and
Mandelbaum, Queueing Systems 51, 2005). The exponent is concave, so its peak and the points where it
has fallen by `FALL` on either side bound the mass; panels between these, the threshold and
quantiles of the patience take Gauss-Legendre. Only sums of positive terms, scaled by the peak:
no cancellation and no overflow. Rates per second, times in seconds, arrays of intervals.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.theory.erlang import Measures, log_erlang_b
from sim.theory.patience import Floats, Patience, exponential

FALL: Final = 60.0
PANELS: Final = np.linspace(0.0, 1.0, 5)
NEARLY: Final = 1e-6
NOTHING: Final = 1e-18
NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)
SHARES: Final = np.array(
    [1e-12, 1e-8, 1e-5, 1e-3, 0.05, 0.5, 0.95, 0.9999, 1 - 1e-7, 1 - 1e-11, 1 - 1e-15]
)


def erlang_a(
    *,
    agents: ArrayLike,
    arrival_per_s: ArrayLike,
    aht_s: float,
    patience_s: float,
    threshold_s: float,
) -> Measures:
    """M/M/n+M with mean patience in seconds."""
    return mmng(
        agents=agents,
        arrival_per_s=arrival_per_s,
        aht_s=aht_s,
        patience=exponential(patience_s),
        threshold_s=threshold_s,
    )


def mmng(
    *,
    agents: ArrayLike,
    arrival_per_s: ArrayLike,
    aht_s: float,
    patience: Patience,
    threshold_s: float,
) -> Measures:
    """M/M/n+G under any law of patience; agents >= 1 and whole."""
    n, rate = np.broadcast_arrays(np.asarray(agents, dtype=np.float64), arrival_per_s)
    shape, n, rate = n.shape, np.ravel(n), np.ravel(rate).astype(np.float64)
    leave = n / aht_s

    def exponent(x: Floats) -> Floats:
        wide = (..., np.newaxis) if x.ndim > 1 else ...
        return np.asarray(rate[wide] * patience.endured(x) - leave[wide] * x)

    x, width, peak = _nodes(rate, leave, patience, threshold_s, exponent)
    mass = np.exp(exponent(x) - peak[:, np.newaxis]) * width
    # Both 1/B(n - 1) and the mass above are divided by exp(scale), the larger of the two.
    log_free = -log_erlang_b(n - 1.0, rate * aht_s)
    scale = np.maximum(log_free, peak)
    free = np.exp(log_free - scale)
    mass *= (rate * np.exp(peak - scale))[:, np.newaxis]
    whole = free + mass.sum(axis=1)
    mass, mass_free = mass / whole[:, np.newaxis], free / whole
    gone, staying, early = patience.gone(x), patience.staying(x), x <= threshold_s
    quick, late = mass * early, (mass * ~early).sum(axis=1)
    p_wait, p_abandon = mass.sum(axis=1), (mass * gone).sum(axis=1)
    served = mass_free + (mass * staying).sum(axis=1)
    sl = mass_free + (quick * staying).sum(axis=1)
    short = (quick * gone).sum(axis=1) + patience.gone(threshold_s) * late
    wait_s = (mass * patience.endured(x)).sum(axis=1)
    columns = (
        p_wait,
        p_abandon,
        wait_s,
        sl,
        _ratio(sl, sl + patience.staying(threshold_s) * late),
        sl + short,
        sl / served,
        wait_s,
        (mass * x * staying).sum(axis=1) / served,
        (mass * x).sum(axis=1),
        rate * aht_s * served / n,
        n,
    )
    return Measures(*(column.reshape(shape) for column in columns))


def _ratio(part: Floats, whole: Floats) -> Floats:
    """Part of whole, 0 of nothing."""
    return part / np.where(whole > 0.0, whole, 1.0)


def _nodes(
    rate: Floats,
    leave: Floats,
    patience: Patience,
    threshold_s: float,
    exponent: Callable[[Floats], Floats],
) -> tuple[Floats, Floats, Floats]:
    """Nodes and widths of integration, shape (intervals, nodes), and the exponent's peak."""
    # H <= its mean bounds the exponent, so beyond `end` it is below -FALL for certain.
    end = (rate * patience.mean_s + FALL) / leave
    top = np.minimum(_last(lambda x: rate * patience.staying(x) > leave, end), end)
    peak = exponent(top)
    stop = _last(lambda x: (x <= top) | (exponent(x) > peak - FALL), end)
    start = _last(lambda x: (x < top) & (exponent(x) < peak - FALL), top)
    marks = np.concatenate([[0.0, threshold_s], patience.quantile(SHARES)])
    inner = np.minimum(np.broadcast_to(marks, (len(rate), len(marks))), stop[:, np.newaxis])
    ends = np.sort(np.column_stack([inner, start, top, stop]), axis=1)
    low, span = ends[:, :-1, np.newaxis], np.diff(ends, axis=1)[:, :, np.newaxis]
    places = (PANELS[:-1, np.newaxis] + np.diff(PANELS)[0] * (NODES + 1.0) / 2.0).ravel()
    share = np.tile(WEIGHTS, len(PANELS) - 1) * np.diff(PANELS)[0] / 2.0
    size = (len(rate), -1)
    return (low + span * places).reshape(size), (span * share).reshape(size), peak


def _last(holds: Callable[[Floats], NDArray[np.bool_]], end: Floats) -> Floats:
    """Where a condition that holds up to some x <= end stops holding, by bisection.

    The answer only places panels, so that six digits are plenty.
    """
    low, high = np.zeros_like(end), np.where(holds(end * NOTHING), end, 0.0)
    while (high - low > NEARLY * high).any():
        middle = (low + high) / 2.0
        yes = holds(middle)
        low, high = np.where(yes, middle, low), np.where(yes, high, middle)
    return high
