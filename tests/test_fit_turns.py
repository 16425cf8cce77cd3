"""Turns between contacts: censored where nobody waits, and found again on logs the model made."""

from pathlib import Path

import numpy as np
import pytest

from sim.fit.instants import Clock
from sim.fit.logs import Reading, read
from sim.fit.turns import TurnLaws, Turns
from tests.log_cases import Truth, write

HEAD = "contact_id,arrived_at,answered_at,ended_at,outcome,agent\n"


def row(number: int, arrived_s: int, answered_s: int, ended_s: int, agent: str) -> str:
    times = (np.datetime64(s, "s") for s in (arrived_s, answered_s, ended_s))
    return f"{number},{','.join(map(str, times))},answered,{agent}\n"


def test_turns_are_watched_while_somebody_waits(tmp_path: Path) -> None:
    """Agent a takes 30 s to the next contact, which waits all the while; b is idle because nobody
    waits: his 500 s are no turn. Sixty such rounds, 1,000 s apart."""
    lines, number = [HEAD], 0
    for start_s in range(0, 60_000, 1000):
        for arrived_s, answered_s, ended_s, agent in (
            (0, 0, 100, "a"), (50, 130, 200, "a"), (500, 500, 600, "b"),
        ):  # fmt: skip
            number += 1
            times = (start_s + s for s in (arrived_s, answered_s, ended_s))
            lines.append(row(number, *times, agent))
    path = tmp_path / "log.csv"
    path.write_text("".join(lines), encoding="utf-8")
    found = Turns.of(read([path], Reading({}, Clock())))
    assert (found.mean_s.mean, found.after_call_s.mean, found.pause_s.mean) == (30.0, 30.0, 0.0)
    assert found.mean_s.n == 60
    assert set(found.law_s.tolist()) == {30.0}


def test_turns_of_the_model_are_found_again(tmp_path: Path) -> None:
    """Exponential with mean 40 s: the part beyond a minute has mean 40 exp(-60 / 40). Four standard
    errors of 1,500 turns, 4 x 40 / sqrt(1500) = 4.2 s: 1 seed in 16,000 would fail."""
    path = write(tmp_path / "log.csv", Truth(turn_mean_s=40.0, agents=5), days=8, seed=6)
    found = Turns.of(read([path], Reading({}, Clock())))
    assert found.mean_s.n > 1500
    assert found.mean_s.mean == pytest.approx(40.0, abs=4.2)
    assert found.pause_s.mean == pytest.approx(40.0 * np.exp(-1.5), abs=4.2)
    parts = found.after_call_s.mean + found.pause_s.mean
    assert parts == pytest.approx(found.mean_s.mean)
    assert found.law_s.mean() == pytest.approx(found.mean_s.mean, rel=0.02)


def test_without_agents_or_waits_all_turns_are_zero(tmp_path: Path) -> None:
    path = write(tmp_path / "log.csv", Truth(agents=60), days=2, seed=4)
    found = Turns.of(read([path], Reading({}, Clock())))
    assert found.mean_s.mean == 0.0
    assert len(found.law_s) == 0


def test_turns_of_a_week_are_its_own(tmp_path: Path) -> None:
    """Agent a takes 10 s in the first week and 30 s in the second, 500 times each; three turns of
    20 s in the third say too little, so that the law of all is taken. Every turn is watched: the
    next contact waits."""
    lines, number = [HEAD], 0
    week_s = 7 * 86400
    for start_s, rounds, turn_s in ((0, 500, 10), (week_s, 500, 30), (2 * week_s, 3, 20)):
        for at_s in range(start_s, start_s + rounds * 1000, 1000):
            for arrived_s, answered_s, ended_s in ((0, 0, 100), (50, 100 + turn_s, 200)):
                number += 1
                times = (at_s + s for s in (arrived_s, answered_s, ended_s))
                lines.append(row(number, *times, "a"))
    path = tmp_path / "log.csv"
    path.write_text("".join(lines), encoding="utf-8")
    log = read([path], Reading({}, Clock()))
    laws = TurnLaws.shown(log, np.zeros(0))
    assert [set(one.tolist()) for one in laws.law_s[:2]] == [{10.0}, {30.0}]
    assert laws.law_s[2].tolist() == Turns.of(log).law_s.tolist()
    week = log.day // 7 - log.day.min() // 7
    drawn = laws.draw(log, np.random.default_rng(1))
    assert set(drawn[week == 0].tolist()) == {10.0}
    assert set(drawn[week == 1].tolist()) == {30.0}
    few = log.taken(week == 2)
    assert TurnLaws.shown(few, np.array([7.0])).draw(few, np.random.default_rng(1)).max() == 7.0
    assert TurnLaws.shown(few, np.zeros(0)).draw(few, np.random.default_rng(1)).max() == 0.0
