"""The factor between the presence that a log shows and the time that agents are truly available.

Decides it by matching: the log's own days are replayed (sim/fit/replay.py) with one factor until
as many contacts abandon as did, beside the pauses that the log does show (sim/fit/turns.py); the
slope then turns the scatter of days into an interval, and the scatter of hours beyond what a replay
scatters by itself into the factor's CV by hour.
Simulated moments: D. McFadden, Econometrica 57 (1989).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.experiment.confidence import Estimate
from sim.fit.drift import Drift
from sim.fit.likelihood import Floats, Z
from sim.fit.logs import ContactLog
from sim.fit.patience import PatienceFit
from sim.fit.presence import GAP_S, LONGEST_HANDLE_S, Presence, by_agent
from sim.fit.replay import FloorLaw, Replayed, replay
from sim.fit.turns import TurnLaws, Turns

MOST_DAYS: Final = 200
ROUNDS: Final = 5
PAIRS: Final = 4
STEP_RATIO: Final = 0.04
FEWEST_CONTACTS: Final = 40
BOUNDS: Final = (0.2, 2.0)


@dataclass(frozen=True, slots=True)
class Availability:
    """The factor, and how it varies from hour to hour."""

    ratio: Estimate
    """Of the time present, seen or not, the share that is not spent on pauses."""
    factor: float
    """What a replay multiplies presence with, which draws pauses one by one."""
    hour_cv: float
    drift: Drift
    days_count: int


def fit_availability(
    log: ContactLog, patience: PatienceFit, turns: Turns, *, seed: int
) -> Availability | None:
    """None where the log names no agents."""
    days = np.unique(log.day)
    days = days[:: -(-len(days) // MOST_DAYS)]
    log = log.taken(np.isin(log.day, days))
    presence = Presence.of(log, turn_s=turns.mean_s.mean)
    if not len(presence.from_s):
        return None
    law = FloorLaw(
        waiting=patience.waiting,
        leaving=patience.leaving,
        availability=1.0,
        availability_hour_cv=0.0,
        turns=TurnLaws.shown(log, turns.law_s),
    )

    def again(ratio: float, draw: int = 0, hour_cv: float = 0.0) -> Replayed:
        """With common random numbers for all ratios."""
        rng = np.random.default_rng((seed, draw))
        now = replace(law, availability=ratio, availability_hour_cv=hour_cv)
        return replay(log, presence, now, rng)

    def abandoned(ratio: float, draw: int = 0, hour_cv: float = 0.0) -> Floats:
        """Abandoned or not, by contact."""
        return again(ratio, draw, hour_cv).abandoned.astype(np.float64)

    observed = log.abandoned.astype(np.float64)
    ratio = _match(lambda x: float((abandoned(x) - observed).sum()))
    highs = [abandoned(ratio * (1.0 + STEP_RATIO), draw) for draw in range(PAIRS)]
    lows = [abandoned(ratio * (1.0 - STEP_RATIO), draw) for draw in range(PAIRS)]
    slope = (np.mean(highs, axis=0) - np.mean(lows, axis=0)) / (2.0 * STEP_RATIO)
    middle = (np.mean(highs, axis=0) + np.mean(lows, axis=0)) / 2.0
    surprise = observed - middle
    _, day = np.unique(log.day, return_inverse=True)
    by_days = np.bincount(day, surprise - surprise.mean())
    error = float(np.sqrt((by_days**2).sum()) / abs(slope.sum()))
    spread = [(high + low) / 2.0 for high, low in zip(highs, lows, strict=True)]
    hour_cv = _hour_cv(log.day * 24 + log.hour, surprise, slope, np.array(spread))
    # Loss is convex in the factor: hours that vary lose more, which the factor has to give back.
    varied = np.mean([abandoned(ratio, draw, hour_cv) for draw in range(PAIRS)], axis=0)
    ratio *= float(np.exp((observed - varied).sum() / slope.sum()))
    available = _available(log, turns, ratio / _unseen(log, presence, turns), error, len(days))
    drift = Drift.of(log, [again(ratio, draw, hour_cv) for draw in range(PAIRS)])
    return Availability(available, ratio, hour_cv, drift, len(days))


def _unseen(log: ContactLog, presence: Presence, turns: Turns) -> float:
    """Presence over the part of it that a log shows: an agent idles before the first contact of a
    spell as before any other, but only between contacts can that be seen."""
    rows, follows = by_agent(log)
    gap_s = (log.answered_s[rows][1:] - log.ended_s[rows][:-1])[follows]
    idle_s = np.maximum(gap_s[gap_s <= GAP_S] - turns.mean_s.mean, 0.0)
    if not len(idle_s):
        return 1.0
    shown_s = float((presence.until_s - presence.from_s).sum())
    return 1.0 + len(presence.from_s) * float(idle_s.mean()) / shown_s


def _available(
    log: ContactLog, turns: Turns, factor: float, error: float, days_count: int
) -> Estimate:
    """The factor times the share of an agent's cycle that is no pause; errors of ln are added."""
    handle_s = float(np.minimum(log.handle_s[~log.abandoned], LONGEST_HANDLE_S).mean())
    pause, worked_s = turns.pause_s, handle_s + turns.after_call_s.mean
    cycle_s = worked_s + pause.mean
    from_pauses = (pause.high - pause.mean) / Z / cycle_s
    spread = float(np.exp(Z * np.hypot(error, from_pauses)))
    ratio = factor * worked_s / cycle_s
    if days_count < 2:  # one day tells no scatter
        return Estimate(ratio, float("nan"), float("nan"), days_count)
    return Estimate(ratio, ratio / spread, ratio * spread, days_count)


def _match(excess: Callable[[float], float]) -> float:
    """The ratio at which as many abandon as did: bisection that trusts the secant."""
    (low, high), ends = BOUNDS, []
    for ratio in (0.8, 1.0):
        ends.append((ratio, excess(ratio)))
    for _ in range(ROUNDS):
        (x0, y0), (x1, y1) = ends[-2:]
        guess = x1 - y1 * (x1 - x0) / (y1 - y0) if y1 != y0 else x1
        guess = float(np.clip(guess, max(low, x1 - 0.3), min(high, x1 + 0.3)))
        if abs(guess - x1) < 1e-4:
            break
        ends.append((guess, excess(guess)))
    return min(ends, key=lambda end: abs(end[1]))[0]


def _hour_cv(
    hours: NDArray[np.int64], surprise: Floats, slope: Floats, spread: Floats
) -> float:
    """CV of the factor by hour: surprise beyond the replays' own scatter, over squared slopes."""
    _, place = np.unique(hours, return_inverse=True)
    enough = np.bincount(place) >= FEWEST_CONTACTS
    missed = np.bincount(place, surprise)[enough]
    pushed = np.bincount(place, slope)[enough]
    drawn = np.array([np.bincount(place, one)[enough] for one in spread])
    scatter = drawn.var(axis=0, ddof=1) * (1.0 + 1.0 / len(drawn))
    excess = float((missed**2 - scatter).sum())
    return float(np.sqrt(max(excess, 0.0) / max(float((pushed**2).sum()), 1e-9)))
