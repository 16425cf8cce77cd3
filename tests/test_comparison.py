"""Runs side by side: every number is the run's own or a paired difference, recomputed here."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import t as student
from typer.testing import CliRunner

import springpeak
from reports import comparison
from reports.language import LANGUAGES, speaking
from tests.glyphs import covered
from tests.page_walk import Files, mistakes, walked
from tests.synthetic_run import write_synthetic_run


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three runs with the same seed; of the second and third some metrics are moved."""
    folder = tmp_path_factory.mktemp("comparison")
    found = [
        write_synthetic_run(folder / name, replications=4, seed=5) for name in ("a", "b", "c")
    ]
    for moved, run in enumerate(found[1:], start=1):
        file = run / "replications.parquet"
        rows = pl.read_parquet(file)
        some = pl.col("metric").is_in(["wage_fen", "hours_on_target_ratio"])
        more = pl.col("value") * (1.0 + 0.01 * moved * (pl.col("replication") + 1))
        value = pl.when(some).then(more).otherwise(pl.col("value"))
        rows.with_columns(value.alias("value")).write_parquet(file)
    return found


def differences(first: Path, run: Path) -> dict[str, Any]:
    """Mean paired difference and its Student-t interval by metric."""
    pairs = pl.read_parquet(first / "replications.parquet").join(
        pl.read_parquet(run / "replications.parquet"), on=["replication", "metric", "unit"]
    )
    found = {}
    for (metric,), rows in pairs.group_by("metric"):
        apart = (rows["value_right"] - rows["value"]).drop_nans().to_numpy()
        half = student.ppf(0.975, apart.size - 1) * apart.std(ddof=1) / np.sqrt(apart.size)
        low, high = apart.mean() - half, apart.mean() + half
        if rows["unit"][0] == "ratio":
            low, high = max(low, -1.0), min(high, 1.0)
        found[str(metric)] = {"difference": apart.mean(), "low": low, "high": high}
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_is_a_runs_own_or_a_paired_difference(
    language: Any, runs: list[Path]
) -> None:
    documents: dict[str, Any] = {}
    for number, run in enumerate(runs):
        documents[f"run{number}"] = json.loads((run / "summary.json").read_text(encoding="utf-8"))
        documents[f"compare{number}"] = differences(runs[0], run)
    with speaking(language):
        path = comparison.write(runs)
        text = path.read_text(encoding="utf-8")
        walk = walked(text)
        assert list(mistakes(walk, Files(documents, {}))) == []
        comparison.write(runs)
    assert path.read_text(encoding="utf-8") == text
    assert path.parent == runs[-1]
    assert len(walk.numbers) > 300
    assert len(text.encode()) < 5_000_000
    assert "<script" not in text
    assert not set(text) - covered() - set("\n")
    assert text.count("<figure") == 4


def test_what_is_alike_differs_by_zero_and_what_is_clear_is_bold(runs: list[Path]) -> None:
    _, other, _ = comparison.read(runs)
    assert other.differences["orders_count"]["difference"] == 0.0
    assert other.differences["wage_fen"]["low"] > 0.0
    text = comparison.write(runs).read_text(encoding="utf-8")
    assert '<b><span class="num" data-source="compare1:wage_fen"' in text
    assert '<b><span class="num" data-source="compare1:orders_count"' not in text


def test_the_command_takes_several_runs_and_refuses_the_same_one_twice(runs: list[Path]) -> None:
    said = CliRunner().invoke(springpeak.app, ["report", *map(str, runs)])
    assert said.exit_code == 0
    assert "comparison: " in said.stdout
    said = CliRunner().invoke(springpeak.app, ["report", str(runs[0]), str(runs[0])])
    assert said.exit_code == 2
    assert "given twice" in said.stderr
