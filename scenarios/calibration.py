"""Free parameters of the mechanisms, solved so that expected base ratios equal their targets.

A closure, a sold-out hotel or a speculator produces incidents through a mechanism; the block
`incidents` states the ratio that should come out in the base. Each free parameter is solved here
once, by quadrature, without random numbers. Overlays then move the mechanism and the ratio follows;
only a change of a target itself (`incidents`, `monitoring.coverage_ratio`) asks for a new solution.
Levers (`*_multiple`), shocks and `monitoring.enabled` never enter.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import gammaincinv, ndtr, ndtri, pdtrc

from scenarios.demand import Demand, Horizon
from scenarios.merchants import Conduct, Incidents, Merchants, Opening, Stock
from scenarios.model import FIRST_OFFSET_D, Model, PerCategory, PerIncident, Ratio
from scenarios.monitoring import Foreseeable, Monitoring
from scenarios.words import CATEGORIES, INCIDENT_TYPES

Floats = NDArray[np.float64]

# Pydantic builds a class for each of these: once, here, where it can read the source.
IncidentRatios = PerIncident[Ratio]
CategoryRatios = PerCategory[Ratio]
CategoryForeseeables = PerCategory[Foreseeable]
CategoryIncidentRatios = PerCategory[IncidentRatios]

FORESEEABLE = ("closed_or_refused", "no_room", "service_no_show")
_DELAY_NODES = 64
_POPULARITY_NODES = 64
_SPREAD_NODES = 24
_DAY_NODES = 3
_HOTEL = CATEGORIES.index("hotel")
_NO_ROOM = INCIDENT_TYPES.index("no_room")


class Calibrated(Model):
    """The solved values; part of the scenario, so that a run can be repeated from its file."""

    undeclared_ratio: CategoryRatios
    """Share of closed compliant stores that do not say so (ratio)."""
    monitored_ratio: CategoryForeseeables
    """Share of stores monitored, by what is foreseen (ratio)."""
    conduct_ratio: CategoryIncidentRatios
    """Incidents per order at an open compliant store (ratio); 0 for closures and rooms."""
    allotment_headroom_ratio: float
    """Hotel allotment relative to normal daily bookings (ratio)."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """The blocks that the solution depends on."""

    horizon: Horizon
    demand: Demand
    incidents: Incidents
    merchants: Merchants
    opening: Opening
    stock: Stock
    conduct: Conduct
    monitoring: Monitoring


def horizon_days(horizon: Horizon) -> NDArray[np.int64]:
    """Position in a `PerDay` field of each day that counts."""
    return np.arange(horizon.first_day, horizon.last_day + 1) - FIRST_OFFSET_D


def lognormal_nodes(median: float, sigma_ratio: float, count: int = _DELAY_NODES) -> Floats:
    """Midpoint quantiles of a lognormal law, equally weighted, in the unit of its median."""
    return np.asarray(median * np.exp(sigma_ratio * ndtri((np.arange(count) + 0.5) / count)))


def closure_warning(demand: Demand, monitoring: Monitoring, category: int) -> tuple[float, float]:
    """Shares of orders at a monitored closed store that are (alerted, never placed).

    The closure exists since the opening hour (or midnight for orders before it) and is seen after
    the delay X at M = onset + X. An order due at t placed `lead` earlier is alerted if it was
    placed before M and M + notice < t, and is never placed if it would have been placed after M <
    t.
    """
    profile = np.repeat(np.array(demand.hour_profile.row()[category]), 4)
    due_s = (np.arange(96) + 0.5) * 900.0
    opening_s = demand.opening_h.row()[category] * 3600.0
    onset_s = np.where(due_s >= opening_s, opening_s, 0.0)
    delay_s = lognormal_nodes(
        monitoring.detection_delay_median_s, monitoring.detection_delay_sigma_ratio
    )
    seen_s = onset_s[:, None] + delay_s
    left_s = due_s[:, None] - seen_s
    median_s = demand.lead_time_median_s.row()[category]
    with np.errstate(divide="ignore"):
        placed_before = ndtr(
            -np.log(np.maximum(left_s, 1e-9) / median_s) / demand.lead_time_sigma_ratio
        )
    weight = (profile / profile.sum())[:, None] / delay_s.size
    alerted = float((weight * (left_s > monitoring.notice_s) * placed_before).sum())
    prevented = float((weight * (left_s > 0.0) * (1.0 - placed_before)).sum())
    return alerted, prevented


def onset_warning(monitoring: Monitoring, kind: str) -> float:
    """Share of orders at a monitored store warned in time when the problem starts a lognormal lead
    before the order falls due."""
    delay_s = lognormal_nodes(
        monitoring.detection_delay_median_s, monitoring.detection_delay_sigma_ratio
    )
    lead_s = getattr(monitoring.onset_lead_median_s, kind)
    needed = np.log((delay_s + monitoring.notice_s) / lead_s)
    return float(ndtr(-needed / monitoring.onset_lead_sigma_ratio).mean())


def _excess_mean(mean: Floats, limit: Floats) -> Floats:
    """E (B - limit)+ for B ~ Poisson(mean): mean P(B >= c) - c P(B > c) at whole c, linear between.
    """
    whole = np.floor(limit)

    def at(c: Floats) -> Floats:
        return np.asarray(mean * pdtrc(c - 1.0, mean) - c * pdtrc(c, mean))

    low = at(whole)
    return low + (limit - whole) * (at(whole + 1.0) - low)


def oversold(mean: Floats, rooms: Floats, accepted: Floats, lag_mean: Floats) -> Floats:
    """E min((B - c)+, k + L) = E (B - c)+ - E (B - c - k - L)+, with L at its mean: exact where the
    limit binds surely or never, and L is small beside B."""
    return _excess_mean(mean, rooms) - _excess_mean(mean, rooms + accepted + lag_mean)


def allotment(headroom_ratio: float, normal_bookings: Floats) -> Floats:
    """Rooms a hotel gives to the platform: at least one."""
    return np.maximum(1.0, np.rint(headroom_ratio * normal_bookings))


def _headroom(inputs: Inputs, declared: Floats) -> float:
    """Headroom at which the expected no-room incidents of the horizon equal their target."""
    days = horizon_days(inputs.horizon)
    demand, stock = inputs.demand, inputs.stock
    per_day = demand.orders_per_day.hotel * np.array(demand.day_multiplier.hotel)[days]
    factor = np.array(inputs.incidents.day_factor.no_room)[days]
    target = float((per_day * inputs.incidents.ratio.hotel.no_room * factor).sum())
    stores = inputs.merchants.store_count * inputs.merchants.category_share.hotel
    weight = lognormal_nodes(1.0, inputs.merchants.popularity_sigma_ratio, _POPULARITY_NODES)
    weight /= weight.sum()
    normal = demand.orders_per_day.hotel * weight * _POPULARITY_NODES / stores
    spread = lognormal_nodes(1.0, stock.allotment_sigma_ratio, _SPREAD_NODES)
    normal, spread = np.repeat(normal, _SPREAD_NODES), np.tile(spread, _POPULARITY_NODES)
    cv = float(np.hypot(demand.common_day_cv, demand.category_day_cv))
    shape = 1.0 / max(cv, 1e-6) ** 2
    level = gammaincinv(shape, (np.arange(_DAY_NODES) + 0.5) / _DAY_NODES) / shape
    level /= level.mean()
    scale = (per_day / demand.orders_per_day.hotel / (1.0 - declared))[:, None] * level
    mean = scale.ravel()[:, None] * normal
    share = inputs.merchants.speculator_ratio.hotel

    def surplus(log_headroom: float) -> float:
        rooms = np.broadcast_to(allotment(float(np.exp(log_headroom)), normal * spread), mean.shape)
        expected = 0.0
        for ratio, part in (
            (stock.oversell_ratio.compliant, 1.0 - share),
            (stock.oversell_ratio.speculator, share),
        ):
            lag_mean = mean * stock.listing_lag_s / 86400.0
            over = oversold(mean, rooms, np.floor(ratio * rooms), lag_mean)
            expected += part * float(over.sum()) / _DAY_NODES * stores / normal.size
        return expected - target

    return float(np.exp(brentq(surplus, np.log(0.2), np.log(100.0), xtol=1e-4)))


@dataclass(frozen=True, slots=True)
class _Category:
    """A category's days: relative orders, closed share, and what monitoring makes of closures."""

    position: int
    orders: Floats
    closed: Floats
    monitored_seen_ratio: float
    prevented_ratio: float

    @classmethod
    def of(cls, inputs: Inputs, position: int) -> "_Category":
        days = horizon_days(inputs.horizon)
        alerted, prevented = closure_warning(inputs.demand, inputs.monitoring, position)
        wanted = inputs.monitoring.coverage_ratio.closed_or_refused
        seen = min(wanted / (alerted + wanted * prevented), 1.0 - inputs.monitoring.miss_ratio)
        wave = np.array(inputs.opening.wave)[days]
        return cls(
            position=position,
            orders=np.array(inputs.demand.day_multiplier.row()[position])[days],
            closed=wave * inputs.opening.closed_ratio.row()[position],
            monitored_seen_ratio=seen,
            prevented_ratio=seen * prevented,
        )


