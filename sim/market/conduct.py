"""Misconduct by type of store, and how the expected penalty deters it.

The ratio at a store is conduct_ratio (calibrated) x speculator_multiple (if it speculates) x
caught_multiple (once caught) x misconduct_multiple x deterrence. Deterrence, by category, is
exp(-elasticity x (pi - 1)) where pi = perceived catches / reference catches x fine / reference
fine: 1 in the base, so that the base ratios hold there; merchants perceive catches by exponential
smoothing over days. Only restaurants are patrolled; elsewhere pi follows the fine.
"""

import numpy as np

from scenarios.scenario import Scenario
from scenarios.words import CATEGORIES, INCIDENT_TYPES
from sim.columns import Bools, Floats
from sim.market.fleet import Fleet

CATERING = CATEGORIES.index("catering")
DISSATISFACTION = INCIDENT_TYPES.index("dissatisfaction")


class Conduct:
    """The state of deterrence during one replication."""

    def __init__(self, scenario: Scenario, fleet: Fleet) -> None:
        self._conduct = scenario.conduct
        self._patrol = scenario.patrol
        self._deter = scenario.loops.penalties_deter
        self._ratio = np.array([row.row() for row in scenario.solved.conduct_ratio.row()])
        self._speculator_multiple = np.array(scenario.conduct.speculator_multiple.row())
        self._perceived_ratio = 1.0
        kitchens = fleet.rows(CATERING)
        speculators = float(fleet.speculator[kitchens].mean())
        self._reference_catches = (
            self._patrol.reference_visits_per_day_count
            * self._patrol.find_ratio
            * self._patrol.violating_ratio
            * speculators
        )

    def learn(self, caught_count: int) -> None:
        """What merchants make of a day's catches."""
        if self._reference_catches > 0.0:
            weight = self._conduct.perception_weight_ratio
            seen = caught_count / self._reference_catches
            self._perceived_ratio += weight * (seen - self._perceived_ratio)

    def deterrence(self, category: int) -> float:
        """Misconduct relative to its level at the reference penalty (ratio)."""
        if not self._deter:
            return 1.0
        fine = self._conduct.fine_fen.row()[category]
        reference = self._conduct.reference_fine_fen.row()[category]
        penalty = fine / reference if reference else 1.0
        if category == CATERING:
            penalty *= self._perceived_ratio
        return float(np.exp(-self._conduct.deterrence_elasticity_ratio * (penalty - 1.0)))

    def type_ratio(self, *, category: int, kind: int) -> Floats:
        """Incidents of a kind per order at an open store never caught, by type; shape (types,)."""
        level = 1.0
        if kind != DISSATISFACTION:
            level = self._conduct.misconduct_multiple * self.deterrence(category)
        by_type = np.array([1.0, self._speculator_multiple[kind]])
        return np.asarray(self._ratio[category, kind] * level * by_type)

    def spared(self, caught: Bools, uniform: Floats, *, kind: int) -> Bools:
        """Orders at stores once caught that do not go wrong any more: thinning by the multiple."""
        if not self._deter or kind == DISSATISFACTION:
            return np.zeros(caught.size, dtype=np.bool_)
        return caught & (uniform >= self._conduct.caught_multiple)
