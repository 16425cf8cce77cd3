"""`springpeak report`: it parses, has the page written, and says what the page answers."""

from pathlib import Path
from typing import Annotated

import typer

from reports.language import Language, speaking
from sim.experiment.command import RunPath, run_errors

Lang = Annotated[Language, typer.Option("--lang", help="Language of what is written: en or zh.")]


def report(run_path: RunPath, *, lang: Lang = "en") -> None:
    """Write report.html into a run directory, or into the folder of a replay."""
    with speaking(lang):
        if (run_path / "journal.parquet").is_file():
            write_replay(run_path)
        else:
            write_run(run_path)


def write_run(run_path: Path) -> None:
    """Write the report, print its answers and where it is."""
    from reports.answers import cards
    from reports.cells import Book
    from reports.page import write

    with run_errors():
        path = write(run_path)
    for card in cards(Book(run_path)):
        sentence = f"{card.answer.striptags()}: {card.sentence.striptags()}"
        typer.echo(f"{card.question.striptags()} {sentence}".replace("\xa0", " "))
    typer.echo(f"report: {path}")


def write_replay(folder: Path) -> None:
    """Write the report of a replay and say where it is."""
    from loadtests.journal import JournalError
    from reports.replay.page import write

    try:
        typer.echo(f"report: {write(folder)}")
    except (OSError, JournalError) as error:
        raise typer.BadParameter(str(error)) from None