def _silent(inputs: Inputs, category: _Category, ratio: float) -> Floats:
    """Share of orders at undeclared closed stores by day, given the compliant stores' ratio."""
    share = inputs.merchants.speculator_ratio.row()[category.position]
    odds = inputs.opening.undeclared_odds
    by_type = (1.0 - share) * min(1.0, odds.compliant * ratio)
    return category.closed * (by_type + share * min(1.0, odds.speculator * ratio))


def _undeclared(inputs: Inputs, category: _Category) -> float:
    """Undeclared ratio at which closures produce their target, paused listings deducted."""
    name = CATEGORIES[category.position]
    target_ratio = inputs.incidents.ratio.row()[category.position].closed_or_refused
    factor = np.array(inputs.incidents.day_factor.closed_or_refused)[horizon_days(inputs.horizon)]
    target = float((category.orders * factor).sum()) * target_ratio
    if target == 0.0:
        return 0.0

    def surplus(ratio: float) -> float:
        silent = _silent(inputs, category, ratio)
        reached = silent / (1.0 - (category.closed - silent)) * (1.0 - category.prevented_ratio)
        return float((category.orders * reached).sum()) - target

    if surplus(1.0) < 0.0:
        raise ValueError(
            f"incidents.ratio.{name}.closed_or_refused cannot be reached: even if no closed store "
            f"said so there would be too few; raise opening.closed_ratio.{name}"
        )
    return float(brentq(surplus, 0.0, 1.0, xtol=1e-12))


