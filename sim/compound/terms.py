"""What terms make of a claim: deductible, cap, floor, legal minimum, recovery.

Decides the law of what is paid for one claim, as a law again, so that terms nest in the order in
which they apply (`payable` has the order of the command line: the deductible first, then the cap on
what is left). Does not decide terms of a guarantee (scenarios/terms.py), which are whole fen.

Units: amounts in the unit of the claim, shares as ratios. Formulas: integrals of P(X > x) over the
part of the claim that is paid, Klugman, Panjer and Willmot, Loss Models (4th ed.), chapter 8.
"""

import math
from dataclasses import dataclass

import numpy as np

from sim.compound.problems import require
from sim.compound.severity import (
    SIZE_MAX,
    Atom,
    Discrete,
    Floats,
    Severity,
    decimal,
    merged,
    require_size,
    square_of,
)

_AMOUNT = f"a finite number, 0 or above, at most {SIZE_MAX:g}"
SQUARE_RATIO_MIN = 1e-9
"""Moments below a cap are differences; where less than this is left, they have no seven digits."""


def payable(severity: Severity, *, deductible: float = 0.0, cap: float | None = None) -> Severity:
    """min((X - deductible)+, cap)."""
    left = severity if deductible == 0.0 else Deductible(severity, deductible)
    if cap is None:
        return left
    paid, claimed = Cap(left, cap), square_of(left)
    right = f"not so far below the claims (root mean square {math.sqrt(claimed):.3g})"
    sound = claimed == 0.0 or square_of(paid) >= SQUARE_RATIO_MIN * claimed
    require(sound, name="cap", value=cap, right=right)
    return paid


@dataclass(frozen=True, slots=True)
class Deductible:
    """(X - deductible)+: what is left of a claim; nothing left is a claim of 0."""

    severity: Severity
    deductible: float

    def __post_init__(self) -> None:
        _require_amount("deductible", self.deductible)

    @property
    def atoms(self) -> tuple[Atom, ...]:
        cut = decimal(self.deductible)
        kept = [
            Atom(float(decimal(value) - cut), chance)
            for value, chance in self.severity.atoms
            if value > self.deductible
        ]
        nothing = 1.0 - float(self.severity.tail(np.array([self.deductible]))[0])
        return merged([Atom(0.0, nothing), *kept])

    def tail(self, x: Floats) -> Floats:
        return self.severity.tail(x + self.deductible)

    def excess(self, x: Floats) -> Floats:
        return self.severity.excess(x + self.deductible)

    def square_excess(self, x: Floats) -> Floats:
        return self.severity.square_excess(x + self.deductible)

    def reach(self, probability: float) -> float:
        return max(self.severity.reach(probability) - self.deductible, 0.0)


@dataclass(frozen=True, slots=True)
class Cap:
    """min(X, cap): nothing above the cap is paid."""

    severity: Severity
    cap: float

    def __post_init__(self) -> None:
        require_size("cap", self.cap)

    @property
    def atoms(self) -> tuple[Atom, ...]:
        under = [atom for atom in self.severity.atoms if atom.value < self.cap]
        at_cap = float(self.severity.tail(np.array([self.cap]))[0])
        at_cap += sum(atom.probability for atom in self.severity.atoms if atom.value == self.cap)
        return merged([*under, Atom(self.cap, at_cap)])

    def tail(self, x: Floats) -> Floats:
        return np.where(x < self.cap, self.severity.tail(x), 0.0)

    def excess(self, x: Floats) -> Floats:
        inside = np.minimum(x, self.cap)
        above = self.severity.excess(np.array([self.cap]))
        return self.severity.excess(inside) - above

    def square_excess(self, x: Floats) -> Floats:
        inside, at_cap = np.minimum(x, self.cap), np.array([self.cap])
        above = self.severity.square_excess(at_cap)
        beside = 2.0 * (self.cap - inside) * self.severity.excess(at_cap)
        return self.severity.square_excess(inside) - above - beside

    def reach(self, probability: float) -> float:
        return min(self.severity.reach(probability), self.cap)


@dataclass(frozen=True, slots=True)
class Floor:
    """max(X, floor): every claim is paid at least the floor."""

    severity: Severity
    floor: float

    def __post_init__(self) -> None:
        _require_amount("floor", self.floor)

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


@dataclass(frozen=True, slots=True)
class Mixture:
    """A claim that follows `first` with probability `share` (ratio), else `second`."""

    first: Severity
    second: Severity
    share: float

    def __post_init__(self) -> None:
        sound = 0.0 <= self.share <= 1.0
        require(sound, name="share", value=self.share, right="a ratio from 0 to 1")

    @property
    def atoms(self) -> tuple[Atom, ...]:
        ours = [Atom(value, chance * self.share) for value, chance in self.first.atoms]
        theirs = [Atom(value, chance * (1.0 - self.share)) for value, chance in self.second.atoms]
        return merged([*ours, *theirs])

    def _mix(self, first: Floats, second: Floats) -> Floats:
        return self.share * first + (1.0 - self.share) * second

    def tail(self, x: Floats) -> Floats:
        return self._mix(self.first.tail(x), self.second.tail(x))

    def excess(self, x: Floats) -> Floats:
        return self._mix(self.first.excess(x), self.second.excess(x))

    def square_excess(self, x: Floats) -> Floats:
        return self._mix(self.first.square_excess(x), self.second.square_excess(x))

    def reach(self, probability: float) -> float:
        return max(self.first.reach(probability), self.second.reach(probability))


def with_legal_minimum(severity: Severity, *, minimum: float, legal_ratio: float) -> Severity:
    """In a share of claims the law asks for at least `minimum`; it comes after every cap."""
    return Mixture(Floor(severity, minimum), severity, legal_ratio)


def net_of_recovery(severity: Severity, *, recovered_ratio: float) -> Severity:
    """What is left when a share of claims, whatever their size, is recovered in full."""
    return Mixture(Discrete((Atom(0.0, 1.0),)), severity, recovered_ratio)


def _require_amount(name: str, value: float) -> None:
    require(0.0 <= value <= SIZE_MAX, name=name, value=value, right=_AMOUNT)
