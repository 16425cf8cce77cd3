"""A PostgreSQL server for the tests: the one of SPRINGPEAK_TEST_POSTGRES, or one of their own.

Their own runs from the system's binaries, on a free loopback port, in a temporary folder, as
another user when the tests run as root (PostgreSQL refuses root). Every test gets a fresh data
base. Where no server can be had, `why_not` says so and the tests of PostgreSQL are skipped.
"""

import asyncio
import atexit
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from itertools import count
from pathlib import Path

from loadtests.port import free_port

VARIABLE = "SPRINGPEAK_TEST_POSTGRES"
numbers = count(1)


def _binary(name: str) -> str | None:
    found = shutil.which(name)
    if found is None:
        places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
        found = str(places[-1]) if places else None
    return found


def _other_user() -> str | None:
    """Whom to run the server as, when we are root."""
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    return None


def start(address: str = "127.0.0.1", inside: Sequence[str] = ()) -> tuple[str, str]:
    """(URL, "") of a new server, or ("", why there is none); it ends with this process.

    `inside` stands before each of its commands: `hosts.Host.inside` puts it on another host, which
    its neighbours there may use.
    """
    initdb, postgres, pg_ctl = (_binary(name) for name in ("initdb", "postgres", "pg_ctl"))
    if initdb is None or postgres is None or pg_ctl is None:
        return "", f"{VARIABLE} is not set, and there is no initdb, postgres and pg_ctl here"
    user = _other_user() if os.getuid() == 0 else None
    if os.getuid() == 0 and (user is None or shutil.which("runuser") is None):
        return "", "PostgreSQL refuses to run as root, and there is no other user to run it as"
    as_user = [*inside, *(["runuser", "-u", user, "--"] if user else [])]
    folder = Path(tempfile.mkdtemp(prefix="springpeak-postgres-"))
    folder.chmod(0o700)
    if user:
        shutil.chown(folder, user)
    data, port = folder / "data", free_port()
    options = f"-h {address} -p {port} -k {folder}"
    create = [initdb, "-D", str(data), "-U", "springpeak", "-A", "trust", "--no-sync"]
    begin = [pg_ctl, "-D", str(data), "-l", str(folder / "log"), "-o", options, "-w", "start"]
    stop = [pg_ctl, "-D", str(data), "-m", "immediate", "stop"]
    for words in (create, begin):
        done = subprocess.run(
            [*as_user, *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=folder,
            check=False,
        )
        if done.returncode != 0:
            shutil.rmtree(folder, ignore_errors=True)
            return "", f"{words[0]} failed: {done.stderr.decode().strip()[-200:]}"
        if words is create:
            with (data / "pg_hba.conf").open("a") as file:
                file.write("host all all samenet trust\n")

    def end() -> None:
        subprocess.run([*as_user, *stop], capture_output=True, cwd="/", check=False)
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    return f"postgresql://springpeak@{address}:{port}/postgres", ""


@cache
def server() -> tuple[str, str]:
    """(URL, "") of the server that this process uses, or ("", why there is none)."""
    try:
        import asyncpg  # noqa: F401, PLC0415 - the driver is an extra
    except ImportError:
        return "", "asyncpg is not installed"
    given = os.environ.get(VARIABLE)
    return (given, "") if given else start()


def why_not() -> str:
    """Why PostgreSQL cannot be tested; empty when it can."""
    return server()[1]


def fresh_database() -> str:
    """The URL of a new, empty data base."""
    import asyncpg  # noqa: PLC0415

    url, _ = server()
    name = f"springpeak_{os.getpid()}_{next(numbers)}"

    async def create() -> None:
        db = await asyncpg.connect(url)
        await db.execute(f"CREATE DATABASE {name}")
        await db.close()

    asyncio.run(create())
    return f"{url.rpartition('/')[0]}/{name}"
