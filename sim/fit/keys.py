"""Which keys of a scenario a contact log speaks of, and the value that it gives each.

Decides the mapping from estimates to keys and the words of the source comment; does not write files
(sim/fit/overlay.py does).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, isfinite, isnan

from sim.experiment.confidence import Estimate
from sim.fit.arrivals import Arrivals
from sim.fit.availability import Availability
from sim.fit.handling import HandleTimes
from sim.fit.returns import Returns
from sim.fit.survival import PatienceLaw


@dataclass(frozen=True, slots=True)
class Setting:
    """A key with its value; arrays carry no interval."""

    key: str
    value: float | int | list[float]
    low: float | None
    high: float | None
    said: str


def settings(
    arrivals: Arrivals, handling: HandleTimes, patience: PatienceLaw, returns: Returns,
    availability: Availability | None,
) -> list[Setting]:
    """All keys that the log speaks of; what it does not show is left to the scenario."""
    law = patience.parameters
    mu = law["mu"]
    median = Estimate(exp(mu.mean), exp(mu.low), exp(mu.high), mu.n)
    found: list[tuple[str, Estimate | None, str]] = [
        ("demand.common_day_cv", arrivals.day_cv, "gamma factor of days around their weekday"),
        ("demand.common_hour_cv", arrivals.hour_cv, "gamma factor of hours"),
        ("consumers.handle_sigma_ratio", handling.body.sigma, "lognormal, from 10 s up"),
        ("consumers.inquiries.handle_phone_s", handling.mean_s, "mean handle time"),
        ("consumers.patience.phone_median_s", median, "lognormal by censored likelihood"),
        ("consumers.patience.phone_sigma_ratio", law["sigma"], "lognormal by censored likelihood"),
        ("consumers.returns.redial_ratio", returns.redial_ratio, "known callers, one hour"),
        ("consumers.returns.redial_delay_mean_s", returns.redial_delay_mean_s, "exponential"),
        ("consumers.returns.fcr_ratio", _rest(returns.reconnect_ratio), "known callers, 24 hours"),
        (
            "consumers.returns.reconnect_delay_median_s",
            returns.reconnect_delay_median_s,
            "lognormal, known callers",
        ),
        (
            "consumers.returns.reconnect_delay_sigma_ratio",
            returns.reconnect_delay_sigma,
            "lognormal, known callers",
        ),
    ]
    if availability is not None:
        loss = _rest(availability.ratio)
        found.append(("support.shrinkage_ratio", loss, "1 - availability while logged on"))
    fixed = "in the common factor: one log cannot tell them apart"
    made = []
    for key, one, said in found:
        if one is None:
            continue
        if key.startswith("demand.common_"):
            if not isfinite(one.high):  # too few weekdays come twice: the log cannot tell scatter
                continue
            made.append(Setting(key.replace("common", "category"), 0.0, None, None, fixed))
        made.append(Setting(key, one.mean, one.low, one.high, said))
    profile = Setting(
        "consumers.inquiries.hour_profile", arrivals.profile, None, None, "fresh contacts by hour"
    )
    return [*made, profile]


def _rest(share: Estimate | None) -> Estimate | None:
    """1 - share, not below 0."""
    if share is None:
        return None
    low, mean, high = (1.0 - x for x in (share.high, share.mean, share.low))
    low, mean, high = (x if isnan(x) else max(x, 0.0) for x in (low, mean, high))
    return Estimate(mean, low, high, share.n)


def interval(one: Setting) -> str:
    """Its 95 % interval in words; empty where there is none."""
    if one.low is None or one.high is None or not isfinite(one.high):
        return ""
    return f"{one.low:.6g} to {one.high:.6g}"


def values(found: Sequence[Setting]) -> dict[str, float | int | list[float]]:
    """Key to value."""
    return {one.key: one.value for one in found}
