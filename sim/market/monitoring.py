"""Sweeps: which problems are seen, when, and which consumers can still be warned.

The monitored share of stores is calibrated to the target coverage (scenarios/calibration.py, which
has the equations); a monitored store is missed with `miss_ratio`, and seen after a lognormal delay
otherwise. A closed store that was seen takes no further orders: those that would have been placed
later are never placed. Delay and miss of a store rotate from day to day (golden-ratio rotation of
one uniform draw), so that all orders at a store share them.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import ndtri

from scenarios.calibration import FORESEEABLE
from scenarios.scenario import Scenario
from scenarios.words import INCIDENT_TYPES
from sim.columns import Bools, Floats, Ints
from sim.market.fleet import Fleet
from sim.streams import Streams

_GOLDEN: Final = 0.6180339887498949
FORESEEABLE_KINDS: Final = tuple(INCIDENT_TYPES.index(name) for name in FORESEEABLE)
CLOSED: Final = INCIDENT_TYPES.index("closed_or_refused")


@dataclass(frozen=True, slots=True)
class Warnings:
    """Masks over the orders of one block."""

    alerted: Bools
    """Warned before the order falls due."""
    prevented: Bools
    """Never placed, because the listing was marked before."""


class Monitoring:
    """The sweeps of one scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self._monitoring = scenario.monitoring
        self._demand = scenario.demand
        self._pauses = scenario.loops.alerts_save_contacts
        ratio = np.array(
            [
                [getattr(row, name) for name in FORESEEABLE]
                for row in scenario.solved.monitored_ratio.row()
            ]
        )
        self._monitored_ratio = np.minimum(1.0, ratio * self._monitoring.coverage_multiple)

    def _delay_s(self, uniform: Floats) -> Floats:
        m = self._monitoring
        z = ndtri(np.clip(uniform, 1e-9, 1.0 - 1e-9))
        return np.asarray(
            m.detection_delay_median_s * np.exp(m.detection_delay_sigma_ratio * z)
        )

    def watched(self, fleet: Fleet, stores: Ints, *, category: int, kind: int) -> Bools:
        """Whether each store is monitored for this kind of problem."""
        if not self._monitoring.enabled or kind not in FORESEEABLE_KINDS:
            return np.zeros(stores.size, dtype=np.bool_)
        share = self._monitored_ratio[category, FORESEEABLE_KINDS.index(kind)]
        return np.asarray(fleet.watch[stores] < share)

    def closure_seen_s(
        self, fleet: Fleet, stores: Ints, *, category: int, lunar_day: int
    ) -> tuple[Floats, Bools]:
        """Delay after the onset at which a closed store is seen (s), and whether it is seen at all.
        """
        turn = np.mod(fleet.luck[stores] + lunar_day * _GOLDEN, 1.0)
        miss = self._monitoring.miss_ratio
        seen = (turn >= miss) & self.watched(fleet, stores, category=category, kind=CLOSED)
        return self._delay_s((turn - miss) / (1.0 - miss) if miss < 1.0 else turn), seen

    def closure_warnings(
        self,
        fleet: Fleet,
        streams: Streams,
        *,
        stores: Ints,
        due_in_day_s: Floats,
        category: int,
        lunar_day: int,
        block: str,
    ) -> Warnings:
        """Warnings of orders due at stores that are closed without saying so."""
        demand = self._demand
        delay_s, seen = self.closure_seen_s(
            fleet, stores, category=category, lunar_day=lunar_day
        )
        opening_s = demand.opening_h.row()[category] * 3600.0
        seen_s = np.where(due_in_day_s >= opening_s, opening_s, 0.0) + delay_s
        lead_s = demand.lead_time_median_s.row()[category] * np.exp(
            demand.lead_time_sigma_ratio
            * streams.rng(f"order.lead_time/{block}").standard_normal(stores.size)
        )
        placed_before = lead_s > due_in_day_s - seen_s
        return Warnings(
            alerted=seen & placed_before & (seen_s + self._monitoring.notice_s < due_in_day_s),
            prevented=seen & ~placed_before & (seen_s < due_in_day_s) & self._pauses,
        )

    def onset_warnings(
        self, fleet: Fleet, streams: Streams, *, stores: Ints, category: int, kind: int, block: str
    ) -> Warnings:
        """Warnings of orders whose problem starts a lognormal lead before they fall due."""
        m = self._monitoring
        none = np.zeros(stores.size, dtype=np.bool_)
        if kind not in FORESEEABLE_KINDS:
            return Warnings(alerted=none, prevented=none)
        lead_s = getattr(m.onset_lead_median_s, INCIDENT_TYPES[kind]) * np.exp(
            m.onset_lead_sigma_ratio
            * streams.rng(f"monitoring.onset/{block}").standard_normal(stores.size)
        )
        delay_s = self._delay_s(streams.rng(f"monitoring.delay/{block}").random(stores.size))
        missed = streams.rng(f"monitoring.miss/{block}").random(stores.size) < m.miss_ratio
        watched = self.watched(fleet, stores, category=category, kind=kind)
        return Warnings(alerted=watched & ~missed & (delay_s + m.notice_s < lead_s), prevented=none)
