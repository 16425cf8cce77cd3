"""Bytes that go from one side to the other in pieces: a share of the trace, or a growing journal.

One piece is under way at a time, and the other side says how much it has. A piece that got lost
with its connection is sent again; one that comes twice is taken once. Both sides hash what went
through, so that at the end they know that it is the same.
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import Final

PIECE_BYTES: Final = 1 << 18
"""Copying a piece takes some 50 us: the sender may not become late by handing over its journal."""


class Outgoing:
    """The sending side; keeps what the other side does not have yet."""

    def __init__(self, send: Callable[[int, bytes], None]) -> None:
        self._send = send
        """Told where a piece begins, and the piece."""
        self._data = bytearray()
        self._hash = blake2b(digest_size=16)
        self._had_bytes = self._sent_bytes = self._nudged_bytes = 0
        self.bytes_count = 0

    def add(self, data: bytes) -> None:
        """More to send; `push` sends it."""
        self._data += data
        self._hash.update(data)
        self.bytes_count += len(data)

    def push(self) -> None:
        """Send the next piece unless one is under way."""
        if self._data and self._sent_bytes == self._had_bytes:
            piece = bytes(self._data[:PIECE_BYTES])
            self._sent_bytes += len(piece)
            self._send(self._had_bytes, piece)

    def had(self, bytes_count: int) -> None:
        """The other side has so many bytes: go on with the next piece."""
        if bytes_count > self._had_bytes:
            del self._data[: bytes_count - self._had_bytes]
            self._had_bytes = self._sent_bytes = bytes_count
            self.push()

    def nudge(self) -> None:
        """Send the piece under way again if nothing arrived since the last nudge."""
        if self._had_bytes == self._nudged_bytes:
            self._sent_bytes = self._had_bytes
        self._nudged_bytes = self._had_bytes
        self.push()

    @property
    def is_through(self) -> bool:
        """Whether the other side has everything."""
        return not self._data

    @property
    def digest(self) -> str:
        """Of all bytes."""
        return self._hash.hexdigest()


class Incoming:
    """The receiving side."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._hash = blake2b(digest_size=16)
        self.bytes_count = 0

    def take(self, at: int, data: bytes) -> int:
        """Take a piece that begins at byte `at`, unless it is out of turn; returns how many bytes
        are here. Raises what `write` raises."""
        if at == self.bytes_count:
            self._write(data)
            self._hash.update(data)
            self.bytes_count += len(data)
        return self.bytes_count

    @property
    def digest(self) -> str:
        """Of all bytes that are here."""
        return self._hash.hexdigest()
