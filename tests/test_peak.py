"""`springpeak peak`: an API that cannot be loaded does not keep the answers back, and one that was
loaded already is not loaded again."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import springpeak
from reports import page
from scenarios.command import BASE
from scenarios.loader import SHIPPED
from sim.experiment.runner import RunResult
from tests.synthetic_run import write_synthetic_run
from tests.test_cli import Said, springpeak_says
from tests.test_report_api import API


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of which no traffic can be made: it kept no contacts."""
    path = write_synthetic_run(tmp_path_factory.mktemp("peak") / "run", replications=2)
    shutil.copyfile(SHIPPED / f"{BASE}.toml", path / "scenario.toml")
    (path / "contacts.parquet").unlink()
    return path


@pytest.fixture
def run_dir(synthetic: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the simulation leaves."""

    def simulate(*_: Any, **__: Any) -> RunResult:
        return RunResult(path=synthetic, finished_count=2, planned_count=2, interrupted=False)

    monkeypatch.setattr(springpeak, "simulate", simulate)
    monkeypatch.setattr(springpeak, "_say_payout", lambda _: None)
    monkeypatch.setattr(page, "write", lambda path: path / "report.html")
    return synthetic


def peak() -> Said:
    said = springpeak_says("peak")
    assert said.status == 0, said
    assert "Are " in said.out
    assert "report.html" in said.out
    return said


def test_without_the_api_the_rest_is_answered(run_dir: Path) -> None:
    said = peak()
    assert "the guarantee API was not loaded: " in said.err
    assert "contacts.parquet is missing" in said.err
    assert "Does the guarantee API" not in said.out
    assert not (run_dir / "api.json").exists()


def test_what_was_loaded_already_is_only_reported(run_dir: Path) -> None:
    (run_dir / "api.json").write_text(json.dumps(API))
    said = peak()
    assert said.err == ""
    assert "Does the guarantee API hold the peak? Yes: 329,429 requests" in said.out
