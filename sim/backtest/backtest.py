"""A fitted floor on the days of a log: replications, rivals, and the document of both.

Decides what backtest.json holds. Overall figures are of all contacts; hourly ones of the hours that
are told of (sim/fit/hours.py). The staffing of the tested days is theirs: who was present, and how
long agents take between contacts, which drifts from month to month; where a roster stands in for
presence, or the days show too few turns, the law is the fit's. The rivals get the same.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from math import inf
from typing import Any, Final

import numpy as np

from sim.backtest import score
from sim.backtest.drawn import ArrivalLaw
from sim.backtest.paired import by_chance, nearer
from sim.backtest.rivals import by_erlang_a, by_erlang_c
from sim.experiment.confidence import student_rows
from sim.fit.drift import THRESHOLD_S, Drift
from sim.fit.hours import Hours, Outcome
from sim.fit.leaving import LeavingLaw
from sim.fit.likelihood import Floats
from sim.fit.logs import ContactLog
from sim.fit.presence import Presence
from sim.fit.replay import DAY_S, FloorLaw, replay
from sim.fit.turns import TurnLaws
from sim.fit.waiting import Waiting, WaitingPart

LEVEL: Final = "service_level_ratio"
OVERALL: Final = ("offered", "abandoned_ratio", "mean_wait_s", LEVEL)
HOURLY: Final = ("offered", "abandoned", "abandoned_ratio", "mean_wait_s", LEVEL)


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a fit says that a backtest needs."""

    floor: FloorLaw
    patience_mean_s: float
    erlang_a_factor: float
    drift: Drift

    @classmethod
    def of(cls, document: dict[str, Any]) -> "Fitted":
        """From the file beside an overlay. Raises KeyError if the fit found no floor."""
        floor = document["floor"]
        parts = tuple(WaitingPart(**part) for part in floor["waiting"])
        law = FloorLaw(
            waiting=Waiting(parts),
            leaving=LeavingLaw.of_document(floor["leaving"]),
            availability=float(floor["availability"]),
            availability_hour_cv=float(floor["availability_hour_cv"]),
            turns=TurnLaws.same(np.array(floor["turns_s"], dtype=np.float64)),
        )
        return cls(
            floor=law,
            patience_mean_s=float(document["patience_mean_s"]),
            erlang_a_factor=float(document["erlang_a_factor"]),
            drift=Drift.of_document(floor["drift"]),
        )


@dataclass(frozen=True, slots=True)
class Backtest:
    """All hours: observed, replications by hours, and the rivals."""

    hours: Hours
    observed: Outcome
    simulated: Outcome
    erlang_a: Outcome
    erlang_c: Outcome
    drift: Drift
    threshold_s: float
    seed: int

    def document(self) -> dict[str, Any]:
        """What backtest.json holds."""
        used, rng = self.hours.used, np.random.default_rng((self.seed, 3))
        rivals = {"erlang_a": self.erlang_a, "erlang_c": self.erlang_c}
        point = {
            "simulated": self.simulated.abandoned_ratio[:, used].mean(axis=0),
            **{name: rival.abandoned_ratio[used] for name, rival in rivals.items()},
        }
        observed_ratio = self.observed.abandoned_ratio[used]
        hourly = {
            name: score.judged(
                getattr(self.simulated, name)[:, used], getattr(self.observed, name)[used], rng
            )
            for name in HOURLY
        }
        return {
            "intervals": int(used.sum()),
            "intervals_left_out": int((~used).sum()),
            "days_fitted_count": self.days_fitted_count,
            "replications": len(self.simulated.offered),
            "seed": self.seed,
            "observed": _overall(self.observed),
            "simulated": _estimates(self.simulated),
            "foretold": self._foretold(),
            **{name: _overall(rival) for name, rival in rivals.items()},
            "mae_abandoned_ratio_hourly": {
                name: score.errors(said, observed_ratio)["mae"] for name, said in point.items()
            },
            "mae_mean_wait_s_hourly": {
                "simulated": hourly["mean_wait_s"]["mae"],
                **{
                    name: score.errors(
                        rival.mean_wait_s[used], self.observed.mean_wait_s[used]
                    )["mae"]
                    for name, rival in rivals.items()
                },
            },
            "nearer": {
                name: nearer(self.hours, self.observed, self.simulated.middle(), rival, rng)
                for name, rival in rivals.items()
            },
            "by_chance": by_chance(self.hours, self.simulated),
            "coverage": hourly["abandoned_ratio"]["coverage"],
            "hourly": hourly,
            "hours": self._columns(),
        }

    @property
    def days_fitted_count(self) -> int:
        """Of the days, how many the fit has seen: it is nearer to those than to others."""
        days = np.unique(np.floor_divide(self.hours.start_s, DAY_S))
        return int(np.isin(days, self.drift.day).sum())

    def _foretold(self) -> dict[str, Any]:
        """The simulated figures with the drift that the fitted log shows over as many days; without
        an interval where it shows too little, or a service level of another threshold."""
        first, last = np.floor_divide(self.hours.start_s[[0, -1]], DAY_S).astype(int).tolist()
        days = last - first + 1
        half, total = self.drift.half_widths(days), self.simulated.middle().total()
        found: dict[str, Any] = {"days_count": days, "spells_count": self.drift.spells_count(days)}
        for name, most in (("abandoned_ratio", 1.0), ("mean_wait_s", inf), (LEVEL, 1.0)):
            mean = float(getattr(total, name))
            found[name] = {"mean": mean, "low": None, "high": None}
            if half and (name != LEVEL or self.threshold_s == THRESHOLD_S):
                low, high = max(mean - half[name], 0.0), min(mean + half[name], most)
                found[name] |= {"low": low, "high": high}
        return found

    def _columns(self) -> dict[str, list[float]]:
        """The hours that are told of, one column a list, as a page draws them."""
        used = self.hours.used
        found = {
            "start_s": self.hours.start_s[used].tolist(),
            "offered": self.observed.offered[used].tolist(),
            "agents": self.hours.agents[used].tolist(),
        }
        for name in ("abandoned_ratio", "mean_wait_s"):
            drawn = getattr(self.simulated, name)[:, used]
            low, high = score.band(drawn, 0.8)
            found |= {
                f"{name}_observed": getattr(self.observed, name)[used].tolist(),
                f"{name}_simulated": drawn.mean(axis=0).tolist(),
                f"{name}_low": low.tolist(),
                f"{name}_high": high.tolist(),
                f"{name}_erlang_a": getattr(self.erlang_a, name)[used].tolist(),
            }
        return found


