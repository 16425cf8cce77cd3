"""Laws of patience: the time a contact is willing to wait, in seconds.

Decides how a law is written (`lognormal:mean=300,cv=1.5`) and gives what M/M/n+G needs of it: the
share still waiting after x and H(x) = E min(patience, x). Source: textbook moments of the laws.
"""

from dataclasses import dataclass
from math import exp, gamma, isfinite, log, log1p, sqrt
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import gammainc, ndtr, ndtri

Floats = NDArray[np.float64]
CV_MIN, CV_MAX = 0.02, 10.0
FORMS: Final = {
    "deterministic": ("mean",),
    "exponential": ("mean",),
    "lognormal": ("mean", "cv"),
    "weibull": ("mean", "cv"),
}
RIGHT: Final = (
    "deterministic:60, exponential:mean=300, lognormal:mean=300,cv=1.5 or weibull:mean=300,cv=1.5"
)


@dataclass(frozen=True, slots=True)
class Patience:
    """A law with its mean in seconds; `cv` counts for lognormal and Weibull only."""

    law: str
    mean_s: float
    cv: float = 1.0

    @property
    def _sigma(self) -> float:
        return sqrt(log1p(self.cv**2))

    @property
    def _weibull(self) -> tuple[float, float]:
        """Shape and scale in seconds, from mean and coefficient of variation."""
        shape = brentq(lambda k: gamma(1 + 2 / k) / gamma(1 + 1 / k) ** 2 - 1 - self.cv**2, 0.1, 99)
        return float(shape), self.mean_s / gamma(1.0 + 1.0 / shape)

    def gone(self, x_s: ArrayLike) -> Floats:
        """Share whose patience has ended by x."""
        x = np.asarray(x_s, dtype=np.float64)
        if self.law == "deterministic":
            return np.where(x >= self.mean_s, 1.0, 0.0)
        if self.law == "exponential":
            return np.asarray(-np.expm1(-x / self.mean_s))
        if self.law == "weibull":
            shape, scale = self._weibull
            return np.asarray(-np.expm1(-((x / scale) ** shape)))
        return np.asarray(ndtr(self._standard(x)))

    def staying(self, x_s: ArrayLike) -> Floats:
        """Share still waiting after x, exact where it is small."""
        x = np.asarray(x_s, dtype=np.float64)
        if self.law == "deterministic":
            return np.where(x >= self.mean_s, 0.0, 1.0)
        if self.law == "exponential":
            return np.asarray(np.exp(-x / self.mean_s))
        if self.law == "weibull":
            shape, scale = self._weibull
            return np.asarray(np.exp(-((x / scale) ** shape)))
        return np.asarray(ndtr(-self._standard(x)))

    def endured(self, x_s: ArrayLike) -> Floats:
        """H(x) = E min(patience, x), seconds."""
        x = np.asarray(x_s, dtype=np.float64)
        if self.law == "deterministic":
            return np.minimum(x, self.mean_s)
        if self.law == "exponential":
            return np.asarray(-self.mean_s * np.expm1(-x / self.mean_s))
        if self.law == "weibull":
            shape, scale = self._weibull
            return np.asarray(self.mean_s * gammainc(1.0 / shape, (x / scale) ** shape))
        z = self._standard(x)
        return np.asarray(self.mean_s * ndtr(z - self._sigma) + x * ndtr(-z))

    def quantile(self, share: ArrayLike) -> Floats:
        """Where a share of contacts has lost patience, seconds; ends panels of integration."""
        q = np.asarray(share, dtype=np.float64)
        if self.law == "deterministic":
            return np.full_like(q, self.mean_s)
        if self.law == "exponential":
            return np.asarray(-self.mean_s * np.log1p(-q))
        if self.law == "weibull":
            shape, scale = self._weibull
            return np.asarray(scale * (-np.log1p(-q)) ** (1.0 / shape))
        middle = log(self.mean_s) - self._sigma**2 / 2.0
        return np.asarray(exp(middle) * np.exp(self._sigma * ndtri(q)))

    def _standard(self, x: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            logs = np.log(x)
        return np.asarray((logs - log(self.mean_s)) / self._sigma + self._sigma / 2.0)


def exponential(mean_s: float) -> Patience:
    """The patience of Erlang A."""
    return Patience("exponential", mean_s)


def lognormal(median_s: float, sigma_ratio: float) -> Patience:
    """The law of a scenario, by its median in seconds and the standard deviation of its logarithm;
    a cv beyond what `parse` takes is brought to that bound."""
    cv = min(max(sqrt(exp(sigma_ratio**2) - 1.0), CV_MIN), CV_MAX)
    return Patience("lognormal", median_s * exp(sigma_ratio**2 / 2.0), cv)


def parse(text: str) -> Patience:
    """A law from `law:mean=..,cv=..`; ValueError says what would be right."""
    law, _, rest = text.partition(":")
    try:
        pairs = [part.split("=") if "=" in part else ["mean", part] for part in rest.split(",")]
        values = {key.strip(): float(value) for key, value in pairs}
    except ValueError:
        values = {}
    wanted = FORMS.get(law)
    right = wanted is not None and sorted(values) == sorted(wanted) and len(pairs) == len(wanted)
    if not right or not all(isfinite(value) and value > 0 for value in values.values()):
        raise ValueError(f"{text!r} is not a law of patience in seconds; right is {RIGHT}")
    if not CV_MIN <= values.get("cv", 1.0) <= CV_MAX:
        raise ValueError(f"{text!r}: cv must be between {CV_MIN:g} and {CV_MAX:g}")
    return Patience(law, values["mean"], values.get("cv", 1.0))
