"""Ports of this machine: one that is free, and whether one may be listened at."""

import socket
from typing import Final

LOOPBACK: Final = "127.0.0.1"


class PortError(Exception):
    """A port cannot be listened at; the message says why, for the user."""


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.create_server((LOOPBACK, 0)) as one:
        return int(one.getsockname()[1])


def check(host: str, port: int) -> None:
    """Take it for a moment. Raises PortError."""
    try:
        (family, *_), *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        with socket.socket(family) as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind((host, port))
    except OSError as error:
        raise PortError(f"{host}:{port} cannot be listened at: {error.strerror}") from None
