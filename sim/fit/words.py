"""A contacts fit as numbers with names: for the file beside the overlay, and for people."""

from collections.abc import Iterator
from dataclasses import asdict
from math import isnan
from typing import Any, Final

import numpy as np

from sim.experiment.confidence import Estimate
from sim.fit.contacts import ContactsFit
from sim.fit.logs import ContactLog
from sim.fit.presence import LONGEST_HANDLE_S

# A person who calls for a fiftieth of a whole floor is none.
MOST_OF_ONE_CALLER: Final = 0.02


def estimates(fit: ContactsFit) -> Iterator[tuple[str, Estimate]]:
    """Every scalar estimate by name, unit last."""
    arrivals, handling, returns = fit.arrivals, fit.handling, fit.returns
    for weekday, per_day in arrivals.per_day.items():
        yield f"fresh_{weekday}_count", per_day
    yield "arrivals_day_cv", arrivals.day_cv
    yield "arrivals_hour_cv", arrivals.hour_cv
    yield "handle_short_ratio", handling.short_ratio
    yield "handle_mu", handling.body.mu
    yield "handle_sigma", handling.body.sigma
    yield "handle_mean_s", handling.mean_s
    for law in fit.patience.laws.values():
        for name, one in law.parameters.items():
            yield f"patience_{law.law}_{name}", one
    for name in asdict(returns):
        value = getattr(returns, name)
        if value is not None:
            yield name, value
    if len(fit.turns.law_s):
        yield "turn_mean_s", fit.turns.mean_s
        yield "after_call_s", fit.turns.after_call_s
        yield "pause_s", fit.turns.pause_s
    if fit.availability is not None:
        yield "availability_ratio", fit.availability.ratio


def said(one: Estimate) -> tuple[str, str]:
    """A value and its interval; a dash for what the log cannot tell."""
    value = "-" if isnan(one.mean) else f"{one.mean:.6g}"
    known = not (isnan(one.low) or isnan(one.high))
    return value, f"{one.low:.6g} to {one.high:.6g}" if known else "-"


def remarks(fit: ContactsFit, log: ContactLog) -> Iterator[str]:
    """What a reader of the estimates has to know of the log, one line each."""
    arrivals = fit.arrivals
    yield (
        f"{arrivals.days_count} days with contacts, {arrivals.days_empty_count} more without any "
        f"left out; {arrivals.callers_known_ratio:.1%} of contacts have a caller: returns of the "
        "others count as fresh"
    )
    known = log.caller[log.caller != 0]
    most = int(np.unique(known, return_counts=True)[1].max()) if len(known) else 0
    if most > MOST_OF_ONE_CALLER * len(log):
        yield (
            f"one caller stands for {most / len(log):.1%} of contacts: if that is how withheld "
            "numbers are written, leave them empty, or returns come out too many"
        )
    long_count = int((log.handle_s > LONGEST_HANDLE_S).sum())
    if long_count:
        yield (
            f"contacts longer than {LONGEST_HANDLE_S / 60:.0f} min, as if nobody had hung up: "
            f"{long_count}; each counts as {LONGEST_HANDLE_S / 60:.0f} min"
        )
    if isnan(arrivals.day_cv.mean):
        yield "days and hours: too few weekdays come twice; how they vary is left to the scenario"
    if fit.availability is None:
        yield "agents: none is named, so that availability is left to the scenario"
    elif not len(fit.turns.law_s):
        yield "turns: too few contacts end while another waits; agents count as free at once"


def document(fit: ContactsFit) -> dict[str, Any]:
    """All of the fit, ready for JSON."""
    arrivals, patience = fit.arrivals, fit.patience
    hourly, floor = arrivals.hourly, fit.availability
    return {
        "kind": "contacts",
        "source": fit.source,
        "rows_count": fit.rows_count,
        "days_count": arrivals.days_count,
        "days_empty_count": arrivals.days_empty_count,
        "fresh_ratio": arrivals.fresh_ratio,
        "callers_known_ratio": arrivals.callers_known_ratio,
        "estimates": {name: asdict(one) for name, one in estimates(fit)},
        "hour_share_by_weekday": arrivals.hour_share,
        "dispersion": hourly
        and {
            "index": hourly.index,
            "p_value": hourly.p_value,
            "likelihood_ratio": hourly.likelihood_ratio,
            "negative_binomial_k": asdict(hourly.k),
        },
        "poisson_inside_blocks": arrivals.blocks
        and dict(zip(("times_count", "ks", "p_value"), arrivals.blocks, strict=True)),
        "handle_aic": fit.handling.body.aic,
        "patience_aic": {law: one.optimum.aic for law, one in patience.laws.items()},
        "patience_median_kaplan_meier_s": patience.curve.median_s,
        "patience_kaplan_meier": {
            f"{t}": asdict(patience.curve.at(float(t))) for t in (10, 30, 60, 120, 180, 300, 600)
        },
        "mixture": [asdict(part) for part in fit.mixture],
        "floor": floor
        and {
            "waiting": [asdict(part) for part in patience.waiting.parts],
            "leaving": patience.leaving.document(),
            "availability": floor.factor,
            "availability_hour_cv": floor.hour_cv,
            "turns_s": fit.turns.law_s.tolist(),
            "drift": floor.drift.document(),
        },
        "patience_mean_s": patience.laws["exponential"].parameters["mean_s"].mean,
        "handle_mean_s": fit.handling.mean_s.mean,
    }
