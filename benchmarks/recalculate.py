"""A run's workbook calculated anew by LibreOffice: every formula against the engine's own figure.

`python -m benchmarks.recalculate RUN` takes the workbook that `springpeak workbook RUN` wrote,
overwrites the kept value of every formula, has LibreOffice calculate and save it, and prints one
JSON line: formulas, the largest distance of an amount in CNY and of any other figure, texts that
differ, and the seconds. Exit status 1 where an amount is 0.01 CNY or more away or a text differs.
"""

import json
import re
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tests.spreadsheet import office, poisoned, recalculated_file

LIMIT_CNY = 0.01
_WAIT_S = 1800.0
# Cells with a formula; LibreOffice writes attributes that XlsxWriter does not.
_CELL = re.compile(
    r'<c r="([A-Z]+[0-9]+)"([^>]*)><f[^>]*>[^<]*</f><v>([^<]*)</v>'
)
# No sheet of formulas is as large as those of single claims, which have none.
_LARGE_BYTES = 1 << 25

Cells = dict[tuple[str, str], float | str]


def main(run: Path) -> int:
    """Poison, recalculate, compare, and print."""
    book = run / "workbook.xlsx"
    if office() is None:
        sys.exit("LibreOffice is not installed")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = poisoned(book, folder / book.name)
        started_s = time.perf_counter()
        anew = dict(_cells(recalculated_file(source, folder, limit_s=_WAIT_S)))
        took_s = time.perf_counter() - started_s
    kept: Cells = dict(_cells(book))
    assert kept.keys() == anew.keys(), "formulas were lost"
    texts = [at for at, value in kept.items() if isinstance(value, str) and anew[at] != value]
    apart = {
        at: abs(float(anew[at]) - value)
        for at, value in kept.items()
        if not isinstance(value, str)
    }
    worst = max(apart, key=lambda at: apart[at])
    print(
        json.dumps(
            {
                "formulas_count": len(kept),
                "figures_count": len(apart),
                "texts_apart_count": len(texts),
                "largest_distance_cny": apart[worst],
                "largest_at": "!".join(worst),
                "recalculated_s": round(took_s, 1),
            }
        )
    )
    return int(bool(texts) or apart[worst] >= LIMIT_CNY)


def _cells(book: Path) -> Iterator[tuple[tuple[str, str], float | str]]:
    """(sheet, cell) and value of every formula."""
    with zipfile.ZipFile(book) as packed:
        for entry in packed.infolist():
            if entry.filename.startswith("xl/worksheets/") and entry.file_size < _LARGE_BYTES:
                xml = packed.read(entry).decode()
                for cell, attributes, value in _CELL.findall(xml):
                    is_text = 't="str"' in attributes
                    yield (Path(entry.filename).stem, cell), value if is_text else float(value)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
