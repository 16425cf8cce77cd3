"""From a log to a fit to a backtest, on logs that the model made; what rivals and scores say."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

from reports.backtest import page as backtest_page
from reports.language import LANGUAGES, speaking
from sim.backtest import score
from sim.backtest.paired import by_chance, nearer
from sim.backtest.rivals import by_erlang_a, by_erlang_c
from sim.backtest.roster import read_roster
from sim.fit.hours import Hours, Outcome
from sim.fit.instants import Clock
from sim.fit.logs import ContactLog, Reading, read
from sim.fit.presence import Presence
from sim.fit.problems import LogError
from sim.theory.erlang import patient
from sim.theory.impatience import erlang_a
from tests.log_cases import Truth, frame, write
from tests.page_walk import Files, mistakes, walked
from tests.test_cli import springpeak_says


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An overlay fitted on three weeks, and the log of five others."""
    folder = tmp_path_factory.mktemp("fit")
    past = write(folder / "past.csv", Truth(), days=21, seed=1)
    said = springpeak_says("fit", "contacts", str(past), "-o", str(folder / "fitted.toml"))
    assert said.status == 0
    return folder / "fitted.toml", write(folder / "new.csv", Truth(), days=5, seed=2)


def test_the_overlay_is_right_and_says_where_it_comes_from(fitted: tuple[Path, Path]) -> None:
    overlay, _ = fitted
    said = springpeak_says("scenarios", "show", "spring-festival-2026", "--overlay", str(overlay))
    assert said.status == 0
    assert "consumers.patience.phone_median_s = " in said.out
    assert "# D: past.csv, lognormal by censored likelihood, 95 %" in said.out
    beside = json.loads(overlay.with_suffix(".json").read_text(encoding="utf-8"))
    assert len(beside["bootstrap"]) == 100
    assert set(beside["overlay"]) == set(beside["bootstrap"][0])
    assert "description" in tomllib.loads(overlay.read_text(encoding="utf-8"))
    assert beside["estimates"]["availability_ratio"]["mean"] == pytest.approx(1.0, abs=0.1)


