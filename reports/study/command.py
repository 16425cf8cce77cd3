"""`springpeak study`: many points of a design, and what explains their outcomes.

It parses, calls sim/study and the page, and prints; nothing is decided here.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import MofNCompleteColumn, Progress, TaskID, TimeElapsedColumn

from reports.command import Lang
from reports.language import say, speaking
from scenarios.command import INTERRUPTED, Sets, refuse, stderr
from sim.experiment.command import (
    ClusterAddress,
    Out,
    Workers,
    on_cluster,
    run_errors,
)


def study(
    target: Annotated[
        str,
        typer.Argument(
            metavar="STUDY|FOLDER",
            help="A study file, a shipped study's name, or the folder of a study that was run.",
        ),
    ],
    sets: Sets = None,
    workers: Workers = None,
    out: Out = None,
    cluster: ClusterAddress = None,
    lang: Lang = "en",
) -> None:
    """Simulate a design over assumptions, scenarios and decisions: main effects, interactions,
    Sobol' indices, and the frontier of cost against service.

    Calling again goes on from what is there; a folder is explained again as it is.
    """
    from scenarios.problems import ScenarioProblems
    from sim.study.asked import read_study
    from sim.study.run import run

    if Path(target).is_dir():
        if sets or out:
            raise typer.BadParameter(f"{target} is a folder: --set and --out fit a study file")
        _explain(Path(target), lang)
        return
    try:
        asked = read_study(target, sets=sets or ())
        places = on_cluster(cluster, workers)
        with places as (count, executor), _progress() as report, run_errors():
            conducted = run(asked, path=out, workers=count, executor=executor, report=report)
    except ScenarioProblems as error:
        refuse(error.problems)
    except KeyboardInterrupt:
        typer.echo("interrupted before the first point: the same command goes on")
        raise typer.Exit(INTERRUPTED) from None
    counts = f"{conducted.finished_count} of {conducted.planned_count}"
    typer.echo(f"{counts} seasons of {conducted.path.name} in {conducted.path}")
    if conducted.interrupted:
        typer.echo("interrupted, the rest is missing: the same command goes on")
        raise typer.Exit(INTERRUPTED)
    _explain(conducted.path, lang)


def _explain(folder: Path, lang: Lang) -> None:
    """Compute and write every table and the page, and print its answers."""
    from reports.study.page import sentences, write
    from sim.payout.frames import write as write_tables
    from sim.study.dataset import read
    from sim.study.tables import tables

    with run_errors(), speaking(lang):
        dataset = read(folder)
        found = tables(dataset)
        write_tables(folder, found)
        if dataset.widest is not None:
            found["study_widest"] = dataset.widest
        page = write(folder, found)
        for sentence in sentences(found):
            typer.echo(sentence)
        files = f"{folder}/study_*.parquet, .csv"
        typer.echo(say("page: {page}; tables: {files}", page=page, files=files))


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each part of the work."""
    columns = (*Progress.get_default_columns(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=stderr()) as progress:
        bars: dict[str, TaskID] = {}

        def report(what: str, finished: int, planned: int) -> None:
            if what not in bars:
                bars[what] = progress.add_task(what, total=planned)
            progress.update(bars[what], completed=finished, total=planned)

        yield report
