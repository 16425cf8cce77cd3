"""The .xlsx file: sheets by XlsxWriter, long ones' rows put in afterwards, always the same bytes.

Decides formats, names, print set-up and the file's layout. A workbook is a zip of XML parts
(ECMA-376): the parts of the long sheets are streamed, all entries carry the same date, and the
workbook's own creation date is the horizon's start.
"""

import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import xlsxwriter

from reports.language import say
from reports.workbook.block import Block, Cell, Field, Live, Sheet
from reports.workbook.detail import HEAD_ROWS, Detail, Part, pattern_row, styles_of

_NUMBER_FORMATS: Final = {
    "text": "@",
    "line": "General",
    "count": "#,##0",
    "cny": "#,##0.00;[Red]-#,##0.00",
    "ratio": "0.0%",
    "plain": "General",
    "moment": "yyyy-mm-dd hh:mm:ss",
}
_ENGINE: Final = "#1F4E9D"
_SHADE: Final = "#DCE6F1"
_ASSUMED: Final = "#FFF2CC"
_A4: Final = 9
_LINE_POINTS: Final = 15
# The first of the CJK blocks.
_FIRST_WIDE: Final = 0x2E7F
# Fast, and within a quarter of the size that the slowest level gives.
_COMPRESSION: Final = 3


@dataclass(frozen=True, slots=True)
class Identity:
    """What the file says about itself."""

    title: str
    footer: str
    author: str
    created: datetime


@dataclass(slots=True)
class _Writer:
    """XlsxWriter's workbook with the formats in use."""

    book: Any
    identity: Identity
    _formats: dict[tuple[object, ...], Any] = field(default_factory=dict)

    def format(self, **properties: object) -> Any:
        """The format with these properties, made once."""
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self.book.add_format({"valign": "top", **properties})
        return self._formats[key]

    def value_format(self, form: str, *, live: bool, total: bool, marked: bool) -> Any:
        """How a value looks: figures of the engine are blue, formulas black, assumptions shaded."""
        properties: dict[str, object] = {"num_format": _NUMBER_FORMATS[form]}
        if form == "text":
            properties["text_wrap"] = True
        elif form == "line":
            properties["align"] = "left"
        elif not live:
            properties["font_color"] = _ENGINE
        if total:
            properties |= {"bold": True, "top": 1}
        if marked:
            properties["bg_color"] = _ASSUMED
        return self.format(**properties)

    def sheet(self, name: str, *, head_stays: bool) -> Any:
        """A sheet with its print set-up: A4 landscape, as wide as the page. Of a sheet with one
        table the head stays in sight, and on every page."""
        sheet = self.book.add_worksheet(name)
        sheet.set_landscape()
        sheet.set_paper(_A4)
        sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
        sheet.fit_to_pages(1, 0)
        pages = say("Page {page} of {pages}", page="&P", pages="&N")
        sheet.set_footer(f"&L{self.identity.footer}&C&A&R{pages}")
        sheet.hide_gridlines(2)
        if head_stays:
            sheet.freeze_panes(HEAD_ROWS, 1)
            sheet.repeat_rows(0, HEAD_ROWS - 1)
        return sheet

    def head(self, sheet: Any, row: int, fields: Sequence[Field]) -> None:
        """The columns' names with their units."""
        for column, one in enumerate(fields):
            words = f"{say(one.head)}\n{say(one.unit)}" if one.unit else say(one.head)
            align = "left" if one.form in ("text", "line") else "right"
            style = self.format(
                bold=True, text_wrap=True, bottom=1, bg_color=_SHADE, valign="bottom", align=align
            )
            sheet.write_string(row, column, words, style)
        sheet.set_row(row, 2 * _LINE_POINTS)

    def title(self, sheet: Any, row: int, heading: str, note: str) -> None:
        sheet.write_string(row, 0, heading, self.format(bold=True, font_size=13))
        sheet.write_string(row + 1, 0, note, self.format(italic=True, font_color="#595959"))

    def cell(self, sheet: Any, at: tuple[int, int], cell: Cell, style: Any) -> None:
        if isinstance(cell, Live):
            sheet.write_formula(*at, cell.formula, style, cell.value)
        elif cell is None:
            sheet.write_blank(*at, None, style)
        elif isinstance(cell, str):
            sheet.write_string(*at, cell, style)
        else:
            sheet.write_number(*at, cell, style)


def write(
    path: Path, identity: Identity, sheets: Sequence[Sheet], details: Sequence[Detail]
) -> None:
    """Write the workbook; the file at `path` is whole or as it was before."""
    memory = io.BytesIO()
    book = xlsxwriter.Workbook(memory, {"in_memory": True, "strings_to_numbers": False})
    book.set_properties(
        {"title": identity.title, "author": identity.author, "created": identity.created}
    )
    book.set_calc_mode("auto")
    writer = _Writer(book, identity)
    for sheet in sheets:
        _write_sheet(writer, sheet)
    parts = [part for detail in details for part in detail.parts]
    for part in parts:
        _write_pattern(writer, part)
    book.close()
    long = {
        f"xl/worksheets/sheet{len(sheets) + number}.xml": part
        for number, part in enumerate(parts, start=1)
    }
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        _pack(unfinished, memory, long)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _write_sheet(writer: _Writer, sheet: Sheet) -> None:
    target = writer.sheet(sheet.name, head_stays=len(sheet.blocks) == 1)
    widths = [0] * max(len(block.fields) for block in sheet.blocks)
    top = 0
    for block in sheet.blocks:
        for column, one in enumerate(block.fields):
            widths[column] = max(widths[column], one.width)
        top = _write_block(writer, target, sheet.name, block, top) + 2
    for column, width in enumerate(widths):
        target.set_column(column, column, width)


