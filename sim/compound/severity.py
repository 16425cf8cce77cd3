"""The size of one claim: lognormal, exponential, gamma or discrete, by exact partial moments.

Decides for each law of a claim X >= 0 what its terms and the lattice need: P(X > x), the excess
E[(X - x)+], the squared excess E[((X - x)+)^2], atoms, and how far it reaches. Does not decide
terms (sim/compound/terms.py) or numbers of claims (sim/compound/frequency.py).

Units: money in whatever unit the caller has, the same everywhere (CNY on the command line); cv and
probabilities are ratios. The limited expected value is E[min(X, x)] = E[X] - E[(X - x)+]. Source of
the formulas: Klugman, Panjer and Willmot, Loss Models (4th ed.), appendix A and section 3.4.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincc, gammainccinv, ndtr, ndtri

from sim.compound.problems import require

Floats = npt.NDArray[np.float64]

# Beyond these, squares and powers leave the range of a double.
SIZE_MIN, SIZE_MAX = 1e-100, 1e100
CV_MIN, CV_MAX = 1e-9, 1e9
# Ten probabilities typed with ten digits add up to 1 within this.
PROBABILITY_SLACK = 1e-9


class Atom(NamedTuple):
    """A value that claims take with positive probability (ratio)."""

    value: float
    probability: float


class Severity(Protocol):
    """What is known of the size of one claim."""

    @property
    def atoms(self) -> tuple[Atom, ...]:
        """Values with positive probability, ascending."""

    def tail(self, x: Floats) -> Floats:
        """P(X > x), for x >= 0."""

    def excess(self, x: Floats) -> Floats:
        """E[(X - x)+], for x >= 0."""

    def square_excess(self, x: Floats) -> Floats:
        """E[((X - x)+)^2], for x >= 0."""

    def reach(self, probability: float) -> float:
        """A size that is passed with at most this probability."""


def mean_of(severity: Severity) -> float:
    """E[X]."""
    return float(severity.excess(np.zeros(1))[0])


def square_of(severity: Severity) -> float:
    """E[X^2]."""
    return float(severity.square_excess(np.zeros(1))[0])


def is_discrete(severity: Severity) -> bool:
    """Whether claims take listed values only."""
    return math.fsum(atom.probability for atom in severity.atoms) > 1.0 - PROBABILITY_SLACK


def decimal(value: float) -> Fraction:
    """The number as it is written in decimals, exactly: 0.1 is one tenth."""
    return Fraction(repr(float(value)))


def merged(atoms: list[Atom]) -> tuple[Atom, ...]:
    """Atoms in ascending order, equal values added up, those of no probability left out."""
    found: dict[float, float] = {}
    for value, probability in atoms:
        found[value] = found.get(value, 0.0) + probability
    return tuple(Atom(value, found[value]) for value in sorted(found) if found[value] > 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lognormal:
    """Lognormal with this mean and coefficient of variation."""

    mean: float
    cv: float

    def __post_init__(self) -> None:
        require_size("mean", self.mean)
        _require_cv(self.cv)

    @property
    def sigma(self) -> float:
        """Standard deviation of ln X."""
        return math.sqrt(math.log1p(self.cv**2))

    @property
    def mu(self) -> float:
        """Mean of ln X."""
        return math.log(self.mean) - self.sigma**2 / 2.0

    @property
    def atoms(self) -> tuple[Atom, ...]:
        return ()

    def _distance(self, x: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            return (self.mu - np.log(x)) / self.sigma

    def tail(self, x: Floats) -> Floats:
        return np.asarray(ndtr(self._distance(x)))

    def excess(self, x: Floats) -> Floats:
        distance = self._distance(x)
        return np.asarray(self.mean * ndtr(distance + self.sigma) - x * ndtr(distance))

    def square_excess(self, x: Floats) -> Floats:
        distance, square = self._distance(x), self.mean**2 * (1.0 + self.cv**2)
        upper = square * ndtr(distance + 2.0 * self.sigma)
        middle = 2.0 * x * self.mean * ndtr(distance + self.sigma)
        return np.asarray(upper - middle + x**2 * ndtr(distance))

    def reach(self, probability: float) -> float:
        return math.exp(self.mu - self.sigma * float(ndtri(min(probability, 0.5))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Gamma:
    """Gamma with this mean and coefficient of variation; shape 1/cv^2."""

    mean: float
    cv: float

    def __post_init__(self) -> None:
        require_size("mean", self.mean)
        _require_cv(self.cv)

    @property
    def shape(self) -> float:
        return self.cv**-2

    @property
    def scale(self) -> float:
        return self.mean * self.cv**2

    @property
    def atoms(self) -> tuple[Atom, ...]:
        return ()

    def tail(self, x: Floats) -> Floats:
        return np.asarray(gammaincc(self.shape, x / self.scale))

    def excess(self, x: Floats) -> Floats:
        upper = self.mean * gammaincc(self.shape + 1.0, x / self.scale)
        return np.asarray(upper - x * self.tail(x))

    def square_excess(self, x: Floats) -> Floats:
        square = self.mean**2 * (1.0 + self.cv**2)
        upper = square * gammaincc(self.shape + 2.0, x / self.scale)
        middle = 2.0 * x * self.mean * gammaincc(self.shape + 1.0, x / self.scale)
        return np.asarray(upper - middle + x**2 * self.tail(x))

    def reach(self, probability: float) -> float:
        return self.scale * float(gammainccinv(self.shape, min(probability, 1.0)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Exponential:
    """Exponential with this mean."""

    mean: float

    def __post_init__(self) -> None:
        require_size("mean", self.mean)

    @property
    def atoms(self) -> tuple[Atom, ...]:
        return ()

    def tail(self, x: Floats) -> Floats:
        return np.exp(-x / self.mean)

    def excess(self, x: Floats) -> Floats:
        return self.mean * np.exp(-x / self.mean)

    def square_excess(self, x: Floats) -> Floats:
        return 2.0 * self.mean**2 * np.exp(-x / self.mean)

    def reach(self, probability: float) -> float:
        return -self.mean * math.log(min(probability, 1.0))


@dataclass(frozen=True, slots=True)
class Discrete:
    """Claims of listed sizes, each with its probability (ratio)."""

    atoms: tuple[Atom, ...]

    def __post_init__(self) -> None:
        require(bool(self.atoms), name="discrete", value="()", right="at least one size")
        for value, probability in self.atoms:
            if value != 0.0:
                require_size("size", value)
            sound = 0.0 < probability <= 1.0
            require(sound, name="probability", value=probability, right="above 0, at most 1")
        sizes = [value for value, _ in self.atoms]
        right = "every size once, in ascending order"
        require(sizes == sorted(set(sizes)), name="sizes", value=sizes, right=right)
        total = math.fsum(probability for _, probability in self.atoms)
        right = "probabilities that sum to 1"
        require(
            abs(total - 1.0) <= PROBABILITY_SLACK, name="sum", value=f"{total:.10g}", right=right
        )

    @classmethod
    def of(cls, chances: dict[float, float]) -> "Discrete":
        """From sizes and their probabilities."""
        return cls(tuple(Atom(value, chances[value]) for value in sorted(chances)))

    def _sum(self, x: Floats, power: int) -> Floats:
        total = np.zeros(x.shape)
        for value, probability in self.atoms:
            total += probability * np.where(value > x, (value - x) ** power, 0.0)
        return total

    def tail(self, x: Floats) -> Floats:
        return self._sum(x, 0)

    def excess(self, x: Floats) -> Floats:
        return self._sum(x, 1)

    def square_excess(self, x: Floats) -> Floats:
        return self._sum(x, 2)

    def reach(self, probability: float) -> float:
        passed = 0.0
        for value, chance in reversed(self.atoms):
            passed += chance
            if passed > probability:
                return value
        return 0.0


def require_size(name: str, value: float) -> None:
    """Raises CompoundError unless claims may have such a size."""
    right = f"a number above 0, from {SIZE_MIN:g} to {SIZE_MAX:g}"
    require(SIZE_MIN <= value <= SIZE_MAX, name=name, value=value, right=right)


def _require_cv(value: float) -> None:
    right = f"a number above 0, from {CV_MIN:g} to {CV_MAX:g}"
    require(CV_MIN <= value <= CV_MAX, name="cv", value=value, right=right)
