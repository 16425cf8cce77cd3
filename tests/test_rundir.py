"""The run directory: complete, typed, taken by one run only, and whole after any break."""

import json
import tomllib
from pathlib import Path

import polars as pl
import pytest

from scenarios.tables import TABLES
from sim.experiment.files import RunError, replacing
from sim.experiment.frames import schema
from sim.experiment.rundir import ESTIMATES, MERGED, ROW_TABLES, RunDirectory
from sim.experiment.runner import run
from tests.fake_replication import SCENARIO, FakeScenario, simulate
from tests.synthetic_run import InlineExecutor, write_synthetic_run

METRICS = (
    "orders_count incidents_count contacts_offered_count contacts_answered_count "
    "contacts_abandoned_count abandoned_ratio service_level_phone_ratio service_level_im_ratio "
    "asa_phone_s asa_im_s occupancy_ratio redials_count reconnects_count alerts_count "
    "self_service_claims_count payout_gross_fen payout_recovered_fen payout_net_fen "
    "pots_exhausted_ratio wage_fen delisted_merchants_count"
)
IDENTITY = {"fingerprint": "f", "seed": 1}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_synthetic_run(tmp_path_factory.mktemp("rundir") / "run", replications=3)


def _demand(replication: int, orders_count: int) -> list[tuple[str, pl.DataFrame]]:
    """A part with one row in two tables."""
    rows = {
        "demand": [(replication, 0, "hotel", "east", orders_count, 1, 0)],
        "replications": [(replication, "orders_count", float(orders_count), "orders")],
    }
    return [
        (name, pl.DataFrame(values, schema=schema(name), orient="row"))
        for name, values in rows.items()
    ]


def _orders(directory: RunDirectory) -> list[tuple[int, int]]:
    rows = pl.read_parquet(directory.table("demand")).select("replication", "orders_count")
    return list(rows.iter_rows())


def test_every_table_of_the_dictionary_is_there_and_fits_it(finished: Path) -> None:
    assert {file.stem for file in finished.glob("*.parquet")} == set(TABLES)
    assert set(TABLES) == {*MERGED, ESTIMATES}
    for name in TABLES:
        frame = pl.read_parquet(finished / f"{name}.parquet")
        assert frame.schema == schema(name), name
        assert not frame.is_empty(), name
    assert sorted(file.name for file in finished.iterdir() if file.suffix != ".parquet") == [
        "manifest.json",
        "scenario.toml",
        "summary.json",
    ]


def test_row_tables_are_kept_for_the_first_replications_only(finished: Path) -> None:
    for name in MERGED:
        frame = pl.read_parquet(finished / f"{name}.parquet")
        kept = [0] if name in ROW_TABLES else [0, 1, 2]
        assert frame["replication"].unique(maintain_order=True).to_list() == kept, name


def test_no_rows_kept_still_gives_typed_tables(tmp_path: Path) -> None:
    result = run(
        SCENARIO,
        replications=1,
        precision_ratio=None,
        seed=1,
        workers=1,
        out=tmp_path / "run",
        keep_rows=0,
        executor=InlineExecutor(),
        simulate=simulate,
    )
    for name in ROW_TABLES:
        frame = pl.read_parquet(result.path / f"{name}.parquet")
        assert (frame.height, frame.schema) == (0, schema(name))


