"""A world whose payouts have a known law: one right, independent orders, every loop off.

Beauty vouchers are cancelled without a reason and refunded 55 % of a lognormal price. Orders are
Poisson (no gamma factors), a share r of them is cancelled as a Poisson count given the orders, so
that the number of claims has the generating function exp(L (exp(r (z - 1)) - 1)) with L orders
expected. The rounding of prices and refunds to the fen moves a claim by half a fen at most, about
1e-4 of it, and as often up as down.
"""

from dataclasses import dataclass

import numpy as np

from scenarios.scenario import Scenario
from scenarios.words import CATEGORIES, GUARANTEES
from sim.compound.fourier import compound
from sim.compound.severity import Lognormal
from sim.compound.total import Total
from sim.market.demand import regular_orders
from sim.replication import simulate
from tests.worlds import scaled

SCALE = 500
CANCELLED_RATIO = 0.5
RIGHT, CATEGORY = "no_reason_cancellation", "beauty"
LOOPS = (
    "abandonment_returns", "exhausted_pot_review", "alerts_save_contacts", "penalties_deter",
    "api_failover",
)  # fmt: skip
NOISE = ("common_day_cv", "category_day_cv", "common_hour_cv", "category_hour_cv")


def exact_world(orders_multiple: float) -> Scenario:
    """One day, with so many times the beauty orders of a five-hundredth of the country."""
    sets = (
        "horizon.first_day=1",
        "horizon.last_day=1",
        *(f"demand.{cv}=0.0" for cv in NOISE),
        *(f"loops.{loop}=false" for loop in LOOPS),
        "monitoring.enabled=false",
        f"demand.category_multiple.{CATEGORY}={orders_multiple}",
        f"rights.cancellation_ratio.{CATEGORY}={CANCELLED_RATIO}",
        f"pots.{RIGHT}.day_limit_fen={10**13}",
        f"pots.{RIGHT}.total_limit_fen={10**13}",
    )
    return scaled(SCALE, (), sets)


@dataclass(frozen=True)
class Thinned:
    """Claims that are a Poisson share of a Poisson number of orders (Neyman's type A)."""

    orders: float
    ratio: float

    @property
    def mean(self) -> float:
        return self.orders * self.ratio

    @property
    def extra_variance(self) -> float:
        return self.orders * self.ratio**2

    def factor_range(self, _probability: float) -> tuple[float, float]:
        apart = 9.0 / self.orders**0.5
        return max(1.0 - apart, 0.0), 1.0 + apart

    def generate(self, missing: np.ndarray, *, square_ratio: float) -> np.ndarray:
        assert square_ratio >= 1.0
        return np.exp(self.orders * np.expm1(-self.ratio * missing))


def exact_total(scenario: Scenario) -> Total:
    """The law of the day's payouts, in CNY."""
    at = CATEGORIES.index(CATEGORY)
    orders = float(regular_orders(scenario)[-1, :, at].sum())
    refund = scenario.guarantees.no_reason_cancellation.terms.cancellation.refund_ratio
    mean = scenario.demand.order_value_fen.row()[at] * refund / 100.0
    law = Lognormal(mean=mean, cv=scenario.demand.order_value_cv.row()[at])
    return compound(Thinned(orders, CANCELLED_RATIO), law)


def simulated_cny(scenario: Scenario, *, seed: int, replication: int) -> float:
    """The same of one replication of the whole simulation."""
    payouts = simulate(scenario, seed=seed, replication=replication).tables["payouts"]
    ours = (payouts["guarantee"] == GUARANTEES.index(RIGHT)) & (
        payouts["category"] == CATEGORIES.index(CATEGORY)
    )
    return float(payouts["gross_fen"][ours].sum()) / 100.0
