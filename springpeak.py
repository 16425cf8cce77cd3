"""The front door: the `springpeak` command. It parses, calls, and prints; nothing is decided here.

What it calls is imported inside each command, so that a command loads only what it needs.
Exit status: 0 done, 1 scenarios differ (diff), 2 wrong input, 130 interrupted.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn
from rich.table import Table

from loadtests.guarantee_api import command as guarantee_api
from sim.theory.command import theory

if TYPE_CHECKING:
    from scenarios.loader import Resolved
    from scenarios.problems import Problem
    from scenarios.scenario import Scenario
    from sim.experiment.compare import PairedDifference
    from sim.experiment.runner import RunResult

BASE: Final = "spring-festival-2026"
WRONG_INPUT: Final = 2
INTERRUPTED: Final = 130

app = typer.Typer(
    help="Simulates a Spring Festival guarantee programme: do the agents and the budgets hold?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
scenarios_app = typer.Typer(help="What is assumed: look at, check and compare scenarios.")
app.command()(guarantee_api.serve)
app.command()(guarantee_api.token)
app.add_typer(scenarios_app, name="scenarios", no_args_is_help=True)
app.add_typer(theory, name="theory", no_args_is_help=True)

ScenarioName = Annotated[
    str, typer.Argument(metavar="SCENARIO", help="A shipped scenario's name, or a TOML file.")
]
Overlays = Annotated[
    list[str] | None,
    typer.Option("--overlay", metavar="NAME", help="Lay this overlay on top; repeatable."),
]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Set one key, in TOML; repeatable."),
]
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


def main() -> None:
    """The console command."""
    app()


@app.callback(invoke_without_command=True)
def front(
    *, show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False
) -> None:
    """Simulates a Spring Festival guarantee programme: do the agents and the budgets hold?"""
    if show_version:
        typer.echo(version("springpeak"))


@scenarios_app.command("list")
def list_scenarios() -> None:
    """List the scenarios and overlays that come with springpeak."""
    from scenarios.loader import SHIPPED, names

    table = Table("kind", "name", "what it stands for")
    for kind, folder in (("scenario", SHIPPED), ("overlay", SHIPPED / "overlays")):
        for name, description in names(folder).items():
            table.add_row(kind, name, description)
    _stdout().print(table)


@scenarios_app.command()
def show(
    scenario: ScenarioName,
    overlay: Overlays = None,
    sets: Sets = None,
    under: Annotated[str, typer.Option(help="Only this key and what is below it.")] = "",
) -> None:
    """Print every value of a resolved scenario, with its source and the file it comes from."""
    from scenarios.overlays import leaves
    from scenarios.problems import shorten

    resolved = _resolve(scenario, overlay, sets)
    for path, value in leaves(resolved.values):
        if under and not f"{path}.".startswith(f"{under}."):
            continue
        layer = resolved.origin(path)
        source = layer.source(path) if layer else None
        said = f"{source or 'no source'} [{layer.label}]" if layer else "solved from the others"
        typer.echo(f"{path} = {shorten(value, length=200)}  # {said}")


@scenarios_app.command()
def check(scenario: ScenarioName, overlay: Overlays = None, sets: Sets = None) -> None:
    """Say whether a scenario is right, and if not, everything that is wrong with it."""
    from scenarios.overlays import leaves

    resolved = _resolve(scenario, overlay, sets)
    keys_count = sum(1 for _ in leaves(resolved.values))
    fingerprint = resolved.scenario.fingerprint
    typer.echo(f"{resolved.scenario.name} is right: {keys_count} keys, fingerprint {fingerprint}")


@scenarios_app.command()
def diff(
    first: Annotated[str, typer.Argument(metavar="A", help="NAME, or NAME+OVERLAY+...")],
    second: Annotated[str, typer.Argument(metavar="B", help="NAME, or NAME+OVERLAY+...")],
) -> None:
    """Print the keys in which two scenarios differ; exit status 1 if there are any."""
    from scenarios.overlays import leaves
    from scenarios.problems import shorten

    sides = [_resolve(*_with_overlays(text)) for text in (first, second)]
    before, after = (dict(leaves(side.values)) for side in sides)
    table = Table("key", first, second)
    for path in [*before, *(path for path in after if path not in before)]:
        said = [shorten(side[path]) if path in side else "-" for side in (before, after)]
        if before.get(path) != after.get(path) and path not in ("name", "description"):
            table.add_row(path, *said)
    if table.row_count:
        _stdout().print(table)
        raise typer.Exit(1)
    typer.echo("no difference")


@scenarios_app.command()
def schema() -> None:
    """Print the JSON schema: each key's meaning, range, default in the base and its source."""
    from scenarios.loader import SHIPPED, read, shipped

    base = read(SHIPPED / f"{BASE}.toml", [])
    assert base is not None, "the shipped base is held by the tests"
    document = shipped().schema.document(base)
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2, default=str))


def _precision(text: str | None) -> float | None:
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


