"""Expected flows of a scenario by tick: orders, incidents, alerts, claims and contacts; no draws.

The means of what sim/market and sim/consumers draw, under a day's level of 1: mechanisms keep their
calibrated parameters, so the flows follow levers, overlays and shocks as the simulation does. Left
out, because small: delisting, stores once caught, deterrence that moves within the season, and the
time of day at which monitoring warns (its mean is used). Counts a tick; fen nowhere.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.signal import fftconvolve
from scipy.special import ndtr

from scenarios.calibration import FORESEEABLE, closure_warning, onset_warning
from scenarios.model import FIRST_OFFSET_D
from scenarios.scenario import Scenario
from scenarios.words import CATEGORIES, INCIDENT_TYPES, TRIGGERS
from sim.columns import Floats
from sim.consumers.alerts import ALERT
from sim.consumers.claims import CANCELLATION, MOVIE, TICKET_REFUND, VALID_REPORT
from sim.consumers.daybook import generosity
from sim.consumers.inquiries import contact_profile
from sim.market.conduct import CATERING, DISSATISFACTION
from sim.market.demand import burst_ratio, regular_orders
from sim.market.incidents import NO_ROOM, NO_SHOW, opportunism_multiple
from sim.market.monitoring import CLOSED
from sim.market.shocks import ShockField, shock_field
from sim.market.stock import HOTEL
from sim.whatif.rooms import oversold_mean

KINDS: Final = range(len(INCIDENT_TYPES))


@dataclass(frozen=True, slots=True)
class Flows:
    """Expected counts by tick; shape (ticks, categories, incident types) unless said otherwise."""

    orders: Floats
    """Orders due; shape (ticks, categories)."""
    incidents: Floats
    """What goes wrong at the time of the order, prevented ones left out."""
    alerts: Floats
    """Consumers warned in time."""
    by_self: Floats
    """Claims by self-service, at the time of the claim."""
    by_person: Floats
    """Consumers who turn to a person, at the time of the contact."""
    inquiries: Floats
    """Plain questions; shape (ticks, categories)."""
    others: Floats
    """Claims without an incident and without a contact, by trigger; shape (ticks, categories,
    triggers)."""


def expected_flows(scenario: Scenario) -> Flows:
    """The flows of the whole horizon, warm-up included."""
    return _Flows(scenario).flows()


def day_sums(scenario: Scenario, flow: Floats) -> Floats:
    """Sums by simulated day, warm-up included; (ticks, ...) to (days, ...)."""
    return np.asarray(flow.reshape(scenario.horizon.days_count, -1, *flow.shape[1:]).sum(axis=1))


class _Flows:
    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._shocks: ShockField = shock_field(scenario)
        horizon = scenario.horizon
        per_hour = horizon.ticks_per_day // 24
        hourly = regular_orders(scenario).reshape(-1, len(CATEGORIES)) / per_hour
        by_tick = np.repeat(hourly, per_hour, axis=0) * (1.0 + burst_ratio(scenario))
        spread = np.array(scenario.regions.row()) * self._shocks.orders_multiple
        self._orders: Floats = by_tick[:, :, None] * spread
        self._day = np.arange(len(by_tick)) // horizon.ticks_per_day
        self._lunar = self._day + horizon.start_day - FIRST_OFFSET_D
        self._profile = np.repeat(
            np.array([row / np.sum(row) for row in scenario.demand.hour_profile.row()]).T
            / per_hour,
            per_hour,
            axis=0,
        )

    def flows(self) -> Flows:
        shape = (*self._orders.shape[:2], len(INCIDENT_TYPES))
        incidents, alerts, by_self, by_person = (np.zeros(shape) for _ in range(4))
        for kind in KINDS:
            intensity = self._intensity(kind)
            alerted, prevented = self._warned(kind)
            kept = intensity * (1.0 - prevented)[:, None]
            incidents[:, :, kind] = kept.sum(axis=2)
            alerts[:, :, kind] = intensity.sum(axis=2) * alerted
            claiming = kept - intensity * (alerted * self._solved_ratio())[:, None]
            at_self, at_person = self._claims(kind, claiming)
            by_self[:, :, kind], by_person[:, :, kind] = at_self, at_person
        return Flows(
            orders=self._orders.sum(axis=2),
            incidents=incidents,
            alerts=alerts,
            by_self=by_self,
            by_person=by_person,
            inquiries=self._inquiries(),
            others=self._others(alerts),
        )

    # --- what goes wrong ------------------------------------------------------------------------

    def _intensity(self, kind: int) -> Floats:
        """Incidents by (tick, category, region) before monitoring."""
        if kind == NO_ROOM:
            return self._no_rooms()
        scenario, shocks = self._scenario, self._shocks
        silent, selling = self._silent_selling()
        if kind == CLOSED:
            share = (silent / selling)[self._day]
            return np.asarray(self._orders * share[:, :, None] * shocks.closure_multiple)
        factor = np.array(scenario.incidents.day_factor.row()[kind])[self._lunar]
        ratio = ((selling - silent) / selling)[self._day] * self._conduct(kind)
        found = self._orders * (factor[:, None] * ratio)[:, :, None]
        return np.asarray(found * shocks.no_show_multiple if kind == NO_SHOW else found)

    def _silent_selling(self) -> tuple[Floats, Floats]:
        """Shares of orders' weight at silent closed stores and at selling stores; (days, cats)."""
        opening, merchants = self._scenario.opening, self._scenario.merchants
        days = np.unique(self._lunar)
        wave = np.array(opening.wave)[days] * opening.closure_multiple
        closed = np.minimum(1.0, wave[:, None] * np.array(opening.closed_ratio.row()))
        q = np.array(self._scenario.solved.undeclared_ratio.row())
        share = np.array(merchants.speculator_ratio.row())
        odds = opening.undeclared_odds
        quiet = (1.0 - share) * np.minimum(1.0, odds.compliant * q)
        quiet += share * np.minimum(1.0, odds.speculator * q)
        return np.asarray(closed * quiet), np.asarray(1.0 - closed * (1.0 - quiet))

    def _conduct(self, kind: int) -> Floats:
        """Incidents per order at an open store, over types; shape (categories,)."""
        scenario = self._scenario
        conduct = scenario.conduct
        ratio = np.array([row.row()[kind] for row in scenario.solved.conduct_ratio.row()])
        share = np.array(scenario.merchants.speculator_ratio.row())
        ratio = ratio * (1.0 - share + share * conduct.speculator_multiple.row()[kind])
        if kind == DISSATISFACTION:
            own = scenario.consumers.opportunism
            return ratio * [
                opportunism_multiple(own.dissatisfaction_ratio, float(g), own.elasticity_ratio)
                for g in generosity(scenario).dissatisfaction
            ]
        if scenario.loops.penalties_deter:
            fines = zip(conduct.fine_fen.row(), conduct.reference_fine_fen.row(), strict=True)
            penalty = np.array([fine / ref if ref else 1.0 for fine, ref in fines])
            penalty[CATERING] *= self._catches()
            ratio = ratio * np.exp(-conduct.deterrence_elasticity_ratio * (penalty - 1.0))
        return np.asarray(ratio * conduct.misconduct_multiple)

    def _catches(self) -> float:
        """Visits relative to those at which the ratios hold: what merchants come to expect."""
        patrol = self._scenario.patrol
        visits = (
            patrol.online_inspectors_count * patrol.online_visits_per_day_count
            + patrol.onsite_inspectors_count * patrol.onsite_visits_per_day_count
        )
        reference = patrol.reference_visits_per_day_count
        return visits / reference if reference else 1.0

    def _no_rooms(self) -> Floats:
        """Oversold rooms at check-in time, by region's share of orders."""
        horizon = self._scenario.horizon
        orders = self._orders[:, HOTEL, :]
        by_day = day_sums(self._scenario, orders)
        _, selling = self._silent_selling()
        oversell = self._shocks.oversell_multiple[:, HOTEL, :]
        oversell = oversell.reshape(horizon.days_count, -1, orders.shape[1]).mean(axis=1)
        regions = np.array(self._scenario.regions.row())
        found = np.zeros_like(self._orders)
        per_region = oversold_mean(
            self._scenario,
            relative=by_day / regions / self._scenario.demand.orders_per_day.hotel
            / selling[:, HOTEL, None],
            oversell_multiple=oversell,
        )
        profile = np.tile(self._profile[:, HOTEL], horizon.days_count)
        found[:, HOTEL, :] = (per_region * regions)[self._day] * profile[:, None]
        return found

    # --- who is warned, who claims --------------------------------------------------------------

    def _warned(self, kind: int) -> tuple[Floats, Floats]:
        """Shares of incidents whose consumer is (alerted, kept from ordering), by category."""
        none = np.zeros(len(CATEGORIES))
        monitoring = self._scenario.monitoring
        name = INCIDENT_TYPES[kind]
        if not monitoring.enabled or name not in FORESEEABLE:
            return none, none
        shares = [getattr(row, name) for row in self._scenario.solved.monitored_ratio.row()]
        watched = np.minimum(1.0, np.array(shares) * monitoring.coverage_multiple)
        seen = watched * (1.0 - monitoring.miss_ratio)
        if kind != CLOSED:
            return seen * onset_warning(monitoring, name), none
        pairs = [closure_warning(self._scenario.demand, monitoring, c) for c in range(none.size)]
        alerted, prevented = np.array(pairs).T
        return seen * alerted, seen * prevented * self._scenario.loops.alerts_save_contacts

    def _solved_ratio(self) -> float:
        """Share of the warned who change their plans."""
        monitoring = self._scenario.monitoring
        if not self._scenario.loops.alerts_save_contacts:
            return 0.0
        return monitoring.alternative_ratio + monitoring.cancel_ratio

    def _claims(self, kind: int, claiming: Floats) -> tuple[Floats, Floats]:
        """Claims by self-service and to a person, at their own time; (ticks, categories) each."""
        consumers, api = self._scenario.consumers, self._scenario.api
        claims = consumers.contact_ratio.row()[kind] * consumers.contact_multiple
        self_ratio = consumers.self_service_ratio.row()[kind]
        own = min(1.0, claims * self_ratio)
        urge = self._shocks.contact_multiple
        person = np.minimum(1.0 - own, claims * (1.0 - self_ratio) * urge)
        median_s = consumers.claim_delay_median_s.row()[kind]
        sigma = consumers.claim_delay_sigma_ratio
        at_self = self._later(claiming.sum(axis=2) * own, median_s, sigma)
        at_person = self._later((claiming * person).sum(axis=2), median_s, sigma)
        failed = at_self * self._shocks.api_failed_ratio[:, None]
        turns = failed * (api.failover_ratio if self._scenario.loops.api_failover else 0.0)
        again = self._delayed(failed - turns, self._exponential(api.retry_delay_mean_s))
        return at_self - failed + again, at_person + turns

    def _later(self, flow: Floats, median_s: float, sigma: float) -> Floats:
        """The flow after a lognormal delay."""
        edges_s = (np.arange(len(flow) + 1) - 0.5) * self._scenario.horizon.tick_s
        edges_s = np.maximum(edges_s, 1e-9)
        if median_s <= 0.0 or sigma <= 0.0:
            return flow
        return self._delayed(flow, np.diff(ndtr(np.log(edges_s / median_s) / sigma)))

    def _exponential(self, mean_s: float) -> Floats:
        edges_s = np.arange(len(self._orders) + 1) * float(self._scenario.horizon.tick_s)
        return np.asarray(-np.diff(np.exp(-edges_s / mean_s)))

    def _delayed(self, flow: Floats, kernel: Floats) -> Floats:
        later = fftconvolve(flow, kernel[:, None], axes=0)[: len(flow)]
        return np.asarray(np.maximum(later, 0.0))

    # --- what needs no incident -----------------------------------------------------------------

    def _by_day(self, flow: Floats) -> Floats:
        """Day sums, repeated at each tick; shape (ticks, categories)."""
        return np.asarray(day_sums(self._scenario, flow)[self._day])

    def _inquiries(self) -> Floats:
        scenario, horizon = self._scenario, self._scenario.horizon
        per_hour = horizon.ticks_per_day // 24
        profile = np.concatenate(
            [
                np.repeat(contact_profile(scenario, horizon.start_day + day) / per_hour, per_hour)
                for day in range(horizon.days_count)
            ]
        )
        orders = self._orders.sum(axis=2)
        urge = (self._orders * self._shocks.contact_multiple).sum(axis=2) / np.maximum(
            orders, 1e-300
        )
        ratio = np.array(scenario.consumers.inquiries.ratio.row())
        level = ratio * scenario.consumers.contact_multiple
        return np.asarray(self._by_day(orders) * level * profile[:, None] * urge)

    def _others(self, alerts: Floats) -> Floats:
        """Rights, valid reports, compensation of the warned who cancel."""
        scenario = self._scenario
        rights, own, patrol = scenario.rights, scenario.consumers.opportunism, scenario.patrol
        found = np.zeros((*alerts.shape[:2], len(TRIGGERS)))
        profile = np.tile(self._profile, (scenario.horizon.days_count, 1))
        due = self._by_day(self._orders.sum(axis=2)) * profile
        growth = [
            opportunism_multiple(own.cancellation_ratio, float(g), own.elasticity_ratio)
            for g in generosity(scenario).cancellation
        ]
        cancelled = due * np.array(rights.cancellation_ratio.row()) * growth
        found[:, :, CANCELLATION] = cancelled
        returned = rights.ticket_refund_granted_ratio * rights.ticket_refund_used_ratio
        found[:, MOVIE, TICKET_REFUND] = due[:, MOVIE] * returned
        valid = patrol.reports_per_day_count * patrol.reports_valid_ratio
        found[:, CATERING, VALID_REPORT] = valid / scenario.horizon.ticks_per_day
        if scenario.loops.alerts_save_contacts:
            warned = alerts.sum(axis=2)
            warned /= 1.0 - scenario.monitoring.false_alarm_ratio
            found[:, :, ALERT] = warned * scenario.monitoring.cancel_ratio
        return found
