"""`springpeak audit`: it parses, calls and prints. The front door registers it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scenarios.command import INTERRUPTED, leave, stderr

if TYPE_CHECKING:
    from loadtests.audit.verdict import Verdict

def audit(
    journal: Annotated[
        Path,
        typer.Argument(metavar="JOURNAL", help="Journal of `springpeak replay`, or its folder."),
    ],
    *,
    host: Annotated[str, typer.Option(metavar="URL", help="Base URL of the API that was loaded.")],
    token_file: Annotated[Path, typer.Option(help="Tokens of `springpeak tokens`.")],
    trace: Annotated[
        Path, typer.Option(metavar="FILE", help="The trace that was replayed.")
    ] = Path("trace.parquet"),
    repeat: Annotated[
        int, typer.Option(min=0, help="Send so many acknowledged writes again, with their keys.")
    ] = 200,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
) -> None:
    """Judge whether what the API acknowledged is kept, once, and whether the money adds up.

    Of a replay that was killed, or whose disk was full, it makes the journal first.
    Exit status: 0 valid, 1 invalid, 3 unknown, 2 wrong input, 130 interrupted.
    """
    from loadtests.audit.books import Target, TokenRefused
    from loadtests.audit.judge import AuditError, read_history, read_tokens
    from loadtests.audit.judge import audit as judge
    from loadtests.journal import JournalError
    from loadtests.unfinished import recover

    try:
        target = Target(host, read_tokens(token_file))
        for reason in recover(journal, trace):
            typer.echo(f"{journal}: {reason}", err=True)
        sent = read_history(journal, trace)
        with stderr().status("reading the journal") as status:
            verdict = judge(sent, target, repeated_count=repeat, say=status.update)
    except (AuditError, JournalError, TokenRefused) as error:
        leave(error)
    except KeyboardInterrupt:
        leave("interrupted: there is no verdict", INTERRUPTED)
    if as_json:
        typer.echo(json.dumps(verdict.document(), ensure_ascii=False))
    else:
        say(verdict)
    raise typer.Exit(verdict.status)


def say(verdict: "Verdict") -> None:
    """Print a verdict for people."""
    from loadtests.audit.verdict import MEANINGS

    judged = ", ".join(
        f"{count} {name.replace('_', ' ')}" for name, count in verdict.judged.items()
    )
    typer.echo(f"judged: {judged or 'nothing'}")
    for kind, meaning in MEANINGS.items():
        count = verdict.count(kind)
        if count:
            first, worst = verdict.examples(kind)
            typer.echo(f"{kind}: {count} ({meaning})")
            typer.echo(f"  first: {first}")
            if worst is not first:
                typer.echo(f"  worst: {worst}")
    for question in verdict.open_questions:
        typer.echo(f"unknown: {question}")
    typer.echo(f"verdict: {verdict.word}")
