"""Arrivals drawn from a fit in place of those that came: the same days, other contacts.

Decides how a day is drawn: its weekday's mean, returns among it as often as in the fitted log, a
gamma factor for the day and one for each hour, Poisson counts, queues by their shares, handle times
from the fitted law. Hours in which the log has no contact stay empty. Presence stays as it was.
Seconds.
"""

from dataclasses import dataclass, replace
from math import exp
from typing import Any

import numpy as np

from sim.fit.arrivals import HOURS, WEEKDAYS
from sim.fit.handling import SHORT_S
from sim.fit.hours import HOUR_S
from sim.fit.likelihood import Floats
from sim.fit.logs import ContactLog
from sim.fit.problems import LogError


@dataclass(frozen=True, slots=True)
class ArrivalLaw:
    """What a fit says of arrivals and of how long contacts take."""

    mean_by_weekday: Floats
    """[7, 24] contacts; 0 for weekdays that the fitted log does not have."""
    day_cv: float
    hour_cv: float
    queues: tuple[str, ...]
    queue_share: Floats
    short_ratio: float
    handle_mu: float
    handle_sigma: float

    @classmethod
    def of(cls, document: dict[str, Any]) -> "ArrivalLaw":
        """From the file beside an overlay. Raises LogError where the log had too few days."""
        said = {name: one["mean"] for name, one in document["estimates"].items()}
        if said["arrivals_day_cv"] is None:
            raise LogError(
                "--arrivals drawn: too few weekdays come twice in the fitted log, so that nobody "
                "knows how days vary: fit more days"
            )
        mean = np.zeros((len(WEEKDAYS), HOURS))
        for number, name in enumerate(WEEKDAYS):
            if name in document["hour_share_by_weekday"]:
                shares = np.array(document["hour_share_by_weekday"][name])
                mean[number] = said[f"fresh_{name}_count"] / document["fresh_ratio"] * shares
        shares_by_queue: dict[str, float] = {}
        for part in document["mixture"]:
            queue = part["queue"]
            before = shares_by_queue.get(queue, 0.0)
            shares_by_queue[queue] = before + part["share_ratio"]["mean"]
        share = np.array(list(shares_by_queue.values()))
        return cls(
            mean_by_weekday=mean,
            day_cv=said["arrivals_day_cv"],
            hour_cv=said["arrivals_hour_cv"],
            queues=tuple(shares_by_queue),
            queue_share=share / share.sum(),
            short_ratio=said["handle_short_ratio"],
            handle_mu=said["handle_mu"],
            handle_sigma=said["handle_sigma"],
        )

    def check(self, log: ContactLog) -> None:
        """Raises LogError where the fit cannot say what would come on the days of a log."""
        weekdays = np.unique((log.day + 3) % 7)
        lacking = [WEEKDAYS[one] for one in weekdays if not self.mean_by_weekday[one].any()]
        if lacking:
            raise LogError(
                f"--arrivals drawn: {log.name} has a {lacking[0]}, the fitted log has none: fit "
                "more days"
            )

    def draw(self, log: ContactLog, rng: np.random.Generator) -> ContactLog:
        """A log of the same hours; everybody counts as answered at once, as a replay needs it."""
        hour, first = np.unique(np.floor_divide(log.local_s, HOUR_S), return_index=True)
        day, place = np.unique(hour // HOURS, return_inverse=True)
        by_day = _gamma(self.day_cv, len(day), rng)[place]
        weekday = ((hour // HOURS).astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
        mean = self.mean_by_weekday[weekday, (hour % HOURS).astype(np.int64)]
        counts = rng.poisson(mean * by_day * _gamma(self.hour_cv, len(hour), rng))
        n = int(counts.sum())
        local_s = np.repeat(hour * HOUR_S, counts) + HOUR_S * rng.random(n)
        shift_s = np.repeat(log.arrived_s[first] - log.local_s[first], counts)
        order = np.argsort(local_s + shift_s, kind="stable")
        local_s, arrived_s = local_s[order], (local_s + shift_s)[order]
        long_s = np.exp(self.handle_mu + self.handle_sigma * rng.standard_normal(n))
        short = rng.random(n) < self.short_ratio
        handle_s = np.where(short, SHORT_S * rng.random(n), long_s)
        zeros = np.zeros(n, dtype=np.int32)
        return replace(
            log,
            arrived_s=arrived_s,
            answered_s=arrived_s,
            ended_s=arrived_s + handle_s,
            local_s=local_s,
            queue=rng.choice(len(self.queues), size=n, p=self.queue_share).astype(np.int32),
            priority=zeros,
            agent=zeros - 1,
            caller=zeros.astype(np.int64),
            queues=self.queues,
            priorities=("",),
        )

    @property
    def handle_mean_s(self) -> float:
        """Mean of the whole law."""
        body_s = exp(self.handle_mu + self.handle_sigma**2 / 2.0)
        return self.short_ratio * SHORT_S / 2.0 + (1.0 - self.short_ratio) * body_s


def _gamma(cv: float, n: int, rng: np.random.Generator) -> Floats:
    """Factors of mean 1."""
    return rng.gamma(1.0 / cv**2, cv**2, n) if cv > 0.0 else np.ones(n)
