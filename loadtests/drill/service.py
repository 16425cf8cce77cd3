"""The service under drill: the reference API in processes of its own, killed, frozen and restarted.

One process is asked directly; several share the store behind HAProxy, and are killed in turn.
Decides nothing about load or money. Down times are int ns of the monotonic clock.
"""

import os
import pickle
import resource
import shutil
import subprocess
import urllib.request
from pathlib import Path
from time import monotonic_ns, time
from typing import TYPE_CHECKING, Any, Final

import msgspec

from loadtests import tokenfile
from loadtests.drill.member import Member, ServiceFailed, end, wait_answer
from loadtests.guarantee_api import proxy, settings
from loadtests.guarantee_api.programme import Programme
from loadtests.guarantee_api.server import Plan
from loadtests.guarantee_api.tokens import issue_all, secret_from
from loadtests.port import LOOPBACK, free_port

if TYPE_CHECKING:  # a second that the process to be restarted need not wait
    from scenarios.scenario import Scenario

TOKENS_H: Final = 24
PLACES: Final = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"])
"""Where Debian keeps it is not on every user's path."""
FILES_COUNT: Final = 4500
"""Open files of the service and of its clients: the connections that either takes, and some."""


class Service:
    """One service on loopback, with its store, secret and tokens in a folder."""

    def __init__(
        self,
        folder: Path,
        scenario: "Scenario",
        *,
        store: str,
        faults: bool,
        workers: int = 1,
        processes: int = 1,
    ) -> None:
        """`workers` share a process's port; `processes` have ports of their own behind HAProxy.
        Raises ServiceFailed where there is none."""
        self._folder = folder
        self.tokens_path = folder / "tokens.json"
        self.kills_count = 0
        self.freezes_count = 0
        self.down_ns: list[tuple[int, int]] = []
        """From each kill or freeze to the first good answer after it."""
        programme = folder / "programme.pickle"
        programme.write_bytes(pickle.dumps(Programme.of(scenario)))
        secret_path = folder / "secret"
        expires_s = int(time()) + TOKENS_H * 3600
        self.tokens = issue_all(secret_from(secret_path), expires_s=expires_s)
        tokenfile.write(self.tokens_path, self.tokens)
        plan = Plan(
            scenario=scenario.name,
            overlays=[],
            sets=[],
            store=store or f"sqlite:///{folder / 'guarantee.db'}",
            secret_file=str(secret_path),
            settings_file=None,
            faults=faults,
            programme_file=str(programme),
        )
        log = folder / "service.log"
        self._members = [
            Member(plan, port=free_port(), workers=workers, log=log) for _ in range(processes)
        ]
        self.processes_count = processes
        self._proxy: subprocess.Popen[bytes] | None = None
        self._haproxy = haproxy() if processes > 1 else ""
        self._port = free_port() if processes > 1 else self._members[0].port
        self.url = f"http://{LOOPBACK}:{self._port}"

    def start(self) -> None:
        """Start, and wait until it answers. Raises ServiceFailed."""
        for one in self._members:  # one after the other: the first makes the tables
            one.launch()
            one.wait_ready()
        if self._haproxy:
            self._start_proxy()

    def kill(self) -> None:
        """As when the power fails: no chance to finish anything; then start again."""
        member = self._members[self.kills_count % len(self._members)]
        began_ns = monotonic_ns()
        member.kill()
        self.kills_count += 1
        member.launch()
        self._answers_again(began_ns, member)

    def freeze(self, length_s: float) -> None:
        """Stop it for a while, as a long pause of the machine would."""
        member = self._members[self.freezes_count % len(self._members)]
        began_ns = monotonic_ns()
        member.freeze(length_s)
        self.freezes_count += 1
        self._answers_again(began_ns, member)

    @property
    def pids(self) -> dict[str, list[int]]:
        """Of the API's processes, and of the proxy if there is one: what measures them asks."""
        found = {"api": [one.pid for one in self._members]}
        return found if self._proxy is None else found | {"proxy": [self._proxy.pid]}

    def has_claims(self) -> bool:
        """Whether its store kept any."""
        return bool(self._asked("auditor", "/v1/claims?limit=1")["claims"])

    def plant(self, spoil: str) -> None:
        """Have the service spoil its own books (tests of the auditor)."""
        self._asked("operator", "/v1/faults", put={"spoil": spoil})

    def _asked(self, role: str, path: str, *, put: Any = None) -> Any:
        """What the first process answers."""
        request = urllib.request.Request(
            f"http://{LOOPBACK}:{self._members[0].port}{path}",
            method="GET" if put is None else "PUT",
            data=None if put is None else msgspec.json.encode(put),
            headers={
                "authorization": f"Bearer {self.tokens.staff[role]}",
                "content-type": "application/json",
            },
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return msgspec.json.decode(answer.read())

    def stop(self) -> None:
        """End it, in order if it can."""
        end(self._proxy)
        for one in self._members:
            one.stop()

    def _answers_again(self, began_ns: int, member: Member) -> None:
        """The service may answer before the process does that was disrupted."""
        if self._proxy is not None:
            wait_answer(self.url, self._proxy, self._folder / "proxy.log")
            self.down_ns.append((began_ns, monotonic_ns()))
            member.wait_ready()
        else:
            member.wait_ready()
            self.down_ns.append((began_ns, monotonic_ns()))

    def _start_proxy(self) -> None:
        text = proxy.config(
            [f"{LOOPBACK}:{one.port}" for one in self._members],
            settings.load(),
            bind=f"{LOOPBACK}:{self._port}",
            connections_count_max=files_count(resource.getrlimit(resource.RLIMIT_NOFILE)[1]),
        )
        path, log = self._folder / "haproxy.cfg", self._folder / "proxy.log"
        path.write_text(text, encoding="utf-8")
        with log.open("ab") as out:
            words = [self._haproxy, "-db", "-f", str(path)]
            self._proxy = subprocess.Popen(words, stdout=out, stderr=out)
        wait_answer(self.url, self._proxy, log)


def haproxy() -> str:
    """Where HAProxy is. Raises ServiceFailed."""
    found = shutil.which("haproxy", path=PLACES)
    if found is None:
        raise ServiceFailed("several processes need HAProxy (Debian's package haproxy), not found")
    return found


def files_count(hard: int) -> int:
    """Open files to ask for, where the machine allows `hard` of them."""
    return FILES_COUNT if hard == resource.RLIM_INFINITY else min(hard, FILES_COUNT)
