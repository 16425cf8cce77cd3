"""The page's sentences follow the table: verdicts at their cuts, first dry hours, hours missed."""

import json
from pathlib import Path

import polars as pl
import pytest
from markupsafe import escape

from reports import answers, page, tables
from reports.assumptions import assumptions
from reports.cells import Book
from scenarios.loader import SHIPPED
from sim.experiment import subjects
from tests.synthetic_run import write_synthetic_run

BASE = SHIPPED / "spring-festival-2026.toml"
NUMBERS = ("mean", "low", "high", "band_low", "band_high")


@pytest.fixture(scope="module")
def clean_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = write_synthetic_run(tmp_path_factory.mktemp("answers") / "run", replications=2, seed=3)
    (path / "scenario.toml").write_text(BASE.read_text(encoding="utf-8"), encoding="utf-8")
    return path


@pytest.fixture
def run_dir(clean_run: Path, tmp_path: Path) -> Path:
    """A copy of the run that a test may bend."""
    for name in ("estimates.parquet", "summary.json", "manifest.json", "scenario.toml"):
        (tmp_path / name).write_bytes((clean_run / name).read_bytes())
    return tmp_path


def bend(run_dir: Path, condition: pl.Expr, value: float | None) -> Book:
    """The run with the matching estimates set to `value`."""
    path = run_dir / "estimates.parquet"
    frame = pl.read_parquet(path)
    assert frame.filter(condition).height > 0
    number = pl.lit(value, dtype=pl.Float64)
    changed = [pl.when(condition).then(number).otherwise(pl.col(n)).alias(n) for n in NUMBERS]
    frame.with_columns(changed).write_parquet(path)
    return Book(run_dir)


@pytest.mark.parametrize(
    ("share", "answer"),
    [(1.0, "Yes"), (0.9, "Yes"), (0.89, "On the edge"), (0.1, "On the edge"), (0.09, "No")],
)
def test_the_verdict_changes_at_its_cuts(run_dir: Path, share: float, answer: str) -> None:
    bend(run_dir, pl.col("subject") == subjects.HOURS_ON_TARGET, 1.0)
    book = bend(run_dir, pl.col("subject") == subjects.ENOUGH, share)
    card = answers.cards(book)[0]
    assert card.answer == answer
    assert "2,400" in card.question
    assert f">{share * 100:.0f} %</span> of replications" in card.sentence


def test_days_on_target_with_hours_missed_are_not_a_plain_yes(run_dir: Path) -> None:
    bend(run_dir, pl.col("subject") == subjects.ENOUGH, 1.0)
    book = bend(run_dir, pl.col("subject") == subjects.HOURS_ON_TARGET, 0.9)
    assert answers.cards(book)[0].answer == "Yes, by the day"


def test_the_pot_card_names_the_likeliest_pot_and_its_first_dry_hour(run_dir: Path) -> None:
    exhausted = pl.col("subject") == subjects.EXHAUSTED
    bend(run_dir, exhausted, 0.0)
    bounty = exhausted & (pl.col("guarantee") == "report_bounty")
    bend(run_dir, bounty & pl.col("lunar_day").is_null(), 0.75)
    late = (pl.col("lunar_day") == 3) & (pl.col("hour") >= 20)
    book = bend(run_dir, bounty & late, 0.5)
    card = answers.cards(book)[2]
    assert (card.answer, card.tone) == ("Report bounty", "bad")
    assert '<span class="dim">21:00</span> on <span class="dim">初四' in card.sentence
    assert [row[0] for row in tables.pots(book).rows] == [
        '<b>Report bounty</b> <small lang="zh">有奖举报</small>'
    ]


def test_the_pot_card_says_none_when_none_runs_dry(run_dir: Path) -> None:
    book = bend(run_dir, pl.col("subject") == subjects.EXHAUSTED, 0.0)
    assert answers.cards(book)[2].answer == "None"
    assert tables.pots(book).rows == ()


def test_missed_hours_are_listed_as_spans(run_dir: Path) -> None:
    held = (pl.col("subject") == subjects.TARGETS_HELD) & pl.col("hour").is_not_null()
    bend(run_dir, held, 1.0)
    missed = held & (pl.col("lunar_day") == 2) & pl.col("hour").is_in([10, 11, 12, 18, 23])
    rows = tables.days(bend(run_dir, missed, 0.49)).rows
    assert [row[2] == tables.none() for row in rows] == [True] * 4 + [False] + [True] * 4
    spans = "10:00–13:00", "18:00–19:00", "23:00–24:00"
    assert rows[4][2] == ", ".join(f'<span class="dim">{span}</span>' for span in spans)
    assert "初三" in rows[4][0]
    assert "Thu 19 Feb" in rows[4][0]


def test_one_replication_prints_no_interval(run_dir: Path) -> None:
    path = run_dir / "estimates.parquet"
    none = [pl.lit(None, dtype=pl.Float64).alias(name) for name in ("low", "high")]
    pl.read_parquet(path).with_columns(none).write_parquet(path)
    gross = tables.costs(Book(run_dir)).rows[0]
    assert answers.cards(Book(run_dir))[0].answer == "Cannot tell"
    assert gross[2] == '<span class="none">–</span>'
    assert "CNY" in escape(gross[1])


def test_a_changed_setting_is_marked(run_dir: Path) -> None:
    path = run_dir / "scenario.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("headcount_count = 2400", "headcount_count = 2600"), "utf-8")
    groups = {group.name: group.rows for group in assumptions(Book(run_dir))}
    changed = [row.key for rows in groups.values() for row in rows if row.changed]
    assert changed == ["support.headcount_count"]


def test_an_own_scenario_without_a_shipped_file_still_shows_its_settings(run_dir: Path) -> None:
    path = run_dir / "scenario.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('name = "spring-festival-2026"', 'name = "mine"'), "utf-8")
    rows = [row for group in assumptions(Book(run_dir)) for row in group.rows]
    assert {row.text for row in rows} == {"set for this run"}


def test_an_interrupted_run_says_so(run_dir: Path) -> None:
    path = run_dir / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**manifest, "status": "interrupted", "planned_count": 9}))
    notice = str(page.sureness_words(Book(run_dir)))
    assert "The run was interrupted" in notice
    assert ">9</span> replications are done" in notice
