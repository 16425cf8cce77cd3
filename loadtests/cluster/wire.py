"""What a master and its workers agree on: where they meet, which version they run, and how long the
silence of one may last before the other acts. The messages themselves are Locust's.

The lease: a worker tells its master once a beat how far its schedule has come, and sends nothing to
the host once its last answered beat is LEASE_NS old. So the master knows of a worker that fell
silent that no step went out which was planned later than the last beat it heard, plus LEASE_NS, on
the worker's own clock (C. Gray and D. Cheriton, Leases, 1989).
"""

import ipaddress
import socket
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Final

import loadtests
import scenarios

MASTER_PORT: Final = 5557  # Locust's own
DEFAULT_BIND: Final = f"127.0.0.1:{MASTER_PORT}"
BEAT_S: Final = 1.0
LEASE_NS: Final = 5_000_000_000
SLACK_NS: Final = 1_000_000_000
"""The master gives up a worker so much later than the lease ends: a beat may be on its way."""
GIVE_UP_NS: Final = 30_000_000_000
"""A worker leaves when its master has been silent so long."""
POLL_S: Final = 0.1


class ClusterError(Exception):
    """Master and workers do not come together, or part; the message says why, for the user."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a master listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def address(text: str) -> Address:
    """Of HOST or HOST:PORT. Raises ClusterError."""
    host, _, port = text.rpartition(":") if ":" in text else (text, "", str(MASTER_PORT))
    if not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise ClusterError(f"{text} is no address: write one such as 10.0.0.1:{MASTER_PORT}")
    return Address(host, int(port))


def bound(text: str, *, trusted: bool) -> Address:
    """The address that a master listens at. `trusted` allows others than loopback. Raises
    ClusterError."""
    asked = address(text)
    try:
        found = socket.getaddrinfo(asked.host, asked.port, socket.AF_INET, socket.SOCK_STREAM)
    except OSError as error:
        raise ClusterError(f"--bind {text}: {asked.host} is not known: {error}") from None
    numeric = str(found[0][4][0])
    if not trusted and not ipaddress.ip_address(numeric).is_loopback:
        raise ClusterError(
            f"--bind {text}: whoever reaches {numeric} can join and is given trace and tokens, "
            "unencrypted; give --i-trust-this-network if all who do are yours"
        )
    return Address(numeric, asked.port)


@cache
def version() -> str:
    """Of springpeak, its code, and Locust: master and workers must have the same."""
    code = blake2b(digest_size=4)
    for house in (loadtests, scenarios):  # what loadtests may import
        for path in sorted(Path(str(house.__file__)).parent.rglob("*.py")):
            code.update(path.read_bytes())
    return f"springpeak {version_of('springpeak')} (code {code.hexdigest()}), Locust " + version_of(
        "locust"
    )
