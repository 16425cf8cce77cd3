"""What may stand in a study file, and what is said of what may not."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from scenarios.loader import names
from scenarios.problems import ScenarioProblems
from scenarios.study_file import Design
from sim.study.asked import FOLDER, plan_of, questions, read_study
from sim.study.design import places, rows_count
from sim.study.factors import Factor, in_levels
from sim.study.festival import TABLES_OF, season, tables_for
from sim.study.plan import lay_out
from tests.test_cli import springpeak_says
from tests.worlds import result

SMALL = Path(__file__).parent.parent / "docs" / "small.toml"
STUDY = f"""description = "What moves abandonment?"
first_day = 1
last_day = 1
replications_count = 2
seed = 7
outcomes = ["abandoned_ratio", "payout_net_fen"]

[design]
kind = "lhs"
points_count = 4

[[scenarios]]
name = "small"
scenario = "{SMALL}"

[[factors]]
key = "demand.orders_multiple"

[[factors]]
key = "support.headcount_count"
also = ["support.seats_count"]
levels = [48, 60]
decided = true
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def written(*changes: tuple[str, str]) -> Path:
        text = STUDY
        for before, after in changes:
            assert before in text
            text = text.replace(before, after)
        path = tmp_path / "mine.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def test_a_range_is_the_assumed_one_and_levels_are_gone_through(
    write: Callable[..., Path],
) -> None:
    asked = read_study(str(write()))
    plan = plan_of(asked)
    demand, heads = asked.factors
    assert (demand.low, demand.base, demand.high) == (0.8, 1.0, 1.25)
    assert demand.source.startswith("A: 0.8/1.0/1.25")
    assert (plan.crossed, plan.sampled) == ((heads,), (demand,))
    assert plan.points_count == 8
    points = list(plan.points())
    asks = questions(asked, plan)
    heads_set = ("support.headcount_count=48", "support.seats_count=48")
    assert asks(points[0]).sets[-3:-1] == heads_set
    assert "support.seats_count=60" in asks(points[7]).sets
    assert points[0].values["demand.orders_multiple"] == points[4].values["demand.orders_multiple"]
    assert asked.file.name == "mine"
    assert asked.tables() == ("contacts", "intervals", "staffing")


BAD = [
    (("seed = 7", "seed = -7"), "mine.toml:5: seed = -7: should be greater than or equal to 0"),
    (("seed = 7", "sed = 7"), "unknown key (did you mean seed?)"),
    (('kind = "lhs"', 'kind = "lsh"'), 'mine.toml:9: design.kind = "lsh": should be'),
    (("points_count = 4", "trajectories_count = 4"), "says nothing of a lhs design: points_count"),
    (("points_count = 4", ""), "a lhs design needs design.points_count"),
    (('"lhs"\npoints_count = 4', '"sobol"\npoints_count = 200'), "such as 128 or 256"),
    (('"lhs"\npoints_count = 4', '"grid"'), "demand.orders_multiple has a range and no levels"),
    (('"abandoned_ratio"', '"abandoned_rate"'), "did you mean abandoned_ratio?"),
    (('"demand.orders_multiple"', '"demand.orders_multipel"'), "did you mean"),
    (('"demand.orders_multiple"', '"support.growth"'), "is no number, so it has no range"),
    (('"demand.orders_multiple"', '"regions.north"'), "mine.toml:17: factors.0.key: small with"),
    (
        ('"demand.orders_multiple"', '"support.rest_days_per_week_count"'),
        "no source states a range of it",
    ),
    (('multiple"\n', 'multiple"\nlow = 2.0\n'), "should be below 1.25"),
    (('multiple"\n', 'multiple"\nlow = 2.0\nhigh = 1.0\n'), "low 2 should be below high 1"),
    (('multiple"\n', 'multiple"\nlow = -0.5\nlaw = "log_uniform"\n'), "needs a range above 0"),
    (('multiple"\n', 'multiple"\nlow = 1.1\nlaw = "triangular"\n'), "has its mode at 1"),
    (('multiple"\n', 'multiple"\nlow = -2.0\n'), "a narrower low and high (point"),
    (("levels = [48, 60]", "levels = [60, 48]"), "levels should rise"),
    (("levels = [48, 60]\n", ""), "is decided, so it needs levels"),
    (('"support.seats_count"', '"demand.orders_multiple"'), "stands here twice"),
    (("small.toml", "smal.toml"), "no such file"),
    (("first_day = 1", "first_day = 3"), "first_day 3 is after last_day 1"),
    (("first_day = 1", "first_day = 99"), "mine.toml:2: first_day = 99"),
    (('"support.seats_count"', '"support.shifts"'), "does not take the values of support.h"),
    (('"support.seats_count"', '"demand.common_day_cv"'), "does not take the values of support.h"),
    (("levels = [48, 60]", "levels = [48, 48.5]"), "factors.1.levels = [48.0, 48.5]: are not all"),
    (('"lhs"\npoints_count = 4', '"lhs"\npoints_count = 900000'), "lays out 1,800,000 points"),
    (('"lhs"\npoints_count = 4', '"saltelli"\nbase_points_count = 262144'), "out 1,572,864 points"),
]


