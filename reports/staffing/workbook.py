"""staffing.xlsx: the plan's tables, a sheet each, with the answers in front.

Reads the files of the folder and nothing else.
"""

import json
from pathlib import Path
from typing import Final

import polars as pl
import xlsxwriter

from scenarios.staff_tables import STAFF_TABLES

NAME: Final = "staffing.xlsx"


def write(folder: Path) -> Path:
    """Write the workbook of a plan's folder."""
    path = folder / NAME
    book = xlsxwriter.Workbook(str(path), {"nan_inf_to_errors": True})
    bold = book.add_format({"bold": True})
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    sheet = book.add_worksheet("answers")
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, 60)
    for row, (name, value) in enumerate(summary.items()):
        sheet.write(row, 0, name, bold)
        simple = isinstance(value, int | float | str) or value is None
        sheet.write(row, 1, value if simple else json.dumps(value, ensure_ascii=False))
    for name, columns in STAFF_TABLES.items():
        frame = pl.read_csv(folder / f"{name}.csv", infer_schema_length=None)
        sheet = book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        for place, column in enumerate(columns):
            title = f"{column.name} ({column.unit})" if column.unit else column.name
            sheet.write(0, place, title, bold)
            sheet.write_column(1, place, frame[column.name].to_list())
        sheet.autofilter(0, 0, len(frame), len(columns) - 1)
        sheet.set_column(0, len(columns) - 1, 18)
    book.close()
    return path
