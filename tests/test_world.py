"""The whole world on a small scale: twin worlds, what staffing may not touch, what must be there.

Goal: differences between scenarios are consequences of what differs, and nothing else. Method:
worlds under common random numbers, compared draw by draw or as paired differences.
"""

from pathlib import Path

import numpy as np
import pytest

from scenarios.loader import load
from scenarios.model import FIRST_OFFSET_D
from scenarios.words import CATEGORIES, GUARANTEES, INCIDENT_TYPES
from sim import run
from sim.market.demand import regular_orders
from sim.replication import simulate
from sim.streams import Streams
from sim.world import World
from tests.worlds import BASE as BASE_NAME
from tests.worlds import SEED, paired, result, small

# Overtime of 5 % rounds to nobody on a floor of 48 heads.
NINE_DAYS = (
    "horizon.first_day=-2",
    "horizon.last_day=6",
    "support.overtime.heads_ratio=0.3",
)
BASE = ((), ())


def test_an_overlay_that_changes_nothing_changes_nothing() -> None:
    twin = simulate(small((), ("demand.orders_multiple=1.0",)), seed=SEED, replication=0)
    assert {k: v for k, (v, _) in twin.metrics.items()} == {
        k: v for k, (v, _) in result().metrics.items()
    }
    for name, table in result().tables.items():
        for column, values in table.items():
            np.testing.assert_array_equal(values, twin.tables[name][column], f"{name}.{column}")


def test_replications_and_seeds_differ() -> None:
    first = result().metrics["incidents_count"]
    assert result(replication=1).metrics["incidents_count"] != first
    assert simulate(small(), seed=SEED + 1, replication=0).metrics["incidents_count"] != first


