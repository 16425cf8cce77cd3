"""The workbook of a run, and the same tables as CSV and Parquet.

Decides the order of the sheets. Everything is read from the run directory; the same directory gives
the same bytes.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from reports.language import file_name, say
from reports.workbook import breakdown, details, finance, front, package, papers, proof
from reports.workbook.block import Block, Sheet, value_of
from reports.workbook.detail import ROWS_LIMIT, Detail
from reports.workbook.package import Identity
from reports.workbook.reconcile import Sums, reconciled
from reports.workbook.run import Run
from sim.experiment.files import RunError

FILE_NAME: Final = "workbook.xlsx"
FOLDER: Final = "workbook"


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: the workbook, the folder of its tables, and the sums that were checked."""

    path: Path
    folder: Path
    sums: Sums | None
    """None where the run keeps no single claims."""


def write(run_path: Path, *, rows_limit: int = ROWS_LIMIT) -> Written:
    """Write workbook.xlsx and the folder workbook/ into a run directory.

    `rows_limit` is the most rows a sheet takes. Raises RunError when the directory is no finished
    run, or its files do not reconcile; then nothing is written.
    """
    run = Run.opened(run_path)
    sums = reconciled(run) if run.has_rows else None
    payouts = details.payouts(run)
    long = [payouts]
    if sums is not None:
        long.append(details.claims(run, rows_limit=rows_limit))
    sheets = _sheets(run, payouts, long, sums)
    identity = Identity(
        title=say("Payouts of {scenario}", scenario=run.manifest["scenario"]),
        footer=f"{run.manifest['scenario']} {run.manifest['fingerprint'][:12]}",
        author=f"springpeak {run.manifest['packages']['springpeak']}",
        created=run.clock.start,
    )
    path, folder = run_path / file_name(FILE_NAME), run_path / file_name(FOLDER)
    try:
        package.write(path, identity, sheets, long)
        _export(folder, sheets, long)
    except OSError as error:
        where = error.filename or run_path
        raise RunError(f"{where} cannot be written: {error.strerror}") from None
    return Written(path, folder, sums)


def _sheets(run: Run, payouts: Detail, long: list[Detail], sums: Sums | None) -> list[Sheet]:
    by_guarantee = breakdown.by_guarantee(run, payouts)
    breakdowns = (
        by_guarantee,
        breakdown.by_day(run, payouts),
        breakdown.by_category(run, payouts),
    )
    middle = [
        *(Sheet(block.heading, (block,)) for block in breakdowns),
        *finance.sheets(run),
        Sheet(say("Assumptions"), (papers.assumptions(run),)),
        Sheet(say("Terms"), (papers.terms(run),)),
    ]
    if sums is not None:
        blocks = (
            proof.verdict(breakdowns),
            proof.by_guarantee(sums, long[1], payouts),
            proof.by_day(run, sums, long[1], payouts),
        )
        middle.append(Sheet(say("Reconciliation"), blocks))
    found = (
        front.answers(run),
        front.totals(run, by_guarantee),
        front.spread(run),
        front.movers(run),
    )
    summary = Sheet(say("Summary"), tuple(block for block in found if block is not None))
    names = [summary.name, *(sheet.name for sheet in middle), say("Columns")]
    names += [part.name for detail in long for part in detail.parts]
    cover = Sheet(say("Cover"), (front.identity(run, names), front.bearers(run, by_guarantee)))
    sheets = [cover, summary, *middle]
    return [*sheets, Sheet(say("Columns"), (papers.columns(sheets, long),))]


def _export(folder: Path, sheets: list[Sheet], long: list[Detail]) -> None:
    """Each table as CSV and as Parquet, under the block's slug."""
    folder.mkdir(exist_ok=True)
    tables = [(block.slug, _frame(block)) for sheet in sheets for block in sheet.blocks]
    for slug, frame in [*tables, *((detail.slug, detail.exported()) for detail in long)]:
        frame.write_csv(folder / f"{slug}.csv")
        frame.write_parquet(folder / f"{slug}.parquet")


def _frame(block: Block) -> pl.DataFrame:
    """A block's rows with the values of its formulas; money in CNY."""
    units = {"cny": "_cny", "ratio": "_ratio"}
    columns = {}
    for number, field in enumerate(block.fields):
        values = [value_of(row[number]) for row in block.rows]
        mixed = any(isinstance(value, str) for value in values)
        shown = [None if v is None else str(v) for v in values] if mixed else values
        columns[field.key + units.get(field.form, "")] = pl.Series(shown, strict=False)
    return pl.DataFrame(columns)
