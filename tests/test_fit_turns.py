"""Turns between contacts: censored where nobody waits, and found again on logs the model made."""

from pathlib import Path

import numpy as np
import pytest

from sim.fit.instants import Clock
from sim.fit.logs import Reading, read
from sim.fit.turns import Turns
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
