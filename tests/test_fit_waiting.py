"""In which order those who wait are served, by whom, and whose priority a log knows."""

from dataclasses import replace

import numpy as np
import pytest

from sim.fit.crowd import place_in_line
from sim.fit.floor import Callers, Staff, walked
from sim.fit.leaving import LeavingLaw, fit_leaving
from sim.fit.likelihood import Floats
from sim.fit.logs import ContactLog
from sim.fit.presence import Presence
from sim.fit.priorities import MOST_S, STEP_S, ahead, credits_s
from sim.fit.problems import SetAside
from sim.fit.skills import Skills
from sim.fit.waiting import Waiting, WaitingPart, fit_waiting

DAY_S = 86400.0
EVERYBODY = np.ones((1, 1), dtype=np.bool_)


def steady(agents: list[int], serves: np.ndarray) -> Staff:
    return Staff(np.zeros(1), np.array([agents]), np.ones(1), serves)


def log_of(
    arrived_s: Floats, answered_s: Floats, left_s: Floats, *,
    queue: np.ndarray | None = None, priority: np.ndarray | None = None,
    agent: np.ndarray | None = None,
) -> ContactLog:
    """Ten seconds of service; codes are their names."""
    n, zeros = len(arrived_s), np.zeros(len(arrived_s), np.int32)
    queue, priority = (zeros if c is None else c.astype(np.int32) for c in (queue, priority))
    return ContactLog(
        name="x",
        arrived_s=arrived_s,
        answered_s=answered_s,
        ended_s=np.where(np.isnan(answered_s), left_s, answered_s + 10.0),
        local_s=arrived_s,
        queue=queue,
        priority=priority,
        agent=zeros if agent is None else agent.astype(np.int32),
        caller=np.zeros(n, np.int64),
        queues=tuple(str(code) for code in range(int(queue.max()) + 1)),
        priorities=tuple(str(code) for code in range(int(priority.max()) + 1)),
        aside=SetAside(),
    )


def served_by_credit(credit_s: Floats, seed: int) -> ContactLog:
    """A day of three priorities, a tenth more work than eight agents can do."""
    rng = np.random.default_rng(seed)
    n = 5000
    arrived_s, priority = np.sort(rng.random(n)) * DAY_S, rng.integers(0, 3, n)
    patience_s = rng.exponential(400.0, n)
    callers = Callers(
        arrived_s, patience_s, rng.exponential(150.0, n), np.zeros(n, np.int64), credit_s[priority]
    )
    answered_s = walked(callers, steady([8], EVERYBODY), until_s=2.0 * DAY_S).answered_s
    return log_of(arrived_s, answered_s, arrived_s + patience_s, priority=priority)


def test_credits_decide_who_is_next() -> None:
    """One agent, busy until 100 s; the last to come has 60 s of credit and passes the one who came
    50 s before it, not the one who came 70 s before."""
    callers = Callers(
        arrived_s=np.array([0.0, 10.0, 30.0, 80.0]),
        hazard=np.full(4, 1e4),
        handle_s=np.full(4, 100.0),
        line=np.zeros(4, np.int64),
        credit_s=np.array([0.0, 0.0, 0.0, 60.0]),
    )
    answered_s = walked(callers, steady([1], EVERYBODY), until_s=1e4).answered_s
    assert answered_s.tolist() == [0.0, 100.0, 300.0, 200.0]