@pytest.mark.parametrize(("change", "said"), BAD)
def test_what_is_wrong_is_said_with_what_would_be_right(
    change: tuple[str, str], said: str, write: Callable[..., Path], tmp_path: Path
) -> None:
    path, out = write(change), tmp_path / "out"
    found = springpeak_says("study", str(path), "--out", str(out))
    assert found.status == 2
    assert said in found.err
    assert not out.exists()


def test_all_mistakes_at_once(write: Callable[..., Path]) -> None:
    path = write(('"abandoned_ratio"', '"abandoned"'), ('"payout_net_fen"', '"payout"'))
    with pytest.raises(ScenarioProblems) as caught:
        read_study(str(path))
    assert [one.path for one in caught.value.problems] == ["outcomes.0", "outcomes.1"]


def test_a_mistake_is_told_where_it_was_made(write: Callable[..., Path]) -> None:
    found = springpeak_says("study", str(write()), "--set", 'outcomes=["abandoned"]')
    assert found.status == 2
    assert '--set: outcomes.0 = "abandoned": no replication has this metric' in found.err


def test_a_share_that_a_file_writes_as_1_is_no_count(write: Callable[..., Path]) -> None:
    """The range of a float stays one, however its base is written."""
    path = write(('name = "small"\n', 'name = "small"\nsets = ["demand.orders_multiple=1"]\n'))
    asked = read_study(str(path))
    assert not asked.factors[0].is_whole
    assert {point.values["demand.orders_multiple"] for point in plan_of(asked).points()} != {1.0}


