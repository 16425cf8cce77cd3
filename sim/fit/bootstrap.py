"""Joint uncertainty of a fit: the same estimates on days drawn again with replacement.

Decides that days are the units (contacts of one day share its load and its weather), and which
estimates are drawn: everything that goes into the overlay, availability apart, which is drawn
from its own interval. Sources: Efron and Tibshirani, An Introduction to the Bootstrap (1993), 8; of
fewer days than the log has, Bickel, Götze and van Zwet, Statistica Sinica 7 (1997).
"""

from math import exp, isfinite, log
from typing import Final

import numpy as np

from sim.experiment.confidence import Estimate
from sim.fit.arrivals import hourly_counts, of_counts
from sim.fit.contacts import ContactsFit
from sim.fit.handling import handle_times
from sim.fit.keys import settings, values
from sim.fit.likelihood import Z
from sim.fit.logs import ContactLog
from sim.fit.presence import LONGEST_HANDLE_S
from sim.fit.replay import by_day
from sim.fit.returns import Links, fit_returns, fresh
from sim.fit.survival import Waits, fit_law

DRAWS: Final = 100
# Of longer logs every so many days are drawn from; their scatter is then that of a shorter log.
MOST_CONTACTS: Final = 500_000
Values = dict[str, float | int | list[float]]


def joint_draws(
    log: ContactLog, fit: ContactsFit, *, seed: int, draws: int = DRAWS
) -> list[Values]:
    """The overlay's values on each resample."""
    rng = np.random.default_rng((seed, 7))
    links, (counts, weekday) = Links.of(log), hourly_counts(log, fresh(log))
    days = np.unique(log.day)
    step = -(-len(log) // MOST_CONTACTS)
    step += step % 7 == 0  # every weekday has its turn
    if step > 1:
        links = links.taken(np.flatnonzero(np.isin(links.day, days[::step])))
        log = log.taken(np.isin(log.day, days[::step]))
        counts, weekday = counts[::step], weekday[::step]
    rows_by_day = dict(by_day(log))
    links_by_day = {day: np.flatnonzero(links.day == day) for day in np.unique(links.day).tolist()}
    names = list(rows_by_day)
    handle_s = np.minimum(log.handle_s, LONGEST_HANDLE_S)
    wait_s, gone = log.wait_s, log.abandoned
    law = fit.patience.laws["lognormal"]
    whole = values(settings(fit.arrivals, fit.handling, law, fit.returns, None))
    found = []
    for _ in range(draws):
        chosen = rng.integers(0, len(names), len(names))
        rows = np.concatenate([rows_by_day[names[i]] for i in chosen])
        told, served = rows[wait_s[rows] > 0.0], rows[handle_s[rows] > 0.0]
        linked = [links_by_day[names[i]] for i in chosen if names[i] in links_by_day]
        back = links.taken(np.concatenate(linked)) if linked else links
        law = fit_law("lognormal", Waits.of(wait_s[told], gone[told]))
        made = settings(
            of_counts(counts[chosen], weekday[chosen]),
            handle_times(handle_s[served], rivals=False),
            law,
            fit_returns(back),
            None,
        )
        # What a resample does not tell, or the log as a whole does not, is as the overlay has it.
        drawn = values(made)
        found.append({key: drawn.get(key, value) for key, value in whole.items()})
    if step > 1:
        found = _narrowed(whole, found, (len(names) / len(days)) ** 0.5)
    return [{**one, **_availability(fit, rng)} for one in found]


def _narrowed(whole: Values, found: list[Values], scale: float) -> list[Values]:
    """Draws of a part of the days as draws of all of them: around the whole fit, and narrower."""
    around = {}
    for key, value in whole.items():
        drawn = np.array([one[key] for one in found])
        around[key] = (np.asarray(value) + scale * (drawn - drawn.mean(axis=0))).tolist()
    return [{key: drawn[i] for key, drawn in around.items()} for i in range(len(found))]


def _availability(fit: ContactsFit, rng: np.random.Generator) -> dict[str, float]:
    if fit.availability is None:
        return {}
    ratio: Estimate = fit.availability.ratio
    if not isfinite(ratio.high):
        return {"support.shrinkage_ratio": max(1.0 - ratio.mean, 0.0)}
    error = log(ratio.high / ratio.low) / (2.0 * Z)
    drawn = ratio.mean * exp(error * float(rng.standard_normal()))
    return {"support.shrinkage_ratio": max(1.0 - drawn, 0.0)}

