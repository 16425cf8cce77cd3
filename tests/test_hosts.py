"""The hosts that other tests use: they reach each other, a cut is silent and can be mended, and
nothing of them is left, not even after a run that was killed."""

import subprocess
import sys

import psutil
import pytest

from tests import api_postgres, hosts

PORT = "5000"
ANSWER = f"import socket; s=socket.create_server(('', {PORT})); [s.accept() for _ in iter(int, 1)]"
ASK = "import socket, sys; socket.create_connection((sys.argv[1], sys.argv[2]), timeout=0.3)"


def reaches(one: hosts.Host, other: hosts.Host) -> bool:
    return not one.run([sys.executable, "-c", ASK, other.address, PORT], check=False).returncode


def namespaces() -> str:
    return subprocess.run(["ip", "netns", "list"], capture_output=True, check=True).stdout.decode()


def test_hosts_reach_each_other_unless_cut_off_and_leave_nothing() -> None:
    with hosts.network("one", "other") as net:
        one, other = net["one"], net["other"]
        answering = other.popen([sys.executable, "-c", ANSWER])
        other.until_listening(int(PORT), answering)
        assert (one.address, other.address) == ("10.99.0.1", "10.99.0.2")
        assert reaches(one, other)
        assert not reaches(one, one)  # a loopback of its own
        other.cut()
        assert not reaches(one, other)
        assert reaches(other, other)
        other.mend()
        assert reaches(one, other)
        wire = other.namespace.removesuffix("other")
        assert wire in namespaces()
    assert wire not in namespaces()
    assert answering.wait() == -9


def test_what_a_killed_run_left_is_cleared_away() -> None:
    """A process makes hosts and is killed: the next network takes them and their processes away."""
    text = "import os, sys; from tests import hosts\n"
    text += "with hosts.network('one') as net:\n"
    text += "    left = net['one'].popen(['sleep', '1000'], stdout=-3)\n"
    text += "    print(left.pid, net['one'].namespace, flush=True)\n    os.kill(os.getpid(), 9)"
    if hosts.why_not():
        pytest.skip(f"Network namespaces were not tested: {hosts.why_not()}")
    done = subprocess.run([sys.executable, "-c", text], stdout=subprocess.PIPE, check=False)
    pid, namespace = done.stdout.decode().split()
    assert namespace in namespaces()
    with hosts.network("another"):
        assert namespace not in namespaces()
    # A zombie where nobody collects the children of the dead.
    gone = not psutil.pid_exists(int(pid))
    assert gone or psutil.Process(int(pid)).status() == psutil.STATUS_ZOMBIE


def test_postgresql_on_a_host_is_reached_from_another() -> None:
    with hosts.network("api", "database") as net:
        url, why = api_postgres.start(net["database"].address, net["database"].inside)
        if why:
            pytest.skip(f"PostgreSQL was not tested: {why}")
        ask = "import asyncio, asyncpg, sys\nasync def ask():\n"
        ask += "    db = await asyncpg.connect(sys.argv[1])\n"
        ask += "    print(await db.fetchval('SELECT 6 * 7')); await db.close()\nasyncio.run(ask())"
        assert net["api"].run([sys.executable, "-c", ask, url]).stdout == "42\n"
