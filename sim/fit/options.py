"""What the commands that read a log have in common: options, column maps, clocks, refusals."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scenarios.command import leave

if TYPE_CHECKING:
    from sim.fit.instants import Clock
    from sim.fit.logs import Reading

Logs = Annotated[
    list[Path], typer.Argument(metavar="LOG...", help="CSV, gzipped CSV or Parquet files.")
]
Output = Annotated[
    Path, typer.Option("-o", "--output", help="The overlay; a .json is written beside it.")
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="MEANING=NAME",
        help="What a column is called in the log, e.g. caller=phone_number; repeatable.",
    ),
]
Zone = Annotated[
    str | None,
    typer.Option(help="Zone of times without an offset, e.g. Asia/Shanghai (else as written)."),
]
Form = Annotated[
    str | None, typer.Option(help="Format of times, e.g. '%d.%m.%Y %H:%M:%S' (else ISO 8601).")
]
Answered = Annotated[str, typer.Option(help="What outcome says of an answered contact.")]
Abandoned = Annotated[str, typer.Option(help="What outcome says of an abandoned one.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of replays and bootstrap.")]


def reading(
    column: list[str] | None, time_zone: str | None, time_format: str | None, *,
    answered: str, abandoned: str,
) -> "Reading":
    """How a contact log is to be read. Raises LogError for an option that means nothing."""
    from sim.fit.logs import OPTIONAL, REQUIRED, Reading
    from sim.fit.problems import LogError

    if answered == abandoned:
        raise LogError(f"--answered and --abandoned are both {answered!r}: they should differ")
    return Reading(
        columns=mapping(column, (*REQUIRED, *OPTIONAL)),
        clock=clock(time_zone, time_format),
        answered=answered,
        abandoned=abandoned,
    )


def mapping(column: list[str] | None, known: tuple[str, ...]) -> dict[str, str]:
    """Meaning to the log's own name."""
    from sim.fit.problems import LogError

    found = {}
    for text in column or ():
        meaning, equals, name = text.partition("=")
        if not equals or not name or meaning not in known:
            raise LogError(f"--column {text}: should be MEANING=NAME, one of {', '.join(known)}")
        found[meaning] = name
    return found


def clock(time_zone: str | None, time_format: str | None) -> "Clock":
    """The clock of a log. Raises LogError for an unknown zone."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from sim.fit.instants import Clock
    from sim.fit.problems import LogError

    if time_zone is not None:
        try:
            ZoneInfo(time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise LogError(f"--time-zone {time_zone}: no such zone (e.g. Asia/Shanghai)") from None
    return Clock(time_zone, time_format)


def writable(output: Path) -> None:
    """Raises LogError where the overlay cannot be written."""
    from sim.fit.problems import LogError

    folder = output.parent
    if output.suffix != ".toml" or output.is_dir() or not folder.is_dir():
        raise LogError(f"--output {output}: should be a .toml file in a folder that exists")
    if not os.access(folder, os.W_OK):
        raise LogError(f"--output {output}: nothing can be written in {folder.resolve()}")


@contextmanager
def log_errors() -> Iterator[None]:
    """Print why a log cannot be used, and leave with the status of wrong input."""
    from sim.fit.problems import LogError

    try:
        yield
    except LogError as error:
        leave(error)
