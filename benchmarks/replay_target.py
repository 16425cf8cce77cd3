"""A target that answers at once, so that the generator is what is measured: httptools on uvloop.

With `--delay-ms` each answer takes a time of its own, lognormal and always the same for one
idempotency key (without one, no time): then the times are the host's, and two ways of sending a
trace should see the same.
"""

import argparse
import asyncio
import os
from math import exp
from statistics import NormalDist
from zlib import crc32

import httptools
import uvloop

BODY = b'{"claim_id":7,"state":"approved","refund_fen":8800,"extra_fen":1200}'
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
    len(BODY),
    BODY,
)
SIGMA = 0.7
"""Log units: the 99th percentile is five times the median."""


class Target(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._transport.write(ANSWER)


class SlowTarget(Target):
    """Takes its time."""

    median_s = 0.0
    _key = b""

    def on_message_begin(self) -> None:
        self._key = b""

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"idempotency-key":
            self._key = value

    def on_message_complete(self) -> None:
        after_s = delay_s(self._key, self.median_s)
        asyncio.get_running_loop().call_later(after_s, self._transport.write, ANSWER)


def delay_s(key: bytes, median_s: float) -> float:
    """How long the answer to a key takes."""
    share = (crc32(key) + 0.5) / 2.0**32
    return median_s * exp(SIGMA * NormalDist().inv_cdf(share)) if key else 0.0


async def serve(port: int, kind: type[Target]) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(kind, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--core", type=int, default=None)
    parser.add_argument("--delay-ms", type=float, default=0.0, help="median; 0 = at once")
    options = parser.parse_args()
    SlowTarget.median_s = options.delay_ms / 1e3
    if options.core is not None:
        os.sched_setaffinity(0, {options.core})
    uvloop.run(serve(options.port, SlowTarget if options.delay_ms else Target))


if __name__ == "__main__":
    main()
