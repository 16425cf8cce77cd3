"""`springpeak trace`: it parses, calls and prints. The front door registers it.

`springpeak trace RUN` is short for `springpeak trace make RUN`. Exit status: 0 done, 2 wrong input.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from scenarios.command import leave, stderr

if TYPE_CHECKING:
    from loadtests.trace import Trace

MAKE = "make"


class _ShortForMake(TyperGroup):
    """What is no command is the run of `make`."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        if args and args[0] not in self.commands and args[0] != "--help":
            args = [MAKE, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_ShortForMake,
    help="Traffic for load tests: of a simulated run (trace RUN), or of a log.",
    no_args_is_help=True,
)
Out = Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="Trace file to write.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of what the run does not say.")]


@app.command(MAKE)
def make_trace(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")],
    *,
    window: Annotated[
        str | None,
        typer.Option(
            metavar="START/LENGTH",
            help="As 2026-02-18T18:00/PT10M or busiest/PT10M; the whole run if not given.",
        ),
    ] = None,
    amplify: Annotated[float, typer.Option(help="Every case so many times.")] = 1.0,
    reads: Annotated[
        bool, typer.Option("--reads", help="Terms looked up at order time, too.")
    ] = False,
    seed: Seed = 1,
    out: Out = Path("trace.parquet"),
) -> None:
    """Write the API traffic of a simulated run."""
    from loadtests import trace
    from loadtests.traffic.make import make
    from loadtests.traffic.window import parse

    with trace_errors(), stderr().status("reading the run"):
        asked = parse(window) if window else None
        made = make(run, asked=asked, amplify=amplify, reads=reads, seed=seed)
        trace.write(made.trace, out)
    _say(made.trace, out)
    typer.echo(
        f"{made.carried_count} claims opened before the window, "
        f"{made.beyond_count} steps after its end left out"
    )


@app.command("import")
def import_log(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A web log, or a .csv or .tsv; .gz as well.")
    ],
    *,
    rules: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="PATTERN=OPERATION",
            help="What calls stand for, as 'POST /orders*=open_claim'; the first that fits counts.",
        ),
    ] = None,
    columns: Annotated[
        str, typer.Option(help="A table's columns: time=NAME,operation=NAME+NAME,client=NAME.")
    ] = "",
    seed: Seed = 1,
    out: Out = Path("trace.parquet"),
) -> None:
    """Write a trace from a log in the common log format, or from a table with times."""
    from loadtests import trace
    from loadtests.traffic.imported import columns_of, import_trace, rules_of

    with trace_errors(), stderr().status("reading the log"):
        made = import_trace(
            file, rules=rules_of(rules or ()), columns=columns_of(columns), seed=seed
        )
        trace.write(made.trace, out)
    _say(made.trace, out)
    typer.echo(
        f"left out: {made.unread_count} lines that cannot be read, {made.unmapped_count} calls "
        f"that no --map names, {made.orphans_count} calls on claims that nobody opened"
    )


@contextmanager
def trace_errors() -> Iterator[None]:
    """Print what is wrong with a trace, or with what it is made of, and leave."""
    from loadtests.trace import TraceError

    try:
        yield
    except TraceError as error:
        leave(error)


def _say(made: "Trace", out: Path) -> None:
    counts = ", ".join(f"{count} {operation}" for operation, count in made.counts().items())
    where = f" in {made.window}" if made.window else f" over {made.duration_s:.0f} s"
    typer.echo(f"{made.steps.height} steps of {made.source}{where}: {counts}")
    typer.echo(f"trace: {out}")
