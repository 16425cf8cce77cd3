"""Maximum likelihood with 95 % intervals, for laws with a few parameters.

Decides how an optimum and its intervals are found: Nelder-Mead, then the inverse of the observed
information (second differences), Wald intervals on the scale in which the law is given to the
optimiser (logs of what must be positive), mapped back. Knows no law. Source: textbook asymptotics
(A. W. van der Vaart, Asymptotic Statistics, 1998, 5.5).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import ndtri

from sim.experiment.confidence import TAIL, Estimate

Floats = NDArray[np.float64]
Z: Final = float(-ndtri(TAIL))
STEP: Final = 1e-4
NEWTON_STEPS: Final = 4


@dataclass(frozen=True, slots=True)
class Optimum:
    """Where the likelihood is largest, on the optimiser's scale, with the covariance there."""

    at: Floats
    log_likelihood: float
    covariance: Floats
    n: int

    @property
    def aic(self) -> float:
        """Akaike's criterion, 2 k - 2 ln L."""
        return 2.0 * len(self.at) - 2.0 * self.log_likelihood

    def estimate(self, index: int, back: Callable[[float], float] = float) -> Estimate:
        """A parameter with its interval; `back` leads from the optimiser's scale to the own."""
        middle = float(self.at[index])
        with np.errstate(invalid="ignore"):  # at no maximum there is no interval
            half = Z * float(np.sqrt(self.covariance[index, index]))
        low, high = sorted((back(middle - half), back(middle + half)))
        return Estimate(back(middle), low, high, self.n)


def maximise(log_likelihood: Callable[[Floats], float], start: Sequence[float], n: int) -> Optimum:
    """The optimum from a starting point; n is the number of observations that it is told of."""

    def loss(x: Floats) -> float:
        value = -log_likelihood(x)
        return value if np.isfinite(value) else 1e300

    found = minimize(
        loss,
        np.asarray(start, dtype=np.float64),
        method="Nelder-Mead",
        options={"xatol": 1e-5, "fatol": 1e-7, "maxiter": 4000, "maxfev": 8000},
    )
    at = np.asarray(found.x, dtype=np.float64)
    for _ in range(NEWTON_STEPS):  # a simplex stops where the loss is flat to the last bits
        move = np.linalg.pinv(_second_differences(loss, at)) @ _first_differences(loss, at)
        if not loss(at - move) <= loss(at) + 1e-8:
            break
        at = at - move
    covariance = np.asarray(np.linalg.pinv(_second_differences(loss, at)), dtype=np.float64)
    return Optimum(at, -loss(at), covariance, n)


def _first_differences(loss: Callable[[Floats], float], at: Floats) -> Floats:
    steps = np.eye(len(at)) * STEP * np.maximum(1.0, np.abs(at))
    slopes = [(loss(at + s) - loss(at - s)) / (2.0 * s.sum()) for s in steps]
    return np.asarray(slopes)


def _second_differences(loss: Callable[[Floats], float], at: Floats) -> Floats:
    size = len(at)
    steps = np.eye(size) * STEP * np.maximum(1.0, np.abs(at))
    hessian = np.empty((size, size))
    for i, step in enumerate(steps):
        for j, other in enumerate(steps[: i + 1]):
            corners = (
                loss(at + step + other)
                - loss(at + step - other)
                - loss(at - step + other)
                + loss(at - step - other)
            )
            hessian[i, j] = hessian[j, i] = corners / (4.0 * step[i] * other[j])
    return hessian