def offered_cases(sets: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Everything drawn at birth for every case of a run, by case_id."""
    world = World(small((), sets), Streams(seed=SEED, replication=0))
    seen: list[dict[str, np.ndarray]] = []
    names = (
        "case_id",
        "arrived_s",
        "queue",
        "priority",
        "topic",
        "patience_s",
        "handle_s",
        "redial_delay_s",
        "reconnect_delay_s",
        "escalation_delay_s",
    )
    offer = world.pool.offer

    def watch(cases: object) -> None:
        seen.append({name: getattr(cases, name) for name in names})
        offer(cases)  # type: ignore[arg-type]

    world.pool.offer = watch  # type: ignore[method-assign, assignment]
    world.run()
    return {name: np.concatenate([part[name] for part in seen]) for name in names}


def test_staffing_leaves_what_every_consumer_was_born_with() -> None:
    full = offered_cases(())
    short = offered_cases(("support.headcount_count=36", "support.headcount_before_count=30"))
    assert full["case_id"].size > 4000
    for name, values in full.items():
        np.testing.assert_array_equal(values, short[name], name)


def test_every_guarantee_of_the_programme_pays() -> None:
    claims = result((), NINE_DAYS).tables["claims"]
    paid = np.bincount(
        claims["guarantee"], weights=claims["paid_fen"] > 0, minlength=len(GUARANTEES)
    )
    assert {name for name, n in zip(GUARANTEES, paid, strict=True) if n == 0} == set()


# Each mechanism of DESIGN section 3 with the table and the column, or the rows, where it shows.
COUNTED = {
    ("merchants_daily", "closed_declared_count"): "declared closure",
    ("merchants_daily", "closed_undeclared_count"): "undeclared closure",
    ("merchants_daily", "marked_count"): "monitoring pauses listings",
    ("merchants_daily", "false_alarms_count"): "false alarms",
    ("merchants_daily", "stock_out_count"): "stock",
    ("merchants_daily", "turned_away_count"): "listing that says full",
    ("merchants_daily", "oversold_count"): "listing lag and overselling",
    ("merchants_daily", "delisted_count"): "delisting",
    ("merchants_daily", "points_count"): "violation points",
    ("merchants_daily", "patrol_visits_count"): "patrol",
    ("merchants_daily", "patrol_caught_count"): "patrol finds",
    ("merchants_daily", "reports_count"): "consumer reports",
    ("merchants_daily", "reports_valid_count"): "valid reports",
    ("merchants_daily", "verification_work_s"): "verification work",
    ("merchants_daily", "fines_fen"): "fines",
    ("merchants_daily", "recourse_fen"): "recourse on deposits",
    ("alerts", "alerts_count"): "alerts",
    ("alerts", "alternative_count"): "alternative accepted",
    ("alerts", "cancelled_count"): "cancelled with compensation",
    ("alerts", "went_anyway_count"): "went anyway",
    ("alerts", "prevented_count"): "orders never placed",
    ("alerts", "contacts_saved_count"): "contacts saved",
    ("alerts", "cost_fen"): "cost of alerts",
    ("alerts", "compensation_fen"): "alert compensation",
    ("intervals", "fresh_count"): "first attempts",
    ("intervals", "abandoned_count"): "patience and abandonment",
    ("intervals", "redial_count"): "redial",
    ("intervals", "reconnect_count"): "reconnect",
    ("intervals", "escalation_count"): "escalation",
    ("contacts", "cross_answered"): "cross-training and overflow",
    ("staffing", "overtime_count"): "overtime",
    ("staffing", "new_hire_ratio"): "new hires",
    ("staffing", "wage_fen"): "wages",
    ("demand", "burst_orders_count"): "live-room bursts",
    ("incidents", "opportunistic"): "opportunism",
    ("claims", "legal_fen"): "legal minimum",
    ("claims", "escalated"): "escalated claims",
    ("claims", "reviewed"): "manual review",
    ("claims", "recovered_fen"): "recoveries",
    ("pots", "reserve_paid_fen"): "reserve",
    ("pots", "exhausted"): "exhausted pots",
}


@pytest.mark.parametrize(("place", "mechanism"), COUNTED.items(), ids=COUNTED.values())
def test_every_mechanism_shows_in_the_tables(place: tuple[str, str], mechanism: str) -> None:
    table, column = place
    assert result((), NINE_DAYS).tables[table][column].sum() > 0, mechanism


def test_every_incident_type_category_surface_path_and_alert_response_occurs() -> None:
    incidents = result((), NINE_DAYS).tables["incidents"]
    assert set(np.unique(incidents["incident"])) == set(range(len(INCIDENT_TYPES)))
    assert set(np.unique(incidents["category"])) == set(range(len(CATEGORIES)))
    assert set(np.unique(incidents["surface"])) == {-1, 0, 1, 2}
    assert set(np.unique(incidents["path"])) == {0, 1, 2}
    assert set(np.unique(incidents["alert_response"])) == {0, 1, 2, 3}


def test_tables_agree_with_each_other() -> None:
    found = result((), NINE_DAYS)
    tables, metrics = found.tables, found.metrics
    incidents, merchants = tables["incidents"], tables["merchants_daily"]
    assert merchants["incidents_count"].sum() == incidents["incident_id"].size
    assert tables["demand"]["orders_count"].sum() == metrics["orders_count"][0]
    assert merchants["orders_count"].sum() == metrics["orders_count"][0]
    assert (np.diff(incidents["incident_id"]) > 0).all()
    fresh = tables["contacts"]["kind"] == 0
    assert tables["intervals"]["fresh_count"].sum() == fresh.sum()
    claims = tables["claims"]
    alert = claims["trigger"] == 10
    assert tables["alerts"]["compensation_fen"].sum() == claims["due_fen"][alert].sum()
    assert (claims["paid_fen"] <= claims["due_fen"]).all()
    assert (claims["recovered_fen"] <= claims["paid_fen"]).all()


def test_a_case_belongs_to_one_incident_and_one_incident_to_one_case() -> None:
    incidents = result().tables["incidents"]
    case = incidents["case_id"][incidents["case_id"] >= 0]
    assert np.unique(case).size == case.size
    assert (incidents["path"][incidents["case_id"] >= 0] == 2).all()


def test_speculators_do_worse_by_consumers() -> None:
    merchants = result((), NINE_DAYS).tables["merchants_daily"]
    by_type = [
        merchants["incidents_count"][merchants["store_type"] == t].sum()
        / merchants["orders_count"][merchants["store_type"] == t].sum()
        for t in (0, 1)
    ]
    assert by_type[1] > 2.0 * by_type[0]


def test_doubling_hotel_demand_more_than_doubles_rooms_missing() -> None:
    double = ((), ("demand.category_multiple.hotel=2.0",))
    gain = paired("no_room_count", BASE, double)
    base = np.array([result(replication=r).metrics["no_room_count"][0] for r in range(5)])
    assert (gain.differences > base).all()


def test_summary_is_the_same_to_the_byte_for_one_and_two_workers(tmp_path: Path) -> None:
    texts = [
        run(
            small(),
            replications=2,
            precision_ratio=None,
            seed=SEED,
            workers=workers,
            out=tmp_path / str(workers),
        ).path.joinpath("summary.json")
        for workers in (1, 2)
    ]
    assert texts[0].read_bytes() == texts[1].read_bytes()


def test_the_base_stands_for_the_whole_country() -> None:
    """Expected values of the shipped scenario against the day totals of the facts (157.3 M orders,
    2.39 M incidents in nine days): orders to 1 % (bursts come on top), incidents to 1 %."""
    base = load(BASE_NAME)
    counted = regular_orders(base)[base.horizon.warm_up_days :]
    assert counted.sum() == pytest.approx(157.3e6, rel=0.01)
    days = np.arange(base.horizon.first_day, base.horizon.last_day + 1) - FIRST_OFFSET_D
    ratio = np.array([row.row() for row in base.incidents.ratio.row()])
    factor = np.array(base.incidents.day_factor.row())[:, days]
    incidents = np.einsum("dhc,ck,kd->", counted, ratio, factor)
    assert incidents == pytest.approx(2.39e6, rel=0.01)


def test_understaffing_raises_payouts() -> None:
    short = ((), ("support.headcount_count=32", "support.headcount_before_count=24"))
    replications = range(12)
    assert paired("payout_gross_fen", BASE, short, replications=replications).rises
    assert paired("contacts_abandoned_count", BASE, short, replications=replications).rises
