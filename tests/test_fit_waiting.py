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
        arrived_s, patience_s, rng.exponential(150.0, n), np.zeros(n, np.int64),
        credit_s[priority], np.zeros(n, np.int64),
    )  # fmt: skip
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
        queue=np.zeros(4, np.int64),
    )
    answered_s = walked(callers, steady([1], EVERYBODY), until_s=1e4).answered_s
    assert answered_s.tolist() == [0.0, 100.0, 300.0, 200.0]


def test_whoever_comes_late_in_line_is_less_patient() -> None:
    """From the second place of its queue on at twice the rate, within the first minute; in queue 1
    at four times those rates. Two agents, busy until 100 s. Who comes at 10 s is first in line and
    waits for them; at 20 s second, and leaves after 60 s at 2 and 5 s at 1 instead of 125 s; at
    30 s the first of queue 1, after 5 s instead of 20; at 86 s second again, with 10 s instead of
    20."""
    arrived_s = np.array([0.0, 0.0, 10.0, 20.0, 30.0, 86.0])
    rate_per_s = np.array([[1.0, 2.0], [1.0, 1.0]])
    leaving = LeavingLaw(
        np.array([0.0, 60.0]), np.array([1, 2]), np.array([rate_per_s, 4.0 * rate_per_s]),
        ("0", "1"), 500.0,
    )  # fmt: skip
    queue = np.array([0, 0, 0, 0, 1, 0])
    callers = Callers(
        arrived_s=arrived_s,
        hazard=np.array([1e4, 1e4, 1e4, 125.0, 20.0, 20.0]),
        handle_s=np.full(6, 100.0),
        line=np.zeros(6, np.int64),
        credit_s=np.zeros(6),
        queue=queue,
        leaving=leaving,
    )
    found = walked(callers, steady([2], EVERYBODY), until_s=1e4)
    answered_s = [0.0, 0.0, 100.0, np.nan, np.nan, np.nan]
    assert found.answered_s == pytest.approx(answered_s, nan_ok=True)
    assert (found.leaves_s - arrived_s).tolist() == [500.0, 500.0, 500.0, 65.0, 5.0, 10.0]
    log = log_of(arrived_s, found.answered_s, found.leaves_s, queue=queue)
    assert place_in_line(log).tolist() == [1.0, 1.0, 1.0, 2.0, 1.0, 2.0]


def test_rates_and_ratios_of_leaving_are_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rates fall after 20 s and double from the eighth place on; those of queue 1 are three times
    those of queue 0 and fall half as far; priority 1 leaves at half the rates of priority 0. With
    as few steps and classes at least 500 who left stand behind each figure (few from a near place
    wait long, which is left out): within four standard errors, 4 / sqrt(500) = 18 %, 1 seed in
    2,000 would fail. What is drawn to other cells is 20 in 500, of a distance below 1 / 2."""
    monkeypatch.setattr("sim.fit.leaving.FROM_S", np.array([0.0, 20.0]))
    monkeypatch.setattr("sim.fit.leaving.FROM_PLACE", np.array([1, 8]))
    rng = np.random.default_rng(6)
    n = 40_000
    queue, priority = rng.integers(0, 2, n), rng.integers(0, 2, n)
    rates = np.array([[[0.004, 0.008], [0.001, 0.002]], [[0.012, 0.024], [0.006, 0.012]]])
    callers = Callers(
        arrived_s=np.sort(rng.random(n)) * DAY_S,
        hazard=rng.standard_exponential(n) / np.array([1.0, 0.5])[priority],
        handle_s=rng.exponential(120.0, n),
        line=np.zeros(n, np.int64),
        credit_s=np.zeros(n),
        queue=queue,
        leaving=LeavingLaw(np.array([0.0, 20.0]), np.array([1, 8]), rates, ("0", "1"), 1e4),
    )
    found = walked(callers, steady([48], EVERYBODY), until_s=2.0 * DAY_S)
    law, ratio = fit_leaving(
        log_of(
            callers.arrived_s, found.answered_s, found.leaves_s, queue=queue, priority=priority
        )
    )
    assert law.queues == ("0", "1")
    assert ratio[:, 1] / ratio[:, 0] == pytest.approx(0.5, rel=0.18)
    seen = law.rate_per_s * ratio[:, :1, np.newaxis]
    told = np.array([[True, True], [False, True]])
    assert seen[:, told] == pytest.approx(rates[:, told], rel=0.18 + 0.02)


def test_a_team_takes_from_its_lines_only() -> None:
    """Team 0 serves line 0, team 1 both; whoever can do less takes first."""
    callers = Callers(
        arrived_s=np.array([0.0, 1.0, 2.0, 3.0]),
        hazard=np.array([1e4, 1e4, 1e4, 50.0]),
        handle_s=np.full(4, 100.0),
        line=np.array([0, 1, 1, 0]),
        credit_s=np.zeros(4),
        queue=np.zeros(4, np.int64),
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


def test_who_leaves_a_queue_alone_for_a_day() -> None:
    """Agent 0 answers both queues in turn on five days and queue 0 alone on the sixth; agent 1,
    who takes a tenth as many a day, answers queue 0 alone, which only the week can tell."""
    day = np.repeat(np.arange(6), 110)
    agent = np.tile(np.arange(110) % 11 == 10, 6).astype(int)
    queue = np.where((agent == 1) | (day == 5), 0, np.arange(660) % 2)
    arrived_s = day * DAY_S + np.tile(np.arange(110.0), 6)
    # A third agent keeps the other queue going on the sixth day.
    arrived_s = np.concatenate([arrived_s, 5 * DAY_S + 200.0 + np.arange(50.0)])
    agent, queue = np.append(agent, np.full(50, 2)), np.append(queue, np.ones(50, int))
    log = log_of(arrived_s, arrived_s, arrived_s, queue=queue, agent=agent)
    skills = Skills.of(log, np.arange(len(log)))
    refused = {
        (int(a), int(d)): set(skills.refuses[t])
        for a, d, t in zip(agent, log.day, skills.team, strict=True)
    }
    assert [refused[0, d] for d in range(6)] == [set()] * 5 + [{"1"}]
    assert [refused[1, d] for d in range(6)] == [{"1"}] * 6


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
    _, credit_s, queue = Waiting(parts).draw(log, ("9", "0"), np.random.default_rng(2))
    assert (queue == 1).all()
    assert (credit_s[waits] == 90.0 * priority[waits]).all()
    # Four standard errors of 4,000 draws: 1 seed in 16,000 would fail.
    assert (credit_s[~waits] > 0.0).mean() == pytest.approx(0.25, abs=0.028)


def test_an_unknown_queue_is_drawn_from_all() -> None:
    log = log_of(np.arange(10.0), np.arange(10.0), np.zeros(10))
    known = WaitingPart(
        queue="elsewhere", priority="1", share_ratio=1.0, credit_s=30.0, leaving_ratio=4.0,
        noted=True,
    )  # fmt: skip
    other = replace(known, leaving_ratio=1.0)
    (hazard, credit_s, queue), (plain, _, _) = (
        Waiting((part,)).draw(log, ("elsewhere",), np.random.default_rng(1))
        for part in (known, other)
    )
    assert (4.0 * hazard).tolist() == plain.tolist()
    assert set(credit_s.tolist()) == {30.0}
    assert set(queue.tolist()) == {0}
