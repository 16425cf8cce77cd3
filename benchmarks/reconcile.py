"""A run's claims, tables and workbook held against each other to the fen, and how long it takes.

`python -m benchmarks.reconcile RUN [CLAIM]` writes the workbook of a run, reads the claims back
from the cells of the .xlsx as text, adds them up in whole fen, and prints one JSON line: sums from
the cells and from the Parquet tables, their difference (0), and the seconds that writing took and
that telling one claim's story takes, the command's own start included.
"""

import json
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from reports.workbook.build import write
from reports.workbook.details import CLAIMS

_CHUNK_BYTES = 1 << 24
_MEASURES = ("paid", "due", "recovered")
_ROOT = Path(__file__).parent.parent


def main(run: Path, claim_id: int | None) -> None:
    """Write, read back, compare, and print."""
    started_s = time.perf_counter()
    written = write(run)
    write_s = time.perf_counter() - started_s
    claims = pl.scan_parquet(run / "claims.parquet").filter(pl.col("replication") == 0)
    sums = claims.select(pl.len(), *(pl.col(f"{m}_fen").sum() for m in _MEASURES)).collect()
    cells = _cells(written.path)
    payouts = pl.scan_parquet(run / "payouts.parquet").filter(pl.col("replication") == 0)
    gross_fen = payouts.select(pl.col("gross_fen").sum()).collect().item()
    if claim_id is None:
        claim_id = claims.select(pl.col("claim_id").median().cast(pl.Int64)).collect().item()
    said = {
        "claims_count": sums["len"][0],
        "claims_in_workbook_count": cells["count"],
        **{f"{m}_fen": sums[f"{m}_fen"][0] for m in _MEASURES},
        **{f"{m}_difference_fen": cells[m] - sums[f"{m}_fen"][0] for m in _MEASURES},
        "payouts_difference_fen": cells["paid"] - gross_fen,
        "workbook_bytes": written.path.stat().st_size,
        "write_s": round(write_s, 2),
        "story_s": round(_story_s(run, claim_id), 2),
    }
    print(json.dumps(said))
    wrong = [name for name in said if name.endswith("difference_fen") and said[name]]
    sys.exit(1 if wrong or said["claims_count"] != cells["count"] else 0)


def _cells(path: Path) -> dict[str, int]:
    """Rows and sums in fen of the claims' sheets, from the text of their cells."""
    letters = {chr(ord("A") + n): field.key for n, field in enumerate(CLAIMS)}
    money = "".join(letter for letter, key in letters.items() if key in _MEASURES)
    pattern = re.compile(rb'<c r="([%s])\d+" s="\d+"><v>(\d+)\.(\d\d)</v>' % money.encode())
    sums = dict.fromkeys((*_MEASURES, "count"), 0)
    with zipfile.ZipFile(path) as packed:
        names = re.findall(r'<sheet name="([^"]+)"', packed.read("xl/workbook.xml").decode())
        for number, name in enumerate(names, start=1):
            if not name.startswith("Claims"):
                continue
            for rows in _rows(packed, f"xl/worksheets/sheet{number}.xml"):
                for letter, yuan, fen in pattern.findall(rows):
                    key = letters[letter.decode()]
                    sums[key] += int(yuan) * 100 + int(fen)
                    sums["count"] += key == "due"
    return sums


def _rows(packed: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """A sheet's XML in pieces that end with a row."""
    rest = b""
    with packed.open(name) as sheet:
        while chunk := sheet.read(_CHUNK_BYTES):
            rows, mark, rest = (rest + chunk).rpartition(b"</row>")
            yield rows + mark


def _story_s(run: Path, claim_id: int) -> float:
    started_s = time.perf_counter()
    command = [sys.executable, "springpeak.py", "ledger", str(run), "--claim", str(claim_id)]
    subprocess.run(command, cwd=_ROOT, check=True, capture_output=True)
    return time.perf_counter() - started_s


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else None)
