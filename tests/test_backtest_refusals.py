"""What `springpeak backtest` says of days, rosters, options and folders that it cannot use."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from sim.backtest.paired import nearer
from sim.fit.hours import Hours, Outcome
from tests.log_cases import Truth, frame, write
from tests.test_cli import Said, springpeak_says


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An overlay fitted on ten days."""
    folder = tmp_path_factory.mktemp("fit")
    past = write(folder / "past.csv", Truth(per_day=500.0), days=10, seed=1)
    said = springpeak_says("fit", "contacts", str(past), "-o", str(folder / "fitted.toml"))
    assert said.status == 0
    return folder / "fitted.toml"


@pytest.fixture(scope="module")
def new(fitted: Path) -> Path:
    """Two days of the same model."""
    return write(fitted.parent / "new.csv", Truth(per_day=500.0), days=2, seed=2)


def backtest(fitted: Path, log: Path, out: Path, *options: str) -> Said:
    return springpeak_says(
        "backtest", str(fitted), str(log), "-o", str(out), "--replications", "10", *options
    )


def test_days_without_an_hour_to_tell_of_are_refused(
    fitted: Path, new: Path, tmp_path: Path
) -> None:
    three = tmp_path / "three.csv"
    three.write_text("\n".join(new.read_text(encoding="utf-8").splitlines()[:4]), encoding="utf-8")
    said = backtest(fitted, three, tmp_path / "out")
    assert said.status == 2
    assert "three.csv: no hour has 40 contacts and 3 agents present" in said.err
    assert not (tmp_path / "out").exists()


def test_a_fit_that_lacks_a_part_is_refused(fitted: Path, new: Path, tmp_path: Path) -> None:
    document = json.loads(fitted.with_suffix(".json").read_text(encoding="utf-8"))
    del document["floor"]["leaving"]
    (tmp_path / "cut.json").write_text(json.dumps(document), encoding="utf-8")
    said = backtest(tmp_path / "cut.json", new, tmp_path / "out")
    assert said.status == 2
    assert "cut.json: the floor in the file beside it cannot be read ('leaving')" in said.err


def test_days_on_which_nobody_is_answered_are_refused(
    fitted: Path, new: Path, tmp_path: Path
) -> None:
    text = new.read_text(encoding="utf-8").splitlines()
    log, roster = tmp_path / "log.csv", tmp_path / "roster.csv"
    log.write_text(
        "\n".join(one for one in text if ",answered," not in one), encoding="utf-8"
    )
    roster.write_text(
        "start_at,end_at,agents_count\n2026-03-02 08:00,2026-03-02 20:00,4\n", encoding="utf-8"
    )
    said = backtest(fitted, log, tmp_path / "out", "--roster", str(roster))
    assert said.status == 2
    assert "log.csv: no contact was answered" in said.err


@pytest.mark.parametrize("threshold", ["-5", "nan", "inf"])
def test_a_threshold_is_a_number_of_seconds(threshold: str, fitted: Path, tmp_path: Path) -> None:
    said = backtest(fitted, tmp_path / "none.csv", tmp_path, f"--threshold={threshold}")
    assert said.status == 2
    assert f"--threshold {threshold}: should be seconds, 0 or more" in said.err


def test_a_folder_that_is_a_file_is_refused_before_the_replays(
    fitted: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        said = backtest(fitted, tmp_path / "none.csv", out)
        assert said.status == 2
        assert "file is a file, not a directory" in said.err


def test_a_folder_that_fills_up_keeps_nothing_half_written(
    fitted: Path, new: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, *_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_text", full)
    said = backtest(fitted, new, tmp_path / "out")
    assert said.status == 2
    assert "No space left on device" in said.err
    assert list((tmp_path / "out").iterdir()) == []


def test_what_fit_and_roster_do_not_cover_is_said(
    fitted: Path, new: Path, tmp_path: Path
) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text(
        "start_at,end_at,agents_count\n2026-03-02 08:00,2026-03-02 20:00,4\n", encoding="utf-8"
    )
    log = tmp_path / "log.csv"
    text = new.read_text(encoding="utf-8").replace(",all,", ",other,", 20)
    log.write_text(text, encoding="utf-8")
    out = tmp_path / "out"
    said = backtest(fitted, log, out, "--roster", str(roster), "--threshold", "30")
    assert said.status == 0, said.err
    assert re.search(r"roster.csv: has no agents in \d+ hours in which contacts came", said.err)
    assert "log.csv: nobody waited in other when past.csv was fitted" in said.err
    assert json.loads((out / "backtest.json").read_text(encoding="utf-8"))["threshold_s"] == 30.0
    assert "answered within " in (out / "backtest.html").read_text(encoding="utf-8")


def test_arrivals_of_a_weekday_that_was_never_seen_are_not_drawn(
    fitted: Path, new: Path, tmp_path: Path
) -> None:
    past = tmp_path / "days.csv"
    frame(Truth(per_day=500.0), days=3, seed=3).write_csv(past)
    thin = tmp_path / "days.toml"
    assert springpeak_says("fit", "contacts", str(past), "-o", str(thin)).status == 0
    said = backtest(thin, new, tmp_path / "out", "--arrivals", "drawn")
    assert said.status == 2
    assert "too few weekdays come twice in the fitted log" in said.err
    document = json.loads(fitted.with_suffix(".json").read_text(encoding="utf-8"))
    del document["hour_share_by_weekday"]["tuesday"]
    (tmp_path / "six.json").write_text(json.dumps(document), encoding="utf-8")
    said = backtest(tmp_path / "six.json", new, tmp_path / "out", "--arrivals", "drawn")
    assert said.status == 2
    assert "new.csv has a tuesday, the fitted log has none" in said.err


def test_one_day_tells_nothing_of_whose_error_is_smaller() -> None:
    one = np.ones(3)
    hours = Hours(np.arange(3) * 3600.0, np.arange(3), one * 5, one * 200, one > 0)
    observed, ours, rival = (Outcome(one * 50, one * lost, one, one) for lost in (5, 6, 9))
    found = nearer(hours, observed, ours, rival, np.random.default_rng(1))["abandoned_ratio"]
    assert found["mean"] == pytest.approx(-3 / 50)
    assert np.isnan(found["low"])
