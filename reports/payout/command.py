"""`springpeak payout`: what to book, what to fund, and what moves it.

It parses, calls sim/payout and the page, and prints; nothing is decided here.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

from reports.command import Lang
from reports.folder import usable
from reports.language import say, speaking
from scenarios.command import INTERRUPTED, WRONG_INPUT, Overlays, Sets, refuse, resolve, stderr
from sim.experiment.command import (
    ClusterAddress,
    OutOrUrl,
    Seed,
    Workers,
    on_cluster,
    place,
    run_errors,
    simulate,
    span,
)

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from polars import DataFrame

    from scenarios.scenario import Scenario
    from sim.experiment.runner import RunResult
    from sim.payout.seasons import Seasons

REPLICATIONS: Final = 100
"""Enough for P95 with an interval; P99 takes 368."""
Report = Callable[[int, int], None]


Asked = Annotated[
    str, typer.Argument(metavar="SCENARIO|RUN", help="A scenario to simulate, or a run directory.")
]
Count = Annotated[
    int | None, typer.Option(min=1, help=f"How many ({REPLICATIONS} if not given).")
]
Days = Annotated[
    str | None,
    typer.Option(metavar="FIRST..LAST", help="Lunar days, 0 = 正月初一, e.g. --days=-2..6."),
]
Budgets = Annotated[
    list[str] | None,
    typer.Option(metavar="GUARANTEE=CNY", help="Would this budget, in CNY, hold? Repeatable."),
]
FundAt = Annotated[
    float | None, typer.Option(metavar="LEVEL", help="Also fund at this quantile, 0.5 to below 1.")
]
Movers = Annotated[
    int, typer.Option(min=0, help="How many assumptions to move, widest first; 0 = none.")
]
Keys = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY", help="Move this key's range instead; repeatable."),
]
Bridge = Annotated[
    Path | None, typer.Option(metavar="RUN", help="Explain the difference from this run.")
]
Policies = Annotated[
    list[str] | None,
    typer.Option(metavar="OVERLAY|KEY=VALUE", help="What would this policy change? Repeatable."),
]
SampleCount = Annotated[
    int, typer.Option(min=1, help="Seasons of the smaller world for movers and policies.")
]


def payout(
    target: Asked,
    overlay: Overlays = None,
    sets: Sets = None,
    replications: Count = None,
    seed: Seed = 1,
    workers: Workers = None,
    days: Days = None,
    out: OutOrUrl = None,
    cluster: ClusterAddress = None,
    budget: Budgets = None,
    fund_at: FundAt = None,
    movers: Movers = 10,
    mover: Keys = None,
    bridge: Bridge = None,
    policy: Policies = None,
    sample_replications: SampleCount = 4,
    lang: Lang = "en",
) -> None:
    """Payout distribution, pots, cash, attribution: what to book and what to fund.

    A run directory is read as it is; a scenario is simulated first, and a second call goes on from
    what is there.
    """
    from sim.payout.asked import budgets_fen, check_level

    is_run, (own, url) = Path(target).is_dir(), place(out)
    with _wrong_input():
        budgets = budgets_fen(budget or ())
        if not is_run:
            check_level(fund_at, replications or REPLICATIONS)
        elif overlay or sets or days or url:
            said = "--overlay, --set, --days and a URL fit a scenario"
            raise typer.BadParameter(f"{target} is a run: {said}")
    resolved = None if is_run else resolve(target, overlay, sets).scenario
    with on_cluster(cluster, workers) as (count, executor):
        result = None
        if resolved is not None:
            result = _simulated(
                resolved, replications, seed=seed, workers=count, days=days, out=out,
                executor=executor,
            )  # fmt: skip
        path = result.path if result else Path(target)
        folder = own or path
        with _wrong_input():
            usable(folder)
            tables = _tables(
                _seasons(path, replications, fund_at),
                folder,
                budgets=budgets,
                fund_at=fund_at,
                movers=(movers, mover or []),
                bridge=bridge,
                policies=policy or [],
                sample_replications=sample_replications,
                workers=count,
                executor=executor,
            )
    with speaking(lang), run_errors():
        _say(path, folder, tables)
    if result is not None:
        with run_errors():
            result.copy()


def _simulated(
    scenario: "Scenario",
    replications: int | None,
    *,
    seed: int,
    workers: int,
    days: str | None,
    out: str | None,
    executor: "Executor | None",
) -> "RunResult":
    """The run with the tables of money, gone on with if it is there."""
    own, url = place(out)
    return simulate(
        scenario,
        replications=replications or REPLICATIONS,
        precision_ratio=None,
        seed=seed,
        workers=workers,
        days=span(days),
        out=own,
        copy_to=url,
        resume=True,
        only_payouts=True,
        executor=executor,
    )


def _tables(
    seasons: "Seasons",
    folder: Path,
    *,
    budgets: dict[str, int],
    fund_at: float | None,
    movers: tuple[int, list[str]],
    bridge: Path | None,
    policies: list[str],
    sample_replications: int,
    workers: int,
    executor: "Executor | None",
) -> "dict[str, DataFrame]":
    """Compute and write every table that was asked for."""
    from sim.experiment.executor import worker_pool
    from sim.payout.bridge import bridge as bridge_table
    from sim.payout.frames import write
    from sim.payout.lab import lab
    from sim.payout.movers import movers as chosen
    from sim.payout.seasons import Seasons
    from sim.payout.tables import tables
    from sim.payout.tornado import tornado

    found = tables(seasons, budgets_fen=budgets, asked_level=fund_at)
    if bridge is not None:
        found["payout_bridge"] = bridge_table(Seasons(bridge), seasons)
    moving = chosen(seasons, count=movers[0], asked=movers[1])
    write(folder, found)
    if moving:
        with worker_pool(workers, executor) as pool, _progress("what moves it") as report:
            found["payout_tornado"] = tornado(
                seasons,
                moving,
                replications=sample_replications,
                folder=folder,
                executor=pool,
                report=report,
            )
    if policies:
        with _progress("policies") as report:
            found["payout_lab"] = lab(
                seasons,
                policies,
                replications=sample_replications,
                workers=workers,
                folder=folder,
                executor=executor,
                report=report,
            )
    write(folder, found)
    return found


def _seasons(path: Path, replications: int | None, fund_at: float | None) -> "Seasons":
    """The run's seasons, if they are enough for what was asked."""
    from sim.payout.asked import AskedError, check_level
    from sim.payout.seasons import Seasons

    seasons = Seasons(path)
    if replications is not None and seasons.count < replications:
        raise AskedError(
            [
                f"--replications {replications}: {seasons.path} holds {seasons.count}; "
                "give the scenario instead of the run to simulate more"
            ]
        )
    check_level(fund_at, seasons.count)
    return seasons


def _say(path: Path, folder: Path, tables: "dict[str, DataFrame]") -> None:
    """Print the answers in words and where the files are."""
    from reports.payout.page import write
    from reports.payout.words import sentences

    page = write(path, folder, tables)
    for sentence in sentences(tables):
        typer.echo(sentence)
    files = f"{folder}/payout_*.parquet, .csv"
    typer.echo(say("page: {page}; tables: {files}", page=page, files=files))


@contextmanager
def _progress(name: str) -> Iterator[Report]:
    columns = (*Progress.get_default_columns(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=stderr()) as progress:
        task = progress.add_task(name, total=None)
        yield lambda done, planned: progress.update(task, completed=done, total=planned)


@contextmanager
def _wrong_input() -> Iterator[None]:
    """Status 2 with what is wrong with what was asked, the run or a policy; 130 for Ctrl-C."""
    from scenarios.problems import ScenarioProblems
    from sim.payout.asked import AskedError

    try:
        with run_errors():
            yield
    except KeyboardInterrupt:
        typer.echo("interrupted: what is finished is kept, the same command goes on", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except AskedError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(WRONG_INPUT) from None
    except ScenarioProblems as error:
        refuse(error.problems)