def test_whoever_comes_late_in_line_is_less_patient() -> None:
    """From the second place on at twice the rate, within the first minute. Two agents, busy until
    100 s. Who comes at 10 s is first in line and waits for them; at 20 s second, and leaves after
    60 s at 2 and 5 s at 1 instead of 125 s; at 86 s second again, with 10 s instead of 20."""
    arrived_s = np.array([0.0, 0.0, 10.0, 20.0, 86.0])
    rate_per_s = np.array([[1.0, 2.0], [1.0, 1.0]])
    leaving = LeavingLaw(np.array([0.0, 60.0]), np.array([1, 2]), rate_per_s, 500.0)
    callers = Callers(
        arrived_s=arrived_s,
        hazard=np.array([1e4, 1e4, 1e4, 125.0, 20.0]),
        handle_s=np.full(5, 100.0),
        line=np.zeros(5, np.int64),
        credit_s=np.zeros(5),
        leaving=leaving,
    )
    found = walked(callers, steady([2], EVERYBODY), until_s=1e4)
    assert found.answered_s == pytest.approx([0.0, 0.0, 100.0, np.nan, np.nan], nan_ok=True)
    assert (found.leaves_s - arrived_s).tolist() == [500.0, 500.0, 500.0, 65.0, 10.0]
    log = log_of(arrived_s, found.answered_s, found.leaves_s)
    assert place_in_line(log).tolist() == [1.0, 1.0, 1.0, 2.0, 2.0]


def test_rates_and_ratios_of_leaving_are_found_again() -> None:
    """Rates fall after 20 s and double from the eighth place on; queue 1 leaves three times as
    readily as queue 0. At least 500 who left stand behind each figure (few from a near place wait
    long, which is left out): within four standard errors, 4 / sqrt(500) = 18 %, 1 seed in 4,000
    would fail."""
    rng = np.random.default_rng(6)
    n = 20_000
    queue, rates = rng.integers(0, 2, n), np.array([[0.004, 0.008], [0.001, 0.002]])
    callers = Callers(
        arrived_s=np.sort(rng.random(n)) * DAY_S,
        hazard=rng.standard_exponential(n) / np.array([1.0, 3.0])[queue],
        handle_s=rng.exponential(120.0, n),
        line=np.zeros(n, np.int64),
        credit_s=np.zeros(n),
        leaving=LeavingLaw(np.array([0.0, 20.0]), np.array([1, 8]), rates, 1e4),
    )
    found = walked(callers, steady([24], EVERYBODY), until_s=2.0 * DAY_S)
    law, ratio = fit_leaving(
        log_of(callers.arrived_s, found.answered_s, found.leaves_s, queue=queue)
    )
    assert ratio[1, 0] / ratio[0, 0] == pytest.approx(3.0, rel=0.18)
    steps = law.from_s < 20.0, (law.from_s >= 20.0) & (law.from_s < 80.0)
    places = law.from_place < 8, law.from_place >= 8
    seen = np.array([[law.rate_per_s[np.ix_(s, p)].mean() for p in places] for s in steps])
    seen[1, 0] = rates[1, 0] / ratio[0, 0]
    assert ratio[0, 0] * seen == pytest.approx(rates, rel=0.18)


def test_a_team_takes_from_its_lines_only() -> None:
    """Team 0 serves line 0, team 1 both; whoever can do less takes first."""
    callers = Callers(
        arrived_s=np.array([0.0, 1.0, 2.0, 3.0]),
        hazard=np.array([1e4, 1e4, 1e4, 50.0]),
        handle_s=np.full(4, 100.0),
        line=np.array([0, 1, 1, 0]),
        credit_s=np.zeros(4),
    )
    serves = np.array([[True, False], [True, True]])
    answered_s = walked(callers, steady([1, 1], serves), until_s=1e4).answered_s
    assert answered_s == pytest.approx([0.0, 1.0, 101.0, np.nan], nan_ok=True)


@pytest.mark.parametrize("credit_s", [(0.0, 60.0, 150.0), (90.0, 0.0, 0.0)])
def test_credits_are_found_again(credit_s: tuple[float, ...]) -> None:
    """All pairs are in order at the truth and, between two pairs, around it: one step of the grid
    and the gap of a few seconds between the pairs on either side of it."""
    found = credits_s(served_by_credit(np.array(credit_s), seed=3))
    assert list(found.values()) == pytest.approx(credit_s, abs=2.0 * STEP_S)


