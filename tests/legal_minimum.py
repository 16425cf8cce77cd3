"""A severity of several atoms: the law's minimum, which a share of claims is raised to.

The exact engine takes any severity; no term of its own has a floor. Formulas: integrals of
P(X > x), Klugman, Panjer and Willmot, Loss Models (4th ed.), chapter 8.
"""

from dataclasses import dataclass

import numpy as np

from sim.compound.severity import Atom, Floats, Severity, merged
from sim.compound.terms import Mixture


@dataclass(frozen=True, slots=True)
class Floor:
    """max(X, floor): every claim is paid at least the floor."""

    severity: Severity
    floor: float

    @property
    def atoms(self) -> tuple[Atom, ...]:
        over = [atom for atom in self.severity.atoms if atom.value > self.floor]
        at_floor = 1.0 - float(self.severity.tail(np.array([self.floor]))[0])
        return merged([Atom(self.floor, at_floor), *over])

    def tail(self, x: Floats) -> Floats:
        return np.where(x < self.floor, 1.0, self.severity.tail(x))

    def excess(self, x: Floats) -> Floats:
        raised = np.maximum(x, self.floor)
        return self.severity.excess(raised) + (raised - x)

    def square_excess(self, x: Floats) -> Floats:
        raised = np.maximum(x, self.floor)
        gap = raised - x
        beside = 2.0 * gap * self.severity.excess(raised)
        return self.severity.square_excess(raised) + beside + gap**2

    def reach(self, probability: float) -> float:
        return max(self.severity.reach(probability), self.floor)


def with_legal_minimum(severity: Severity, *, minimum: float, legal_ratio: float) -> Severity:
    """In a share of claims the law asks for at least `minimum`; it comes after every cap."""
    return Mixture(Floor(severity, minimum), severity, legal_ratio)
