"""A run that keeps only what payouts need is the whole run, seen through fewer tables."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from reports import page
from reports.ledger.story import read_story
from sim.experiment.contents import ALL, PAYOUT
from sim.experiment.files import RunError
from sim.experiment.rundir import ROW_TABLES
from sim.experiment.runner import RunResult, run
from sim.payout.seasons import Seasons
from sim.payout.tables import tables
from sim.replication import simulate
from tests.synthetic_run import InlineExecutor
from tests.worlds import SEED, result, small

# Metrics of the money side (sim/money/statements.py) that only the market or the floor could move.
MONEY = ("claims_", "payout_", "recourse_", "fines_", "pots_")


def payout_run(path: Path, **changed: object) -> RunResult:
    arguments: dict[str, object] = {
        "replications": 2,
        "precision_ratio": None,
        "seed": SEED,
        "workers": 1,
        "out": path,
        "contents": PAYOUT,
        "executor": InlineExecutor(),
    }
    return run(small(), **(arguments | changed))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return payout_run(tmp_path_factory.mktemp("contents") / "run").path


@pytest.mark.parametrize("replication", [0, 1])
def test_what_is_asked_moves_no_fen(replication: int) -> None:
    """Every table and every metric of the money, to the last bit."""
    whole = result(replication=replication)
    asked = simulate(small(), seed=SEED, replication=replication, tables=PAYOUT.tables)
    assert set(asked.tables) == {*PAYOUT.tables} - {"replications"}
    for name, columns in asked.tables.items():
        assert columns.keys() == whole.tables[name].keys()
        for column, values in columns.items():
            np.testing.assert_array_equal(values, whole.tables[name][column], strict=True)
    money = {name for name in whole.metrics if name.startswith(MONEY)}
    assert len(money) == 15
    assert money <= asked.metrics.keys() < whole.metrics.keys()
    assert all(asked.metrics[name] == whole.metrics[name] for name in asked.metrics)


def test_the_run_has_the_tables_that_payouts_need(kept: Path) -> None:
    files = {file.stem for file in kept.glob("*.parquet")}
    assert files == {*PAYOUT.merged, "estimates"}
    single = pl.read_parquet(kept / "claims.parquet")["replication"].unique().to_list()
    assert single == [0]
    manifest = json.loads((kept / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["tables"], manifest["attempts_count"]) == ("payout", None)
    assert set(tables(Seasons(kept), budgets_fen={}, asked_level=None)) >= {"payout_answers"}


def test_every_replication_has_the_same_metrics(kept: Path) -> None:
    counts = pl.read_parquet(kept / "replications.parquet").group_by("metric").len()["len"]
    assert counts.unique().to_list() == [2]


def test_a_claim_has_its_whole_story(kept: Path) -> None:
    claims = pl.read_parquet(kept / "claims.parquet").filter(pl.col("incident_id").is_not_null())
    incidents = pl.read_parquet(kept / "incidents.parquet").filter(pl.col("case_id").is_not_null())
    both = claims.join(incidents, on="incident_id")
    story = read_story(kept, both["claim_id"][0])
    assert story.incident is not None
    assert story.attempts


def test_a_report_asks_for_a_whole_run(kept: Path) -> None:
    with pytest.raises(RunError, match="keeps the tables of payout only: `springpeak run`"):
        page.write(kept)


def test_runs_with_other_tables_are_told_apart(kept: Path) -> None:
    with pytest.raises(RunError, match="a run with tables payout, this one has all"):
        payout_run(kept, contents=ALL, resume=True)
    assert set(ROW_TABLES) <= set(ALL.tables)
