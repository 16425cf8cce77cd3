"""What moves payouts: the tornado on a stand-in, policies and the bridge on small real runs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scenarios.loader import SHIPPED
from scenarios.problems import ScenarioProblems
from scenarios.scenario import Scenario
from sim.payout import lab as lab_module
from sim.payout import trials
from sim.payout.bridge import bridge
from sim.payout.lab import METRICS, lab
from sim.payout.movers import movers
from sim.payout.seasons import Seasons
from sim.payout.tornado import tornado
from tests.synthetic_run import InlineExecutor, ShortExecutor, write_synthetic_run
from tests.worlds import write_small_run


@dataclass(frozen=True)
class Season:
    """As much of a replication as a trial reads."""

    metrics: dict[str, tuple[float, str]]


def silent(_done: int, _planned: int) -> None:
    """Reports to nobody."""


@pytest.fixture
def seasons(tmp_path: Path) -> Seasons:
    """A synthetic run under the real base scenario."""
    path = write_synthetic_run(tmp_path / "run", replications=2)
    text = (SHIPPED / "spring-festival-2026.toml").read_text(encoding="utf-8")
    (path / "scenario.toml").write_text(text, encoding="utf-8")
    return Seasons(path)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A stand-in for the model: payouts are orders times the refund share, and some noise."""
    made: list[int] = []

    def simulate(scenario: Scenario, *, seed: int, replication: int, **_: Any) -> Season:
        made.append(replication)
        term = scenario.guarantees.no_reason_cancellation.terms.cancellation
        assert term is not None
        fen = scenario.demand.orders_per_day.hotel * scenario.demand.orders_multiple
        fen *= term.refund_ratio + 0.01 * (replication + seed)
        return Season(dict.fromkeys(trials.METRICS, (fen, "fen")))

    monkeypatch.setattr(trials, "simulate", simulate)
    return made


KEYS = (
    "guarantees.no_reason_cancellation.terms.cancellation.refund_ratio",
    "demand.orders_per_day.hotel",
    "demand.orders_multiple",
    "regions.north",
)


def test_tornado_moves_one_key_at_a_time(
    seasons: Seasons, calls: list[int], tmp_path: Path
) -> None:
    def rows() -> list[dict[str, Any]]:
        chosen = movers(seasons, count=0, asked=KEYS)
        with InlineExecutor() as pool:
            return tornado(
                seasons, chosen, replications=3, folder=tmp_path, executor=pool, report=silent
            ).to_dicts()

    found = rows()
    assert len(calls) == 3 * (1 + 2 * 3), "the shares of regions cannot be moved alone"
    by_key = {row["key"]: row for row in found}
    refund = by_key[KEYS[0]]
    assert refund["low_effect_fen"] == pytest.approx((0.3 - 0.55) * 550_000)
    assert refund["high_effect_low_fen"] == pytest.approx((0.8 - 0.55) * 550_000)
    orders = by_key[KEYS[1]]
    assert orders["low_effect_fen"] == pytest.approx((350_000 - 550_000) * 0.57)
    assert orders["low_effect_low_fen"] < orders["low_effect_fen"] < orders["low_effect_high_fen"]
    assert by_key[KEYS[3]]["low_effect_fen"] is None
    assert [row["rank"] for row in found] == [1, 2, 3, 4]
    swings = [(row["high_effect_fen"] or 0.0) - (row["low_effect_fen"] or 0.0) for row in found]
    assert swings == sorted(swings, reverse=True)
    calls.clear()
    assert rows() == found, "the file of trials says the same"
    assert calls == [], "kept from the first time"


def test_policies_are_paired_and_the_bridge_between_them_closes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = Seasons(write_small_run(tmp_path / "base", replications=1))
    monkeypatch.setattr(lab_module, "ORDERS_PER_DAY", 40_000.0)

    def run_lab(*policies: str) -> list[dict[str, Any]]:
        return lab(
            base,
            policies,
            replications=2,
            workers=1,
            folder=tmp_path,
            executor=InlineExecutor(),
            report=silent,
        ).to_dicts()

    nothing = "demand.orders_multiple=1.0"
    rows = run_lab("strict-terms", nothing)
    found = {(row["policy"], row["metric"]): row for row in rows}
    assert len(found) == 2 * len(METRICS)
    assert all(found[nothing, name]["difference"] in (0.0, None) for name in METRICS)
    assert found["strict-terms", "payout_gross_fen"]["difference"] < 0.0
    assert found["strict-terms", "incidents_count"]["base"] > 0.0
    with pytest.raises(ScenarioProblems):
        run_lab("no-such-policy")
    folders = {path.name.rpartition("-")[0]: path for path in (tmp_path / "payout_lab").iterdir()}
    table = bridge(Seasons(folders["as-it-is"]), Seasons(folders["strict-terms"]))
    amounts = dict(table.select("part", "amount_fen").iter_rows())
    assert sum(amounts.values()) - amounts["end"] == amounts["end"]
    assert amounts["terms"] < 0
    beside = abs(amounts["volume"]) + abs(amounts["mix"])
    assert beside < -0.01 * amounts["terms"], "orders are the same but for delisted stores"


def test_ctrl_c_keeps_the_trials_that_are_finished(
    seasons: Seasons, calls: list[int], tmp_path: Path
) -> None:
    def stop_at_three(done: int, _planned: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    path = str(seasons.path / "scenario.toml")
    asked = [trials.Trial(path, (), 1, replication) for replication in range(5)]
    with pytest.raises(KeyboardInterrupt):
        trials.outcomes(asked, folder=tmp_path, executor=ShortExecutor(3), report=stop_at_three)
    calls.clear()
    found = trials.outcomes(asked, folder=tmp_path, executor=InlineExecutor())
    assert len(found) == 5
    assert len(calls) == 2
