"""`springpeak scenarios`, and what every command that takes a scenario shares.

What is called is imported inside each command, so that a command loads only what it needs.
"""

import json
import sys
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:

    from scenarios.loader import Resolved
    from scenarios.problems import Problem
    from scenarios.scenario import Scenario

BASE: Final = "spring-festival-2026"
WRONG_INPUT: Final = 2
INTERRUPTED: Final = 130

app = typer.Typer(help="What is assumed: look at, check and compare scenarios.")

ScenarioName = Annotated[
    str, typer.Argument(metavar="SCENARIO", help="A shipped scenario's name, or a TOML file.")
]
Overlays = Annotated[
    list[str] | None,
    typer.Option(
        "--overlay",
        metavar="NAME",
        help="Lay this overlay on top: a shipped one's name, or a TOML file; repeatable.",
    ),
]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Set one key, in TOML, over all overlays; repeatable."
    ),
]


@app.command("list")
def list_scenarios() -> None:
    """List the scenarios and overlays that come with springpeak."""
    from scenarios.loader import SHIPPED, names

    table = Table("kind", "name", "what it stands for")
    for kind, folder in (("scenario", SHIPPED), ("overlay", SHIPPED / "overlays")):
        for name, description in names(folder).items():
            table.add_row(kind, name, description)
    stdout().print(table)


@app.command()
def show(
    scenario: ScenarioName,
    overlay: Overlays = None,
    sets: Sets = None,
    under: Annotated[str, typer.Option(help="Only this key and what is below it.")] = "",
) -> None:
    """Print every value of a resolved scenario, with its source and the file it comes from."""
    from scenarios.overlays import leaves
    from scenarios.problems import shorten

    resolved = resolve(scenario, overlay, sets)
    for path, value in leaves(resolved.values):
        if under and not f"{path}.".startswith(f"{under}."):
            continue
        layer = resolved.origin(path)
        source = layer.source(path) if layer else None
        said = f"{source or 'no source'} [{layer.label}]" if layer else "solved from the others"
        typer.echo(f"{path} = {shorten(value, length=200)}  # {said}")


@app.command()
def check(scenario: ScenarioName, overlay: Overlays = None, sets: Sets = None) -> None:
    """Say whether a scenario is right, and if not, everything that is wrong with it."""
    from scenarios.overlays import leaves

    resolved = resolve(scenario, overlay, sets)
    keys_count = sum(1 for _ in leaves(resolved.values))
    fingerprint = resolved.scenario.fingerprint
    typer.echo(f"{resolved.scenario.name} is right: {keys_count} keys, fingerprint {fingerprint}")


@app.command()
def diff(
    first: Annotated[str, typer.Argument(metavar="A", help="NAME, or NAME+OVERLAY+...")],
    second: Annotated[str, typer.Argument(metavar="B", help="NAME, or NAME+OVERLAY+...")],
) -> None:
    """Print the keys in which two scenarios differ; exit status 1 if there are any."""
    from scenarios.overlays import leaves
    from scenarios.problems import shorten

    sides = [resolve(*_with_overlays(text)) for text in (first, second)]
    before, after = (dict(leaves(side.values)) for side in sides)
    table = Table("key", first, second)
    for path in [*before, *(path for path in after if path not in before)]:
        said = [shorten(side[path]) if path in side else "-" for side in (before, after)]
        if before.get(path) != after.get(path) and path not in ("name", "description"):
            table.add_row(path, *said)
    if table.row_count:
        stdout().print(table)
        raise typer.Exit(1)
    typer.echo("no difference")


@app.command()
def schema() -> None:
    """Print the JSON schema: each key's meaning, range, default in the base and its source."""
    from scenarios.loader import SHIPPED, read, shipped

    base = read(SHIPPED / f"{BASE}.toml", [])
    assert base is not None, "the shipped base is held by the tests"
    document = shipped().schema.document(base)
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2, default=str))


def resolve(name: str, overlays: list[str] | None, sets: list[str] | None) -> "Resolved[Scenario]":
    """The scenario with its layers, or a refusal with all that is wrong."""
    from scenarios.loader import shipped
    from scenarios.problems import ScenarioProblems

    try:
        return shipped().resolve(name, overlays=overlays or (), sets=sets or ())
    except ScenarioProblems as error:
        refuse(error.problems)


def _with_overlays(text: str) -> tuple[str, list[str] | None, None]:
    """A scenario and its overlays from NAME+OVERLAY+...; a path is a path."""
    if text.endswith(".toml"):
        return text, None, None
    name, *overlays = text.split("+")
    return name, overlays, None


def refuse(problems: "tuple[Problem, ...]") -> NoReturn:
    """A table on a terminal; elsewhere one problem a line, as editors and grep take it."""
    console = stderr()
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


def leave(why: object, status: int = WRONG_INPUT) -> NoReturn:
    """Say why a command cannot begin, or go on, and end it."""
    stderr().print(str(why), style="red", markup=False, soft_wrap=True)
    raise typer.Exit(status) from None


def stdout() -> Console:
    """Tables are not squeezed when they go into a file."""
    return Console(width=None if sys.stdout.isatty() else 200)


def stderr() -> Console:
    return Console(stderr=True)
