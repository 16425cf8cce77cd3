"""Rows of any log, as text, in batches: CSV, CSV in gzip, Parquet; several files.

Decides how a file becomes batches of text columns with row numbers, and refuses what has no such
columns. Does not know what a column means (sim/fit/logs.py and its siblings do). Memory holds one
batch at a time. A field of a CSV may not contain a line break.
"""

import gzip
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import polars as pl

from sim.fit.problems import LogError

BATCH_BYTES: Final = 1 << 24
BATCH_ROWS: Final = 250_000
ROW: Final = "row"
EXTRA: Final = "fields_beyond_the_header"


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of one file; `row` counts from 1 below the header, other columns are text."""

    file: str
    frame: pl.DataFrame


def batches(
    paths: Sequence[Path], *, required: Sequence[str], optional: Sequence[str],
    columns: Mapping[str, str] | None,
) -> Iterator[Batch]:
    """All rows under their meaning's names. `columns` maps meaning to the file's own header; None
    where nothing can be mapped.

    Raises LogError for a missing, unreadable or empty file, for one that is given twice, and for
    one without a column that is required or mapped.
    """
    mapped = columns or {}
    wanted = {name: mapped.get(name, name) for name in (*required, *optional)}
    needed = [name for name in wanted if name in required or name in mapped]
    for place, path in enumerate(paths):
        if path.is_dir():
            raise LogError(f"{path}: is a folder; name the files in it")
        if not path.is_file():
            raise LogError(f"{path}: no such file")
        if path.resolve() in [other.resolve() for other in paths[:place]]:
            raise LogError(f"{path}: is given twice; each file counts once")
        seen = 0
        for frame in _parquet(path) if path.suffix == ".parquet" else _csv(path):
            missing = [name for name in needed if wanted[name] not in frame.columns]
            if missing:
                have = ", ".join(name for name in frame.columns if name not in (ROW, EXTRA))
                lacking = ", ".join(repr(wanted[name]) for name in missing)
                hint = "" if columns is None else f"; map it with --column {missing[0]}=NAME"
                raise LogError(f"{path}: no column {lacking} (it has {have}){hint}")
            named = [
                pl.col(own).cast(pl.String).str.strip_chars().replace("", None).alias(name)
                if own in frame.columns
                else pl.lit(None, dtype=pl.String).alias(name)
                for name, own in wanted.items()
            ]
            extra = pl.col(EXTRA) if EXTRA in frame.columns else pl.lit(False).alias(EXTRA)
            yield Batch(path.name, frame.select(pl.col(ROW), extra, *named))
            seen += frame.height
        if not seen:
            raise LogError(f"{path}: holds no rows below the header; a log needs at least one")


def _parquet(path: Path) -> Iterator[pl.DataFrame]:
    try:
        scan = pl.scan_parquet(path)
        count = scan.select(pl.len()).collect().item()
        for start in range(0, count, BATCH_ROWS):
            rows = scan.slice(start, BATCH_ROWS).collect()
            yield rows.with_row_index(ROW, offset=start + 1)
    except pl.exceptions.PolarsError as error:
        raise LogError(f"{path}: is not a Parquet file ({str(error).splitlines()[0]})") from None


def _csv(path: Path) -> Iterator[pl.DataFrame]:
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if zipped else path.open("rb") as file:
            yield from _chunks(path, file)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise LogError(f"{path}: the compressed file is damaged ({error})") from None
    except OSError as error:
        raise LogError(f"{path}: cannot be read ({error.strerror})") from None


def _chunks(path: Path, file: IO[bytes] | gzip.GzipFile) -> Iterator[pl.DataFrame]:
    header = file.readline().removeprefix(b"\xef\xbb\xbf").strip()
    if not header:
        raise LogError(f"{path}: is empty; a log starts with a line of column names")
    if b"\0" in header:
        raise LogError(f"{path}: is no text in UTF-8 (UTF-16?); save it as CSV in UTF-8")
    separator = max((b",", b"\t", b";"), key=header.count)
    cells = (name.strip().strip(b'"') for name in header.split(separator))
    names = [name.decode("utf-8", "replace") for name in cells]
    if len(set(names)) < len(names):
        raise LogError(f"{path}: two columns have the same name in the header")
    offset, rest = 1, b""
    while True:
        block = file.read(BATCH_BYTES)
        cut = block.rfind(b"\n") + 1 if block else 0
        whole, rest = (rest + block[:cut], block[cut:]) if cut or not block else (b"", rest + block)
        if whole.strip():
            frame = _rows(whole, [*names, EXTRA], separator.decode())
            yield frame.with_row_index(ROW, offset=offset)
            offset += frame.height
        if not block:
            return


def _rows(text: bytes, names: list[str], separator: str) -> pl.DataFrame:
    """Text columns; a line with too many fields shows in the last column, too few in nulls."""
    quote = '"' if _quotes_close(text) else None
    header = separator.join(names).encode()
    frame = pl.read_csv(
        io.BytesIO(header + b"\n" + text),
        separator=separator,
        quote_char=quote,
        infer_schema=False,
        encoding="utf8-lossy",
        truncate_ragged_lines=True,
    )
    return frame.with_columns(pl.col(EXTRA).is_not_null())


def _quotes_close(text: bytes) -> bool:
    """Whether quotes come in pairs on every line; else a stray one would swallow lines."""
    if b'"' not in text:
        return True
    return all(line.count(b'"') % 2 == 0 for line in text.split(b"\n") if b'"' in line)
