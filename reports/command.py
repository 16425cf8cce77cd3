"""`springpeak report`: it parses, has the page written, and says what the page answers."""

from pathlib import Path
from typing import Annotated

import typer

from reports.language import Language, say, speaking
from sim.experiment.command import run_errors

Lang = Annotated[Language, typer.Option("--lang", help="Language of what is written: en or zh.")]


def report(
    run_paths: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="Run directories, or a replay's folder.")
    ],
    *,
    lang: Lang = "en",
) -> None:
    """Write report.html into a run directory, or into the folder of a replay.

    Several runs: comparison.html in the last one's directory, every run against the first.
    """
    from loadtests.unfinished import AT_WORK, is_there

    with speaking(lang):
        if len(run_paths) > 1:
            write_comparison(run_paths)
        elif is_there(run_paths[0]):
            raise typer.BadParameter(f"{run_paths[0]}: {AT_WORK}")
        elif (run_paths[0] / "journal.parquet").is_file():
            write_replay(run_paths[0])
        else:
            write_run(run_paths[0])


def write_comparison(run_paths: list[Path]) -> None:
    """Write the comparison of runs and say where it is."""
    from reports.comparison import write

    with run_errors():
        path = write(run_paths)
    typer.echo(say("comparison: {path}", path=path))


def write_run(run_path: Path) -> None:
    """Write the report, print its answers and where it is."""
    from reports.answers import cards
    from reports.cells import Book
    from reports.page import write

    with run_errors():
        path = write(run_path)
    for card in cards(Book(run_path)):
        said = (card.question, card.answer, card.sentence)
        question, answer, sentence = (one.striptags().replace("\xa0", " ") for one in said)
        typer.echo(f"{question} {answer}: {sentence}")
    typer.echo(say("report: {path}", path=path))


def write_replay(folder: Path) -> None:
    """Write the report of a replay and say where it is."""
    from loadtests.journal import JournalError
    from reports.replay.page import write

    try:
        typer.echo(say("report: {path}", path=write(folder)))
    except (OSError, JournalError) as error:
        raise typer.BadParameter(str(error)) from None
