"""Loading: layers, their algebra, every planted error found at once with place and remedy."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.loader import Library
from scenarios.overlays import merge
from scenarios.problems import Problem, ScenarioProblems
from tests.small_library import Small, small_library


@pytest.fixture
def library(tmp_path: Path) -> Library[Small]:
    return small_library(
        tmp_path,
        surge='description = "More."\n[shocks.surge]\nlunar_days = [1, 2]\norders_multiple = 1.2\n',
        small="[support]\nheadcount_count = 2000\n",
        big="[support]\nheadcount_count = 2900\n",
        nothing="",
    )


def problems_of(library: Library[Small], *arguments: str, **options: list[str]) -> list[Problem]:
    with pytest.raises(ScenarioProblems) as caught:
        library.load(arguments[0] if arguments else "base", **options)
    return list(caught.value.problems)


def write(library_folder: Path, text: str) -> str:
    path = library_folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_layers_lie_on_each_other(library: Library[Small], tmp_path: Path) -> None:
    mine = write(tmp_path, 'extends = "base"\n[calendar]\nyear = 2027\n')
    scenario = library.load(
        mine,
        overlays=["surge"],
        sets=["support.headcount_count=2500", "support.shifts.1.start_h=15"],
    )
    assert scenario.name == "mine+surge"
    assert scenario.calendar.year == 2027
    assert scenario.shocks["surge"].orders_multiple == 1.2
    assert scenario.support.headcount_count == 2500
    assert [shift.start_h for shift in scenario.support.shifts] == [7.0, 15.0]
    assert scenario.orders_per_day.hotel == 550_000.0


def test_every_value_knows_its_origin(library: Library[Small]) -> None:
    resolved = library.resolve("base", overlays=["small"], sets=["pot_policy='stop'"])

    def origin(path: str) -> str:
        layer = resolved.origin(path)
        return "" if layer is None else Path(layer.label).name

    assert origin("support.headcount_count") == "small.toml"
    assert origin("support.attendance_ratio") == "base.toml"
    assert origin("pot_policy") == "--set"
    assert origin("no.such.key") == ""


def test_an_overlay_without_values_changes_nothing(library: Library[Small]) -> None:
    assert library.load("base", overlays=["nothing"]) == library.load("base")


def test_disjoint_overlays_commute(library: Library[Small]) -> None:
    one = library.load("base", overlays=["surge", "small"])
    assert one == library.load("base", overlays=["small", "surge"])
    assert one.name == "base+small+surge"


VALUES = st.recursive(
    st.integers() | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=8,
)
TABLES = st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=3)


@given(TABLES, TABLES, TABLES)
def test_merging_is_associative_and_has_a_neutral_element(
    one: dict[str, object], two: dict[str, object], three: dict[str, object]
) -> None:
    assert merge(one, {}) == merge({}, one) == one
    assert merge(one, one) == one
    before = repr(one)
    assert merge(merge(one, two), three) == merge(one, merge(two, three)) or _mixed(one, two, three)
    assert repr(one) == before


def _mixed(*tables: dict[str, object]) -> bool:
    """Whether somewhere a table meets a plain value: there the order counts."""
    for key in {key for table in tables for key in table}:
        met = [table[key] for table in tables if key in table]
        kinds = {isinstance(value, dict) for value in met}
        if len(kinds) == 2 or (kinds == {True} and _mixed(*met)):  # type: ignore[arg-type]
            return True
    return False


SEVERAL = """\
extends = "base"
pot_policy = "revue"
colour = "red"

[calendar]
year = "2027"

[calendar.override]
lunar_new_year_date = "2027-02-30"

[orders_per_day]
catering = -1.0
hotell = 5.0

[support]
headcount_count = 24.5
attendance_ratio = 1.3
shifts = []

