"""`springpeak workbook`: it parses, has the workbook written, and says what was checked."""

import typer

from sim.experiment.command import RunPath, run_errors


def workbook(run_path: RunPath) -> None:
    """Write workbook.xlsx into a run directory, and its tables as CSV and Parquet."""
    from reports.workbook.build import write

    with run_errors():
        written = write(run_path)
    if written.sums is not None:
        typer.echo(
            f"{written.sums.claims_count:,} claims, CNY {written.sums.paid_fen / 100:,.2f} paid: "
            "claims, payouts and ledger differ by 0 fen"
        )
    typer.echo(f"workbook: {written.path}")
    typer.echo(f"its tables as CSV and Parquet: {written.folder}")