def _write_block(writer: _Writer, target: Any, name: str, block: Block, top: int) -> int:
    """Writes a block whose heading stands in row `top`; returns the row after its last."""
    writer.title(target, top, block.heading, block.note)
    writer.head(target, top + HEAD_ROWS - 1, block.fields)
    first, letters = top + HEAD_ROWS, _letters(block.fields)
    last = first + len(block.rows) - 1
    places = {**letters, "first": str(first + 1), "last": str(last + 1)}
    rows = [*block.rows, *([block.total] if block.total else [])]
    for number, cells in enumerate(rows):
        row = first + number
        if (lines := _lines(block.fields, cells)) > 1:
            target.set_row(row, lines * _LINE_POINTS)
        for column, (one, cell) in enumerate(zip(block.fields, cells, strict=True)):
            worded = isinstance(cell, str) and one.form != "line"
            style = writer.value_format(
                "text" if worded else one.form,
                live=isinstance(cell, Live),
                total=number >= len(block.rows),
                marked=number in block.marked,
            )
            writer.cell(target, (row, column), _placed(cell, places, row + 1), style)
    for number, cell_name in block.names.items():
        writer.book.define_name(cell_name, f"='{name}'!$B${first + number + 1}")
    if block.named:
        for key, letter in letters.items():
            cells_of = f"${letter}${first + 1}:${letter}${last + 1}"
            writer.book.define_name(f"{block.slug}_{key}", f"='{name}'!{cells_of}")
    return first + len(rows)


def _lines(fields: Sequence[Field], cells: Sequence[Cell]) -> int:
    """How many lines the longest wrapped text of a row takes; a Chinese character is two wide."""
    lines = [1]
    for one, cell in zip(fields, cells, strict=True):
        if isinstance(cell, str) and one.form != "line":
            width = sum(2 if ord(letter) > _FIRST_WIDE else 1 for letter in cell)
            lines.append(-(-width // (one.width - 1)))
    return max(lines)


def _placed(cell: Cell, places: dict[str, str], row: int) -> Cell:
    """A formula with its columns and rows filled in."""
    if not isinstance(cell, Live):
        return cell
    return Live("=" + cell.formula.format(**places, row=row), cell.value)


def _letters(fields: Sequence[Field]) -> dict[str, str]:
    return {one.key: xlsxwriter.utility.xl_col_to_name(n) for n, one in enumerate(fields)}


def _write_pattern(writer: _Writer, part: Part) -> None:
    """A long sheet without its rows: heads, widths, filter, names, and one row of formats."""
    fields = part.detail.fields
    target = writer.sheet(part.name, head_stays=True)
    writer.title(target, 0, part.name, part.detail.note)
    writer.head(target, HEAD_ROWS - 1, fields)
    for column, (key, letter) in enumerate(_letters(fields).items()):
        one = fields[column]
        # Not wrapped: a filter's list and a million rows want single lines.
        style = writer.format(num_format=_NUMBER_FORMATS[one.form])
        target.write_blank(HEAD_ROWS, column, None, style)
        target.set_column(column, column, one.width)
        cells_of = f"${letter}${HEAD_ROWS + 1}:${letter}${part.last_row}"
        name = part.detail.range_name(key, part)
        writer.book.define_name(name, f"='{part.name}'!{cells_of}")
    target.autofilter(HEAD_ROWS - 1, 0, part.last_row - 1, len(fields) - 1)


def _pack(path: Path, memory: io.BytesIO, long: dict[str, Part]) -> None:
    """The zip of XlsxWriter's parts, with the rows of the long sheets in place of their pattern."""
    with (
        zipfile.ZipFile(memory) as made,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=_COMPRESSION) as packed,
    ):
        for name in made.namelist():
            content = made.read(name)
            pieces = _filled(content, long[name]) if name in long else iter((content,))
            # Opened by name, an entry has the oldest date that a zip can carry.
            with packed.open(name, "w", force_zip64=name in long) as target:
                for piece in pieces:
                    target.write(piece)


def _filled(sheet: bytes, part: Part) -> Iterator[bytes]:
    begin, end = pattern_row(sheet)
    columns = xlsxwriter.utility.xl_col_to_name(len(part.detail.fields) - 1)
    said = b'<dimension ref="A1:%s%d"/>'
    here, there = (said % (columns.encode(), row) for row in (HEAD_ROWS + 1, part.last_row))
    yield sheet[:begin].replace(here, there)
    yield from part.xml(styles_of(sheet))
    yield sheet[end:]
