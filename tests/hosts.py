"""Several hosts for a test: network namespaces on one bridge, made with iproute2.

    with hosts.network("api", "database") as net:       # skips the test where it is not allowed
        net["database"].address                    # "10.99.0.2": by the order of the names
        net["api"].run(["ip", "addr"])             # like subprocess.run, checked, text
        process = net["api"].popen([...])          # like subprocess.Popen, the pid included
        net["api"].until_listening(8080, process)  # polls ss in the namespace
        net["database"].cut()                      # as if its cable were pulled: silence
        net["database"].mend()

`net["database"].inside` is the prefix of a command that runs there, for `api_postgres.start` and
the like. A host has its own loopback and one interface, eth0. The hosts reach each other and
nothing else, not even the test's own process: whoever wants to talk to one does so from a command
inside. The bridge stands in a namespace of its own, so that networks of several test processes may
use the same addresses. At the end whatever still runs on a host is killed, and what a killed run
left behind is cleared away by the next one.
"""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest

PREFIX = "springpeak"
SUBNET = "10.99.0"
_numbers = count(1)


class Host:
    """One host of a network."""

    def __init__(self, name: str, address: str, namespace: str, wire: str) -> None:
        self.name, self.address = name, address
        self.namespace = namespace
        self._wire = wire
        self.inside = ("ip", "netns", "exec", namespace)
        """Before a command that is to run on this host."""

    def run(
        self, words: Sequence[str], *, check: bool = True, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """subprocess.run on this host: text, captured, and checked unless told otherwise."""
        given = {"text": True, "capture_output": True} | options
        return subprocess.run([*self.inside, *words], check=check, **given)

    def popen(self, words: Sequence[str], **options: Any) -> subprocess.Popen[str]:
        """subprocess.Popen on this host, with text."""
        return subprocess.Popen([*self.inside, *words], text=True, **options)

    def until_listening(self, port: int, process: subprocess.Popen[str]) -> None:
        """Wait until something listens on a TCP port, as long as `process` lives."""
        while not self.run(["ss", "-Hltn", f"sport = :{port}"]).stdout:
            assert process.poll() is None, f"{process.args!r} ended: {process.returncode}"
            time.sleep(0.05)

    def cut(self) -> None:
        """Cut it off: nothing reaches it, nothing leaves it, and nobody is told."""
        _ip("-n", self._wire, "link", "set", "dev", self.name, "down")

    def mend(self) -> None:
        """Connect it again."""
        _ip("-n", self._wire, "link", "set", "dev", self.name, "up")


@contextmanager
def network(*names: str) -> Iterator[Mapping[str, Host]]:
    """Hosts by name, 10.99.0.1 on, each name of at most 15 letters; skips where not allowed."""
    if why_not():
        pytest.skip(f"Network namespaces were not tested: {why_not()}")
    _clear_left()
    mine = f"{PREFIX}-{os.getpid()}-{next(_numbers)}"
    wire = f"{mine}-wire"
    made = [
        Host(name, f"{SUBNET}.{number}", f"{mine}-{name}", wire)
        for number, name in enumerate(names, start=1)
    ]
    try:
        _make(wire, made)
        yield {host.name: host for host in made}
    finally:
        for namespace in [*(host.namespace for host in made), wire]:
            _remove(namespace)


@cache
def why_not() -> str:
    """Why there are no network namespaces here; empty when there are."""
    if shutil.which("ip") is None or shutil.which("ss") is None:
        return "there is no `ip` or no `ss` (Debian's package iproute2)"
    if os.geteuid() != 0:
        return "only root makes network namespaces"
    wire = f"{PREFIX}-{os.getpid()}-0-wire"
    host = Host("probe", f"{SUBNET}.1", f"{PREFIX}-{os.getpid()}-0-probe", wire)
    try:
        _make(wire, [host])
        host.run(["true"])
    except subprocess.CalledProcessError as error:
        return f"`{' '.join(error.cmd)}` failed: {str(error.stderr).strip()}"
    finally:
        _remove(host.namespace)
        _remove(wire)
    return ""


def _make(wire: str, made: Sequence[Host]) -> None:
    _ip("netns", "add", wire)
    _ip("-n", wire, "link", "add", "bridge", "type", "bridge")
    _ip("-n", wire, "link", "set", "bridge", "up")
    for host in made:
        _ip("netns", "add", host.namespace)
        peer = ("type", "veth", "peer", "name", "eth0", "netns", host.namespace)
        _ip("-n", wire, "link", "add", "name", host.name, *peer)
        _ip("-n", wire, "link", "set", "dev", host.name, "master", "bridge", "up")
        _ip("-n", host.namespace, "addr", "add", f"{host.address}/24", "dev", "eth0")
        for link in ("lo", "eth0"):
            _ip("-n", host.namespace, "link", "set", link, "up")


def _remove(namespace: str) -> None:
    """Kill what runs there and take the namespace away; nothing if there is none."""
    while pids := _ip("netns", "pids", namespace, check=False).split():
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        time.sleep(0.01)
    _ip("netns", "delete", namespace, check=False)


def _clear_left() -> None:
    """Take away what test processes left that are no more."""
    for name in _ip("netns", "list").split():
        found = re.match(rf"{PREFIX}-(\d+)-", name)
        if found and not Path(f"/proc/{found[1]}").exists():
            _remove(name)


def _ip(*words: str, check: bool = True) -> str:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=check)
    return done.stdout
