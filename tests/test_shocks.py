"""Every shipped overlay moves what it should, paired; one that acts on no simulated day moves
nothing.

On: the 99 % paired interval lies on the right side of 0 (false alarm at most 1 in 200, fixed by the
seed).
"""

import numpy as np
import pytest

from scenarios.words import INCIDENT_TYPES
from tests.worlds import paired, result

CENTRAL = 3
MOVES = (
    ("surge-20", "orders_count", "up"),
    ("surge-20", "payout_gross_fen", "up"),
    ("surge-20", "contacts_abandoned_count", "up"),
    ("snowstorm", "orders_count", "down"),
    ("hotel-overselling", "no_room_count", "up"),
    ("hotel-overselling", "payout_gross_fen", "up"),
    ("viral-video", "contacts_fresh_count", "up"),
    ("viral-video", "abandoned_ratio", "up"),
    ("agents-ill", "agents_available_mean", "down"),
    ("agents-ill", "abandoned_ratio", "up"),
    ("api-outage", "contacts_fresh_count", "up"),
    ("monitoring-off", "contacts_fresh_count", "up"),
    ("monitoring-off", "alerts_count", "down"),
    ("grew-by-2400", "abandoned_ratio", "down"),
    ("grew-by-2400", "wage_fen", "up"),
    ("generous-terms", "payout_gross_fen", "up"),
    ("generous-terms", "payout_opportunistic_fen", "up"),
    ("strict-terms", "payout_gross_fen", "down"),
)


@pytest.mark.parametrize(("overlay", "metric", "way"), MOVES)
def test_it_moves_what_it_should(overlay: str, metric: str, way: str) -> None:
    # 32 heads more than the small world's 48 stand for "grew by" there.
    moved = paired(metric, ((), ()), ((overlay,), ()))
    assert moved.rises if way == "up" else moved.falls, moved.interval()


@pytest.mark.parametrize("kind", ["closed_or_refused", "service_no_show"])
def test_the_snowstorm_strikes_its_region_only(kind: str) -> None:
    """Elsewhere the Poisson counts keep their mean: their difference stays within four standard
    deviations of independent counts (false alarm below 1 in 16,000)."""

    def counts(overlays: tuple[str, ...], central: bool) -> tuple[int, int]:
        incidents = orders_count = 0
        for replication in range(5):
            tables = result(overlays, replication=replication).tables
            rows, orders = tables["incidents"], tables["demand"]
            there = (rows["region"] == CENTRAL) == central
            incidents += int((there & (rows["incident"] == INCIDENT_TYPES.index(kind))).sum())
            at = (orders["region"] == CENTRAL) == central
            orders_count += int(orders["orders_count"][at].sum())
        return incidents, orders_count

    (storm, storm_orders), (calm, calm_orders) = counts(("snowstorm",), True), counts((), True)
    assert storm / storm_orders > 2.0 * calm / calm_orders
    storm, calm = counts(("snowstorm",), False)[0], counts((), False)[0]
    assert abs(storm - calm) < 4.0 * (storm + calm) ** 0.5


@pytest.mark.parametrize(
    ("overlay", "name"),
    [
        ("snowstorm", "snowstorm"),
        ("hotel-overselling", "hotel_overselling"),
        ("viral-video", "viral_video"),
        ("agents-ill", "agents_ill"),
        ("api-outage", "api_outage"),
    ],
)
def test_a_shock_on_another_day_moves_nothing(overlay: str, name: str) -> None:
    never = (f"shocks.{name}.lunar_days=[6]",)
    for metric, (value, _) in result().metrics.items():
        moved = result((overlay,), never).metrics[metric][0]
        assert moved == value or (np.isnan(moved) and np.isnan(value)), metric
