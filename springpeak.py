"""The front door: the `springpeak` command. It parses, calls, and prints; nothing is decided here.

Commands stand beside what they call, in a `command.py`; here they get their names. What they call
is imported inside each command, so that a command loads only what it needs.
Exit status: 0 done, 1 scenarios differ (diff), 2 wrong input, 130 interrupted.
"""

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from loadtests import command as loadtests
from loadtests.audit.command import audit
from loadtests.capacity.command import capacity
from loadtests.drill.command import drill
from loadtests.guarantee_api import command as guarantee_api
from loadtests.traffic import command as traffic
from reports.backtest.command import backtest
from reports.command import Lang, report, write_replay, write_run
from reports.language import say, speaking
from reports.ledger.command import ledger
from reports.payout.command import payout
from reports.staffing.command import staff
from reports.study.command import study
from reports.whatif.command import ui
from reports.workbook.command import workbook
from scenarios import command as scenarios
from scenarios.command import BASE, resolve, stderr, stdout
from sim.experiment import command as experiment
from sim.experiment.command import Out, Replications, RunPath, Seed, Workers, run_errors, simulate
from sim.fit import command as fit
from sim.theory.command import theory

if TYPE_CHECKING:
    from sim.experiment.compare import PairedDifference

app = typer.Typer(
    help="Simulates a Spring Festival guarantee programme: do the agents and the budgets hold?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(scenarios.app, name="scenarios", no_args_is_help=True)
app.command()(experiment.run)
app.command()(report)
app.command()(payout)
app.command()(ledger)
app.command()(workbook)
app.command()(staff)
app.command()(study)
app.command()(ui)
app.command()(loadtests.replay)
app.command()(loadtests.replay_worker)
app.command()(guarantee_api.serve)
app.command()(guarantee_api.token)
app.command()(guarantee_api.tokens)
app.command()(guarantee_api.proxy)
app.add_typer(fit.app, name="fit", no_args_is_help=True)
app.command()(backtest)
app.add_typer(theory, name="theory", no_args_is_help=True)
app.command()(audit)
app.command()(drill)
app.command()(capacity)
app.add_typer(traffic.app, name="trace", no_args_is_help=True)


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


@app.command()
def compare(run_a: RunPath, run_b: RunPath) -> None:
    """Print what differs between two runs, second less first, replication by replication."""
    from sim.experiment.compare import compare as compare_runs
    from sim.experiment.rundir import RunDirectory

    with run_errors():
        differences = compare_runs(run_a, run_b)
        counts = [len(RunDirectory(run).metrics()) for run in (run_a, run_b)]
    heads = ("metric", str(run_a), str(run_b), "difference", "95 % interval", "n", "clear of 0")
    table = Table(*heads)
    for one in differences:
        table.add_row(*_difference_row(one))
    stdout().print(table)
    if counts[0] != counts[1]:
        typer.echo(
            f"{run_a} has {counts[0]} replications, {run_b} has {counts[1]}: means and differences "
            "are over the n that both have"
        )


@app.command()
def peak(
    replications: Replications = None,
    seed: Seed = 1,
    workers: Workers = None,
    out: Out = None,
    lang: Lang = "en",
) -> None:
    """Simulate Spring Festival 2026 for the whole country, load the guarantee API with its busiest
    ten minutes, audit it, report everything, and say what came out.

    A second call goes on from what is there, and only reports when everything is.
    """
    result = simulate(
        resolve(BASE, None, None).scenario,
        replications=replications,
        precision_ratio=None,
        seed=seed,
        workers=workers,
        days=None,
        out=out,
        resume=True,
    )
    with speaking(lang):
        _load_api(result.path)
        _say_staffing(result.path)
        _say_payout(result.path)
        write_run(result.path)  # last: it has what the others left in the run


def _load_api(run_path: Path) -> None:
    """Send the run's busiest minutes to the reference API, once; what came out is in the report."""
    from loadtests.audit.judge import AuditError
    from loadtests.drill.load import LoadError
    from loadtests.drill.member import ServiceFailed
    from loadtests.drill.peak import FOLDER, at_peak
    from loadtests.trace import TraceError

    try:
        with stderr().status("the guarantee API at the peak") as status:
            at_peak(run_path, status.update)
    except (AuditError, LoadError, ServiceFailed, TraceError) as error:
        typer.echo(f"the guarantee API was not loaded: {error}", err=True)
        return
    journal = run_path / FOLDER / "journal"
    if journal.exists():
        write_replay(journal)


def _say_staffing(run_path: Path) -> None:
    """Print what the run's roster holds and what theory makes of the run's contacts."""
    from reports.cells import Book
    from reports.staffing.words import quick as in_words
    from sim.staffing.quick import quick

    with stderr().status("heads needed"):
        quick(run_path, resolve(BASE, None, None).scenario)
    said = in_words(Book(run_path))
    assert said is not None, "kept just before"
    typer.echo(f"{said.striptags()}.".replace("\xa0", " "))


def _say_payout(run_path: Path) -> None:
    """Write the payout tables and their page, print what to book and what to fund."""
    from reports.payout.page import write
    from reports.payout.words import sentences
    from sim.payout.frames import write as write_tables
    from sim.payout.seasons import Seasons
    from sim.payout.tables import tables

    with run_errors():
        found = tables(Seasons(run_path), budgets_fen={}, asked_level=None)
    write_tables(run_path, found)
    for sentence in sentences(found):
        typer.echo(sentence)
    typer.echo(say("payout: {path}", path=write(run_path, run_path, found)))


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


if __name__ == "__main__":
    main()
