"""What the tests of the replay share: a scripted host in the hub, and a sender run against it."""

import _socket
import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic_ns
from typing import Any

import gevent
import gevent.server
import gevent.ssl
import polars as pl
from gevent.event import Event

from loadtests import journal, mapping, schedule
from loadtests.connection import Host
from loadtests.recorder import PartFile, Recorder, read_parts
from loadtests.sender import Limits, Sender
from loadtests.tokenfile import Tokens
from loadtests.trace import CONSUMERS_COUNT, Trace

TOKENS = Tokens(
    {"agent": "an-agent", "operator": "an-operator", "auditor": "an-auditor"},
    tuple(f"consumer-{1 + one}" for one in range(CONSUMERS_COUNT)),
)
MS = 1_000_000
TLS = Path(__file__).parent / "tls"
"""A certificate for localhost until 2126, signed by itself, and its key."""


def answer(status: int = 200, claim_id: int | str = 7, **changed: Any) -> bytes:
    """A whole answer about a claim."""
    values = {"claim_id": claim_id, "state": "approved", "refund_fen": 100, "extra_fen": 20}
    body = json.dumps(values | changed).encode()
    return b"HTTP/1.1 %d X\r\ncontent-length: %d\r\n\r\n%s" % (status, len(body), body)


@dataclass
class Asked:
    """A request as the host saw it."""

    line: str
    headers: dict[str, str]
    body: bytes
    connection: int
    send: Callable[[bytes], None] = field(repr=False)


Script = Callable[[Asked], bytes | None]
"""What the host answers; None leaves the request without an answer, b"" closes the connection."""


class ScriptedHost:
    """Answers in the hub of the test, as its script says."""

    def __init__(self, script: Script, **tls: Any) -> None:
        self._script = script
        self.asked: list[Asked] = []
        self.connections_count = 0
        self._server = gevent.server.StreamServer(("127.0.0.1", 0), self._serve, **tls)
        self._server.start()
        self.port: int = self._server.server_port

    def close(self) -> None:
        self._server.stop(timeout=0)

    def _serve(self, socket: Any, _: Any) -> None:
        self.connections_count += 1
        number = self.connections_count
        file = socket.makefile("rb")
        while line := file.readline():
            headers = {}
            while (one := file.readline().decode().strip()) != "":
                name, _, value = one.partition(": ")
                headers[name] = value
            body = file.read(int(headers.get("content-length", 0)))
            asked = Asked(line.decode().strip(), headers, body, number, socket.sendall)
            self.asked.append(asked)
            said = self._script(asked)
            if said == b"":
                socket.shutdown(_socket.SHUT_RDWR)
                return
            if said is not None:
                socket.sendall(said)


@dataclass(frozen=True)
class Sent:
    """What a sender left."""

    rows: pl.DataFrame
    host: ScriptedHost
    sender: Sender
    told: list[tuple[str, int | None, int, str]]


def send(
    folder: Path,
    trace: Trace,
    script: Script,
    *,
    speed: float = 1.0,
    timeout_s: float = 10.0,
    during: Callable[[Sender], None] | None = None,
    part: PartFile | None = None,
    listening: bool = True,
    tls: ssl.SSLContext | None = None,
    **limits: int,
) -> Sent:
    """Send a whole trace to a scripted host and return what the journal says."""
    host = ScriptedHost(script, **({"ssl_context": _certified()} if tls else {}))
    if not listening:
        host.close()
    planned = schedule.plan(trace, speed=speed, shards=1)
    mapped = mapping.load()
    ended = Event()
    told: list[tuple[str, int | None, int, str]] = []
    part = part or PartFile(folder, 0)
    kept = Recorder(part.write, part.reach)
    sender = Sender(
        schedule.schedule(
            schedule.share(trace, planned, 0),
            mapping=mapped,
            tokens=TOKENS,
            host_header="a-host",
        ),
        loop=gevent.get_hub().loop,
        host=Host(_socket.AF_INET, ("127.0.0.1", host.port), "localhost", tls),
        mapping=mapped,
        limits=Limits(
            connections_count_max=limits.get("connections", 64),
            timeout_ns=int(timeout_s * 1e9),
            attempts_count_max=limits.get("attempts", 1),
        ),
        recorder=kept,
        finished=lambda *words: told.append(words),
        ended=ended.set,
    )
    sender.start(monotonic_ns())
    if during is not None:
        during(sender)
    assert ended.wait(timeout=60.0)
    part.close()
    host.close()
    lost_ns = sender.elapsed_ns if kept.failure else None
    about = journal.About(
        planned_count=planned.height,
        trace_digest="",
        host="",
        started_unix_ns=0,
        limits={"connections_count_max": limits.get("connections", 64)},
        shares=(journal.Share(worker=0, planned_count=planned.height, lost_ns=lost_ns),),
    )
    journal.write(folder, planned, about, read_parts(folder).rows)
    return Sent(journal.read(folder).rows, host, sender, told)


def _certified() -> Any:
    context = gevent.ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)  # the standard one would block
    context.load_cert_chain(TLS / "certificate.pem", TLS / "key.pem")
    return context