def test_the_summary_has_every_metric_that_a_run_must_have(finished: Path) -> None:
    text = (finished / "summary.json").read_text(encoding="utf-8")
    summary = json.loads(text)
    assert set(summary) == {"scenario", "fingerprint", "seed", "replications", "metrics"}
    assert set(METRICS.split()) <= set(summary["metrics"])
    for metric in summary["metrics"].values():
        assert set(metric) == {"mean", "low", "high", "n", "unit"}
        assert metric["low"] <= metric["mean"] <= metric["high"]
        assert metric["n"] == summary["replications"] == 3
    assert text == json.dumps(summary, sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def test_the_summary_stands_in_the_estimates_too(finished: Path) -> None:
    metrics = json.loads((finished / "summary.json").read_text(encoding="utf-8"))["metrics"]
    dims = [pl.col(name).is_null() for name in schema(ESTIMATES).names()[1:8]]
    season = pl.read_parquet(finished / "estimates.parquet").filter(*dims)
    rows = {row["subject"]: row for row in season.iter_rows(named=True)}
    assert set(rows) == set(metrics)
    for name, metric in metrics.items():
        assert {key: rows[name][key] for key in metric} == metric


def test_the_manifest_says_what_ran_and_what_it_took(finished: Path) -> None:
    manifest = json.loads((finished / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["fingerprint"] == SCENARIO.fingerprint
    assert (manifest["seed"], manifest["status"]) == (1, "complete")
    assert manifest["finished_count"] == manifest["planned_count"] == 3
    assert {"numpy", "polars", "simpy"} <= set(manifest["packages"])
    assert manifest["attempts_count"] == sum(
        receipt["attempts_count"] for receipt in manifest["replications"]
    )
    assert manifest["contacts_per_s"] > 0
    assert manifest["wall_s"] > 0


def test_the_scenario_loads_again(finished: Path) -> None:
    values = tomllib.loads((finished / "scenario.toml").read_text(encoding="utf-8"))
    again = FakeScenario.model_validate(values)
    assert again == SCENARIO
    assert again.fingerprint == SCENARIO.fingerprint


def test_a_directory_belongs_to_one_run(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path / "run")
    assert directory.claim(identity=IDENTITY, resume=False)
    directory.write_text("manifest.json", json.dumps(IDENTITY))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(RunError, match="not empty: go on with --resume"):
        directory.claim(identity=IDENTITY, resume=False)
    for key, value in (("fingerprint", "g"), ("seed", 2)):
        with pytest.raises(RunError, match=f"{key} .* cannot be resumed"):
            directory.claim(identity={**IDENTITY, key: value}, resume=True)
    assert sorted(tmp_path.rglob("*")) == before
    assert not directory.claim(identity=IDENTITY, resume=True)


def test_what_is_no_run_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("mine")
    with pytest.raises(RunError, match="not a run directory"):
        RunDirectory(tmp_path / "notes").claim(identity=IDENTITY, resume=True)
    with pytest.raises(RunError, match="is a file"):
        RunDirectory(tmp_path / "notes" / "a.txt").claim(identity=IDENTITY, resume=False)
    (tmp_path / "notes" / "manifest.json").write_text("{")
    with pytest.raises(RunError, match="cannot be read"):
        RunDirectory(tmp_path / "notes").claim(identity=IDENTITY, resume=True)
    assert (tmp_path / "notes" / "a.txt").read_text() == "mine"


def test_two_at_work_in_one_directory_are_told(finished: Path) -> None:
    """The second would sweep away what the first one writes."""
    before = {file: file.read_bytes() for file in finished.rglob("*") if file.is_file()}
    with (
        RunDirectory(finished).held(),
        pytest.raises(RunError, match="another springpeak is at work in"),
    ):
        write_synthetic_run(finished, replications=4, resume=True)
    assert {file: file.read_bytes() for file in finished.rglob("*") if file.is_file()} == before
    assert write_synthetic_run(finished, replications=3, resume=True) == finished


def test_a_file_is_whole_or_as_it_was(tmp_path: Path) -> None:
    """A disk that is full in the middle of it, or Ctrl-C."""
    file = tmp_path / "a.json"
    file.write_text("before", encoding="utf-8")

    def write(error: BaseException) -> None:
        with replacing(file) as unfinished:
            unfinished.write_text("ha", encoding="utf-8")
            raise error

    for error in (OSError("full"), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            write(error)
        assert [one.name for one in tmp_path.iterdir()] == ["a.json"]
        assert file.read_text(encoding="utf-8") == "before"


def test_resuming_what_was_never_begun_begins(tmp_path: Path) -> None:
    assert RunDirectory(tmp_path / "run").claim(identity=IDENTITY, resume=True)


def test_parts_merge_in_the_order_of_replications_not_of_arrival(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path)
    for replication in (10, 2, 0):
        directory.write_part(replication, _demand(replication, 100 + replication), notes={})
    assert directory.parts() == [0, 2, 10]
    directory.merge(MERGED)
    assert _orders(directory) == [(0, 100), (2, 102), (10, 110)]
    assert (directory.parts(), directory.merged()) == ([], [0, 2, 10])
    (tmp_path / "parts").mkdir()
    directory.write_part(1, _demand(1, 101), notes={})
    directory.merge(MERGED)
    assert _orders(directory) == [(0, 100), (1, 101), (2, 102), (10, 110)]
    assert directory.metrics()[10] == {"orders_count": 110.0}


@pytest.mark.parametrize("tables_done", range(len(MERGED) + 1))
def test_a_merge_that_stopped_anywhere_is_made_good(
    tables_done: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Power goes off after each number of merged tables; nothing is lost, nothing doubled."""
    directory = RunDirectory(tmp_path)
    directory.write_part(0, _demand(0, 100), notes={})
    directory.merge(MERGED)
    (tmp_path / "parts").mkdir()
    directory.write_part(1, _demand(1, 101), notes={})
    with monkeypatch.context() as off:
        off.setattr(RunDirectory, "_remove_parts", lambda _self: None)
        directory.merge(MERGED[:tables_done])
    assert sorted({*directory.parts(), *directory.merged()}) == [0, 1]
    assert directory.metrics() == {0: {"orders_count": 100.0}, 1: {"orders_count": 101.0}}
    directory.merge(MERGED)
    assert _orders(directory) == [(0, 100), (1, 101)]


def test_parts_removed_by_half_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = RunDirectory(tmp_path / "run")
    directory.claim(identity=IDENTITY, resume=False)
    directory.write_text("manifest.json", json.dumps(IDENTITY))
    directory.write_part(0, _demand(0, 100), notes={})
    with monkeypatch.context() as off:
        remove = "sim.experiment.rundir.shutil.rmtree"
        off.setattr(remove, lambda path: (path / "0" / "demand.parquet").unlink())
        directory.merge(MERGED)
    directory.claim(identity=IDENTITY, resume=True)
    assert (directory.parts(), directory.merged()) == ([], [0])
    assert [path.name for path in directory.path.glob("parts*")] == ["parts"]
    directory.write_part(1, _demand(1, 101), notes={})
    directory.merge(MERGED)
    assert _orders(directory) == [(0, 100), (1, 101)]


def test_unfinished_parts_do_not_count_and_are_swept(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path / "run")
    directory.claim(identity=IDENTITY, resume=False)
    directory.write_text("manifest.json", json.dumps(IDENTITY))
    (tmp_path / "run" / "parts" / "3.unfinished-77").mkdir()
    assert directory.parts() == []
    directory.claim(identity=IDENTITY, resume=True)
    assert not any((tmp_path / "run" / "parts").iterdir())
