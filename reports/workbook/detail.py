"""Long sheets: one row a claim, or one row a replication, day, guarantee and category.

Decides how rows become a worksheet's XML, by column and in slices, so that a million claims are
written in seconds and in little memory; and how they are split where a sheet ends. Money goes from
whole fen to text with two decimals, without a float in between. The first row of a sheet comes from
XlsxWriter as blank cells with the right formats; all rows are written after its pattern.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl
from xlsxwriter.utility import xl_col_to_name

from reports.workbook.block import FEN_PER_CNY, Field

# Rows of a worksheet in the xlsx format, and those above the first row of data.
ROWS_LIMIT: Final = 1_048_576
HEAD_ROWS: Final = 3
_SLICE_ROWS: Final = 32_768
_DAY_S: Final = 86400.0


@dataclass(frozen=True, slots=True)
class Detail:
    """Rows of one kind. Columns of `frame` have the fields' keys; form cny holds whole fen, form
    moment seconds from `start_serial`, the workbook's number of the horizon's first midnight."""

    slug: str
    name: str
    note: str
    fields: tuple[Field, ...]
    frame: pl.DataFrame
    start_serial: float = 0.0
    rows_limit: int = ROWS_LIMIT

    @property
    def parts(self) -> tuple["Part", ...]:
        """The sheets that the rows fill, one after the other; an empty one where there are none."""
        room = self.rows_limit - HEAD_ROWS
        count = max(1, -(-self.frame.height // room))
        return tuple(
            Part(
                detail=self,
                name=self.name if count == 1 else f"{self.name} {number + 1}",
                suffix="" if count == 1 else f"_{number + 1}",
                frame=self.frame.slice(number * room, room),
            )
            for number in range(count)
        )

    def sumifs(self, key: str, **criteria: str) -> str:
        """A formula that adds a column's rows, over all sheets, where others equal cells."""
        return "+".join(
            "SUMIFS({},{})".format(
                self.range_name(key, part),
                ",".join(f"{self.range_name(k, part)},{cell}" for k, cell in criteria.items()),
            )
            for part in self.parts
        )

    def countifs(self, **criteria: str) -> str:
        """A formula that counts rows, over all sheets, where columns equal cells."""
        return "+".join(
            "COUNTIFS({})".format(
                ",".join(f"{self.range_name(k, part)},{cell}" for k, cell in criteria.items())
            )
            for part in self.parts
        )

    def range_name(self, key: str, part: "Part") -> str:
        """The workbook's name for a column of a part."""
        return f"{self.slug}_{key}{part.suffix}"

    def exported(self) -> pl.DataFrame:
        """The rows with money in CNY, exactly, for CSV and Parquet."""
        columns = []
        for field in self.fields:
            column = pl.col(field.key)
            if field.form == "cny":
                exact = column.cast(pl.Decimal(38, 2)) / pl.lit(FEN_PER_CNY).cast(pl.Decimal(3, 0))
                column = exact.cast(pl.Decimal(38, 2)).alias(f"{field.key}_cny")
            elif field.form == "moment":
                column = column.alias(f"{field.key}_s")
            columns.append(column)
        return self.frame.select(columns)


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one sheet."""

    detail: Detail
    name: str
    suffix: str
    frame: pl.DataFrame

    @property
    def last_row(self) -> int:
        """Number of the last row, from 1; the pattern's own where there are no rows."""
        return HEAD_ROWS + max(1, self.frame.height)

    def xml(self, styles: tuple[str, ...]) -> Iterator[bytes]:
        """The sheet's rows; `styles` are the numbers of the cells' formats."""
        row = pl.col("row")
        cells = [
            _cell(field, xl_col_to_name(number), style, self.detail.start_serial)
            for number, (field, style) in enumerate(zip(self.detail.fields, styles, strict=True))
        ]
        line = pl.concat_str(pl.lit('<row r="'), row, pl.lit('">'), *cells, pl.lit("</row>"))
        for start in range(0, self.frame.height, _SLICE_ROWS):
            rows = self.frame.slice(start, _SLICE_ROWS).with_row_index(
                "row", offset=HEAD_ROWS + 1 + start
            )
            texts = rows.with_columns(row.cast(pl.String)).select(line.str.join("")).item()
            yield texts.encode()


def styles_of(sheet: bytes) -> tuple[str, ...]:
    """The formats of the pattern row of a sheet as XlsxWriter wrote it."""
    pattern = rb'<c r="[A-Z]+%d" s="(\d+)"/>' % (HEAD_ROWS + 1)
    return tuple(style.decode() for style in re.findall(pattern, sheet))


def pattern_row(sheet: bytes) -> tuple[int, int]:
    """Where the pattern row begins and ends in the sheet's XML."""
    begin = sheet.index(b'<row r="%d"' % (HEAD_ROWS + 1))
    return begin, sheet.index(b"</sheetData>", begin)


def _cell(field: Field, letter: str, style: str, start_serial: float) -> pl.Expr:
    """A column's cells as XML; nothing where the value is null."""
    column = pl.col(field.key)
    opening = pl.concat_str(pl.lit(f'<c r="{letter}'), pl.col("row"), pl.lit(f'" s="{style}"'))
    if field.form == "text":
        return pl.concat_str(
            opening, pl.lit(' t="inlineStr"><is><t>'), _escaped(column), pl.lit("</t></is></c>")
        ).fill_null("")
    if field.form == "cny":
        fen = (column % FEN_PER_CNY).cast(pl.String).str.zfill(2)
        number = pl.concat_str((column // FEN_PER_CNY).cast(pl.String), pl.lit("."), fen)
    elif field.form == "moment":
        number = (column.floor() / _DAY_S + start_serial).cast(pl.String)
    else:
        number = column.cast(pl.String)
    return pl.concat_str(opening, pl.lit("><v>"), number, pl.lit("</v></c>")).fill_null("")


def _escaped(column: pl.Expr) -> pl.Expr:
    return column.cast(pl.String).str.replace_many(["&", "<", ">"], ["&amp;", "&lt;", "&gt;"])