def test_backtest_predicts_days_of_the_same_model(fitted: tuple[Path, Path]) -> None:
    overlay, new = fitted
    out = overlay.parent / "there"
    said = springpeak_says(
        "backtest", str(overlay), str(new), "-o", str(out), "--replications", "20"
    )
    assert said.status == 0, said.err
    found = json.loads((out / "backtest.json").read_text(encoding="utf-8"))
    assert found["intervals"] > 20
    assert found["simulated"]["offered"]["mean"] == found["observed"]["offered"]
    near = {"abandoned_ratio": 0.03, "mean_wait_s": 15.0, "service_level_ratio": 0.05}
    for name, margin in near.items():
        assert found["simulated"][name]["mean"] == pytest.approx(
            found["observed"][name], abs=margin
        )
        wide = found["foretold"][name]
        assert wide["low"] < found["observed"][name] < wide["high"]
        assert wide["mean"] == pytest.approx(found["simulated"][name]["mean"])
    assert (found["foretold"]["days_count"], found["foretold"]["spells_count"]) == (5, 4)
    errors = found["mae_abandoned_ratio_hourly"]
    assert errors["simulated"] < errors["erlang_a"] < errors["erlang_c"]
    assert set(found["coverage"]) == {"0.5", "0.8", "0.9"}
    page = (out / "backtest.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 6
    opening = page[page.index('<section class="cards">') : page.index("<h2>In all</h2>")]
    assert 'class="interval"' not in opening, "a sentence is not broken by an interval below it"
    for language in LANGUAGES:
        with speaking(language):
            walk = walked(backtest_page.render(found))
            assert list(mistakes(walk, Files({"backtest": found}, {}))) == []
        assert len(walk.numbers) > 20


def test_days_that_the_fit_has_seen_are_told(fitted: tuple[Path, Path]) -> None:
    overlay, _ = fitted
    out = overlay.parent / "seen"
    said = springpeak_says(
        "backtest", str(overlay), str(overlay.parent / "past.csv"), "-o", str(out),
        "--replications", "10",
    )  # fmt: skip
    assert said.status == 0, said.err
    assert "past.csv: 21 of its days were fitted on as well" in said.err
    found = json.loads((out / "backtest.json").read_text(encoding="utf-8"))
    assert found["days_fitted_count"] == 21
    assert "21</span> of its days were fitted on as well" in backtest_page.render(found)


def test_arrivals_drawn_from_the_fit(fitted: tuple[Path, Path]) -> None:
    overlay, new = fitted
    out = overlay.parent / "drawn"
    said = springpeak_says(
        "backtest", str(overlay), str(new), "-o", str(out), "--replications", "20",
        "--arrivals", "drawn",
    )  # fmt: skip
    assert said.status == 0, said.err
    found = json.loads((out / "backtest.json").read_text(encoding="utf-8"))
    offered = found["simulated"]["offered"]
    assert offered["low"] < offered["mean"] < offered["high"]
    assert offered["mean"] == pytest.approx(found["observed"]["offered"], rel=0.25)
    assert found["hourly"]["offered"]["coverage"]["0.9"] > 0.6


def test_what_cannot_be_backtested_is_refused(fitted: tuple[Path, Path], tmp_path: Path) -> None:
    overlay, new = fitted
    said = springpeak_says("backtest", str(tmp_path / "none.toml"), str(new))
    assert said.status == 2
    assert "`springpeak fit` writes it beside the overlay" in said.err
    old = json.loads(overlay.with_suffix(".json").read_text(encoding="utf-8")) | {"format": 1}
    (tmp_path / "old.json").write_text(json.dumps(old), encoding="utf-8")
    said = springpeak_says("backtest", str(tmp_path / "old.toml"), str(new))
    assert said.status == 2
    assert "old.json: format 1" in said.err
    assert "fit the log again" in said.err
    bare = tmp_path / "bare.csv"
    lines = new.read_text(encoding="utf-8").splitlines()
    bare.write_text("\n".join([lines[0].replace("agent", "who"), *lines[1:]]), encoding="utf-8")
    said = springpeak_says("backtest", str(overlay), str(bare))
    assert said.status == 2
    assert "--roster" in said.err


def one_hour(contacts: int) -> tuple[ContactLog, Presence]:
    """Contacts evenly over an hour, all answered at once for 100 s, and three agents."""
    start = np.arange(contacts) * (3600.0 / contacts)
    codes = np.zeros(contacts, np.int32)
    log = ContactLog(
        "x", start, start, start + 100.0, start, codes, codes, codes, codes.astype(np.int64),
        ("",), ("",), aside=None,  # type: ignore[arg-type]
    )  # fmt: skip
    return log, Presence.of_anybody(np.zeros(3), np.full(3, 3600.0))


def test_rivals_are_the_closed_forms() -> None:
    log, presence = one_hour(60)
    hours = Hours.of(log, presence)
    assert hours.used.tolist() == [True]
    offered = np.array([60.0])
    same = {"arrival_per_s": 60 / 3600, "aht_s": 100.0, "threshold_s": 20.0}
    said = by_erlang_a(
        hours, offered, factor=1.0, turn_s=0.0, patience_s=300.0, threshold_s=20.0
    )
    truth = erlang_a(agents=3, patience_s=300.0, **same)
    assert said.abandoned_ratio == pytest.approx([float(truth.p_abandon)], rel=0.02)
    assert said.mean_wait_s == pytest.approx([float(truth.mean_wait_s)], rel=0.02)
    c = by_erlang_c(hours, offered, factor=1.0, turn_s=0.0, threshold_s=20.0)
    assert c.mean_wait_s == pytest.approx([float(patient(agents=3, **same).mean_wait_s)])
    between = by_erlang_c(hours, offered, factor=0.2, turn_s=0.0, threshold_s=20.0)
    assert between.mean_wait_s == pytest.approx([3600.0]), "nobody there, or overloaded"


def test_scores_of_right_and_wrong_predictions() -> None:
    rng = np.random.default_rng(5)
    predicted = rng.normal(10.0, 1.0, (400, 2000))
    right, narrow = rng.normal(10.0, 1.0, 2000), rng.normal(10.0, 3.0, 2000)
    covered = score.coverage(predicted, right)
    assert covered["0.8"] == pytest.approx(0.8, abs=0.03)
    assert score.coverage(predicted, narrow)["0.8"] < 0.5
    assert max(score.pit_histogram(predicted, right, rng)) < 0.13
    bowl = score.pit_histogram(predicted, narrow, rng)
    assert min(bowl[0], bowl[-1]) > 0.25
    said = score.errors(np.array([1.0, 3.0]), np.array([2.0, 2.0]))
    assert said == {"wape_ratio": 0.5, "bias_ratio": 0.0, "mae": 1.0}


def test_whose_error_is_smaller(tmp_path: Path) -> None:
    """A rival that always says ten points more is farther by ten points on every day."""
    log = read([write(tmp_path / "log.csv", Truth(), days=6, seed=5)], Reading({}, Clock()))
    hours = Hours.of(log, Presence.of(log))
    seen = hours.gather(log.local_s, log.wait_s, log.abandoned, 20.0)
    rival = Outcome(seen.offered, seen.abandoned + 0.1 * seen.offered, seen.wait_s, seen.within)
    said = nearer(hours, seen, seen, rival, np.random.default_rng(1))
    for name in ("abandoned_ratio", "mae_abandoned_ratio_hourly"):
        assert [said[name][k] for k in ("mean", "low", "high")] == pytest.approx([-0.1] * 3)
        assert said[name]["n"] == 6
    assert said["mean_wait_s"]["mean"] == 0.0


def test_what_chance_alone_does() -> None:
    """Three replications of one hour: each lies 1.5 times its distance from the mean of all from
    the mean of the others."""
    log, presence = one_hour(60)
    hours, drawn = Hours.of(log, presence), np.array([[3.0], [6.0], [9.0]])
    said = by_chance(hours, Outcome(np.full((3, 1), 60.0), drawn, 10.0 * drawn, drawn))
    apart = np.mean([4.5, 0.0, 4.5]) / 60.0
    assert said["abandoned_ratio"] == pytest.approx(apart)
    assert said["mae_mean_wait_s_hourly"] == pytest.approx(10.0 * apart)


def test_a_roster_in_place_of_what_the_log_shows(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    head = "start_at,end_at,agents_count\n"
    path.write_text(head + "1970-01-01 08:00,1970-01-01 16:00,5\n", encoding="utf-8")
    presence = read_roster(path, Clock())
    assert presence.agent_s(np.array([0.0, 86400.0])).tolist() == [0.0, 5 * 8 * 3600.0]
    path.write_text(head + "1970-01-01 08:00,1970-01-01 07:00,5\n", encoding="utf-8")
    with pytest.raises(LogError, match="row 1: needs start_at before end_at"):
        read_roster(path, Clock())


def test_a_log_without_agents_or_callers_still_fits(tmp_path: Path) -> None:
    path, out = tmp_path / "log.csv", tmp_path / "fit.toml"
    frame(Truth(), days=3, seed=4).drop("agent", "caller").write_csv(path)
    assert (read([path], Reading({}, Clock())).agent == -1).all()
    said = springpeak_says("fit", "contacts", str(path), "-o", str(out))
    assert said.status == 0, said.err
    values = tomllib.loads(out.read_text(encoding="utf-8"))
    assert "support" not in values
    assert "returns" not in values["consumers"]