[shocks.storm]
orders_multiple = 0.5
"""
EXPECTED = {
    ("mine.toml", 2, "pot_policy"): (
        '"revue"',
        "should be 'reserve', 'review' or 'stop'",
        "one of reserve, review, stop: What happens when the pot is exhausted.",
    ),
    ("mine.toml", 3, "colour"): (
        '"red"',
        "unknown key",
        "the file's top may hold: name, description, calendar, orders_per_day, support, "
        "pot_policy, shocks",
    ),
    ("mine.toml", 6, "calendar.year"): (
        '"2027"',
        "should be a valid integer",
        "a whole number from 2000 to 2100: Year of the festival; 2019 to 2035 are known, "
        "others need override.lunar_new_year_date.",
    ),
    ("mine.toml", 9, "calendar.override.lunar_new_year_date"): (
        '"2027-02-30"',
        "should be a valid date",
        "a date such as 2027-02-06: Date of 正月初一.",
    ),
    ("mine.toml", 12, "orders_per_day.catering"): (
        "-1.0",
        "should be greater than or equal to 0",
        "a number at least 0: Orders (orders per day).",
    ),
    ("mine.toml", 13, "orders_per_day.hotell"): ("5.0", "unknown key", "did you mean hotel?"),
    ("mine.toml", 16, "support.headcount_count"): (
        "24.5",
        "should be a valid integer",
        "a whole number from 0 to 1000000000: Paid heads (agents).",
    ),
    ("mine.toml", 17, "support.attendance_ratio"): (
        "1.3",
        "should be less than or equal to 1",
        "a number from 0 to 1: Share of the rostered that come (ratio).",
    ),
    ("mine.toml", 18, "support.shifts"): (
        "[]",
        "should have at least 1 item, not 0",
        "an array of at least 1, each a table: The day's shifts.",
    ),
    ("mine.toml", 20, "shocks.storm.lunar_days"): (
        "",
        "is missing",
        "an array of at least 1, each a whole number: Days hit (d).",
    ),
    ("bad.toml", 2, "support.attendence_ratio"): (
        "0.5",
        "unknown key",
        "did you mean attendance_ratio?",
    ),
    ("--set", None, "support.shift"): ("3", "unknown key", "did you mean shifts?"),
}


def test_several_errors_in_several_files_are_all_reported_at_once(
    library: Library[Small], tmp_path: Path
) -> None:
    mine = write(tmp_path, SEVERAL)
    (tmp_path / "overlays" / "bad.toml").write_text("[support]\nattendence_ratio = 0.5\n")
    found = problems_of(library, mine, overlays=["bad"], sets=["support.shift=3"])
    seen = {(Path(p.file).name, p.line, p.path): (p.value, p.message, p.hint) for p in found}
    assert seen == EXPECTED


@pytest.mark.parametrize(
    ("text", "line", "path", "message"),
    [
        ("extends = 'base'\n[support\n", 2, "", "wrong TOML in column 9"),
        ("extends = 'base'\na = 2027-02-30\n", 2, "", "wrong TOML"),
        ("extends = 'base'\npot_policy = 'stop'\npot_policy = 'stop'\n", 3, "", "wrong TOML"),
        ("extends = 'bse'\n", 1, "extends", "no scenario of this name"),
        ("extends = 'other/base.toml'\n", 1, "extends", "no such file"),
        ("extends = 3\n", 1, "extends", "should name the scenario"),
        ("extends = 'mine.toml'\n", 1, "extends", "goes round in a circle"),
        ("[support]\nheadcount_count = 1\n", 1, "support.attendance_ratio", "is missing"),
        (
            "extends = 'base'\n[support]\nheadcount_count = 0\n",
            None,
            "",
            "the roster is empty while orders fall due",
        ),
        ("extends = 'base'\n[calendar]\nyear = 2050\n", 2, "calendar", "is not known"),
        ("extends = 'base'\nsupport = 3\n", 2, "support", "should be a valid dictionary"),
        (
            "extends = 'base'\n[orders_per_day]\nkaraoke = 4\n",
            3,
            "orders_per_day.karaoke",
            "unknown key",
        ),
        (
            "extends = 'base'\n[[support.shifts]]\nstart_h = 22\n",
            2,
            "support.shifts.0.length_h",
            "is missing",
        ),
        (
            "extends = 'base'\n[[support.shifts]]\nstart_h = 25\nlength_h = 8\n",
            3,
            "support.shifts.0.start_h",
            "should be less than 24",
        ),
        ("extends = 'base'\nattendance_ratio = 0.9\n", 2, "attendance_ratio", "unknown key"),
    ],
)
def test_one_planted_error(
    library: Library[Small], tmp_path: Path, text: str, line: int | None, path: str, message: str
) -> None:
    found = [p for p in problems_of(library, write(tmp_path, text)) if p.path == path]
    assert len(found) == 1, found
    assert found[0].line == line
    assert message in found[0].message


def test_a_key_in_the_wrong_table_is_found(library: Library[Small], tmp_path: Path) -> None:
    [found] = problems_of(library, write(tmp_path, "extends = 'base'\nattendance_ratio = 0.9\n"))
    assert found.hint == "did you mean support.attendance_ratio?"


def test_missing_files_are_named_with_the_nearest_name(library: Library[Small]) -> None:
    found = problems_of(library, "bass", overlays=["surg", "no/such.toml"])
    assert [(p.file, p.message) for p in found] == [
        ("bass", "no scenario of this name"),
        ("no/such.toml", "no such file"),
        ("surg", "no overlay of this name"),
    ]
    assert [p.hint for p in found[::2]] == ["did you mean base?", "did you mean surge?"]


def test_overlapping_overlays_are_refused_unless_settled(library: Library[Small]) -> None:
    [found] = problems_of(library, overlays=["small", "big"])
    assert (Path(found.file).name, found.line) == ("big.toml", 2)
    assert (found.path, found.value) == ("support.headcount_count", "2900")
    assert "small.toml sets support.headcount_count = 2000" in found.message
    settled = library.load("base", overlays=["small", "big"], sets=["support.headcount_count=2400"])
    assert settled.support.headcount_count == 2400


def test_two_overlays_may_say_the_same(library: Library[Small], tmp_path: Path) -> None:
    small_library(tmp_path, again="[support]\nheadcount_count = 2000\n")
    assert library.load("base", overlays=["small", "again"]).support.headcount_count == 2000


@pytest.mark.parametrize(
    ("said", "path", "message"),
    [
        ("support", "", "is not key=value"),
        ("=3", "", "is not key=value"),
        ("support..x=3", "", "is not key=value"),
        ("pot_policy=stop", "pot_policy", "is not a TOML value"),
        ("support.headcount_count=-1", "support.headcount_count", "should be greater than"),
        ("support.shifts.7.start_h=3", "support.shifts", "should be a valid"),
    ],
)
def test_a_wrong_set(library: Library[Small], said: str, path: str, message: str) -> None:
    found = problems_of(library, sets=[said])
    assert [(p.file, p.path) for p in found] == [("--set", path)]
    assert message in found[0].message


def test_an_overlay_extends_nothing(library: Library[Small], tmp_path: Path) -> None:
    small_library(tmp_path, odd="extends = 'base'\n")
    [found] = problems_of(library, overlays=["odd"])
    assert (found.line, found.message) == (1, "an overlay extends nothing")


def test_binary_and_other_encodings_are_refused(library: Library[Small], tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes("name = '春节'".encode("gb18030"))
    [found] = problems_of(library, str(path))
    assert "cannot be read" in found.message
    assert "UTF-8" in found.hint
