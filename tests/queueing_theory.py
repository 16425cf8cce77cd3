"""Closed forms of queueing theory, in logs where numbers get large. Source: CHECKS A.1 to A.4.

Erlang B by the incomplete gamma function, Erlang C, Erlang A by its birth-death chain, and the
priority waits of Cobham (1954). Rates per second, times in seconds.
"""

from math import exp, lgamma, log
from typing import NamedTuple

import numpy as np
from scipy.special import gammaincc, gammaln, logsumexp


def erlang_b(n: int, a: float) -> float:
    """Blocking: ln(1/B) = a - n ln a + ln Gamma(n + 1) + ln Q(n + 1, a)."""
    return exp(-(a - n * log(a) + lgamma(n + 1) + log(gammaincc(n + 1, a))))


def erlang_c(n: int, a: float) -> float:
    """Probability of waiting."""
    b = erlang_b(n, a)
    return n * b / (n - a * (1.0 - b))


class ErlangA(NamedTuple):
    """Stationary M/M/n+M."""

    wait_ratio: float
    abandoned_ratio: float
    mean_wait_s: float


def erlang_a(n: int, *, arrival_per_s: float, aht_s: float, patience_s: float) -> ErlangA:
    """From the stationary distribution of the birth-death chain, summed until it has died out."""
    theta, mu = 1.0 / patience_s, 1.0 / aht_s
    a = arrival_per_s / mu
    below = np.arange(n) * log(a) - gammaln(np.arange(n) + 1.0)
    waiting = np.arange(int(20 * (n + a)) + 2000)
    steps = np.log(arrival_per_s) - np.log(n * mu + waiting[1:] * theta)
    above = n * log(a) - lgamma(n + 1) + np.concatenate([[0.0], np.cumsum(steps)])
    total = logsumexp(np.concatenate([below, above]))
    p_above = np.exp(above - total)
    queue_len = float((waiting * p_above).sum())
    abandoned_ratio = theta * queue_len / arrival_per_s
    return ErlangA(float(p_above.sum()), abandoned_ratio, queue_len / arrival_per_s)


def cobham_waits(
    n: int, *, high_per_s: float, low_per_s: float, aht_s: float
) -> tuple[float, float]:
    """Mean waits of two non-pre-emptive classes with one exponential handle time."""
    a = (high_per_s + low_per_s) * aht_s
    rest_s = erlang_c(n, a) * aht_s / n
    load_high = high_per_s * aht_s / n
    load = a / n
    return rest_s / (1.0 - load_high), rest_s / ((1.0 - load_high) * (1.0 - load))
