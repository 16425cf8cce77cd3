"""The day itself: what actual counts teach, what is refused, and advice that adds up."""

from datetime import timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from scenarios.problems import ScenarioProblems
from sim.staffing.actuals import Actuals, Clock, clock, read_actuals
from sim.staffing.intraday import Replan, replan
from sim.staffing.level import Level
from tests.synthetic_run import InlineExecutor
from tests.test_cli import springpeak_says
from tests.worlds import SEED, small

SCENARIO = small()
NOW = clock("2026-02-18T14:00", SCENARIO)
HEADER = "interval_start,skill,offered,answered"


def lines(skill: str = "general/phone", offered: int = 10) -> list[str]:
    return [
        f"{NOW.start(tick):%Y-%m-%dT%H:%M},{skill},{offered},{offered - 1}"
        for tick in range(NOW.elapsed_count)
    ]


def written(path: Path, rows: list[str], header: str = HEADER) -> Path:
    file = path / "actuals.csv"
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return file


def said(path: Path) -> str:
    with pytest.raises(ScenarioProblems) as caught:
        read_actuals(path, NOW)
    return str(caught.value)


def test_actuals_are_read(tmp_path: Path) -> None:
    found = read_actuals(written(tmp_path, lines() + lines("specialist", 3)), NOW)
    assert found.skills == ("specialist", "general/phone")
    assert found.offered.shape == (56, 2)
    assert found.offered.sum(axis=0).tolist() == [168, 560]
    assert found.answered is not None
    assert found.answered[0].tolist() == [2, 9]
    short = [row.rpartition(",")[0] for row in lines("general")]
    assert read_actuals(written(tmp_path, short, HEADER[:28]), NOW).answered is None


def test_gaps_are_named(tmp_path: Path) -> None:
    rows = lines()
    missing = rows[3:9]
    text = said(written(tmp_path, [row for row in rows if row not in missing]))
    assert "6 intervals are missing: 2026-02-18T00:45 general/phone" in text
    assert "and 1 more" in text


def test_everything_wrong_is_said_at_once_with_its_row(tmp_path: Path) -> None:
    rows = lines()
    rows[0] = rows[0].replace("general", "genral")
    rows[1] = rows[1].replace(",10,", ",-3,")
    rows[2] = rows[2].replace("T00:30", "T00:31")
    rows[4] = rows[5]
    rows[7] = rows[7].replace(",10,9", ",10,11")
    rows[9] = "2026-02-18T23:00,general/phone,1,1"
    rows[11] = "yesterday,general/phone,1,1"
    text = said(written(tmp_path, rows))
    for words in (
        ':2: skill = "genral/phone": is not a skill',
        ':3: offered = "-3": is not a count',
        ":4: interval_start",
        ":7: interval_start",
        ':9: answered = "11": is more than the 10 offered',
        ":11: interval_start",
        ':13: interval_start = "yesterday": is not a local time',
    ):
        assert words in text


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("interval_start,skill,calls,answered", "no column offered"),
        ("interval_start,skill,calls,answered", "unknown column calls"),
        ("interval_start,skill,offered,offered", "column offered twice"),
    ],
)
def test_wrong_columns(tmp_path: Path, header: str, words: str) -> None:
    assert words in said(written(tmp_path, lines(), header))


@pytest.mark.parametrize(
    "text", ["2026-03-18T14:00", "2026-02-18T00:05", "two", "2026-02-18T14:00+08:00"]
)
def test_a_clock_elsewhere_is_refused(text: str) -> None:
    with pytest.raises(ScenarioProblems, match="--now"):
        clock(text, SCENARIO)


def test_no_file_and_both_ways_of_counting(tmp_path: Path) -> None:
    assert "No such file" in said(tmp_path / "none.csv")
    assert "as a whole" in said(written(tmp_path, lines() + lines("general")))


def test_a_level_is_learnt_as_gamma_poisson_says() -> None:
    """Without hour noise the posterior is shape + count, rate + forecast."""
    before = Level(shape=100.0, rate=100.0, hour_cv=0.0)
    after = before.after(counted=[120, 130], forecast=[100.0, 100.0])
    assert after.mean == pytest.approx((100.0 + 250.0) / 300.0)
    noisy = Level(shape=100.0, rate=100.0, hour_cv=0.1).after(
        counted=[120, 130], forecast=[100.0, 100.0]
    )
    assert 1.0 < noisy.mean < after.mean


@cache
def replanned(multiple: float) -> Replan:
    """Half of the day with a multiple of what the scenario forecasts for it."""
    forecast = {(one.starts, one.skill): one.forecast_count for one in plain_day().outlook}
    skills = ("general/phone", "general/im")
    offered = np.array(
        [
            [round(multiple * forecast[NOW.start(tick), skill]) for skill in skills]
            for tick in range(1, NOW.elapsed_count)
        ]
    )
    return day(NOW, Actuals(skills, np.vstack([offered[:1], offered]), None))


def day(now: Clock, actuals: Actuals) -> Replan:
    return replan(
        SCENARIO,
        actuals,
        now,
        targets=(),
        risk_ratio=0.8,
        seed=SEED,
        replications=1,
        workers=1,
        executor=InlineExecutor(),
    )


@cache
def plain_day() -> Replan:
    """The forecast of all but the first interval, which nobody was asked for."""
    early = Clock(NOW.midnight + timedelta(minutes=15), NOW.lunar_day, NOW.tick_s)
    return day(early, Actuals(("specialist/im",), np.zeros((1, 1), dtype=np.int64), None))


def test_a_busy_morning_lifts_the_afternoon() -> None:
    busy, calm = replanned(1.4), replanned(1.0)
    assert busy.levels["general/phone"][0] > 1.1
    assert calm.levels["general/phone"][0] == pytest.approx(1.0, abs=0.03)
    assert busy.levels.keys() == {"general/phone", "general/im"}
    for one, other in zip(busy.outlook, calm.outlook, strict=True):
        if one.skill.startswith("general"):
            assert one.offered_count > other.offered_count
            assert one.required >= other.required
        assert one.offered_low <= one.offered_count <= one.offered_high
    assert busy.outlook[0].starts == NOW.now


def test_advice_does_what_it_says() -> None:
    advice = (*replanned(1.4).advice, *replanned(0.2).advice)
    assert {"overtime", "time_off", "uncovered"} <= {one.kind for one in advice}
    for one in advice:
        assert one.agents > 0
        better = one.service_level_after_ratio >= one.service_level_before_ratio
        fewer = one.abandoned_after_count <= one.abandoned_before_count
        if one.kind in ("move", "overtime"):
            assert better
            assert fewer
        if one.kind == "uncovered":
            assert one.service_level_after_ratio == one.service_level_before_ratio


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--now 2026-02-18T14:00", "needs --actuals FILE"),
        ("--actuals {} --now 2026-04-18T14:00", "outside the horizon"),
        ("--actuals {} --now 2026-02-18T14:15", "1 intervals are missing"),
        ("--actuals {} --now 2026-02-18T14:00 --target sl>=0.9 --target sl<=0.5", "contradicts"),
    ],
)
def test_the_command_refuses(options: str, words: str, tmp_path: Path) -> None:
    file = written(tmp_path, lines())
    arguments = options.format(file).split()
    said = springpeak_says("staff", *arguments)
    assert said.status == 2
    assert words in said.err