def test_first_come_first_served_has_no_credits() -> None:
    """At most five tests by `SIGMAS` = 4: 1 seed in 3,000 would fail if pairs were coin tosses."""
    assert set(credits_s(served_by_credit(np.zeros(3), seed=4)).values()) == {0.0}
    shuffled = served_by_credit(np.zeros(3), seed=5)
    by_lot = np.random.default_rng(1).integers(0, 3, len(shuffled)).astype(np.int32)
    assert set(credits_s(replace(shuffled, priority=by_lot)).values()) == {0.0}


def test_a_queue_that_never_waits_goes_ahead() -> None:
    """Queue 0 always waits 60 s, so that somebody waits at any time; queue 1 in one case of ten."""
    n = 400
    arrived_s, queue = 20.0 * np.arange(float(n)), np.arange(n) % 2
    waits = (queue == 0) | (np.arange(n) % 20 == 1)
    log = log_of(arrived_s, arrived_s + 60.0 * waits, arrived_s, queue=queue)
    assert ahead(log).tolist() == [False, True]
    told = fit_waiting(log, np.ones((2, 1)))
    assert [part.credit_s for part in told.parts] == [0.0, MOST_S]


def test_who_leaves_a_queue_alone() -> None:
    """In one week agent 0 answers both queues in turn, agent 1 only queue 0; agent 2 has answered
    too few to tell."""
    agent = np.concatenate([np.zeros(100), np.ones(100), np.full(4, 2)])
    queue = np.concatenate([np.arange(100) % 2, np.zeros(104)])
    arrived_s = 100.0 * np.arange(204.0)
    log = log_of(arrived_s, arrived_s, arrived_s, queue=queue, agent=agent)
    skills = Skills.of(log, np.arange(204))
    refused = [set(skills.refuses[team]) for team in skills.team[[0, 100, 200]]]
    assert refused == [set(), {"1"}, set()]
    presence = Presence.of(log)
    assert sorted(map(sorted, (presence.refuses[t] for t in presence.team))) == [[], [], ["1"]]


def test_priorities_noted_of_those_who_wait_only() -> None:
    """Whoever is answered at once has priority 0: theirs are drawn, one in four of priority 1."""
    n = 8000
    waits = np.arange(n) % 2 == 1
    priority = np.where(waits & (np.arange(n) % 8 == 1), 1, 0)
    arrived_s = 10.0 * np.arange(float(n))
    log = log_of(arrived_s, arrived_s + 5.0 * waits, arrived_s, priority=priority)
    told = fit_waiting(log, np.ones((1, 2)))
    assert [part.noted for part in told.parts] == [False, False]
    assert [part.share_ratio for part in told.parts] == [0.75, 0.25]
    parts = (replace(told.parts[0], credit_s=0.0), replace(told.parts[1], credit_s=90.0))
    _, credit_s = Waiting(parts).draw(log, np.random.default_rng(2))
    assert (credit_s[waits] == 90.0 * priority[waits]).all()
    # Four standard errors of 4,000 draws: 1 seed in 16,000 would fail.
    assert (credit_s[~waits] > 0.0).mean() == pytest.approx(0.25, abs=0.028)


def test_an_unknown_queue_is_drawn_from_all() -> None:
    log = log_of(np.arange(10.0), np.arange(10.0), np.zeros(10))
    known = WaitingPart(
        queue="elsewhere", priority="1", share_ratio=1.0, credit_s=30.0, leaving_ratio=4.0,
        noted=True,
    )  # fmt: skip
    hazard, credit_s = Waiting((known,)).draw(log, np.random.default_rng(1))
    plain, _ = Waiting((replace(known, leaving_ratio=1.0),)).draw(log, np.random.default_rng(1))
    assert (4.0 * hazard).tolist() == plain.tolist()
    assert set(credit_s.tolist()) == {30.0}
