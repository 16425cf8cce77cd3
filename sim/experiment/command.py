"""`springpeak run`, and what every command that simulates shares."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

from scenarios.command import WRONG_INPUT, Overlays, ScenarioName, Sets, resolve, stderr

if TYPE_CHECKING:
    from scenarios.scenario import Scenario
    from sim.experiment.runner import RunResult

INTERRUPTED: Final = 130

Replications = Annotated[
    int | None, typer.Option(min=1, help="How many replications (12 if not given).")
]
Seed = Annotated[int, typer.Option(min=0, help="Root seed; equal seeds give paired runs.")]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Worker processes (one a core if not given).")
]
Out = Annotated[
    Path | None, typer.Option(help="Run directory (else results/<scenario, fingerprint, seed>).")
]
RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")]


def _precision_ratio(text: str | None) -> float | None:
    """A ratio from "2%" or "0.02"."""
    if text is None:
        return None
    try:
        value = float(text.removesuffix("%")) / (100.0 if text.endswith("%") else 1.0)
    except ValueError:
        value = -1.0
    if not 0.0 < value < 1.0:
        raise typer.BadParameter(f"{text} is not a precision such as 2% or 0.02")
    return value


def span(text: str | None) -> tuple[int, int] | None:
    """Lunar days from "-2..6" or "3"."""
    if text is None:
        return None
    first, _, last = text.partition("..")
    try:
        found = int(first), int(last or first)
    except ValueError:
        raise typer.BadParameter(f"{text} is not a span of lunar days such as -2..6") from None
    if found[0] > found[1]:
        raise typer.BadParameter(f"{text} ends before it begins")
    return found


def run(
    scenario: ScenarioName,
    overlay: Overlays = None,
    sets: Sets = None,
    replications: Replications = None,
    precision: Annotated[
        str | None,
        typer.Option(metavar="RATIO", help="Stop at this half-width instead, e.g. 2%."),
    ] = None,
    seed: Seed = 1,
    workers: Workers = None,
    days: Annotated[
        str | None,
        typer.Option(metavar="FIRST..LAST", help="Lunar days, 0 = 正月初一, e.g. --days=-2..6."),
    ] = None,
    out: Out = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a stopped run.")] = False,
) -> None:
    """Simulate a scenario and write a run directory."""
    precision_ratio, within = _precision_ratio(precision), span(days)
    if replications and precision:
        raise typer.BadParameter("give --replications or --precision, not both")
    result = simulate(
        resolve(scenario, overlay, sets).scenario,
        replications=replications,
        precision_ratio=precision_ratio,
        seed=seed,
        workers=workers,
        days=within,
        out=out,
        resume=resume,
    )
    typer.echo(f"springpeak report {result.path}  writes the report")


def simulate(
    scenario: "Scenario",
    *,
    replications: int | None,
    precision_ratio: float | None,
    seed: int,
    workers: int | None,
    days: tuple[int, int] | None,
    out: Path | None,
    resume: bool,
) -> "RunResult":
    """Run with a progress bar and say how it ended. Leaves the command if it was interrupted."""
    from sim.experiment.runner import run as run_replications

    if replications is None and precision_ratio is None:
        replications = 12
    columns = (*Progress.get_default_columns(), MofNCompleteColumn(), TimeElapsedColumn())
    with run_errors(), Progress(*columns, console=stderr()) as progress:
        task = progress.add_task(scenario.name, total=replications)
        result = run_replications(
            scenario,
            replications=replications,
            precision_ratio=precision_ratio,
            seed=seed,
            workers=workers or os.cpu_count() or 1,
            out=out,
            days=days,
            resume=resume,
            progress=lambda done, planned: progress.update(task, completed=done, total=planned),
        )
    typer.echo(f"{result.finished_count} replications of {scenario.name} in {result.path}")
    if result.interrupted:
        missing_count = result.planned_count - result.finished_count
        again = "the same command" if resume else "the same command with --resume"
        typer.echo(f"interrupted, {missing_count} missing: {again} goes on")
        raise typer.Exit(INTERRUPTED)
    return result


@contextmanager
def run_errors() -> Iterator[None]:
    """Print why a run cannot start, go on or be read, and leave with the status of wrong input."""
    from sim.experiment.rundir import RunError

    try:
        yield
    except RunError as error:
        stderr().print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(WRONG_INPUT) from None
