"""One worker as its master knows it: its share on the way there, its journal on the way back, when
it was last heard, and how it ended.

Decides what is certain of a worker that was given up: it sends nothing that was planned after the
end of its lease (wire.py).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic_ns

from loadtests.cluster.parcel import Incoming, Outgoing
from loadtests.cluster.wire import LEASE_NS, SLACK_NS
from loadtests.job import Ending
from loadtests.journal import Clock, Share
from loadtests.recorder import PartFile


@dataclass(slots=True, kw_only=True)
class Worker:
    """A worker from its hello to its end."""

    node: str
    """The name that Locust gave it."""
    host: str
    process: int
    number: int = -1
    outgoing: Outgoing | None = None
    incoming: Incoming | None = None
    part: PartFile | None = None
    planned_count: int = -1
    """-1 until it is ready."""
    clock: Clock | None = None
    refused: str = ""
    heard_ns: int = field(default_factory=monotonic_ns)
    elapsed_ns: int = 0
    """How far its schedule had come, on its own clock, when it was last heard."""
    counts: dict[str, int] = field(default_factory=dict)
    lag_ns: int = 0
    left: bool = False
    """Whether it said that it goes."""
    lost: bool = False
    started_unix_ns: int = 0
    ending: Ending | None = None

    def __str__(self) -> str:
        return f"worker {self.number} on {self.host}"

    @property
    def is_silent(self) -> bool:
        """Whether its lease is over."""
        return monotonic_ns() - self.heard_ns > LEASE_NS + SLACK_NS

    def give(self, share: bytes, send: Callable[[int, bytes], None]) -> None:
        """Begin to send its share in pieces."""
        self.outgoing = Outgoing(send)
        self.outgoing.add(share)
        self.outgoing.push()

    def open(self, folder: Path, *, started_unix_ns: int) -> None:
        """Be ready for its journal. Raises OSError."""
        self.started_unix_ns = started_unix_ns
        self.part = PartFile(folder, self.number)
        self.incoming = Incoming(self.part.write)
        self.reach()

    def reach(self) -> None:
        """Write down until when it may send, before it is lent more time. Raises OSError."""
        if self.part is not None:
            self.part.reach(self.elapsed_ns + LEASE_NS)

    def take(self, at: int, data: bytes) -> int:
        """A piece of its journal; how many bytes are here. Raises OSError, after which nothing more
        is taken: half of the piece may be written, and nothing may follow that."""
        assert self.incoming is not None
        try:
            return self.incoming.take(at, data)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Take no more of its journal."""
        if self.part is not None:
            self.part.close()
            self.part = None

    def lose(self, why: str = "") -> None:
        """Give it up."""
        self.lost = True
        self._end(why, lost_ns=self.elapsed_ns + LEASE_NS)

    def end(self, stopped: str, clock: Clock, *, bytes_count: int, digest: str) -> None:
        """It says that it ended, and with which journal. Where that is here, all of it is known,
        even if it had been given up."""
        assert self.incoming is not None
        if (self.incoming.bytes_count, self.incoming.digest) == (bytes_count, digest):
            self.clock = clock
            self._end(stopped, lost_ns=None)
        else:
            self.lose(f"the journal of worker {self.number} came damaged: another hash than there")

    def _end(self, stopped: str, *, lost_ns: int | None) -> None:
        share = Share(
            worker=self.number,
            planned_count=self.planned_count,
            lost_ns=lost_ns,
            host=self.host,
            clock=self.clock,
        )
        self.ending = Ending(share=share, stopped=stopped, started_unix_ns=self.started_unix_ns)
