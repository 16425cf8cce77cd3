"""The host that a replay loads: its address, whether it may be loaded, and whether it answers.

Decides that a host off this machine is loaded only on purpose, and that a wrong token or a host
that is not there is said before the first request of the trace.
"""

import http.client
import ipaddress
import resource
import socket
import ssl
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from loadtests.connection import Host

PROBE_S_MAX: Final = 10.0
_SPARE_FILES: Final = 64


class TargetError(Exception):
    """The host cannot be loaded; the message says why, for the user."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go."""

    url: str
    host: Host
    header: str
    """The Host header."""
    base_path: str
    """Stands before every path; empty or begins with a slash."""


def find(url: str, *, anywhere: bool) -> Target:
    """The target of a URL. `anywhere` allows hosts off this machine. Raises TargetError."""
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        port = 0
    if parts.scheme not in ("http", "https") or not parts.hostname or not port:
        raise TargetError(f"--host {url}: write a URL such as http://127.0.0.1:8080")
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise TargetError(f"--host {url}: {parts.hostname} is not known: {error}") from None
    family, _, _, _, address = found[0]
    if not anywhere and not ipaddress.ip_address(str(address[0]).split("%")[0]).is_loopback:
        raise TargetError(
            f"--host {url}: {address[0]} is not this machine; a replay is heavy traffic, give "
            "--i-may-load-this-host if its owner agreed"
        )
    tls = ssl.create_default_context() if parts.scheme == "https" else None
    host = Host(family, address, parts.hostname, tls)
    return Target(url, host, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"))


def probe(target: Target, path: str, tokens: dict[str, str]) -> None:
    """Read `path` once with the token of each role. Raises TargetError with all that is wrong."""
    wrong = []
    for role, token in tokens.items():
        try:
            status = _status(target, path, token)
        except (OSError, http.client.HTTPException) as error:
            said = str(error) or type(error).__name__
            raise TargetError(f"{target.url} does not answer: {said}") from None
        if status in (401, 403):
            wrong.append(f"{target.url} refuses the {role}'s token: HTTP {status}")
        elif not 200 <= status < 300:
            wrong.append(f"{target.url}{path} answers the {role} with HTTP {status}")
    if wrong:
        raise TargetError("\n".join(wrong))


def make_room(connections_count: int) -> None:
    """Raise the limit of open files. Raises TargetError if it cannot be raised so far."""
    needed = connections_count + _SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < needed:
        if hard != resource.RLIM_INFINITY and hard < needed:
            raise TargetError(
                f"--connections {connections_count}: this machine allows {hard} open files"
            )
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def _status(target: Target, path: str, token: str) -> int:
    where, port = target.host.address[:2]
    if target.host.tls is None:
        connection = http.client.HTTPConnection(where, port, timeout=PROBE_S_MAX)
    else:
        connection = http.client.HTTPSConnection(
            target.host.name, port, timeout=PROBE_S_MAX, context=target.host.tls
        )
    headers = {"host": target.header, "authorization": f"Bearer {token}"}
    try:
        connection.request("GET", f"{target.base_path}{path}", headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()
