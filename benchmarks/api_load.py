"""A small closed-loop generator for the guarantee API's benchmark: raw keep-alive connections.

Each connection sends its next request when the answer to the last one is whole. Prints one JSON
line: requests per second, p99 in ms, how many answers had another status than asked for. It runs on
its own core, and requests are made before the clock runs, so that the server is what is measured
(and, with PostgreSQL, the data base that shares the generator's core). (The replay
is open-loop; throughput at saturation is the one thing that a closed loop measures well.)
"""

import argparse
import asyncio
import json
import os
from collections.abc import Callable, Iterator
from itertools import chain, count, islice
from time import perf_counter
from typing import Any

import uvloop

MADE_PER_S = 15_000
PAGES_COUNT = 40


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request under way."""

    def __init__(self, run: "Run") -> None:
        self._run = run
        self._buffer = b""
        self._sent_s = 0.0
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._next()

    def _next(self) -> None:
        request = self._run.take()
        if request is None:
            self._transport.close()
            return
        self._sent_s = perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        head_end = buffer.find(b"\r\n\r\n")
        if head_end < 0:
            self._buffer = buffer
            return
        at = buffer.find(b"content-length: ") + 16
        length = int(buffer[at : buffer.find(b"\r", at)])
        if len(buffer) < head_end + 4 + length:
            self._buffer = buffer
            return
        self._buffer = b""
        self._run.seen(buffer[9:12], perf_counter() - self._sent_s)
        self._next()

    def connection_lost(self, _: Exception | None) -> None:
        self._run.gone()


class Run:
    """What all connections share."""

    def __init__(self, requests: Iterator[bytes], *, seconds: float, good: bytes) -> None:
        self._requests = requests
        self._until_s = perf_counter() + seconds
        self._good = good
        self._open_count = 0
        self.took_s: list[float] = []
        self.wrong: dict[str, int] = {}
        self.done = asyncio.get_running_loop().create_future()

    def take(self) -> bytes | None:
        return next(self._requests) if perf_counter() < self._until_s else None

    def seen(self, status: bytes, took_s: float) -> None:
        self.took_s.append(took_s)
        if status != self._good:
            self.wrong[status.decode()] = self.wrong.get(status.decode(), 0) + 1

    def opened(self) -> None:
        self._open_count += 1

    def gone(self) -> None:
        self._open_count -= 1
        if self._open_count == 0 and not self.done.done():
            self.done.set_result(None)


def message(method: str, path: str, token: str, body: bytes = b"", key: str = "") -> bytes:
    """One request, ready to be sent."""
    head = f"{method} {path} HTTP/1.1\r\nhost: api\r\nauthorization: Bearer {token}\r\n"
    if body:
        head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
    if key:
        head += f"idempotency-key: {key}\r\n"
    return f"{head}\r\n".encode() + body


def claims(token: str) -> Iterator[bytes]:
    """Claims over orders that nobody claimed before."""
    first = int.from_bytes(os.urandom(5)) << 8
    for number in count(first):
        body = (
            b'{"trigger":"closed_or_refused","category":"catering","order_id":%d,"merchant_id":%d,'
            b'"consumer_id":%d,"order_value_fen":8800}'
            % (number, number % 1_500_000 + 1, number % 9_999_991 + 1)
        )
        yield message("POST", "/v1/claims", token, body, f"bench-{number:x}")


def terms(token: str) -> Iterator[bytes]:
    """What is promised for hotels."""
    while True:
        yield message("GET", "/v1/guarantees?category=hotel", token)


def statuses(token: str) -> Iterator[bytes]:
    """Status of stores that the bulk updates wrote."""
    for number in count():
        yield message("GET", f"/v1/merchants/{number * 7919 % 100_000 + 1}/status", token)


def bulks(token: str) -> Iterator[bytes]:
    """Five thousand updates a request, over 200,000 stores."""
    first = int.from_bytes(os.urandom(5)) << 8
    pages = []
    for page in range(PAGES_COUNT):
        rows = (
            f'{{"merchant_id":{page * 5000 + one + 1},"status":"closed"}}' for one in range(5000)
        )
        pages.append(f'{{"updates":[{",".join(rows)}]}}'.encode())
    for number in count(first):
        body = pages[number % len(pages)]
        yield message("POST", "/v1/merchants/status", token, body, f"bulk-{number:x}")


KINDS: dict[str, tuple[Callable[[str], Iterator[bytes]], bytes]] = {
    "claims": (claims, b"201"),
    "terms": (terms, b"200"),
    "statuses": (statuses, b"200"),
    "bulks": (bulks, b"200"),
}


async def load(kind: str, *, port: int, token: str, connections: int, seconds: float) -> None:
    make, good = KINDS[kind]
    requests = make(token)
    made = islice(requests, PAGES_COUNT if kind == "bulks" else int(seconds * MADE_PER_S))
    run = Run(chain(list(made), requests), seconds=seconds, good=good)
    loop = asyncio.get_running_loop()
    began_s = perf_counter()
    for _ in range(connections):
        run.opened()
        await loop.create_connection(lambda: Connection(run), "127.0.0.1", port)
    await run.done
    took_s = perf_counter() - began_s
    ordered = sorted(run.took_s)
    answer = {
        "per_s": len(ordered) / took_s,
        "p99_ms": ordered[int(len(ordered) * 0.99)] * 1000,
        "wrong": run.wrong,
    }
    print(json.dumps(answer))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--core", type=int, default=None)
    options = parser.parse_args()
    if options.core is not None:
        os.sched_setaffinity(0, {options.core})
    uvloop.run(
        load(
            options.kind,
            port=options.port,
            token=os.environ["BENCH_TOKEN"],
            connections=options.connections,
            seconds=options.seconds,
        )
    )


if __name__ == "__main__":
    main()
