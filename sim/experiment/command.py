"""`springpeak run`, and what every command that simulates shares."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn
from rich.table import Table

from scenarios.command import (
    INTERRUPTED,
    Overlays,
    ScenarioName,
    Sets,
    leave,
    resolve,
    stderr,
    stdout,
)

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from scenarios.scenario import Scenario
    from sim.experiment.runner import RunResult


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
OutOrUrl = Annotated[
    str | None,
    typer.Option(
        "--out",
        metavar="PATH|URL",
        help="Run directory (else results/<scenario, fingerprint, seed>); "
        "a URL, e.g. s3://bucket/run, gets a copy of it while it grows.",
    ),
]
ClusterAddress = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS|local",
        help="Dask scheduler whose workers simulate, e.g. tcp://scheduler:8786; "
        "local starts one here with --workers processes.",
    ),
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
        said = f"{text} is not a precision such as 2% or 0.02"
        raise typer.BadParameter(said, param_hint="--precision")
    return value


def span(text: str | None) -> tuple[int, int] | None:
    """Lunar days from "-2..6" or "3"."""
    if text is None:
        return None
    first, _, last = text.partition("..")
    try:
        found = int(first), int(last or first)
    except ValueError:
        said = f"{text} is not a span of lunar days such as -2..6"
        raise typer.BadParameter(said, param_hint="--days") from None
    if found[0] > found[1]:
        raise typer.BadParameter(f"{text} ends before it begins", param_hint="--days")
    return found


def place(out: str | None) -> tuple[Path | None, str | None]:
    """What --out says: a local path, or a URL; None for what is not given."""
    if out is None:
        return None, None
    return (None, out) if "://" in out else (Path(out), None)


def run(
    scenario: ScenarioName,
    overlay: Overlays = None,
    sets: Sets = None,
    replications: Replications = None,
    precision: Annotated[
        str | None,
        typer.Option(
            metavar="RATIO",
            help="Go on until contacts, payouts and service levels are known to within this, e.g. "
            "2% (95 % interval), instead.",
        ),
    ] = None,
    seed: Seed = 1,
    workers: Workers = None,
    days: Annotated[
        str | None,
        typer.Option(metavar="FIRST..LAST", help="Lunar days, 0 = 正月初一, e.g. --days=-2..6."),
    ] = None,
    out: OutOrUrl = None,
    cluster: ClusterAddress = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a stopped run.")] = False,
    input_uncertainty: Annotated[
        int | None,
        typer.Option(
            min=2,
            metavar="DRAWS",
            help="Run again on so many draws (a fit has 100) of the fitted parameters.",
        ),
    ] = None,
) -> None:
    """Simulate a scenario and write a run directory."""
    from sim.experiment.inputs import drawn_settings

    precision_ratio, within = _precision_ratio(precision), span(days)
    if replications and precision:
        raise typer.BadParameter("give --replications or --precision, not both")
    if input_uncertainty and (precision or replications == 1):
        raise typer.BadParameter("--input-uncertainty needs --replications, at least 2")
    with run_errors():
        drawn = drawn_settings(overlay or (), input_uncertainty) if input_uncertainty else []
    resolved, (path, url) = resolve(scenario, overlay, sets).scenario, place(out)
    with on_cluster(cluster, workers) as (count, executor):
        result = simulate(
            resolved,
            replications=replications,
            precision_ratio=precision_ratio,
            seed=seed,
            workers=count,
            days=within,
            out=path,
            copy_to=url,
            resume=resume,
            executor=executor,
        )
        if drawn:
            own = [text.partition("=")[0].strip() for text in sets or ()]
            kept = [[s for s in one if s.partition("=")[0] not in own] for one in drawn]
            scenarios = [resolve(scenario, overlay, [*one, *(sets or ())]).scenario for one in kept]
            _input_uncertainty(
                scenarios, result, seed=seed, workers=count, days=within, resume=resume,
                executor=executor,
            )  # fmt: skip
    typer.echo(f"springpeak report {result.path}  writes the report")


def _input_uncertainty(
    scenarios: "list[Scenario]",
    result: "RunResult",
    *,
    seed: int,
    workers: int,
    days: tuple[int, int] | None,
    resume: bool,
    executor: "Executor | None",
) -> None:
    """Run every draw below the run's directory, and split each metric's error in two."""
    from sim.experiment.inputs import FILE_NAME, FOLDER, split_all
    from sim.experiment.rundir import RunDirectory

    runs = []
    for number, scenario in enumerate(scenarios):
        drawn = simulate(
            scenario,
            replications=result.finished_count,
            precision_ratio=None,
            seed=seed,
            workers=workers,
            days=days,
            out=result.path / FOLDER / str(number),
            resume=True,
            asked_resume=resume,
            executor=executor,
        )
        runs.append(RunDirectory(drawn.path).metrics())
    found = split_all(runs)
    said = {name: asdict(one) for name, one in found.items()}
    document = {"draws": len(runs), "replications": result.finished_count, "metrics": said}
    RunDirectory(result.path).write_text(FILE_NAME, json.dumps(document, indent=1) + "\n")
    with run_errors():
        result.copy()
    table = Table("metric", "mean", "simulation error", "input error", "95 % of both")
    for name, one in found.items():
        errors = (_plain(one.simulation_error), _plain(one.input_error))
        table.add_row(name, _plain(one.mean), *errors, f"{_plain(one.low)} to {_plain(one.high)}")
    stdout().print(table)


def _plain(value: float) -> str:
    """A number whose unit its name says, never in powers of ten."""
    return f"{value:,.0f}" if abs(value) >= 1000.0 else f"{value:.4g}"


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
    copy_to: str | None = None,
    only_payouts: bool = False,
    asked_resume: bool | None = None,
    executor: "Executor | None" = None,
) -> "RunResult":
    """Run with a progress bar and say how it ended. Leaves the command if it was interrupted.

    `asked_resume`: whether the command that was given goes on, where that is not `resume`.
    """
    from sim.experiment.contents import ALL, PAYOUT
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
            copy_to=copy_to,
            days=days,
            resume=resume,
            contents=PAYOUT if only_payouts else ALL,
            executor=executor,
            progress=lambda done, planned: progress.update(task, completed=done, total=planned),
        )
    copied = f", copied to {copy_to}" if copy_to else ""
    typer.echo(f"{result.finished_count} replications of {scenario.name} in {result.path}{copied}")
    if result.precision_missed:
        typer.echo("the precision asked for was not reached: more replications are not tried")
    if result.interrupted:
        missing_count = result.planned_count - result.finished_count
        goes_on = resume if asked_resume is None else asked_resume
        again = "the same command" if goes_on else "the same command with --resume"
        typer.echo(f"interrupted, {missing_count} missing: {again} goes on")
        raise typer.Exit(INTERRUPTED)
    return result


@contextmanager
def on_cluster(
    address: str | None, workers: int | None
) -> Iterator[tuple[int, "Executor | None"]]:
    """How many workers there are, and the executor that they stand behind: None without --cluster,
    because a run then has processes of its own."""
    from sim.experiment.files import RunError

    if workers is not None and address not in (None, "local"):
        raise typer.BadParameter(f"--workers: {address} has its own; they go with --cluster local")
    workers = workers or os.cpu_count() or 1
    if address is None:
        yield workers, None
        return
    with run_errors():
        try:
            from sim.experiment.cluster import cluster
        except ModuleNotFoundError as error:
            raise RunError(
                f"--cluster {address} needs Dask, there is no {error.name} here: "
                "pip install springpeak[cluster]"
            ) from None
        with cluster(address, workers=workers, say=stderr().print) as found:
            yield found.workers_count, found


@contextmanager
def run_errors() -> Iterator[None]:
    """Print why a run cannot start, go on or be read, and leave with the status of wrong input."""
    from sim.experiment.files import RunError

    try:
        yield
    except RunError as error:
        said = str(error)
    except BrokenPipeError:
        raise  # Nobody listens any more, so there is nobody to tell.
    except OSError as error:
        if error.filename is None:
            raise
        said = f"{error.filename} cannot be read or written: {error.strerror}"
    else:
        return
    leave(said)
