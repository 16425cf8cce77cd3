"""A study of staffing: tapes and whole simulations, the smallest headcount, the folder."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import openpyxl
import polars as pl
import pytest
from typer.testing import CliRunner

from reports.cells import Book
from reports.language import LANGUAGES, speaking
from reports.rows import Row
from reports.staffing import page, words, workbook
from scenarios.staff_tables import STAFF_TABLES
from sim.experiment import subjects
from sim.staffing import files, planning, study
from sim.staffing.curve import answers
from sim.staffing.floor import Groups
from sim.staffing.floors import Tapes
from sim.staffing.headcount import smallest
from sim.staffing.need import heads_of
from sim.staffing.plan import Plan, Planner
from sim.staffing.proof import Proven, by_group, saved
from sim.staffing.quick import quick
from sim.staffing.rolling import QUICK
from sim.staffing.start import Start, asked_of
from sim.staffing.study import Findings, Setting, Study
from sim.staffing.trial import FLOOR_METRICS, Trial, floor, whole
from sim.staffing.worth import Worth, better_forecast, worths
from sim.streams import Streams
from sim.support.tape import Tape
from sim.world import World
from springpeak import app
from tests.page_walk import Files, mistakes, walked
from tests.synthetic_run import InlineExecutor
from tests.worlds import SEED, small, write_small_run

HEADS = 70
ONE_DAY = small(sets=("horizon.last_day=1",))


@pytest.fixture(scope="module")
def found() -> Iterator[tuple[Findings, list[Worth]]]:
    """A small study; what is asserted holds for any roster, so the solver need not look long."""
    setting = Setting(
        heads_count=HEADS, targets=(), risk_ratio=0.9, fit=range(2), proof=range(2, 5)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "FULL", QUICK)
        patch.setattr(study, "CURVE_RATIOS", (0.5, 1.0))
        patch.setattr(study, "WHOLE_COUNT", 2)
        patch.setattr(study, "CUT_ROUNDS", 1)
        patch.setattr(study, "SEARCH_ROUNDS", 1)
        with Tapes.open(ONE_DAY, seed=SEED, workers=1, executor=InlineExecutor()) as tapes:
            findings = Study(tapes, setting, lambda _what, _done, _planned: None).findings()
            yield findings, worths(findings, tapes.pool, lambda _what, _done, _planned: None)


@pytest.fixture(scope="module")
def folder(found: tuple[Findings, list[Worth]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("study") / "plan"
    with files.whole(out) as part:
        assert files.write(part, found[0], said=answers(found[0]), worth=found[1]) == 0
        page.write(part)
    return out


def test_a_floor_on_tape_shows_what_the_whole_simulation_shows() -> None:
    """Exactly, where the tape was taken with the same roster: nothing in the world differs then."""
    scenario, tape = ONE_DAY, Tape()
    World(scenario, Streams(seed=SEED, replication=0), tape=tape).run()
    alone = floor(scenario, tape, seed=SEED, replication=0)
    both = whole(scenario, seed=SEED, replication=0)
    assert np.array_equal(alone.offered, both.offered)
    assert np.array_equal(alone.within, both.within)
    assert {name: both.metrics[name] for name in FLOOR_METRICS} == alone.metrics


def test_the_study_shows_everything_on_unseen_replications(
    found: tuple[Findings, list[Worth]],
) -> None:
    findings = found[0]
    counts = [one.plan.heads_count for one in findings.proven]
    assert counts == sorted(set(counts))
    assert HEADS in counts
    assert len(findings.whole.metrics["wage_fen"]) == len(findings.setting.proof) == 3
    assert not set(findings.setting.fit) & set(findings.setting.proof)
    # The floor is the same on tape and in the world until a pot runs dry at another time.
    for name in ("service_level_phone_ratio", "service_level_im_ratio"):
        on_tape, in_world = findings.mine.trial.metrics[name], findings.whole.metrics[name]
        assert np.allclose(on_tape, in_world, atol=0.02)
    by_heads = [one.held.mean() for one in findings.proven]
    assert by_heads[0] < by_heads[-1]


def test_the_folder_has_every_table_of_the_dictionary(folder: Path) -> None:
    for name, columns in STAFF_TABLES.items():
        frame = pl.read_csv(folder / f"{name}.csv", infer_schema_length=None)
        assert frame.columns == [column.name for column in columns]
        assert frame.height > 0
    summary = words.read(folder)
    assert summary["heads_count"] == HEADS
    assert {one["option"] for one in summary["worth"]} >= {"better_forecast", "cross_training"}
    required = pl.read_csv(folder / "required.csv", infer_schema_length=None)
    cover = pl.read_csv(folder / "cover.csv")
    assert required["heads_count"].sum() == cover["needed_count"].sum()
    assert required["uncovered_count"].sum() == pytest.approx(2.0 * summary["uncovered_h"])


def test_the_page_says_what_the_tables_say(folder: Path) -> None:
    text = (folder / page.FILE_NAME).read_text(encoding="utf-8")
    summary = words.read(folder)
    assert words.smallest(summary) in text
    assert text.count("<svg") == 4
    assert "<script" not in text
    assert page.write(folder).read_text(encoding="utf-8") == text
    steps = pl.read_csv(folder / "steps.csv", infer_schema_length=None)
    for language in LANGUAGES:
        with speaking(language):
            walk = walked(page.write(folder).read_text(encoding="utf-8"))
            book = openpyxl.load_workbook(workbook.write(folder))
            (needed,) = (one for one in book.worksheets if one.title in ("cover", "覆盖"))
            column = [row[2] for row in needed.iter_rows(min_row=2, values_only=True)]
            assert column == pl.read_csv(folder / "cover.csv")["needed_count"].to_list()
            assert list(mistakes(walk, Files({"plan": summary}, {"steps": steps}))) == []
            assert len(walk.numbers) > 30
    for sentence in words.sentences(folder):
        assert sentence.endswith(".")


def proven(heads_count: int, good: int, *, replications: int = 20, spread: int = 0) -> Proven:
    """A plan of which `good` of 100 intervals hold always; `spread` more hold in all but two."""
    held = np.zeros((replications, 100, 1), dtype=bool)
    held[:, :good] = True
    held[2:, good : good + spread] = True
    plan = Plan(heads_count, None, None, None, None, None, None)  # type: ignore[arg-type]
    counts = np.ones(held.shape, dtype=np.int32)
    return Proven(plan, Trial(counts, counts, {}), held, 0.95)


def test_the_smallest_headcount_lies_where_enough_intervals_hold() -> None:
    said = smallest([proven(120, 99), proven(100, 91), proven(80, 60)])
    # On the line from (100, 91 %) to (120, 99 %) 95 % is reached at 110.
    assert (said.fails_count, said.heads_count, said.holds_count) == (100, 110, 120)
    assert (said.low_count, said.high_count) == (110, 110)
    unsure = smallest([proven(120, 98, spread=2), proven(100, 90, spread=8), proven(80, 60)])
    assert unsure.low_count is not None
    assert unsure.high_count is not None
    assert unsure.low_count < unsure.high_count <= 120
    assert smallest([proven(80, 60), proven(90, 70)]).heads_count is None
    assert smallest([proven(80, 96), proven(90, 97)]).holds_count == 80


def test_the_step_that_is_told_reaches_the_smallest_headcount() -> None:
    steps = [Row("steps", {"heads_to_count": count}) for count in (90, 110, 130)]

    def told(smallest_count: int | None) -> int:
        asked = {"smallest": {"heads_count": smallest_count}, "heads_count": 130}
        return int(words.around(steps, asked)["heads_to_count"])

    assert [told(one) for one in (101, 110, None, 140)] == [110, 110, 130, 130]


def test_a_season_that_is_drawn_twice_does_not_widen_the_interval() -> None:
    """Six intervals that one season each missed hold at 95 %; a draw fails 1.6 of them on average,
    with a deviation of 1.1: put back, draws lie around the 10 % that were seen above 90 %."""
    sure, few = proven(120, 100), proven(100, 90)
    sure.held[np.arange(6), np.arange(6)] = False
    said = smallest([sure, few])
    assert said.heads_count == 110
    assert said.low_count is not None
    assert said.high_count is not None
    assert 107 <= said.low_count <= 110 <= said.high_count <= 114


def test_a_better_forecast_shrinks_the_need() -> None:
    need = np.array([[10, 3], [20, 0]])
    ratio = np.array([[0.9, 1.0], [0.9, 1.0], [1.1, 0.5], [1.0, 0.5]])
    assert better_forecast(need, ratio).tolist() == [[9, 3], [21, 0]]


def test_a_group_holds_where_all_its_queues_do() -> None:
    held = np.array([[[True, True, False]]])
    assert by_group(held, np.array([0, 0, 1])).tolist() == [[[True, False]]]
    assert by_group(held, np.array([0, 1, 0])).tolist() == [[[False, True]]]


def test_pairing_saves_replications() -> None:
    """Var of either plan is 1.01, of their difference 0.02: 101 times. The interval holds that in
    95 % of 2,000 studies of 20 seasons: 1,900 give or take 39 (four deviations, false alarm 6e-5).
    """
    rng = np.random.default_rng(5)
    common, own = rng.normal(size=(2_000, 1, 20)), rng.normal(size=(2_000, 2, 20))
    plans = common + 0.1 * own
    found = [saved(a, b) for a, b in plans]
    assert sum(one.low <= 101.0 <= one.high for one in found) == pytest.approx(1_900, abs=39)
    all_of_them = saved(plans[:, 0].ravel(), plans[:, 1].ravel())
    assert all_of_them.low <= all_of_them.mean <= all_of_them.high
    # 40,000 seasons: a ratio of variances deviates by 1 % (2 / sqrt(n)); four of them.
    assert all_of_them.mean == pytest.approx(101.0, rel=0.04)
    assert saved(common[0, 0], common[0, 0]).mean == np.inf
    assert np.isnan(saved(common[0, 0, :2], common[1, 0, :2]).mean)


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x", encoding="utf-8")
    said = CliRunner().invoke(app, ["staff", "--out", str(tmp_path / "mine")])
    assert said.exit_code == 2
    assert "is no staffing plan" in said.output


def test_an_interrupt_says_what_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(_self: Study) -> Findings:
        raise KeyboardInterrupt

    monkeypatch.setattr(Study, "findings", stop)
    said = CliRunner().invoke(app, ["staff", "--out", str(tmp_path / "plan")])
    assert said.exit_code == 130
    assert "nothing was written" in said.output
    assert not list(tmp_path.iterdir())


def test_the_quick_answer_is_kept_in_the_run(tmp_path: Path) -> None:
    """And is near what the same replications need when nobody has to wait: 20 % at this size."""
    run = write_small_run(tmp_path / "run", replications=2)
    scenario = small()
    found = quick(run, scenario)
    assert (found.low_count, found.high_count, found.replications) == (None, None, 2)
    with Tapes.open(scenario, seed=SEED, workers=1, executor=InlineExecutor()) as tapes:
        shown = tapes.record(range(2), lambda _done: None)
    start = Start(
        Groups.of(scenario.support),
        asked_of(scenario, ()),
        loads=np.array([one.load for one in shown]),
        handle_s=np.mean([one.handle_s for one in shown], axis=0),
        risk_ratio=0.95,
        ticks_per_day=scenario.horizon.ticks_per_day,
    )
    fewest = Planner(scenario).fewest_heads(heads_of(start.agents, scenario))
    assert found.fewest_count == pytest.approx(fewest, rel=0.2)
    kept = run / "staffing_quick.json"
    kept.write_text(kept.read_text().replace(str(found.fewest_count), "1"), encoding="utf-8")
    assert quick(run, scenario).fewest_count == 1
    book = Book(run)
    shown = book.cell(subjects.HOURS_ON_TARGET)
    said = words.quick(book)
    assert said is not None
    assert f"{shown.number().text} of the hours are on target" in said.striptags()
    assert "the bare need by theory is about 1 heads" in said.striptags()
