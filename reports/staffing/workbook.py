"""staffing.xlsx: the plan's tables, a sheet each, with the answers in front.

Reads the files of the folder and nothing else. Cells of the tables are the files' own; codes stay
codes, heads and answers are in the reader's language.
"""

import json
from pathlib import Path
from typing import Final

import polars as pl
import xlsxwriter

from reports.language import file_name, later, say
from reports.staffing import words
from scenarios.staff_tables import STAFF_TABLES
from scenarios.tables import Column

NAME: Final = "staffing.xlsx"
_SHEETS: Final = {
    "required": later("required"),
    "cover": later("cover"),
    "roster": later("roster"),
    "lines": later("lines"),
    "curve": later("curve"),
    "steps": later("steps"),
}


def write(folder: Path) -> Path:
    """Write the workbook of a plan's folder."""
    path = folder / file_name(NAME)
    book = xlsxwriter.Workbook(str(path), {"nan_inf_to_errors": True})
    bold, wrapped = book.add_format({"bold": True}), book.add_format({"text_wrap": True})
    sheet = book.add_worksheet(say("answers"))
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, 100)
    sentences = words.sentences(folder)
    for row, sentence in enumerate(sentences):
        sheet.write(row, 1, sentence, wrapped)
    for row, (name, value) in enumerate(words.read(folder).items(), start=len(sentences) + 1):
        sheet.write(row, 0, name, bold)
        simple = isinstance(value, int | float | str) or value is None
        sheet.write(row, 1, value if simple else json.dumps(value, ensure_ascii=False))
    for name, columns in STAFF_TABLES.items():
        frame = pl.read_csv(folder / f"{name}.csv", infer_schema_length=None)
        sheet = book.add_worksheet(say(_SHEETS[name]))
        sheet.freeze_panes(1, 0)
        for place, column in enumerate(columns):
            title = f"{say(head(column))} ({say(column.unit)})" if column.unit else head(column)
            sheet.write(0, place, say(title), bold)
            sheet.write_column(1, place, frame[column.name].to_list())
        sheet.autofilter(0, 0, len(frame), len(columns) - 1)
        sheet.set_column(0, len(columns) - 1, 18)
    book.close()
    return path


def head(column: Column) -> str:
    """A column's name in words."""
    return column.name.replace("_", " ")
