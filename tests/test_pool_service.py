"""From the record to tables: interval sums by hand, integrals by brute force, both channels."""

from math import inf

import numpy as np
import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st

from scenarios.loader import load
from scenarios.tables import TABLES
from sim.streams import Streams
from sim.support import service
from sim.support.integrals import open_integral
from sim.support.layout import Layout
from sim.support.pool import Pool
from sim.support.roster import Roster
from tests.pool_cases import draw_cases, part


@given(
    spans=st.lists(
        st.tuples(st.integers(0, 39), st.integers(0, 30), st.integers(0, 1)), max_size=20
    )
)
def test_open_integral_equals_brute_force(spans: list[tuple[int, int, int]]) -> None:
    start = np.array([span[0] for span in spans], dtype=float)
    end = np.array([inf if span[1] == 30 else span[0] + span[1] for span in spans], dtype=float)
    group = np.array([span[2] for span in spans], dtype=np.int64)
    found = open_integral(
        group=group,
        groups_count=2,
        start_s=start,
        end_s=end,
        interval_s=10.0,
        intervals_count=4,
    )
    seconds = np.arange(40.0)
    for g in (0, 1):
        mine = group == g
        inside = (seconds >= start[mine][:, None]) & (seconds < end[mine][:, None])
        np.testing.assert_allclose(found[:, g], inside.sum(axis=0).reshape(4, 10).sum(axis=1))


def test_tables_add_up() -> None:
    """Two days on the base roster: sums over intervals equal sums over contacts, exactly."""
    scenario = load("spring-festival-2026", sets=["horizon.last_day=-2"])
    horizon = scenario.horizon
    layout = Layout.of(scenario.support)
    roster = Roster.draw(
        scenario.support,
        calendar=scenario.calendar,
        horizon=horizon,
        streams=Streams(seed=5, replication=0),
        attendance_multiple_by_day=[0.35] * horizon.days_count,
    )
    cases = draw_cases(np.random.default_rng(5), 40_000, until_s=horizon.end_s)
    env = simpy.Environment()
    pool = Pool(env, layout)
    bounds = np.searchsorted(cases.arrived_s, np.arange(len(roster.slots) + 1) * horizon.tick_s)
    for tick in range(len(roster.slots)):
        pool.staff(roster.slots[tick].tolist(), roster.pace[tick].tolist())
        pool.offer(part(cases, bounds[tick], bounds[tick + 1]))
        env.run(until=(tick + 1) * float(horizon.tick_s))
    found = service.tables(
        scenario.support,
        horizon=horizon,
        layout=layout,
        roster=roster,
        pool=pool,
        case_category=np.zeros(50_000, dtype=np.int8),
    )
    for name, table in found.items():
        assert list(table) == [c.name for c in TABLES[name] if c.name != "replication"]
        assert len({len(values) for values in table.values()}) == 1
    intervals, contacts = found["intervals"], found["contacts"]
    assert len(intervals["lunar_day"]) == horizon.ticks_per_day * 6
    assert set(intervals["lunar_day"]) == {-2}
    offered = intervals["offered_count"]
    parts = ("answered_count", "abandoned_count", "in_system_count")
    np.testing.assert_array_equal(offered, sum(intervals[part] for part in parts))
    kinds = ("fresh_count", "redial_count", "reconnect_count", "escalation_count")
    np.testing.assert_array_equal(offered, sum(intervals[kind] for kind in kinds))
    for skill in range(3):
        for channel in range(2):
            rows = (intervals["skill"] == skill) & (intervals["channel"] == channel)
            mine = (contacts["skill"] == skill) & (contacts["channel"] == channel)
            assert offered[rows].sum() == mine.sum() > 0
    metrics = service.metrics(scenario.support, found)
    wait = contacts["answered_s"] - contacts["arrived_s"]
    phone = contacts["channel"] == 0
    level = (wait[phone] <= scenario.support.targets.phone.threshold_s).sum() / phone.sum()
    assert metrics["service_level_phone_ratio"][0] == pytest.approx(level, rel=1e-12)
    assert 0.0 < metrics["abandoned_ratio"][0] < 0.5
    assert 0.0 < metrics["occupancy_ratio"][0] <= 1.1
    assert metrics["cross_answered_count"][0] > 0
    # Every agent that the tables count was on the roster.
    first = horizon.warm_up_days * horizon.ticks_per_day
    available = intervals["agents_available"].reshape(-1, 6).sum(axis=1)
    np.testing.assert_allclose(available, roster.agents_available[first:].sum(axis=1))