def _watched(inputs: Inputs, kind: str) -> float:
    """Share of stores to monitor so that `coverage_ratio` of these incidents are warned of."""
    seen = onset_warning(inputs.monitoring, kind) * (1.0 - inputs.monitoring.miss_ratio)
    wanted: float = getattr(inputs.monitoring.coverage_ratio, kind)
    return min(1.0, wanted / seen)


def _conduct(inputs: Inputs, category: _Category, open_share: Floats) -> IncidentRatios:
    """Ratio at compliant stores: the target over what the mix of types and closures makes of it."""
    factors = np.array(inputs.incidents.day_factor.row())[:, horizon_days(inputs.horizon)]
    share = inputs.merchants.speculator_ratio.row()[category.position]
    solved = []
    for kind, target in enumerate(inputs.incidents.ratio.row()[category.position].row()):
        if kind <= _NO_ROOM:
            solved.append(0.0)
            continue
        mix = 1.0 - share + share * inputs.conduct.speculator_multiple.row()[kind]
        due = category.orders * factors[kind]
        solved.append(target * float(due.sum()) / (float((due * open_share).sum()) * mix))
    return IncidentRatios(**dict(zip(INCIDENT_TYPES, solved, strict=True)))


def calibrate(inputs: Inputs) -> Calibrated:
    """Solve all free parameters.

    Raises ValueError if a target cannot be reached (say, more undeclared closures than closures).
    """
    undeclared: dict[str, float] = {}
    monitored: dict[str, Foreseeable] = {}
    conduct: dict[str, IncidentRatios] = {}
    headroom = inputs.stock.allotment_headroom_ratio
    for position, name in enumerate(CATEGORIES):
        category = _Category.of(inputs, position)
        undeclared[name] = _undeclared(inputs, category)
        declared = category.closed - _silent(inputs, category, undeclared[name])
        monitored[name] = Foreseeable(
            closed_or_refused=category.monitored_seen_ratio / (1.0 - inputs.monitoring.miss_ratio),
            no_room=_watched(inputs, "no_room"),
            service_no_show=_watched(inputs, "service_no_show"),
        )
        conduct[name] = _conduct(
            inputs, category, open_share=(1.0 - category.closed) / (1.0 - declared)
        )
        if position == _HOTEL and headroom == 0.0:
            headroom = _headroom(inputs, declared)
    solved = Calibrated(
        undeclared_ratio=CategoryRatios(**undeclared),
        monitored_ratio=CategoryForeseeables(**monitored),
        conduct_ratio=CategoryIncidentRatios(**conduct),
        allotment_headroom_ratio=headroom,
    )
    return Calibrated.model_validate(_rounded(solved.model_dump()))


def _rounded(value: Any) -> Any:
    """Nine significant digits: what a root finder leaves behind them differs between machines, and
    would change the fingerprint."""
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return float(f"{value:.9g}")