def _days(text: str | None) -> tuple[int, int] | None:
    """Lunar days from "-2..6" or "3"."""
    if text is None:
        return None
    first, _, last = text.partition("..")
    try:
        span = int(first), int(last or first)
    except ValueError:
        raise typer.BadParameter(f"{text} is not a span of lunar days such as -2..6") from None
    if span[0] > span[1]:
        raise typer.BadParameter(f"{text} ends before it begins")
    return span


@app.command()
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
    precision_ratio, span = _precision(precision), _days(days)
    if replications and precision:
        raise typer.BadParameter("give --replications or --precision, not both")
    result = _simulate(
        _resolve(scenario, overlay, sets).scenario,
        replications=replications,
        precision_ratio=precision_ratio,
        seed=seed,
        workers=workers,
        days=span,
        out=out,
        resume=resume,
    )
    typer.echo(f"springpeak report {result.path}  writes the report")


@app.command()
def compare(run_a: RunPath, run_b: RunPath) -> None:
    """Print what differs between two runs, second less first, replication by replication."""
    from sim.experiment.compare import compare as compare_runs

    with _run_errors():
        differences = compare_runs(run_a, run_b)
    heads = ("metric", str(run_a), str(run_b), "difference", "95 % interval", "n", "clear of 0")
    table = Table(*heads)
    for one in differences:
        table.add_row(*_difference_row(one))
    _stdout().print(table)


@app.command()
def report(run_path: RunPath) -> None:
    """Write report.html into a run directory."""
    _write_report(run_path)


@app.command()
def peak(
    replications: Replications = None,
    seed: Seed = 1,
    workers: Workers = None,
    out: Out = None,
) -> None:
    """Simulate Spring Festival 2026 for the whole country, report it, and say what came out.

    A second call goes on from what is there, and only reports when everything is.
    """
    result = _simulate(
        _resolve(BASE, None, None).scenario,
        replications=replications,
        precision_ratio=None,
        seed=seed,
        workers=workers,
        days=None,
        out=out,
        resume=True,
    )
    _write_report(result.path)


def _resolve(
    name: str, overlays: list[str] | None, sets: list[str] | None
) -> "Resolved[Scenario]":
    """The scenario with its layers, or a refusal with all that is wrong."""
    from scenarios.loader import shipped
    from scenarios.problems import ScenarioProblems

    try:
        return shipped().resolve(name, overlays=overlays or (), sets=sets or ())
    except ScenarioProblems as error:
        _refuse(error.problems)


def _with_overlays(text: str) -> tuple[str, list[str] | None, None]:
    """A scenario and its overlays from NAME+OVERLAY+...; a path is a path."""
    if text.endswith(".toml"):
        return text, None, None
    name, *overlays = text.split("+")
    return name, overlays, None


def _simulate(
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
    with _run_errors(), Progress(*columns, console=_stderr()) as progress:
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


def _write_report(run_path: Path) -> None:
    """Write the report, print its answers and where it is."""
    from reports.answers import cards
    from reports.cells import Book
    from reports.page import write
    from sim.experiment.rundir import RunDirectory

    with _run_errors():
        RunDirectory(run_path).manifest()
    path = write(run_path)
    for card in cards(Book(run_path)):
        sentence = f"{card.answer.striptags()}: {card.sentence.striptags()}"
        typer.echo(f"{card.question.striptags()} {sentence}".replace("\xa0", " "))
    typer.echo(f"report: {path}")


def _difference_row(one: "PairedDifference") -> tuple[str, ...]:
    from reports import style

    form = style.FORMATS[style.format_of_unit(one.unit)]
    # Two shares in percent differ by percentage points.
    apart = style.points if one.unit == "ratio" else form
    interval = "-"
    if one.low is not None and one.high is not None:
        interval = f"{apart(one.low)} to {apart(one.high)}"
    clear = "yes" if one.clear_of_zero else ""
    cells = ((form, one.mean_a), (form, one.mean_b), (apart, one.difference))
    means = ["-" if value is None else said(value) for said, value in cells]
    return (one.metric, *means, interval, str(one.n), clear)


@contextmanager
def _run_errors() -> Iterator[None]:
    """Print why a run cannot start, go on or be read, and leave with the status of wrong input."""
    from sim.experiment.rundir import RunError

    try:
        yield
    except RunError as error:
        _stderr().print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(WRONG_INPUT) from None


def _refuse(problems: "tuple[Problem, ...]") -> NoReturn:
    """A table on a terminal; elsewhere one problem a line, as editors and grep take it."""
    console = _stderr()
    if console.is_terminal:
        table = Table("where", "key", "value", "what is wrong", "what would be right")
        for one in problems:
            table.add_row(one.place, one.path, one.value, one.message, one.hint)
        console.print(table, markup=False)
    else:
        for one in problems:
            typer.echo(str(one), err=True)
    noun = "problem" if len(problems) == 1 else "problems"
    typer.echo(f"{len(problems)} {noun}; nothing was written", err=True)
    raise typer.Exit(WRONG_INPUT)


def _stdout() -> Console:
    """Tables are not squeezed when they go into a file."""
    return Console(width=None if sys.stdout.isatty() else 200)


def _stderr() -> Console:
    return Console(stderr=True)


if __name__ == "__main__":
    main()
