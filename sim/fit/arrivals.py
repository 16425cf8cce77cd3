"""When contacts arrive: profile by day type and hour, and how much days and hours vary around it.

Of fresh contacts only: a day that loses many is called again by the same people, which is no demand
(sim/fit/returns.py). Decides means by weekday and hour, the CVs of the gamma factors of days and of
hours (moments; jackknife over days), and the test that arrivals inside blocks are Poisson. A day
type is a weekday. Hours are taken relative to their day's own total, with the share that this fixes
given back. Sources: gamma mixtures, Jongbloed and Koole, Applied Stochastic Models 17 (2001);
jackknife, Efron and Stein, Annals of Statistics 9 (1981).
"""

from dataclasses import dataclass, replace
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from sim.experiment.confidence import TAIL, Estimate
from sim.fit.counts import Dispersion, dispersion, poisson_times
from sim.fit.likelihood import Floats, Z
from sim.fit.logs import ContactLog
from sim.fit.returns import fresh

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
HOURS: Final = 24
BLOCK_S: Final = 360.0
LEAST_EXPECTED: Final = 5.0


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Profile and dispersion of the fresh contacts of whole days."""

    days_count: int
    per_day: dict[str, Estimate]
    """Mean fresh contacts a day, by weekday."""
    hour_share: dict[str, list[float]]
    """Share of a weekday's fresh contacts by hour 0..23."""
    profile: list[float]
    """The same over all days."""
    day_cv: Estimate
    hour_cv: Estimate
    days_empty_count: int = 0
    """Days without any contact between the first and the last, left out of all of this."""
    fresh_ratio: float = 1.0
    """Of all contacts."""
    callers_known_ratio: float = 1.0
    """Of all contacts; returns of the others count as fresh."""
    hourly: Dispersion | None = None
    """Hourly counts around weekday means: the test against Poisson, and the gamma shape."""
    blocks: tuple[int, float, float] | None = None
    """Blocks of six minutes: times tested, D and p of the Poisson test."""


def fit_arrivals(log: ContactLog) -> Arrivals:
    """All of it from the days that have contacts."""
    first = fresh(log)
    counts, weekday = hourly_counts(log, first)
    found = of_counts(counts, weekday)
    return replace(
        found,
        days_empty_count=int(log.day.max() - log.day.min()) + 1 - len(counts),
        fresh_ratio=float(first.mean()),
        callers_known_ratio=float((log.caller != 0).mean()),
        hourly=_hourly(counts, weekday),
        blocks=_blocks(log.local_s[first]),
    )


def hourly_counts(
    log: ContactLog, counted: NDArray[np.bool_]
) -> tuple[Floats, NDArray[np.int64]]:
    """Counted contacts by day and hour, and the weekday of each day (0 = Monday). Days without any
    contact are closed, or of a file that is not there: they are left out."""
    days, place = np.unique(log.day, return_inverse=True)
    counts = np.bincount(place[counted] * HOURS + log.hour[counted], minlength=len(days) * HOURS)
    by_day = counts.reshape(len(days), HOURS).astype(np.float64)
    return by_day, (days + 3) % 7  # 1970-01-01 was a Thursday


def of_counts(counts: Floats, weekday: NDArray[np.int64]) -> Arrivals:
    """What follows from hourly counts alone."""
    shares = np.zeros((7, HOURS))
    per_day, hour_share = {}, {}
    for code, name in enumerate(WEEKDAYS):
        own = counts[weekday == code]
        if not len(own):
            continue
        per_day[name] = _mean(own.sum(axis=1))
        shares[code] = own.sum(axis=0) / max(own.sum(), 1.0)
        hour_share[name] = [float(share) for share in shares[code]]
    hour_cv = _hour_cv(counts, weekday, shares)
    return Arrivals(
        days_count=len(counts),
        per_day=per_day,
        hour_share=hour_share,
        profile=[float(share) for share in counts.sum(axis=0) / max(counts.sum(), 1.0)],
        day_cv=_day_cv(counts.sum(axis=1), weekday, shares, hour_cv.mean),
        hour_cv=hour_cv,
    )


def _mean(values: Floats) -> Estimate:
    n, mean = len(values), float(values.mean())
    if n < 2:
        return Estimate(mean, float("nan"), float("nan"), n)
    half = float(stats.t.ppf(1.0 - TAIL, n - 1)) * float(values.std(ddof=1)) / sqrt(n)
    return Estimate(mean, max(mean - half, 0.0), mean + half, n)


