"""The page of a study says what its tables say; the command from a file to the page."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from reports.language import speaking
from reports.study.page import FILE_NAME, sentences, write
from scenarios.study_file import Design
from sim.payout.frames import write as write_tables
from sim.study import widest as widest_module
from sim.study.asked import read_study
from sim.study.conduct import conduct
from sim.study.dataset import read
from sim.study.factors import Factor
from sim.study.plan import lay_out
from sim.study.tables import tables
from sim.study.widest import assumptions, widest
from sim.study.worlds import World
from tests.page_walk import Files, mistakes, walked
from tests.study_models import values_of
from tests.synthetic_run import InlineExecutor
from tests.test_cli import springpeak_says
from tests.test_study import stop_after

RANGES = [Factor(name, low=0.0, base=0.5, high=1.0) for name in ("load.a", "load.b", "load.c")]
HEADS = Factor("heads", low=1.0, base=1.0, high=3.0, levels=(1.0, 2.0, 3.0), decided=True)


def model(values: Mapping[str, float], replication: int) -> dict[str, tuple[float, str]]:
    """A share, money and seconds; the last one does not exist at low a."""
    a, b, c = (values[f"load.{name}"] for name in "abc")
    heads = values.get("heads", 1.0)
    lost = 0.3 * a + 0.1 * b * c + 0.02 * ((replication * 7 + int(1e6 * a)) % 5) / 5.0
    return {
        "abandoned_ratio": (lost / heads, "ratio"),
        "payout_net_fen": (1e9 * (a + b**2), "fen"),
        "asa_phone_s": (100.0 * c if a > 0.5 else float("nan"), "s"),
        "wage_fen": (1e8 * heads, "fen"),
        "service_level_phone_ratio": (1.0 - lost / heads, "ratio"),
    }


def study(path: Path, design: Design, factors: list[Factor], scenarios: list[str]) -> Path:
    plan = lay_out(
        name="mine",
        description="What moves it?",
        design=design,
        seed=1,
        replications_count=3,
        outcomes=["abandoned_ratio", "payout_net_fen", "asa_phone_s"],
        scenarios=scenarios,
        factors=factors,
    )
    conduct(plan, model, values_of, path=path, workers=1, executor=InlineExecutor())
    return path


def explained(path: Path) -> dict[str, pl.DataFrame]:
    found = tables(read(path))
    write_tables(path, found)
    return found


KINDS = [
    Design(kind="lhs", points_count=24),
    Design(kind="saltelli", base_points_count=8, second_order=True),
    Design(kind="morris", trajectories_count=6),
    Design(kind="grid", levels_count=3),
]


@pytest.mark.parametrize(
    ("design", "language"), [*((kind, "en") for kind in KINDS), (KINDS[0], "zh")]
)
def test_every_number_is_a_cell_of_a_table(
    design: Design, language: str, tmp_path: Path
) -> None:
    is_first = design is KINDS[0] and language == "en"
    heads = replace(HEADS, levels=HEADS.levels[:2]) if is_first else HEADS
    factors = [*RANGES, heads] if is_first or design.kind == "grid" else RANGES
    path = study(tmp_path / "study", design, factors, ["now", "snow"] if is_first else ["now"])
    found = explained(path)
    with speaking(language):  # type: ignore[arg-type]
        page = write(path, found)
        text = page.read_text(encoding="utf-8")
        walk = walked(text)
        assert len(walk.numbers) > 20
        files = Files({}, {file.stem: pl.read_parquet(file) for file in path.glob("*.parquet")})
        assert list(mistakes(walk, files)) == []
        assert not any(letter.isdigit() for text in walk.rest for letter in text.replace("95", ""))
        assert write(path, found).read_text(encoding="utf-8") == text, "the same bytes"
    assert page.name == FILE_NAME.replace(".html", ".html" if language == "en" else ".zh.html")
    assert "<script" not in text
    assert text.count("data:text/csv") >= 2


def test_an_outcome_that_does_not_always_exist_is_not_explained(tmp_path: Path) -> None:
    path = study(tmp_path / "study", KINDS[0], RANGES, [""])
    found = explained(path)
    assert "asa_phone_s" not in found["study_indices"]["outcome"].to_list()
    row = found["study_variance"].filter(outcome="asa_phone_s").to_dicts()[0]
    assert (row["method"], row["mean"], row["noise_ratio"]) == (None, None, None)
    assert "not told: it does not exist at every point" in list(sentences(found))[2]


def test_a_screening_names_the_factor_of_the_largest_steps(tmp_path: Path) -> None:
    found = explained(study(tmp_path / "study", KINDS[2], RANGES, [""]))
    said = next(sentences(found))
    assert "load.a: Over its whole range it moves it by" in said


def test_points_that_tell_nothing_give_no_interval(tmp_path: Path) -> None:
    """Four points bear no term: an interval from 0 to 0 would claim to know."""
    found = explained(study(tmp_path / "study", Design(kind="lhs", points_count=4), RANGES, [""]))
    row = found["study_variance"].filter(outcome="abandoned_ratio").to_dicts()[0]
    assert (row["terms_count"], row["rest_ratio"]) == (1, pytest.approx(1.0))
    assert "study_indices" not in found
    assert "nothing that these points show beyond chance" in next(sentences(found))


def test_a_combination_is_explained_by_itself_and_levels_over_all(tmp_path: Path) -> None:
    found = explained(study(tmp_path / "study", KINDS[0], [*RANGES, HEADS], ["now"]))
    variance = found["study_variance"].filter(outcome="abandoned_ratio")
    sd = variance.sort("combination")["sd"].to_list()
    assert sd == pytest.approx([sd[0], sd[0] / 2.0, sd[0] / 3.0]), "loss is divided by heads"
    heads = found["study_effects"].filter(key="heads", outcome="abandoned_ratio")
    assert heads["combination"].null_count() == 3
    mean = heads["mean"].to_list()
    assert mean == pytest.approx([mean[0], mean[0] / 2.0, mean[0] / 3.0])


STUDY = """description = "Which moves it?"
first_day = 1
last_day = 1
replications_count = 1
seed = 3
outcomes = ["payout_net_fen"]
widest_count = 2

