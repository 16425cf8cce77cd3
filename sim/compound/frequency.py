"""How many claims: Poisson by day, over-dispersed by day, and moved together by a common factor.

Decides the law of the number of claims through its generating function. Each day's count is Poisson
with a mean that may be multiplied by two independent gamma factors of mean 1: its own, with CV
`mixing_cv` (a negative binomial count), and one shared by all days, with CV `common_cv`. Does not
decide sizes.

Units: means are counts of claims a day, CVs ratios. With one factor only the generating function is
closed (negative binomial: Klugman, Panjer and Willmot, Loss Models, 4th ed., section 6.3 and 6.10).
With both, the common one is integrated by the trapezoidal rule over its logarithm, which converges
geometrically (Trefethen and Weideman, SIAM Review 56, 2014) once the step resolves both the factor
and the spread of the total given the factor.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import gammainccinv, gammaincinv, gammaln

from sim.compound.along import Complexes, Local, along
from sim.compound.problems import require
from sim.compound.severity import Floats

# A trapezoidal step of half the narrower spread leaves an error of exp(-8 pi^2), about 1e-34.
_STEP_OF_SPREAD = 0.5
# exp(-45) is 3e-20: what is below does not show in double precision.
_NEGLIGIBLE_LOG = -45.0
# Beyond these, squares and powers leave the range of a double.
_MEAN_MAX = 1e15
_CV_MAX = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Frequency:
    """The number of claims over some days."""

    days: tuple[float, ...]
    mixing_cv: float = 0.0
    common_cv: float = 0.0

    def __post_init__(self) -> None:
        require(bool(self.days), name="days", value="()", right="at least one mean")
        for mean in self.days:
            right = f"a mean number of claims, above 0 and at most {_MEAN_MAX:g}"
            require(0.0 < mean <= _MEAN_MAX, name="claims", value=mean, right=right)
        for name, cv in (("mixing_cv", self.mixing_cv), ("common_cv", self.common_cv)):
            right = f"a ratio from 0 to {_CV_MAX:g}"
            require(0.0 <= cv <= _CV_MAX, name=name, value=cv, right=right)

    @property
    def mean(self) -> float:
        """Expected number of claims."""
        return math.fsum(self.days)

    @property
    def extra_variance(self) -> float:
        """What the factors add to the variance of a Poisson count of the same mean."""
        own = self.mixing_cv**2 * math.fsum(mean**2 for mean in self.days)
        return (1.0 + self.common_cv**2) * own + (self.common_cv * self.mean) ** 2

    def until(self, day: int) -> "Frequency":
        """The first `day` days, counted from 1."""
        return Frequency(days=self.days[:day], mixing_cv=self.mixing_cv, common_cv=self.common_cv)

    def factor_range(self, probability: float) -> tuple[float, float]:
        """Factors on the mean that are passed to either side with at most this probability."""
        low, high = 1.0, 1.0
        for cv in (self.mixing_cv, self.common_cv):
            if cv > 0.0:
                shape = cv**-2
                low *= float(gammaincinv(shape, probability)) / shape
                high *= float(gammainccinv(shape, probability)) / shape
        return low, high

    def generate(self, missing: Complexes, *, square_ratio: float) -> Complexes:
        """E[z^N] at z = 1 - missing; `square_ratio` is E[X^2]/E[X]^2 of the claims."""
        if self.common_cv == 0.0:
            return np.exp(self._log_generate(missing))
        if self.mixing_cv == 0.0:
            power = self.common_cv**-2
            return np.exp(-power * _log1p(self.mean * self.common_cv**2 * missing))
        factors, weights = self._common_factors(square_ratio)
        total = np.zeros_like(missing)
        # |1 + a z| >= 1 + a Re z, so the real part at the least factor tells where nothing is left.
        least = factors[0] * missing.real.astype(np.complex128)
        heard = np.flatnonzero(self._log_generate(least).real > _NEGLIGIBLE_LOG)

        def mixed(part: Complexes) -> Local:
            values, slopes = np.zeros_like(part), np.zeros_like(part)
            for factor, weight in zip(factors, weights, strict=True):
                given = weight * np.exp(self._log_generate(factor * part))
                values += given
                slopes += given * factor * self._log_slope(factor * part)
            return Local(values, slopes)

        total[heard] = along(missing[heard], mixed)
        return total

    def _log_generate(self, missing: Complexes) -> Complexes:
        """ln E[z^N] given the common factor, which multiplies `missing`."""
        if self.mixing_cv == 0.0:
            return np.asarray(-self.mean * missing)
        square = self.mixing_cv**2
        total = np.zeros_like(missing)
        for mean in sorted(set(self.days)):
            total -= self.days.count(mean) / square * _log1p(mean * square * missing)
        return total

    def _log_slope(self, missing: Complexes) -> Complexes:
        """Derivative of `_log_generate`."""
        square = self.mixing_cv**2
        total = np.zeros_like(missing)
        for mean in sorted(set(self.days)):
            total -= self.days.count(mean) * mean / (1.0 + mean * square * missing)
        return total

    def _common_factors(self, square_ratio: float) -> tuple[Floats, Floats]:
        """Factors and their weights, which add up to 1."""
        shape = self.common_cv**-2
        own = self.mixing_cv**2 * math.fsum(mean**2 for mean in self.days)
        given = math.sqrt(self.mean * square_ratio + own) / self.mean
        step = _STEP_OF_SPREAD * min(self.common_cv, given, 1.0)
        low = math.log(max(float(gammaincinv(shape, 1e-18)) / shape, 1e-300))
        high = math.log(float(gammainccinv(shape, 1e-18)) / shape)
        logs = np.arange(low, high + step, step)
        density = shape * logs - shape * np.exp(logs) + shape * math.log(shape) - gammaln(shape)
        weights = np.exp(density)
        return np.exp(logs), weights / weights.sum()


def _log1p(z: Complexes) -> Complexes:
    """ln(1 + z) to full precision for small z, where NumPy's complex one loses digits."""
    x, y = z.real, z.imag
    return np.asarray(0.5 * np.log1p(x * (2.0 + x) + y * y) + 1j * np.arctan2(y, 1.0 + x))
