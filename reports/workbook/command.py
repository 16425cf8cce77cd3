"""`springpeak workbook`: it parses, has the workbook written, and says what was checked."""

import typer

from reports import style
from reports.command import Lang
from reports.language import say, speaking
from sim.experiment.command import RunPath, run_errors


def workbook(run_path: RunPath, *, lang: Lang = "en") -> None:
    """Write workbook.xlsx into a run directory, and its tables as CSV and Parquet."""
    from reports.workbook.build import write

    with speaking(lang), run_errors():
        written = write(run_path)
        if written.sums is not None:
            typer.echo(
                say(
                    "{claims} claims, {paid} paid: claims, payouts and ledger differ by 0 fen",
                    claims=f"{written.sums.claims_count:,}",
                    paid=style.cny_each(written.sums.paid_fen),
                )
            )
        typer.echo(say("workbook: {path}", path=written.path))
        typer.echo(say("its tables as CSV and Parquet: {folder}", folder=written.folder))
