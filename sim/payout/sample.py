"""A smaller world with the same ratios: everything that counts heads, stores, orders or budgets.

Decides which keys are divided. Ratios, laws, profiles, prices and terms stay, so money scales with
the divisor, but for what gets worse in small worlds: a small support floor pools less, so queues
are longer, and counts of claims are relatively noisier.
"""

from typing import Final

from scenarios.scenario import Scenario
from scenarios.words import CATEGORIES, GUARANTEES

_COUNTS: Final = (
    ("merchants", "store_count"),
    ("support", "headcount_count"),
    ("support", "headcount_before_count"),
    ("support", "seats_count"),
    ("patrol", "online_inspectors_count"),
    ("patrol", "onsite_inspectors_count"),
    ("patrol", "reference_visits_per_day_count"),
    ("patrol", "reports_per_day_count"),
    ("pots", "reserve_fen"),
)


def sample_sets(scenario: Scenario, divisor: int) -> dict[str, float]:
    """The keys of the smaller world with their values."""
    changes: dict[str, float] = {
        f"{block}.{key}": getattr(getattr(scenario, block), key) // divisor
        for block, key in _COUNTS
    }
    for category, orders in zip(CATEGORIES, scenario.demand.orders_per_day.row(), strict=True):
        changes[f"demand.orders_per_day.{category}"] = orders / divisor
    for guarantee, pot in zip(GUARANTEES, scenario.pots.row(), strict=True):
        changes[f"pots.{guarantee}.day_limit_fen"] = pot.day_limit_fen // divisor
        changes[f"pots.{guarantee}.total_limit_fen"] = pot.total_limit_fen // divisor
    return changes


def divisor_for(scenario: Scenario, orders_per_day: float) -> int:
    """The divisor that leaves about so many orders on a plain day; 1 for smaller worlds."""
    return max(1, round(sum(scenario.demand.orders_per_day.row()) / orders_per_day))
