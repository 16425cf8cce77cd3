"""Several processes behind HAProxy: one is killed, one told to stop, and nobody is turned away."""

import asyncio
import json
import re
import signal
import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from loadtests import trace
from loadtests.drill.member import ServiceFailed
from loadtests.drill.service import Service, haproxy
from loadtests.guarantee_api import proxy, settings
from scenarios.loader import load
from tests import api_postgres
from tests.api_cases import claim_body
from tests.api_server import Connection
from tests.test_cli import springpeak_says
from tests.trace_cases import small_trace

CLIENTS = 16


@pytest.fixture(scope="module")
def binary() -> str:
    try:
        return haproxy()
    except ServiceFailed as error:
        pytest.skip(f"HAProxy was not tested: {error}")


@pytest.fixture(scope="module")
def service(binary: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Two processes behind HAProxy; started once, since that is what takes the time."""
    assert binary
    if api_postgres.why_not():
        pytest.skip(f"PostgreSQL was not tested: {api_postgres.why_not()}")
    folder, url = tmp_path_factory.mktemp("service"), api_postgres.fresh_database()
    running = Service(folder, load("spring-festival-2026"), store=url, faults=True, processes=2)
    try:
        running.start()
        yield running
    finally:
        running.stop()


def request(
    token: str, method: str, path: str, body: Any = None, *, key: str = "", more: str = ""
) -> bytes:
    content = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nhost: api\r\nauthorization: Bearer {token}\r\n{more}"
    head += f"content-type: application/json\r\ncontent-length: {len(content)}\r\n"
    head += f"idempotency-key: {key}\r\n" if key else ""
    return f"{head}\r\n".encode() + content


def test_a_process_that_is_told_to_stop_turns_nobody_away(service: Service) -> None:
    """SIGTERM to each of two in turn, under load: every claim is answered 201, and only once."""
    port, token = int(service.url.rpartition(":")[2]), service.tokens.staff["agent"]
    orders, done = count(1), [0]

    async def client(until: asyncio.Event) -> None:
        connection = Connection(port)
        while not until.is_set():
            number = next(orders)
            body = claim_body(number, order_value_fen=100)
            answer = await connection.raw(
                request(token, "POST", "/v1/claims", body, key=f"open-{number}")
            )
            assert answer[0] == 201, answer
            done[0] += 1
        connection.close()

    async def answered(more: int) -> None:
        aim = done[0] + more
        while done[0] < aim:
            await asyncio.sleep(0.005)

    async def test() -> None:
        until = asyncio.Event()
        clients = [asyncio.create_task(client(until)) for _ in range(CLIENTS)]
        for member in service._members:
            await answered(200)
            process = member._running()
            process.send_signal(signal.SIGTERM)
            await answered(200)  # by the other one
            assert await asyncio.to_thread(process.wait, 30) in (0, -signal.SIGTERM)
            member.launch()
            await asyncio.to_thread(member.wait_ready)
            # The proxy looks once a second, and not before it has seen the process does it ask it.
            await answered(400)
            await until_both(service)
        until.set()
        await asyncio.gather(*clients)

    async def until_both(service: Service) -> None:
        log = service._folder / "proxy.log"
        while True:
            states: dict[str, str] = {}
            for name, word in re.findall(r"Server processes/(\w+) is (UP|DOWN)", log.read_text()):
                states[name] = word
            if all(word == "UP" for word in states.values()):
                return
            await asyncio.sleep(0.05)

    asyncio.run(test())
    assert done[0] >= 1600


async def unwell(service: Service) -> None:
    """Have the store refuse writes, until the proxy has seen that of both processes."""
    operator = service.tokens.staff["operator"]
    log = service._folder / "proxy.log"
    seen = len(log.read_text())
    for member in service._members:
        direct = Connection(member.port)
        status, _ = await direct.raw(request(operator, "PUT", "/v1/faults", {"read_only": True}))
        assert status == 200
        direct.close()
    while not all(f"processes/process{one} is DOWN" in log.read_text()[seen:] for one in (1, 2)):
        await asyncio.sleep(0.05)


def test_what_the_proxy_answers_itself(service: Service) -> None:
    """What belongs to one process, one consumer's limit over both, what is asked of processes that
    are unwell, and 503 where nobody is left.

    The last test of the service: it is killed.
    """
    port = int(service.url.rpartition(":")[2])
    agent = service.tokens.staff["agent"]

    async def test() -> None:
        connection = Connection(port)
        for path in ("/metrics", "/v1/faults"):
            status, said = await connection.raw(request(agent, "GET", path))
            assert (status, said["type"]) == (404, "tag:springpeak,2026:not-found")
        # One token, two processes: 80 in two seconds at most, although each would take 40 at once.
        consumer = service.tokens.consumers[6]
        statuses = []
        for _ in range(100):
            status, _ = await connection.raw(
                request(consumer, "GET", "/v1/guarantees?category=hotel")
            )
            statuses.append(status)
        assert set(statuses) == {200, 429}
        assert statuses.count(200) <= 80
        status, _ = await connection.raw(request(agent, "GET", "/v1/guarantees?category=hotel"))
        assert status == 200
        await unwell(service)
        status, _ = await connection.raw(request(agent, "GET", "/v1/guarantees?category=hotel"))
        assert status == 200, "no process is well, and what needs no store is answered all the same"
        body = claim_body(1, order_value_fen=100)
        status, said = await connection.raw(request(agent, "POST", "/v1/claims", body, key="b"))
        assert (status, said["type"]) == (503, "tag:springpeak,2026:unavailable")
        connection.close()
        for member in service._members:
            member.kill()
        # A new connection: HAProxy closes an old one without a word, so that its client repeats.
        connection = Connection(port)
        body = claim_body(1)
        status, said = await connection.raw(request(agent, "POST", "/v1/claims", body, key="a"))
        assert (status, said["type"]) == (503, "tag:springpeak,2026:unavailable")
        connection.close()

    asyncio.run(test())


def test_kills_of_one_of_several_lose_nothing(
    binary: str, postgres_url: str, tmp_path: Path
) -> None:
    assert binary
    path = tmp_path / "trace.parquet"
    trace.write(small_trace(400), path)
    said = springpeak_says(
        "drill", str(path), "--kill-every", "2s", "--lasting", "4s", "--store", postgres_url,
        "--processes", "2", "--out", str(tmp_path / "drill"), "--json",
    )  # fmt: skip
    assert said.status == 0, said
    values = json.loads(said.out)
    assert (values["verdict"], values["processes"], values["kills"]) == ("valid", 2, 2)
    assert (values["planned"], values["sent"], values["dropped"]) == (1200, 1200, 0)
    assert (values["lost"], values["doubled"], values["overdrawn"]) == (0, 0, 0)


def test_the_configuration_is_one(binary: str, tmp_path: Path) -> None:
    out = tmp_path / "haproxy.cfg"
    said = springpeak_says(
        "proxy", "10.0.0.2:8081", "api-2.example:8081", "[::1]:8081", "--bind", "*:8080",
        "--out", str(out),
    )  # fmt: skip
    assert (said.status, said.out) == (0, f"haproxy -f {out}\n")
    # A host that cannot be looked up is no mistake of the configuration.
    text = out.read_text().replace("api-2.example", "10.0.0.3")
    out.write_text(text)
    done = subprocess.run(
        [binary, "-c", "-f", str(out)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "ALERT" not in done.stderr
    assert "WARNING" not in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere",), "nowhere is no address such as 127.0.0.1:8081"),
        (("a:0",), "a:0 is no address"),
        (("a:8081", "a:8081"), "each address once"),
        (("127.0.0.1:8080",), "each address once"),
        (("a:8081", "--settings", "none.toml"), "none.toml"),
        (("a:8081", "--out", "nowhere/haproxy.cfg"), "nowhere/haproxy.cfg"),
        ((), "Missing argument"),
    ],
)
def test_wrong_input_ends_with_status_2(
    words: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = springpeak_says("proxy", *words)
    assert answer.status == 2
    assert said in re.sub(r"[\s│]+", " ", answer.err)
    assert list(tmp_path.iterdir()) == []


def test_several_processes_without_haproxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadtests.drill.service.PLACES", str(tmp_path))
    out = tmp_path / "drill"
    answer = springpeak_says("drill", "trace.parquet", "--processes", "2", "--out", str(out))
    assert answer.status == 2
    assert "several processes need HAProxy (Debian's package haproxy)" in answer.err
    assert not out.exists()


def test_repetitions_are_for_reads_and_for_writes_with_a_key() -> None:
    text = proxy.config(["a:1"], settings.load(), bind="b:1", connections_count_max=10)
    assert "retry-on conn-failure empty-response\n" in text
    assert (
        "disable-l7-retry unless { method GET HEAD } or { req.hdr(idempotency-key) -m found }"
        in text
    )