def _day_cv(
    totals: Floats, weekday: NDArray[np.int64], shares: Floats, hour_cv: float
) -> Estimate:
    """From the scatter of days around their weekday's mean, less Poisson and hours."""
    size = np.bincount(weekday, minlength=7)
    mean = np.bincount(weekday, totals, 7) / np.maximum(size, 1)
    used = size[weekday] > 1
    m, freedom = mean[weekday][used], (1.0 - 1.0 / size[weekday])[used]
    from_hours = hour_cv**2 * (shares**2).sum(axis=1)[weekday][used]
    excess = (totals[used] - m) ** 2 - freedom * (m + m**2 * from_hours)
    weekdays_count = int((size > 1).sum())
    return _root_of_ratio(excess, freedom * m**2, lost=weekdays_count, least=2.0)


def _hour_cv(counts: Floats, weekday: NDArray[np.int64], shares: Floats) -> Estimate:
    """From hours around their share of the day's own total. That total contains the hour itself:
    Var = T s (1 - s) + cv^2 T^2 s^2 (1 - 2 s + sum of s^2)."""
    size = np.bincount(weekday, minlength=7)
    used = (size[weekday] > 1) & (counts.sum(axis=1) > 0.0)
    s, total = shares[weekday][used], counts.sum(axis=1, keepdims=True)[used]
    freedom = (1.0 - 1.0 / size[weekday][used])[:, np.newaxis]
    squares = (s**2).sum(axis=1, keepdims=True)
    residual = (counts[used] - s * total) ** 2
    excess = (residual - freedom * total * s * (1.0 - s)).sum(axis=1)
    weight = (freedom * total**2 * s**2 * (1.0 - 2.0 * s + squares)).sum(axis=1)
    return _root_of_ratio(excess, weight, lost=int((size > 1).sum()), least=0.0)


def _root_of_ratio(top: Floats, bottom: Floats, *, lost: int, least: float) -> Estimate:
    """sqrt(sum top / sum bottom). The interval is a variance's, chi-square with as many degrees of
    freedom as give the jackknife's error over days (Satterthwaite, Biometrics Bulletin 2, 1946);
    `lost` means were taken from the same days. Few days jackknife badly: `least` is the squared
    error times the degrees of freedom below which it is not believed, 2 for normal values.
    """
    n = len(top)
    if n - lost < 2 or bottom.sum() <= 0.0:
        return Estimate(float("nan"), float("nan"), float("nan"), n)
    if top.sum() <= 0.0:  # no more scatter than chance: only an upper limit can be told
        chance = sqrt(float(((top - top.mean()) ** 2).sum()) * n / (n - lost))
        return Estimate(0.0, 0.0, sqrt(max(top.sum() + Z * chance, 0.0) / bottom.sum()), n)
    value = float(top.sum() / bottom.sum())
    without = (top.sum() - top) / (bottom.sum() - bottom)
    error = sqrt(float(((without - without.mean()) ** 2).sum()) * (n - 1) / n) / value
    error *= sqrt(n / (n - lost))
    # A variance has one degree of freedom at the least, however wild the jackknife.
    freedom = max(1.0, 2.0 / max(error**2, least / (n - lost), 1e-12))
    high, low = (sqrt(freedom / q) for q in np.asarray(stats.chi2.ppf((TAIL, 1.0 - TAIL), freedom)))
    cv = sqrt(value)
    return Estimate(cv, cv * low, cv * high, n)


def _hourly(counts: Floats, weekday: NDArray[np.int64]) -> Dispersion | None:
    sums = np.zeros((7, HOURS))
    np.add.at(sums, weekday, counts)
    means = sums / np.maximum(np.bincount(weekday, minlength=7), 1)[:, np.newaxis]
    expected = means[weekday].ravel()
    busy = expected >= LEAST_EXPECTED
    return dispersion(counts.ravel()[busy], expected[busy]) if busy.sum() > 20 else None


def _blocks(local_s: Floats) -> tuple[int, float, float] | None:
    """Inside blocks the rate counts as constant; times are spread over their second, since logs
    round to it."""
    rng = np.random.default_rng(0)
    block = np.floor(local_s / BLOCK_S)
    whole = np.all(local_s[: 10 * HOURS] == np.floor(local_s[: 10 * HOURS]))
    times = local_s - block * BLOCK_S + (rng.random(len(local_s)) if whole else 0.0)
    order = np.argsort(block, kind="stable")
    values, first = np.unique(block[order], return_index=True)
    parts = np.split(times[order], first[1:])
    chosen = rng.permutation(len(values))[:500]
    standard = [poisson_times(parts[i], BLOCK_S + 1e-6)[0] for i in chosen if len(parts[i]) >= 3]
    if not standard:
        return None
    r = np.concatenate(standard)
    test = stats.kstest(r, "expon")
    return len(r), float(test.statistic), float(test.pvalue)

