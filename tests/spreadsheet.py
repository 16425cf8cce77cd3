"""Workbooks as the tests read them: values, formulas, and a recalculation by LibreOffice."""

import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import openpyxl

# The rows of each sheet.
Found: TypeAlias = dict[str, list[tuple[Any, ...]]]
# Recalculate always (0), whatever the file says about itself.
_ALWAYS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>
"""


def office() -> str | None:
    """LibreOffice's command, if it is installed."""
    return shutil.which("soffice") or shutil.which("libreoffice")


def values(path: Path) -> Found:
    """The values of every sheet as they stand in the file."""
    book = openpyxl.load_workbook(path, data_only=True)
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}


@dataclass(frozen=True)
class Formula:
    """A formula's place and text."""

    sheet: str
    row: int
    column: int
    text: str

    def at(self, found: Found) -> Any:
        """The value in its place."""
        return found[self.sheet][self.row][self.column]


def formulas(path: Path) -> list[Formula]:
    """Every formula of a workbook."""
    book = openpyxl.load_workbook(path)
    return [
        Formula(sheet.title, number, column, str(cell))
        for sheet in book
        for number, row in enumerate(sheet.iter_rows(values_only=True))
        for column, cell in enumerate(row)
        if isinstance(cell, str) and cell.startswith("=")
    ]


def poisoned(path: Path, to: Path) -> Path:
    """A copy in which every formula's kept value is 7: what is right in it was calculated."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name.startswith("xl/worksheets/"):
                content = re.sub(rb"</f><v>[^<]*</v>", b"</f><v>7</v>", content)
            target.writestr(name, content)
    return to


def recalculated(path: Path, folder: Path) -> Found:
    """The workbook's values after LibreOffice has calculated every formula anew."""
    return values(recalculated_file(path, folder, limit_s=300.0))


def recalculated_file(path: Path, folder: Path, *, limit_s: float) -> Path:
    """The workbook as LibreOffice writes it after calculating every formula anew."""
    soffice = office()
    assert soffice is not None
    profile = folder / "profile"
    (profile / "user").mkdir(parents=True)
    (profile / "user" / "registrymodifications.xcu").write_text(_ALWAYS, encoding="utf-8")
    subprocess.run(
        [
            soffice,
            f"-env:UserInstallation={profile.as_uri()}",
            "--headless",
            *("--convert-to", "xlsx", "--outdir", str(folder / "out"), str(path)),
        ],
        check=True,
        capture_output=True,
        timeout=limit_s,
    )
    return folder / "out" / path.name


def tables(rows: list[tuple[Any, ...]]) -> Iterator[list[dict[str, Any]]]:
    """The tables of a sheet: each a heading, a note, heads with units, rows, and two blank rows."""
    table: list[tuple[Any, ...]] = []
    for row in [*rows, (None,)]:
        if any(cell is not None for cell in row):
            table.append(row)
        elif table:
            heads = [str(head).partition("\n")[0] for head in table[2]]
            yield [dict(zip(heads, line, strict=False)) for line in table[3:]]
            table = []
