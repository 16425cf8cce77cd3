"""The level of a day, learnt from its first hours: Gamma-Poisson updating.

A day's level multiplies its forecast; before the day it is gamma with mean 1 and the scenario's day
CV. Counts are Poisson around level x forecast, but hours scatter on their own as well (hour CV), so
an hour counts as so many contacts as carry its information: count / (1 + forecast x hour CV^2).
Source: Jongbloed and Koole, "Managing uncertainty in call centres using Poisson mixtures", Applied
Stochastic Models in Business and Industry 17 (2001).
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import gamma, nbinom

from scenarios.demand import Demand
from sim.columns import Floats


@dataclass(frozen=True, slots=True)
class Level:
    """A gamma law of the level: mean shape / rate."""

    shape: float
    rate: float
    hour_cv: float

    @classmethod
    def before(cls, demand: Demand) -> "Level":
        """What is known before the day."""
        variance = demand.common_day_cv**2 + demand.category_day_cv**2
        hour_cv = sqrt(demand.common_hour_cv**2 + demand.category_hour_cv**2)
        shape = 1.0 / max(variance, 1e-12)
        return cls(shape, shape, hour_cv)

    def after(self, *, counted: ArrayLike, forecast: ArrayLike) -> "Level":
        """What hours with these counts and forecasts teach."""
        hours = np.asarray(forecast, dtype=np.float64)
        weight = 1.0 / (1.0 + hours * self.hour_cv**2)
        told = float((np.asarray(counted) * weight).sum())
        return Level(self.shape + told, self.rate + float((hours * weight).sum()), self.hour_cv)

    @property
    def mean(self) -> float:
        """Expected level."""
        return self.shape / self.rate

    def quantile(self, ratio: float) -> float:
        """Level that the day stays under with a probability."""
        return float(gamma.ppf(ratio, self.shape, scale=1.0 / self.rate))

    def counts(self, forecast: Floats, ratio: float) -> Floats:
        """Quantile of the counts to come, one by one: negative binomial with all three spreads."""
        mean = np.maximum(forecast * self.mean, 1e-9)
        share = 1.0 / self.shape + self.hour_cv**2
        size = 1.0 / share
        return np.asarray(nbinom.ppf(ratio, size, size / (size + mean)), dtype=np.float64)
