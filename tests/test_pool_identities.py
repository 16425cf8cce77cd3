"""Identities that hold on every path of the pool, on small random worlds with many ties.

Goal: STYLE C6, invariants 1 to 7. Method: Hypothesis draws floors, staff, pace, surcharges and
cases in whole seconds, so that arrivals, ends, patience and ticks often fall on one instant; the
checks that run after every simulation (sim/support/invariants.py) must hold, and planted faults in
the record must be seen by them.
"""

import weakref
from dataclasses import fields, replace
from math import inf

import numpy as np
import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.support import invariants, state
from sim.support.attempts import ABANDONED, ANSWERED, Attempts
from sim.support.cases import Cases
from sim.support.layout import Layout, TeamPlan
from sim.support.pool import Pool
from tests.pool_cases import DAY_S, FLOOR, Tick, draw_cases, draw_ticks, part, run_world

TICK_S = 60.0
TICKS = 6
END_S = TICK_S * (TICKS + 2)
ROOMY = Layout((TeamPlan("all", 0, (1, 2), 0.0, 1),), 2, queues_count=3, topics_count=2)


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    teams = []
    for number in range(draw(st.integers(1, 4))):
        queues = draw(st.permutations(range(3)))
        served = draw(st.integers(1, 3))
        reserve = draw(st.sampled_from((0.0, 0.25, 0.5, 1.0)))
        teams.append(TeamPlan(f"t{number}", queues[0], tuple(queues[1:served]), reserve, 1))
    return Layout(tuple(teams), 2, queues_count=3, topics_count=2)


def whole_cases(rng: np.random.Generator, n: int) -> Cases:
    """Cases in whole seconds over the ticks; some patience is zero, some endless."""
    wide = (n, 3)
    reconnect = np.where(rng.random(wide) < 0.4, rng.integers(0, 40, wide), inf)
    reconnect[:, -1] = inf
    return Cases(
        case_id=100 + np.arange(n),
        arrived_s=np.sort(rng.integers(0, int(TICK_S) * TICKS, n)).astype(float),
        queue=rng.integers(0, 3, n).astype(np.int8),
        priority=rng.integers(0, 3, n).astype(np.int8),
        topic=rng.integers(0, 2, n).astype(np.int8),
        patience_s=rng.choice([0.0, 1.0, 5.0, 20.0, 200.0, inf], wide),
        redial_delay_s=np.where(rng.random(wide) < 0.6, rng.integers(0, 40, wide), inf),
        handle_s=rng.integers(0, 60, wide).astype(float),
        reconnect_delay_s=reconnect,
        escalation_delay_s=np.where(rng.random(n) < 0.5, rng.integers(0, 40, n), inf),
        escalation_handle_s=rng.integers(0, 60, n).astype(float),
    )


def simulate(layout: Layout, rng: np.random.Generator, n: int) -> Pool:
    cases = whole_cases(rng, n)
    bounds = np.searchsorted(cases.arrived_s, TICK_S * np.arange(TICKS + 1))
    ticks = [
        Tick(
            at_s=TICK_S * k,
            slots=tuple(rng.integers(0, 6, len(layout.teams)).tolist()),
            pace=tuple(rng.choice([1.0, 1.5], len(layout.teams)).tolist()),
            surcharge=tuple(rng.choice([1.0, 2.0], 2).tolist()),
            cases=part(cases, bounds[k], bounds[k + 1]),
        )
        for k in range(TICKS)
    ]
    env = simpy.Environment()
    pool = Pool(env, layout)
    run_world(env, pool, ticks, END_S)
    return pool


@settings(max_examples=150)
@given(layout=layouts(), seed=st.integers(0, 2**32), n=st.integers(0, 120))
def test_identities_hold_on_small_worlds_with_ties(layout: Layout, seed: int, n: int) -> None:
    pool = simulate(layout, np.random.default_rng(seed), n)
    attempts = pool.attempts()
    assert (attempts.attempt == 1).sum() == n
    invariants.check(
        attempts, cases=pool.cases(), layout=layout, staffed=pool.staffed(), end_s=END_S
    )
    outcomes = pool.collect()
    ended = {"resolved": outcomes.resolved_case_id, "given up": outcomes.given_up_case_id}
    for ids in ended.values():
        assert len(np.unique(ids)) == len(ids)
    assert not set(ended["resolved"]) & set(ended["given up"])


