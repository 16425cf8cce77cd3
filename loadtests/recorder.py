"""What a worker writes while it sends: chunks of columns, so that a broken-off replay keeps them.

One file a worker, on the machine of the journal; a chunk is its length (4 bytes, little-endian)
and MessagePack, column by column. Encoding two thousand rows takes half a millisecond, a tenth of
what Parquet takes: the sender must not become late by writing down what it sent. A chunk that was
cut short is not read.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import polars as pl

PARTS: Final = "parts"
PART_SCHEMA: Final = {
    "step": pl.Int64,
    "ready_ns": pl.Int64,
    "sent_ns": pl.Int64,
    "done_ns": pl.Int64,
    "status": pl.Int16,
    "outcome": pl.UInt8,
    "reason": pl.String,
    "answer_id": pl.String,
    "answer_state": pl.String,
    "answer_fen": pl.Int64,
    "attempts": pl.Int16,
}
"""-1 stands for no time and no amount, `outcome` is an index of journal.OUTCOMES."""
Ending = tuple[int, int, str, str, str, int, int]
"""How a step ended: PART_SCHEMA from `status` on."""
Row = tuple[int, int, int, int, int, int, str, str, str, int, int]
"""One finished step in the order of PART_SCHEMA: step and times, and the ending."""
_LENGTH_BYTES: Final = 4


class PartFile:
    """The part of one worker in a folder. Raises OSError if the file cannot be made."""

    def __init__(self, folder: Path, worker: int) -> None:
        self._path = folder / PARTS / f"{worker:03d}.part"
        self._path.parent.mkdir(exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        self.descriptor = os.open(self._path, flags, 0o644)

    def write(self, data: bytes) -> None:
        """Add to it. Raises OSError that names the file."""
        try:
            written_bytes = os.write(self.descriptor, data)
            if written_bytes < len(data):  # a second call says why
                os.write(self.descriptor, data[written_bytes:])
        except OSError as error:
            raise OSError(f"{self._path} cannot be written: {error.strerror}") from None

    def close(self) -> None:
        os.close(self.descriptor)


class Recorder:
    """Takes rows and hands them as chunks to `write`, which may raise OSError."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._rows: list[Row] = []
        self._encode = msgspec.msgpack.Encoder().encode
        self.add = self._rows.append
        self.failure = ""
        """Why nothing more can be written; empty while it can."""

    def flush(self) -> list[Row]:
        """Write what waits and return it. Never raises: see `failure`."""
        if not self._rows or self.failure:
            return []
        rows = list(self._rows)
        self._rows.clear()
        chunk = self._encode(list(zip(*rows, strict=True)))
        try:
            self._write(len(chunk).to_bytes(_LENGTH_BYTES, "little") + chunk)
        except OSError as error:
            self.failure = str(error)
        return rows


def part_paths(folder: Path) -> list[Path]:
    """The parts that workers wrote, in order of worker."""
    return sorted((folder / PARTS).glob("*.part"))


def read_parts(folder: Path) -> pl.DataFrame:
    """All rows of all parts, as in PART_SCHEMA."""
    frames = [
        pl.DataFrame(dict(zip(PART_SCHEMA, columns, strict=True)), schema=PART_SCHEMA)
        for path in part_paths(folder)
        for columns in _chunks(path.read_bytes())
    ]
    return pl.concat([pl.DataFrame(schema=PART_SCHEMA), *frames])


def _chunks(data: bytes) -> Iterator[Any]:
    decode = msgspec.msgpack.Decoder().decode
    at = 0
    while at + _LENGTH_BYTES <= len(data):
        end = at + _LENGTH_BYTES + int.from_bytes(data[at : at + _LENGTH_BYTES], "little")
        if end > len(data):
            return
        yield decode(data[at + _LENGTH_BYTES : end])
        at = end
