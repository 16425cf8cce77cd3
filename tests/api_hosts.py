"""The guarantee API on hosts of its own, for tests and benchmarks: processes, proxy, data base."""

import subprocess
import sys
from pathlib import Path

from loadtests.drill.service import haproxy
from loadtests.guarantee_api import proxy, settings
from tests import hosts
from tests.api_server import ROOT

PORT = 8080
COMMAND = [sys.executable, str(ROOT / "springpeak.py")]


def until_claims(database: hosts.Host, url: str, count: int) -> None:
    """Until so many claims are kept."""
    ask = "import asyncio, asyncpg, sys\nasync def ask():\n"
    ask += "    db = await asyncpg.connect(sys.argv[1])\n"
    ask += "    while await db.fetchval('SELECT COUNT(*) FROM claims') < int(sys.argv[2]):\n"
    ask += "        await asyncio.sleep(0.02)\n    await db.close()\nasyncio.run(ask())"
    database.run([sys.executable, "-c", ask, url, str(count)])


def serve(host: hosts.Host, folder: Path, url: str) -> subprocess.Popen[str]:
    """A process of the API on its host, by the command that users have."""
    words = [*COMMAND, "serve", "--host", host.address, "--port", str(PORT), "--store", url]
    words += ["--secret-file", str(folder / "secret")]
    return started(host, words, folder)


def balance(host: hosts.Host, servers: list[hosts.Host], folder: Path) -> subprocess.Popen[str]:
    """HAProxy on its host."""
    text = proxy.config(
        [f"{one.address}:{PORT}" for one in servers],
        settings.load(),
        bind=f"{host.address}:{PORT}",
        connections_count_max=2000,
    )
    (folder / "haproxy.cfg").write_text(text)
    return started(host, [haproxy(), "-db", "-f", str(folder / "haproxy.cfg")], folder)


def started(host: hosts.Host, words: list[str], folder: Path) -> subprocess.Popen[str]:
    """Something that listens there by now."""
    with (folder / f"{host.name}.log").open("w") as log:
        process = host.popen(words, stdout=log, stderr=log, cwd=folder)
    host.until_listening(PORT, process)
    return process
