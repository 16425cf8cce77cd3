"""How long agents take from one contact's end to the next one's answer while somebody waits.

Nobody logs after-call work and pauses, but where a contact waits, an agent who does not take it is
at one or the other. Decides their law: Kaplan-Meier over turns that begin while somebody waits,
censored when nobody waits any more; beyond `GAP_S` an agent has left. The first `AFTER_CALL_S` of a
turn count as after-call work, the rest as a pause. Intervals: jackknife over days. Seconds.
Sources: Kaplan and Meier, JASA 53 (1958); Efron and Stein, Annals of Statistics 9 (1981).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from sim.experiment.confidence import TAIL, Estimate
from sim.fit.likelihood import Floats
from sim.fit.logs import ContactLog
from sim.fit.presence import GAP_S, by_agent

AFTER_CALL_S: Final = 60.0
FEWEST: Final = 30
# Turns drift from week to week.
PERIOD_DAYS: Final = 7
# Turns scatter 2.3 times as far as their mean, which moves by 12 % from month to month: the mean of
# so many is known as well as that of another month would tell it.
FEWEST_SHOWN: Final = 400
# Of the law that goes into a file: a draw is one of so many equally likely turns.
QUANTILES: Final = 400
# Logs round to the second: an answer so late still ends a wait that ended then.
ROUNDING_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Turns:
    """The law, and its two parts."""

    law_s: Floats
    """Equally likely values, rising; empty where the log cannot show any."""
    mean_s: Estimate
    after_call_s: Estimate
    pause_s: Estimate

    @classmethod
    def of(cls, log: ContactLog) -> "Turns":
        """Without waits or named agents all turns are 0."""
        turn_s, ended, day = _watched(log)
        if ended.sum() < FEWEST:
            nothing = Estimate(0.0, 0.0, 0.0, int(ended.sum()))
            return cls(np.zeros(0), nothing, nothing, nothing)
        second = np.floor(turn_s).astype(np.int64)
        days, place = np.unique(day, return_inverse=True)
        shape = (len(days), int(GAP_S) + 1)
        flat = place * shape[1] + second
        cells = shape[0] * shape[1]
        answered = np.bincount(flat, ended, cells).reshape(shape)
        at_all = np.bincount(flat, minlength=cells).reshape(shape)
        total_s = np.bincount(second[ended], turn_s[ended], shape[1])
        count = answered.sum(axis=0)
        times_s = np.where(count > 0.0, total_s / np.maximum(count, 1.0), np.arange(shape[1]))
        whole, parts = _shares(count, at_all.sum(axis=0)), len(days)
        without = _shares(count - answered, at_all.sum(axis=0) - at_all)
        first_s = np.minimum(times_s, AFTER_CALL_S)
        n = int(ended.sum())

        def estimate(value_s: Floats) -> Estimate:
            mean, others = float(whole @ value_s), without @ value_s
            spread = float(((others - others.mean()) ** 2).sum()) * (parts - 1) / parts
            if parts < 2:  # one day tells no scatter
                return Estimate(mean, float("nan"), float("nan"), n)
            half = float(stats.t.ppf(1.0 - TAIL, parts - 1)) * spread**0.5
            return Estimate(mean, max(mean - half, 0.0), mean + half, n)

        middle = (np.arange(QUANTILES) + 0.5) / QUANTILES
        law_s = times_s[np.searchsorted(np.cumsum(whole), middle * (1.0 - 1e-12))]
        return cls(law_s, estimate(times_s), estimate(first_s), estimate(times_s - first_s))


@dataclass(frozen=True, slots=True)
class TurnLaws:
    """Laws by the period of a contact's local day, the last of which holds ever after."""

    law_s: Floats
    """[periods, equally likely values], rising"""
    first_day: int = 0

    @classmethod
    def same(cls, law_s: Floats) -> "TurnLaws":
        """One law for all days."""
        return cls(law_s[np.newaxis])

    @classmethod
    def shown(cls, log: ContactLog, otherwise_s: Floats) -> "TurnLaws":
        """As the log shows them period by period; where it shows too few, those of the whole log;
        where it shows too few as well, those given."""
        first = int(log.day.min())
        period = (log.day - first) // PERIOD_DAYS
        whole = Turns.of(log)
        if whole.mean_s.n < FEWEST_SHOWN:
            return cls.same(otherwise_s)
        laws_s = np.tile(whole.law_s, (int(period.max()) + 1, 1))
        for one in np.unique(period):
            own = Turns.of(log.taken(period == one))
            if own.mean_s.n >= FEWEST_SHOWN:
                laws_s[one] = own.law_s
        return cls(laws_s, first)

    @property
    def mean_s(self) -> float:
        """Of all of them."""
        return float(self.law_s.mean()) if self.law_s.size else 0.0

    def draw(self, log: ContactLog, rng: np.random.Generator) -> Floats:
        """One turn for every contact."""
        if not self.law_s.size:
            return np.zeros(len(log))
        period = np.clip((log.day - self.first_day) // PERIOD_DAYS, 0, len(self.law_s) - 1)
        return self.law_s[period, rng.integers(0, self.law_s.shape[1], len(log))]


def _watched(log: ContactLog) -> tuple[Floats, NDArray[np.bool_], NDArray[np.int64]]:
    """Turns that began while somebody waited, each as far as it can be watched; whether it was
    seen to end; the local day."""
    rows, follows = by_agent(log)
    told = log.wait_s > 0.0
    came_s, left_s = log.arrived_s[told], (log.arrived_s + log.wait_s)[told]
    if not len(rows) or not len(came_s):
        return np.zeros(0), np.zeros(0, np.bool_), np.zeros(0, np.int64)
    times = np.concatenate([came_s, left_s])
    step = np.repeat([1, -1], len(came_s))
    order = np.lexsort((-step, times))
    times, waiting = times[order], np.cumsum(step[order])
    nobody_s = times[waiting == 0]
    end_s = log.ended_s[rows]
    next_s = np.full(len(rows), np.inf)
    next_s[:-1][follows] = log.answered_s[rows][1:][follows]
    place = np.searchsorted(times, end_s, side="right") - 1
    last = np.minimum(np.searchsorted(nobody_s, end_s, side="right"), len(nobody_s) - 1)
    used = (place >= 0) & (waiting[place] > 0) & (next_s >= end_s)
    turn_s, watched_s = (next_s - end_s)[used], (nobody_s[last] - end_s)[used]
    limit_s = np.minimum(watched_s, GAP_S)
    return np.minimum(turn_s, limit_s), turn_s <= limit_s + ROUNDING_S, log.day[rows][used]


def _shares(ended: Floats, at_all: NDArray[np.int64]) -> Floats:
    """Of turns that end within `GAP_S`, the share that ends in each second: Kaplan-Meier along the
    last axis, so that all logs that lack a day are one call (`Curve` in sim/fit/survival.py, which
    has intervals, knows one log)."""
    risk = at_all[..., ::-1].cumsum(axis=-1)[..., ::-1]
    stay = np.cumprod(1.0 - ended / np.maximum(risk, 1), axis=-1)
    before = np.concatenate([np.ones_like(stay[..., :1]), stay[..., :-1]], axis=-1)
    gone = 1.0 - stay[..., -1:]
    return np.asarray((before - stay) / np.where(gone > 0.0, gone, 1.0))
