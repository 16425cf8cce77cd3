"""Input uncertainty: how a table of draws and replications splits, and a run that does it."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t as student

from scenarios.loader import load
from sim.experiment import runner
from sim.experiment.files import RunError
from sim.experiment.inputs import drawn_settings, split, split_all
from sim.experiment.runner import RunResult
from sim.fit import overlay
from sim.fit.keys import Setting
from sim.payout.sample import sample_sets
from tests.test_cli import springpeak_says

BASE = "spring-festival-2026"


def fitted(path: Path, multiples: list[float]) -> Path:
    """An overlay on the level of demand with a bootstrap of given values."""
    key = "demand.orders_multiple"
    made = [Setting(key, 1.0, 0.9, 1.1, "made up")]
    draws = [{key: value} for value in multiples]
    overlay.write(path, overlay.toml(made, kind="test", source="log"), {"bootstrap": draws})
    return path


def test_the_two_errors_add_up_to_the_table() -> None:
    draws, chance = np.array([-1.0, 0.0, 1.0]), np.array([-0.5, 0.5])
    only_inputs = split(10.0 + draws[:, np.newaxis] + np.zeros(2))
    assert only_inputs is not None
    assert (only_inputs.input_error, only_inputs.simulation_error) == (1.0, 0.0)
    both = split(10.0 + draws[:, np.newaxis] + chance)
    assert both is not None
    assert both.input_error == pytest.approx(1.0)
    assert both.simulation_error == pytest.approx(0.5)
    # Three draws (two degrees of freedom) of variance 1, two replications (one) of 0.25.
    freedom = 1.25**2 / (1.0**2 / 2 + 0.25**2 / 1)
    assert both.high - both.low == pytest.approx(2 * student.ppf(0.975, freedom) * np.sqrt(1.25))
    assert only_inputs.high == pytest.approx(10.0 + student.ppf(0.975, 2))
    nothing = split(np.ones((3, 2)))
    assert nothing is not None
    assert (nothing.low, nothing.high) == (1.0, 1.0)
    assert split(np.full((3, 2), np.nan)) is None
    rng = np.random.default_rng(3)
    noise = split(rng.standard_normal((400, 5)))
    assert noise is not None
    assert noise.input_error < 0.15, "interaction of draws and chance is not the inputs'"
    runs = [{0: {"a": 1.0, "b": 1.0}, 1: {"a": 2.0}}, {0: {"a": 1.0}, 1: {"a": 2.0}}]
    assert set(split_all(runs)) == {"a"}


def test_overlays_without_a_bootstrap_are_refused(tmp_path: Path) -> None:
    path = fitted(tmp_path / "fit.toml", [0.9, 1.1])
    assert drawn_settings([str(path)], 2) == [
        ["demand.orders_multiple=0.9"],
        ["demand.orders_multiple=1.1"],
    ]
    with pytest.raises(RunError, match="has 2 draws"):
        drawn_settings([str(path)], 3)
    with pytest.raises(RunError, match="needs an --overlay"):
        drawn_settings(["surge-20"], 2)


def test_a_run_reports_both_errors(tmp_path: Path) -> None:
    path, out = fitted(tmp_path / "fit.toml", [0.8, 1.25]), tmp_path / "run"
    sets = [f"{key}={value!r}" for key, value in sample_sets(load(BASE), 2000).items()]
    sets = [line for line in sets if not line.startswith("demand.orders_multiple")]
    options = [part for line in sets for part in ("--set", line)]
    said = springpeak_says(
        "run", BASE, "--overlay", str(path), *options, "--days=2", "--replications", "2",
        "--workers", "1", "--out", str(out), "--input-uncertainty", "2",
    )  # fmt: skip
    assert said.status == 0, said.err
    found = json.loads((out / "input_uncertainty.json").read_text(encoding="utf-8"))
    assert (found["draws"], found["replications"]) == (2, 2)
    orders = found["metrics"]["orders_count"]
    assert orders["input_error"] > orders["simulation_error"] > 0.0
    assert (out / "summary.json").is_file()


def test_an_interrupted_draw_names_the_option_that_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Draws go on by themselves, the run that stands before them only with --resume."""
    path, out = fitted(tmp_path / "fit.toml", [0.8, 1.25]), tmp_path / "run"
    ends = [False, True]

    def stopped(*_: object, **__: object) -> RunResult:
        return RunResult(out, finished_count=1, planned_count=2, interrupted=ends.pop(0))

    monkeypatch.setattr(runner, "run", stopped)
    said = springpeak_says(
        "run", BASE, "--overlay", str(path), "--replications", "2", "--out", str(out),
        "--input-uncertainty", "2",
    )  # fmt: skip
    assert said.status == 130
    assert "interrupted, 1 missing: the same command with --resume goes on" in said.out
