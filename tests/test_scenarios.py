"""The shipped scenarios and overlays: all load, all have sources, and mistakes are found."""

import json
import tomllib
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pytest
import tomlkit

from scenarios.loader import SHIPPED, load, names, read, shipped
from scenarios.overlays import OWN_KEYS, leaves
from scenarios.problems import ScenarioProblems
from scenarios.sources import marks, parse_source
from scenarios.words import CATEGORIES, GUARANTEES

BASE = "spring-festival-2026"
FILES = sorted([*SHIPPED.glob("*.toml"), *(SHIPPED / "overlays").glob("*.toml")])
OVERLAYS = sorted(names(SHIPPED / "overlays"))


def test_what_is_shipped() -> None:
    assert sorted(names()) == [BASE, "spring-festival-2027"]
    expected = sorted(
        [
            "surge-20",
            "snowstorm",
            "hotel-overselling",
            "viral-video",
            "agents-ill",
            "api-outage",
            "monitoring-off",
            "grew-by-2400",
            "generous-terms",
            "strict-terms",
        ]
    )
    assert expected == OVERLAYS
    assert all({**names(), **names(SHIPPED / "overlays")}.values()), "each says what it stands for"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_value_stands_on_its_own_line_with_a_source(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = marks(text)
    wrong = []
    for key, value in leaves(tomllib.loads(text)):
        if key in OWN_KEYS:
            continue
        source = parse_source(found[key].comment) if key in found else None
        assumed = source is not None and source.tag == "A"
        if source is None:
            wrong.append(f"{key}: no source")
        elif assumed and isinstance(value, int | float) and not isinstance(value, bool):
            low, base, high = source.low, source.base, source.high
            if low is None or base is None or high is None or not low <= base <= high:
                wrong.append(f"{key}: {source} is not low/base/high")
            elif base != value:
                wrong.append(f"{key}: {source} does not have the value {value} in the middle")
        elif assumed and isinstance(value, list) and source.low is None:
            wrong.append(f"{key}: {source} does not begin with multiples such as x0.8-1.25")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_each_overlay_changes_something_and_nothing_that_is_solved(overlay: str) -> None:
    base, changed = load(BASE), load(BASE, overlays=[overlay])
    assert changed.fingerprint != base.fingerprint
    assert changed.calibrated == base.calibrated
    assert changed.name == f"{BASE}+{overlay}"


def test_overlays_commute_or_are_refused() -> None:
    refused = set()
    for one, two in combinations(OVERLAYS, 2):
        prints = set()
        for order in ([one, two], [two, one]):
            try:
                prints.add(load(BASE, overlays=order).fingerprint)
            except ScenarioProblems as error:
                prints |= {problem.message.partition(":")[0] for problem in error.problems}
        if prints == {"overlapping overlays"}:
            refused.add((one, two))
        else:
            assert len(prints) == 1, (one, two)
    assert refused == {("generous-terms", "strict-terms")}


def test_2027_is_2026_on_other_dates() -> None:
    before, after = load(BASE), load("spring-festival-2027")
    named = {"name", "description", "calendar"}
    assert before.model_dump(exclude=named) == after.model_dump(exclude=named)
    assert after.calendar.festival().basis == "law alone"


def test_a_target_is_solved_for_and_a_lever_is_not() -> None:
    base = load(BASE)
    moved = load(BASE, sets=["incidents.ratio.hotel.no_room=0.012"])
    assert moved.calibrated != base.calibrated
    assert load(BASE, sets=["demand.orders_multiple=2.0"]).calibrated == base.calibrated


def test_a_resolved_scenario_loads_again(tmp_path: Path) -> None:
    scenario = load(BASE, overlays=["snowstorm"], sets=["support.headcount_count=2500"])
    path = tmp_path / "scenario.toml"
    path.write_text(tomlkit.dumps(scenario.model_dump(exclude_none=True)), encoding="utf-8")
    again = load(str(path))
    assert again == scenario
    assert again.fingerprint == scenario.fingerprint


def test_the_schema_says_everything_of_every_key() -> None:
    base = read(SHIPPED / f"{BASE}.toml", [])
    assert base is not None
    document = json.loads(json.dumps(shipped().schema.document(base), default=str))
    heads = document["properties"]["support"]["properties"]["headcount_count"]
    assert heads["default"] == 2400
    assert heads["minimum"] >= 0
    assert heads["description"]
    assert heads["x-source"].startswith("S: ")
    limits = document["properties"]["pots"]["properties"]
    assert set(GUARANTEES) <= set(limits)
    volumes = document["properties"]["demand"]["properties"]["orders_per_day"]["properties"]
    assert tuple(volumes) == CATEGORIES
    assert all(node["x-source"] for node in volumes.values())


PLANTED = """\
extends = "spring-festival-2026"
colour = "red"

[calendar]
year = 2027.5

[calendar.override]
lunar_new_year_date = "2027-02-30"

[horizon]
tick_s = -900

[demand]
orders_multipel = 1.2
common_day_cv = -0.1

[demand.orders_per_day]
catering = -5.0
karaoke = 1000.0

[demand.day_multiplier]
hotel = [1.0, 2.0]

[support]
headcount_count = "2400"
attendance_ratio = 1.3
shrinkage_ratio = -0.18
growth = "towards"
shifts.midnight.start_h = 22.0

[pots.instant_compensation]
policy = "revue"
day_limit_fen = 1.5

[shocks.storm]
orders_multiple = 0.5
regions = ["atlantis"]

[loops]
api_failover = 1
"""
# Key -> line in PLANTED, and a part of what is said to be wrong or right.
EXPECTED = {
    "colour": (2, "unknown key"),
    "calendar.year": (5, "a whole number from 2000 to 2100"),
    "calendar.override.lunar_new_year_date": (8, "a date such as 2027-02-06"),
    "horizon.tick_s": (11, "a whole number from 60 to 3600"),
    "demand.orders_multipel": (14, "did you mean orders_multiple?"),
    "demand.common_day_cv": (15, "a number from 0 to 5"),
    "demand.orders_per_day.catering": (18, "a number from 0 to 1000000000"),
    "demand.orders_per_day.karaoke": (19, "may hold: catering, hotel"),
    "demand.day_multiplier.hotel": (22, "an array of 16"),
    "support.headcount_count": (25, "a whole number"),
    "support.attendance_ratio": (26, "a number from 0 to 1"),
    "support.shrinkage_ratio": (27, "a number"),
    "support.growth": (28, "one of to, by"),
    "support.shifts.midnight.length_h": (29, "is missing"),
    "support.shifts.midnight.heads_ratio": (29, "is missing"),
    "support.shifts.midnight.break_start_h": (29, "is missing"),
    "support.shifts.midnight.break_h": (29, "is missing"),
    "support.shifts.midnight.break_waves_count": (29, "is missing"),
    "pots.instant_compensation.policy": (32, "one of reserve, review, stop"),
    "pots.instant_compensation.day_limit_fen": (33, "a whole number"),
    "shocks.storm.lunar_days": (35, "is missing"),
    "shocks.storm.regions.0": (37, "one of north, northeast"),
    "loops.api_failover": (40, "true or false"),
}


def test_twenty_planted_errors_in_one_file_are_all_reported_at_once(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(PLANTED, encoding="utf-8")
    with pytest.raises(ScenarioProblems) as caught:
        load(str(path))
    found = {problem.path: problem for problem in caught.value.problems}
    assert set(found) == set(EXPECTED)
    for key, (line, said) in EXPECTED.items():
        problem = found[key]
        assert (problem.file, problem.line) == (str(path), line), key
        assert said in f"{problem.message}; {problem.hint}", problem
        assert problem.value or problem.message == "is missing", key


def test_problems_read_as_they_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, golden: Callable[[str, str], None]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text(PLANTED, encoding="utf-8")
    with pytest.raises(ScenarioProblems) as caught:
        load("mine.toml", overlays=["generous-terms", "strict-terms", "snowstrom"])
    golden("problems.txt", f"{caught.value}\n")


def test_an_empty_roster_is_refused(tmp_path: Path) -> None:
    values = tomllib.loads((SHIPPED / f"{BASE}.toml").read_text(encoding="utf-8"))
    values["support"]["shifts"] = {}
    path = tmp_path / "mine.toml"
    path.write_text(tomlkit.dumps(values), encoding="utf-8")
    with pytest.raises(ScenarioProblems, match="the roster is empty"):
        load(str(path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[calendar]\nyear = 2050\n", "the date of lunar new year 2050 is not known"),
        ("[horizon]\nfirst_day = 5\nlast_day = 2\n", "last_day 2 lies before first_day 5"),
        ("[horizon]\ntick_s = 700\n", "does not divide 3600"),
        ("[regions]\nnorth = 0.9\n", "add up to"),
        ("[shocks.x]\nlunar_days = [1]\nstart_h = 20\nend_h = 4\n", "is not after"),
    ],
)
def test_what_does_not_fit_together_is_said_in_a_sentence(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f'extends = "{BASE}"\n{text}', encoding="utf-8")
    with pytest.raises(ScenarioProblems) as caught:
        load(str(path))
    [problem] = caught.value.problems
    assert message in problem.message
    assert (problem.file, problem.line) == (str(path), 2)