def backtest(
    log: ContactLog, fitted: Fitted, *, replications: int, seed: int,
    presence: Presence | None = None, arrivals: ArrivalLaw | None = None,
    threshold_s: float = THRESHOLD_S,
    progress: Callable[[int], None] | None = None,
) -> Backtest:
    """Replay the log's days; `presence` is a roster's, else what the log shows; `arrivals` draws
    contacts in place of those that came, and the rivals then plan with their mean."""
    law = fitted.floor if presence else _staffed_as_shown(log, fitted.floor)
    shown = presence or Presence.of(log, turn_s=law.turn_s)
    hours = Hours.of(log, shown)
    observed = hours.gather(log.local_s, log.wait_s, log.abandoned, threshold_s)
    outcomes = []
    for number in range(replications):
        rng = np.random.default_rng((seed, number))
        came = arrivals.draw(log, rng) if arrivals is not None else log
        again = replay(came, shown, law, rng)
        outcomes.append(hours.gather(came.local_s, again.wait_s, again.abandoned, threshold_s))
        if progress is not None:
            progress(number + 1)
    columns = [np.array([getattr(o, name) for o in outcomes]) for name in asdict(observed)]
    simulated, factor = Outcome(*columns), fitted.erlang_a_factor
    known, offered = hours, observed.offered
    if arrivals is not None:
        offered = simulated.offered.mean(axis=0)
        known = replace(hours, handle_s=np.full_like(hours.handle_s, arrivals.handle_mean_s))
    return Backtest(
        hours=hours,
        observed=observed,
        simulated=simulated,
        erlang_a=by_erlang_a(
            known,
            offered,
            factor=factor,
            turn_s=law.turn_s,
            patience_s=fitted.patience_mean_s,
            threshold_s=threshold_s,
        ),
        erlang_c=by_erlang_c(
            known,
            offered,
            factor=factor,
            turn_s=law.turn_s,
            threshold_s=threshold_s,
        ),
        drift=fitted.drift,
        threshold_s=threshold_s,
        seed=seed,
    )


def _staffed_as_shown(log: ContactLog, law: FloorLaw) -> FloorLaw:
    """With the turns that the log itself shows, where it shows enough."""
    return replace(law, turns=TurnLaws.shown(log, law.turns.law_s[-1]))


def _overall(outcome: Outcome) -> dict[str, float]:
    total = outcome.total()
    return {name: float(getattr(total, name)) for name in OVERALL}


def _estimates(outcome: Outcome) -> dict[str, dict[str, float]]:
    """Over replications, with Student-t intervals."""
    total = outcome.total()
    values: Floats = np.array([getattr(total, name) for name in OVERALL])
    rows = student_rows(values)
    return {
        name: {
            "mean": float(rows.mean[i]),
            "low": float(rows.low[i]),
            "high": float(rows.high[i]),
            "n": int(rows.n[i]),
        }
        for i, name in enumerate(OVERALL)
    }