def test_paths_start_at_the_study_file(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write((str(SMALL), "./small.toml"))
    (path.parent / "small.toml").write_text(SMALL.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.chdir(path.parent.parent)
    assert read_study(f"{path.parent.name}/{path.name}").worlds[0].scenario == str(
        path.parent / "small.toml"
    )


def test_no_such_study_names_those_that_there_are() -> None:
    found = springpeak_says("study", "widest-tenn")
    assert found.status == 2
    assert "no study of this name (did you mean widest-ten?)" in found.err


@pytest.mark.parametrize("name", sorted(names(FOLDER)))
def test_shipped_studies_are_right(name: str) -> None:
    assert read_study(name).file.description


def test_metrics_are_those_of_a_replication() -> None:
    """Names and tables that are listed by hand, against a whole replication and asked ones."""
    verdict = {name for name, tables in TABLES_OF.items() if "alerts" in tables and len(tables) > 1}
    assert result().metrics.keys() == TABLES_OF.keys() - verdict


def test_a_season_has_the_metrics_that_its_tables_allow(write: Callable[..., Path]) -> None:
    wanted = 'outcomes = ["enough_probability_ratio", "orders_count"]'
    asked = read_study(str(write(('outcomes = ["abandoned_ratio", "payout_net_fen"]', wanted))))
    plan = plan_of(asked)
    question = questions(asked, plan)(next(plan.points()))
    found = season(question, 0)
    assert {name for name, tables in TABLES_OF.items() if set(tables) <= set(question.tables)} == (
        set(found)
    )
    assert found["enough_probability_ratio"][0] in (0.0, 1.0)
    assert tables_for(["payout_net_fen"]) == ()


@given(
    kind=st.sampled_from(["lhs", "sobol", "saltelli", "morris"]),
    factors=st.integers(min_value=2, max_value=6),
    power=st.integers(min_value=1, max_value=5),
    seed=st.integers(min_value=0, max_value=2**32 - 1),
)
def test_designs_stay_in_the_cube_and_depend_on_the_seed_only(
    kind: str, factors: int, power: int, seed: int
) -> None:
    size = {"saltelli": "base_points_count", "morris": "trajectories_count"}.get(
        kind, "points_count"
    )
    design = Design.model_validate({"kind": kind, size: 2**power})
    found = places(design, factors, seed)
    rows = {"saltelli": factors + 2, "morris": factors + 1}.get(kind, 1) * 2**power
    assert found.shape == (rows, factors)
    assert rows_count(design, factors) == rows
    assert found.min() >= 0.0
    assert found.max() <= 1.0
    np.testing.assert_array_equal(found, places(design, factors, seed))
    if kind == "lhs":
        strata = np.sort((found * rows).astype(int), axis=0)
        assert (strata == np.arange(rows)[:, None]).all(), "one point in each slice"


@given(
    low=st.floats(min_value=1e-3, max_value=1e3),
    width=st.floats(min_value=1e-3, max_value=1e3),
    mode=st.floats(min_value=0.0, max_value=1.0),
    law=st.sampled_from(["uniform", "log_uniform", "triangular"]),
    place=st.floats(min_value=0.0, max_value=1.0),
)
def test_values_rise_from_low_to_high(
    low: float, width: float, mode: float, law: str, place: float
) -> None:
    high = low + width
    base = min(max(low + mode * width, low), high)
    factor = Factor("x", low=low, base=base, high=high, law=law)  # type: ignore[arg-type]
    assert factor.value(0.0) == pytest.approx(low)
    assert factor.value(1.0) == pytest.approx(high)
    assert low <= factor.value(place) <= high
    assert factor.value(place) <= factor.value(min(place + 0.1, 1.0)) + 1e-9 * high


def test_a_grid_is_every_combination() -> None:
    factors = [
        Factor("a", low=0.0, base=0.0, high=1.0),
        Factor("b", low=0.0, base=0.0, high=2.0, levels=(0.0, 2.0)),
    ]
    plan = lay_out(
        name="grid",
        design=Design(kind="grid", levels_count=3),
        seed=1,
        replications_count=1,
        outcomes=["y"],
        scenarios=["one", "two"],
        factors=factors,
    )
    found = [(p.scenario, p.values["a"], p.values["b"]) for p in plan.points()]
    assert found[:4] == [("one", 0.0, 0.0), ("one", 0.0, 2.0), ("one", 0.5, 0.0), ("one", 0.5, 2.0)]
    assert len(set(found)) == len(found) == 12
    assert in_levels(Factor("n", low=1.0, base=1.0, high=3.0, is_whole=True), 9).levels == (1, 2, 3)


def test_a_design_says_how_large_it_is() -> None:
    with pytest.raises(ValidationError, match="should be even"):
        Design(kind="morris", trajectories_count=4, levels_count=5)
    with pytest.raises(ValidationError, match="second_order"):
        Design(kind="lhs", points_count=4, second_order=True)