[design]
kind = "lhs"
points_count = 4

[[scenarios]]
name = "small"
scenario = "{small}"
"""
KEYS = (
    "demand.orders_multiple",
    "demand.category_multiple.hotel",
    "demand.day_multiplier.hotel",
    "regions.north",
    "merchants.popularity_sigma_ratio",
)


@pytest.fixture
def few_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five of the scenario's assumptions, so that the choice takes a second."""

    def some(world: World) -> list[object]:
        return [one for one in assumptions(world) if one.key in KEYS]

    monkeypatch.setattr(widest_module, "assumptions", some)


@pytest.fixture
def study_file(tmp_path: Path) -> Path:
    small = Path(__file__).parent.parent / "docs" / "small.toml"
    path = tmp_path / "widest.toml"
    path.write_text(STUDY.format(small=small), encoding="utf-8")
    return path


@pytest.mark.usefixtures("few_keys")
def test_the_widest_are_those_that_move_the_outcomes_most(
    study_file: Path, tmp_path: Path
) -> None:
    asked = read_study(str(study_file))

    def choose() -> tuple[Factor, ...]:
        return widest(
            asked, folder=tmp_path, executor=InlineExecutor(), report=lambda _done, _planned: None
        )

    factors = choose()
    assert [one.key for one in factors] == list(KEYS[:2])
    assert (factors[0].low, factors[0].high) == (0.8, 1.25)
    table = pl.read_parquet(tmp_path / "study_widest.parquet")
    assert table["key"].n_unique() == 5
    assert table["rank"].is_sorted()
    by_key = {row["key"]: row for row in table.to_dicts()}
    assert by_key[KEYS[0]]["low_effect"] < 0.0 < by_key[KEYS[0]]["high_effect"]
    assert by_key["regions.north"]["low_effect"] is None, "shares of a whole"
    assert choose() == factors, "read from the table"


@pytest.mark.usefixtures("few_keys")
def test_choosing_goes_on_where_it_was_stopped(study_file: Path, tmp_path: Path) -> None:
    asked = read_study(str(study_file))

    def choose(report: Callable[[int, int], None]) -> tuple[Factor, ...]:
        return widest(asked, folder=tmp_path, executor=InlineExecutor(), report=report)

    with pytest.raises(KeyboardInterrupt):
        choose(stop_after(4))
    lines = tmp_path / "widest.jsonl"
    text = lines.read_text(encoding="utf-8")
    lines.write_text(text[:-9], encoding="utf-8")
    seen: list[int] = []
    assert [one.key for one in choose(lambda done, _: seen.append(done))] == list(KEYS[:2])
    assert (seen[0], seen[-1]) == (text.count("\n") - 1, 10)
    assert not lines.exists()


@pytest.mark.usefixtures("few_keys")
def test_two_names_of_one_lever_are_moved_once(study_file: Path, tmp_path: Path) -> None:
    """Of a single day the multiplier of the day and that of the category are the same."""
    text = study_file.read_text(encoding="utf-8")
    study_file.write_text(text.replace("widest_count = 2", "widest_count = 4"), encoding="utf-8")
    factors = widest(
        read_study(str(study_file)),
        folder=tmp_path,
        executor=InlineExecutor(),
        report=lambda _done, _planned: None,
    )
    assert [one.key for one in factors] == [KEYS[0], KEYS[1], KEYS[4]]
    reasons = pl.read_parquet(tmp_path / "study_widest.parquet").select("key", "reason").rows()
    assert dict(reasons)[KEYS[2]] == f"does what {KEYS[1]} does"
    assert dict(reasons)["regions.north"] == "cannot be moved alone"


def test_outcomes_that_the_approximation_does_not_know_cannot_rank(study_file: Path) -> None:
    text = study_file.read_text(encoding="utf-8")
    study_file.write_text(text.replace("payout_net_fen", "fines_fen"), encoding="utf-8")
    said = springpeak_says("study", str(study_file), "--workers", "1")
    assert said.status == 2
    assert "widest.toml:7: widest_count = 2: cannot be ranked" in said.err


def test_from_a_file_to_the_page(study_file: Path, tmp_path: Path) -> None:
    """With a process of its own; then the folder again, in Chinese."""
    text = study_file.read_text(encoding="utf-8").replace("widest_count = 2\n", "")
    for key in ("demand.orders_multiple", "consumers.contact_multiple"):
        text += f'\n[[factors]]\nkey = "{key}"\n'
    study_file.write_text(text, encoding="utf-8")
    out = tmp_path / "out"
    said = springpeak_says("study", str(study_file), "--out", str(out), "--workers", "1")
    assert said.status == 0
    assert "4 of 4 seasons" in said.out
    assert (out / FILE_NAME).exists()
    again = springpeak_says("study", str(out), "--lang", "zh")
    assert again.status == 0
    assert (out / "study.zh.html").exists()
    assert springpeak_says("study", str(out), "--set", "seed=2").status == 2
    assert springpeak_says("study", str(tmp_path)).status == 2