def test_room_grows_without_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A floor whose arrays start with room for next to nothing keeps the same record."""
    records = []
    for attempts_count, entries_count in ((1 << 10, 1 << 10), (1, 2)):
        monkeypatch.setattr(state, "_ATTEMPTS_COUNT", attempts_count)
        monkeypatch.setattr(state, "_ENTRIES_COUNT", entries_count)
        pool = simulate(ROOMY, np.random.default_rng(5), 300)
        records.append((pool.attempts(), pool.collect()))
    for before, after in zip(*records, strict=True):
        for column in fields(before):
            np.testing.assert_array_equal(getattr(before, column.name), getattr(after, column.name))


def test_the_calendar_does_not_keep_a_pool_alive() -> None:
    """Counting references frees a floor that is done, though SimPy still has its wake-up."""
    env = simpy.Environment()
    pool = Pool(env, SINGLE)
    pool.staff((1,), (1.0,))
    pool.offer(one_case(5.0, inf, 10.0))
    kept = weakref.ref(pool)
    del pool
    assert kept() is None
    env.run(until=10.0)


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32), extra=st.integers(1, 5))
def test_staff_leaves_draws_alone(seed: int, extra: int) -> None:
    """Twin worlds: other staff, same first arrivals, patience and topic of every case."""
    first = []
    for more in (0, extra):
        rng = np.random.default_rng(seed)
        cases = draw_cases(rng, 300, until_s=DAY_S)
        ticks = draw_ticks(rng, cases, agents=20.0, tick_s=3600.0, until_s=DAY_S)
        env = simpy.Environment()
        pool = Pool(env, FLOOR)
        staffed = [replace(tick, slots=tuple(s + more for s in tick.slots)) for tick in ticks]
        run_world(env, pool, staffed, DAY_S)
        attempts = pool.attempts()
        fresh = attempts.attempt == 1
        columns = (attempts.case_id, attempts.arrived_s, attempts.patience_s, attempts.topic)
        first.append([column[fresh] for column in columns])
    for one, other in zip(*first, strict=True):
        np.testing.assert_array_equal(one, other)


def one_case(arrived_s: float, patience_s: float, handle_s: float) -> Cases:
    endless = np.full((1, 3), inf)
    return Cases(
        case_id=np.array([7]),
        arrived_s=np.array([arrived_s]),
        queue=np.zeros(1, dtype=np.int8),
        priority=np.zeros(1, dtype=np.int8),
        topic=np.zeros(1, dtype=np.int8),
        patience_s=np.full((1, 3), patience_s),
        redial_delay_s=endless,
        handle_s=np.full((1, 3), handle_s),
        reconnect_delay_s=endless,
        escalation_delay_s=endless[:, 0],
        escalation_handle_s=np.zeros(1),
    )


SINGLE = Layout((TeamPlan("all", 0, (), 0.0, 1),), 0, queues_count=1, topics_count=1)


@pytest.mark.parametrize(("patience_s", "outcome"), [(9.0, ABANDONED), (10.0, ANSWERED)])
def test_grant_wins_a_tie(patience_s: float, outcome: int) -> None:
    """The agent is free again after 10 s, which is when patience ends in the second case."""
    env = simpy.Environment()
    pool = Pool(env, SINGLE)
    pool.staff((1,), (1.0,))
    pool.offer(one_case(0.0, inf, 10.0))
    pool.offer(one_case(0.0, patience_s, 1.0))
    env.run(until=100.0)
    assert pool.attempts().outcome.tolist() == [ANSWERED, outcome]


def test_shift_end_lets_the_contact_in_hand_finish() -> None:
    env = simpy.Environment()
    pool = Pool(env, SINGLE)
    pool.staff((1,), (1.0,))
    pool.offer(one_case(0.0, inf, 10.0))
    env.run(until=5.0)
    pool.staff((0,), (1.0,))
    pool.offer(one_case(5.0, inf, 10.0))
    env.run(until=100.0)
    attempts = pool.attempts()
    assert attempts.ended_s[0] == 10.0
    assert np.isnan(attempts.answered_s[1])


def damaged(attempts: Attempts, what: str) -> Attempts:
    """The same record with one fault planted."""
    answered = np.flatnonzero(attempts.outcome == ANSWERED)
    values = getattr(attempts, what).copy()
    if what == "team":
        values[answered[0]] = -1
    elif what == "ended_s":
        values[answered[0]] = attempts.answered_s[answered[0]] - 1.0
    elif what == "answered_s":
        values[answered[-1]] += 1.0 + attempts.patience_s[answered[-1]]
    elif what == "attempt":
        values[answered[-1]] += 1
    elif what in ("kind", "patience_s"):
        values[np.flatnonzero(attempts.outcome == ABANDONED)[0]] += 1
    elif what == "followed":
        values[np.flatnonzero(values)[0]] = False
    else:
        values[answered[-1]] += 1e-6
    return replace(attempts, **{what: values})


@pytest.mark.parametrize(
    "what",
    ["team", "ended_s", "answered_s", "arrived_s", "attempt", "kind", "patience_s", "followed"],
)
def test_planted_faults_are_seen(what: str) -> None:
    rng = np.random.default_rng(3)
    cases = draw_cases(rng, 2000, until_s=DAY_S)
    ticks = draw_ticks(rng, cases, agents=12.0, tick_s=3600.0, until_s=DAY_S)
    env = simpy.Environment()
    pool = Pool(env, FLOOR)
    run_world(env, pool, ticks, DAY_S)
    attempts = pool.attempts()
    known = {"cases": pool.cases(), "layout": FLOOR, "staffed": pool.staffed(), "end_s": DAY_S}
    invariants.check(attempts, **known)
    with pytest.raises(AssertionError):
        invariants.check(damaged(attempts, what), **known)


def test_bad_input_is_refused() -> None:
    env = simpy.Environment()
    pool = Pool(env, SINGLE)
    with pytest.raises(ValueError, match="slots and pace"):
        pool.staff((1, 2), (1.0,))
    with pytest.raises(ValueError, match="out of range"):
        pool.staff((-1,), (1.0,))
    with pytest.raises(ValueError, match="negative"):
        pool.offer(one_case(1.0, -1.0, 1.0))
    pool.offer(one_case(5.0, 1.0, 1.0))
    with pytest.raises(ValueError, match="must arrive between"):
        pool.offer(one_case(4.0, 1.0, 1.0))
