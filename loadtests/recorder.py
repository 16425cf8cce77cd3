"""What a worker writes while it sends: chunks of columns, so that a broken-off replay keeps them.

One file a worker, on the machine of the journal; a chunk is its length (4 bytes, little-endian)
and MessagePack, column by column. Encoding two thousand rows takes half a millisecond, a tenth of
what Parquet takes: the sender must not become late by writing down what it sent. Beside it stands
how far the schedule may have come, written before it comes there: so that of steps without a row it
is known which were never sent, even if the process was killed.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

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
_REACH_BYTES: Final = 8
Columns = tuple[
    list[int], list[int], list[int], list[int], list[int], list[int],
    list[str], list[str], list[str], list[int], list[int],
]  # fmt: skip
"""A chunk: rows as columns."""


class PartFile:
    """The part of one worker in a folder. Raises OSError if the file cannot be made."""

    def __init__(self, folder: Path, worker: int) -> None:
        self._path = folder / PARTS / f"{worker:03d}.part"
        self._path.parent.mkdir(exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        self.descriptor = os.open(self._path, flags, 0o644)
        self._reach_path = _reach_path(folder, worker)
        self.reach_descriptor = os.open(self._reach_path, flags, 0o644)
        self._reach_ns = 0
        self.reach(0)

    def write(self, data: bytes) -> None:
        """Add to it. Raises OSError that names the file."""
        try:
            written_bytes = os.write(self.descriptor, data)
            if written_bytes < len(data):  # a second call says why
                os.write(self.descriptor, data[written_bytes:])
        except OSError as error:
            raise OSError(f"{self._path} cannot be written: {error.strerror}") from None

    def reach(self, until_ns: int) -> None:
        """Say that steps planned before then may be sent from now on, and no later one. Raises
        OSError that names the file."""
        self._reach_ns = max(self._reach_ns, until_ns)
        try:
            os.pwrite(self.reach_descriptor, self._reach_ns.to_bytes(_REACH_BYTES, "little"), 0)
        except OSError as error:
            raise OSError(f"{self._reach_path} cannot be written: {error.strerror}") from None

    def close(self) -> None:
        os.close(self.descriptor)
        os.close(self.reach_descriptor)


class Recorder:
    """Takes rows and hands them as chunks to `write`; `tell_reach` is told until when steps may be
    sent, before they are. Both may raise OSError."""

    def __init__(
        self,
        write: Callable[[bytes], None],
        tell_reach: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._write, self._tell_reach = write, tell_reach
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

    def reach(self, until_ns: int) -> bool:
        """Whether steps planned before then may be sent. Never raises: see `failure`."""
        try:
            self._tell_reach(until_ns)
        except OSError as error:
            self.failure = str(error)
        return not self.failure


@dataclass(frozen=True, slots=True)
class Torn:
    """What stands in a part after its last whole chunk: one that was cut off."""

    path: Path
    data: bytes


@dataclass(frozen=True, slots=True)
class Parts:
    """All that workers wrote: `rows` as in PART_SCHEMA, and what is no row."""

    rows: pl.DataFrame
    torn: list[Torn]


def part_paths(folder: Path) -> list[Path]:
    """The parts that workers wrote, in order of worker."""
    return sorted((folder / PARTS).glob("*.part"))


def read_parts(folder: Path) -> Parts:
    """Everything in a folder's parts. Raises OSError."""
    frames, torn = [pl.DataFrame(schema=PART_SCHEMA)], []
    for path in part_paths(folder):
        data, whole_bytes = path.read_bytes(), 0
        for end, columns in _chunks(data):
            values = dict(zip(PART_SCHEMA, columns, strict=True))
            frames.append(pl.DataFrame(values, schema=PART_SCHEMA))
            whole_bytes = end
        if whole_bytes < len(data):
            torn.append(Torn(path, data[whole_bytes:]))
    return Parts(pl.concat(frames), torn)


def read_reach(folder: Path, worker: int) -> tuple[int, int]:
    """A worker sent no step planned at or after the first; on this machine's wall clock the second
    is when it last said so. Both ns; 0 if it was never there. Raises OSError."""
    path = _reach_path(folder, worker)
    try:
        return int.from_bytes(path.read_bytes(), "little"), path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0, 0


def remove_parts(folder: Path) -> None:
    """Once the journal has everything. Raises OSError."""
    shutil.rmtree(folder / PARTS)


def _reach_path(folder: Path, worker: int) -> Path:
    return folder / PARTS / f"{worker:03d}.reach"


def _chunks(data: bytes) -> Iterator[tuple[int, Columns]]:
    """Each whole chunk and where it ends, up to the first that is cut off: nothing that a worker
    wrote stands behind that one."""
    decode = msgspec.msgpack.Decoder(Columns).decode
    at = 0
    while at + _LENGTH_BYTES <= len(data):
        end = at + _LENGTH_BYTES + int.from_bytes(data[at : at + _LENGTH_BYTES], "little")
        if end > len(data):
            return
        try:
            columns = decode(data[at + _LENGTH_BYTES : end])
        except msgspec.MsgspecError:  # a machine without power leaves zeros, too
            return
        yield end, columns
        at = end
