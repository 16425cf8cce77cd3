"""The front door: what each command prints, its exit status, and what it leaves behind."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import springpeak
from sim.experiment import runner as run_module
from sim.experiment.contents import ALL
from sim.experiment.files import RunError

BASE = "spring-festival-2026"


@dataclass(frozen=True)
class Said:
    status: int
    out: str
    err: str


def springpeak_says(*arguments: str) -> Said:
    result = CliRunner().invoke(springpeak.app, list(arguments), env={"COLUMNS": "200"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Said(result.exit_code, result.stdout, result.stderr)


def test_list_names_scenarios_and_overlays() -> None:
    said = springpeak_says("scenarios", "list")
    assert said.status == 0
    for name in (BASE, "spring-festival-2027", "surge-20", "strict-terms"):
        assert name in said.out


def test_check_says_that_a_scenario_is_right() -> None:
    said = springpeak_says("scenarios", "check", BASE, "--overlay", "surge-20")
    assert said.status == 0
    assert said.out.startswith(f"{BASE}+surge-20 is right: ")


def test_show_prints_values_with_source_and_origin() -> None:
    said = springpeak_says(
        "scenarios", "show", BASE, "--overlay", "surge-20", "--set", "demand.common_day_cv=0.2",
        "--under", "demand",
    )  # fmt: skip
    assert said.status == 0
    assert "demand.orders_multiple = 1.2  # A: 1.1/1.2/1.4" in said.out
    assert "[surge-20.toml]" in said.out
    assert "demand.common_day_cv = 0.2  # no source [--set]" in said.out
    assert "[spring-festival-2026.toml]" in said.out
    assert "support." not in said.out


def test_diff_prints_the_keys_that_differ() -> None:
    said = springpeak_says("scenarios", "diff", BASE, f"{BASE}+surge-20")
    assert said.status == 1
    assert "demand.orders_multiple" in said.out
    assert said.out.count("│") == 4, "one row"
    assert springpeak_says("scenarios", "diff", BASE, BASE).out == "no difference\n"


def test_schema_is_json() -> None:
    said = springpeak_says("scenarios", "schema")
    assert json.loads(said.out)["properties"]["calendar"]["properties"]["year"]["default"] == 2026


@pytest.mark.parametrize(
    "command", [("run", "--replications", "1", "--out", "there"), ("scenarios", "check")]
)
def test_bad_input_is_refused_before_anything_is_written(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / "mine.toml"
    mine.write_text(f'extends = "{BASE}"\n[support]\nattendence_ratio = 0.9\ngrowth = "up"\n')
    said = springpeak_says(
        *command, str(mine), "--overlay", "snowstrom", "--set", "demand.orders_multiple=-1"
    )
    assert said.status == 2
    assert said.out == ""
    assert said.err.splitlines() == [
        "--set: demand.orders_multiple = -1: should be greater than or equal to 0 (a number from 0 "
        "to 1000: Factor on all orders (multiple); the lever of a demand surge.)",
        f"{mine}:3: support.attendence_ratio = 0.9: unknown key (did you mean attendance_ratio?)",
        f"{mine}:4: support.growth = \"up\": should be 'to' or 'by' (one of to, by: Whether the "
        "programme grew to this headcount or by it.)",
        "snowstrom: no overlay of this name (did you mean snowstorm?)",
        "4 problems; nothing was written",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["mine.toml"]


def test_on_a_terminal_problems_are_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    said = springpeak_says("scenarios", "check", BASE, "--set", "demand.orders_multiple=-1")
    assert said.status == 2
    assert "what would be right" in said.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", BASE, "--precision", "200%"),
        ("run", BASE, "--precision", "two"),
        ("run", BASE, "--replications", "0"),
        ("run", BASE, "--replications", "3", "--precision", "2%"),
        ("run", BASE, "--days=6..1"),
        ("run", BASE, "--days=first"),
        ("run", BASE, "--workers", "0"),
        ("run", BASE, "--colour"),
        ("run",),
        ("report", "no/such/run"),
        ("compare", "no/such/run", "no/such/run"),
    ],
)
def test_wrong_arguments_end_with_status_2(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert springpeak_says(*arguments).status == 2
    assert not list(tmp_path.iterdir())


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Replaces the simulation; what it was asked for is listed here."""
    asked: list[dict[str, Any]] = []

    def run(scenario: Any, **options: Any) -> run_module.RunResult:
        options.pop("progress")(1, 3)
        asked.append({"scenario": scenario.name, **options})
        out = options["out"] or Path("results/x")
        stopped = scenario.name.endswith("+surge-20") and options["seed"] == 2
        return run_module.RunResult(
            path=out, finished_count=2 if stopped else 3, planned_count=3, interrupted=stopped
        )

    monkeypatch.setattr(run_module, "run", run)
    return asked


def test_run_hands_on_what_was_asked(calls: list[dict[str, Any]]) -> None:
    said = springpeak_says(
        "run", BASE, "--overlay", "surge-20", "--precision", "2%", "--seed", "7", "--workers", "2",
        "--days=-2..6", "--out", "there", "--resume",
    )  # fmt: skip
    assert said.status == 0, said
    assert calls == [
        {
            "scenario": f"{BASE}+surge-20",
            "replications": None,
            "precision_ratio": 0.02,
            "seed": 7,
            "workers": 2,
            "out": Path("there"),
            "days": (-2, 6),
            "resume": True,
            "contents": ALL,
            "copy_to": None,
            "executor": None,
        }
    ]
    assert "springpeak report there" in said.out


def test_an_interrupted_run_says_how_to_go_on(calls: list[dict[str, Any]]) -> None:
    said = springpeak_says("run", BASE, "--days=1", "--overlay", "surge-20", "--seed", "2")
    assert calls[0]["days"] == (1, 1)
    assert calls[0]["replications"] == 12
    assert said.status == 130
    assert "2 replications" in said.out
    assert "interrupted, 1 missing" in said.out
    assert "--resume" in said.out


def test_a_run_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: Any, **__: Any) -> None:
        raise RunError("there is not empty: go on with --resume or choose another --out")

    monkeypatch.setattr(run_module, "run", run)
    said = springpeak_says("run", BASE)
    assert said.status == 2
    assert "not empty" in said.err


def test_version() -> None:
    assert springpeak_says("--version").out.strip().count(".") == 2
