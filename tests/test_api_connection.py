"""HTTP/1.1 as the service speaks it: requests on a connection, in order, kept open or not."""

import asyncio
import json
from pathlib import Path

import pytest

from loadtests.guarantee_api.problems import Refusal, problem
from tests.api_cases import bearer, claim_body, sqlite_url
from tests.api_server import server

TERMS = "/v1/guarantees?category=hotel"


def request(
    method: str, path: str, *lines: str, body: bytes = b"", key: str = "", version: str = "1.1"
) -> bytes:
    sent = [f"{method} {path} HTTP/{version}", "host: api", *lines]
    sent += [f"{name}: {value}" for name, value in bearer("agent").items()]
    if body and not any(one.startswith("transfer-encoding") for one in lines):
        sent += [f"content-length: {len(body)}"]
    sent += ["content-type: application/json", f"idempotency-key: {key or 'k'}", "", ""]
    return "\r\n".join(sent).encode() + body


def claim(order_id: int, *lines: str) -> bytes:
    body = json.dumps(claim_body(order_id)).encode()
    return request("POST", "/v1/claims", *lines, body=body, key=f"c{order_id}")


async def read(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """One answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in head[1:] if line)
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return int(head[0].split()[1]), headers, body


async def read_so_many(reader: asyncio.StreamReader, count: int) -> None:
    for _ in range(count):
        await read(reader)


async def requests_sent_ahead(port: int) -> None:
    """Writes, reads and refusals keep their order, whoever is quicker."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    rounds = range(1, 41)
    nothing, terms = request("GET", "/v1/nothing"), request("GET", TERMS)
    writer.write(b"".join(claim(one) + terms + nothing for one in rounds))
    for one in rounds:
        status, _, body = await read(reader)
        assert (status, json.loads(body)["order_id"]) == (201, one)
        assert (await read(reader))[0] == 200
        assert (await read(reader))[0] == 404
    writer.write(claim(99))  # and the connection is still of use
    assert (await read(reader))[0] == 201
    writer.close()


async def byte_by_byte(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for one in claim(101):
        writer.write(bytes([one]))
        await writer.drain()
    assert (await read(reader))[0] == 201
    body = json.dumps(claim_body(102)).encode()
    chunks = b"".join(b"1\r\n%c\r\n" % one for one in body) + b"0\r\n\r\n"
    lines = ("transfer-encoding: chunked", "expect: 100-continue")
    writer.write(request("POST", "/v1/claims", *lines, key="chunks"))
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(chunks)
    assert (await read(reader))[0] == 201
    writer.close()


async def when_it_closes(port: int) -> None:
    cases = {
        request("GET", TERMS, "connection: close"): 200,
        request("GET", TERMS, version="1.0"): 200,
        request("GET", TERMS, "connection: upgrade", "upgrade: websocket"): 200,
        request("CONNECT", "api:80"): 400,
        claim(103, "connection: close") + claim(104): 201,
        claim(105) + b"nonsense\r\n\r\n": 201,
    }
    for data, expected in cases.items():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(data)
        status, headers, _ = await read(reader)
        assert status == expected, data
        if b"nonsense" in data:
            status, headers, body = await read(reader)
            assert (status, body) == (400, problem("malformed"))
        assert headers["connection"] == "close"
        assert await reader.read() == b""
        writer.close()


async def odd_targets(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for path, expected in {
        f"http://api{TERMS}": 200,
        "/v1/claims/%31": 200,
        "/v1/claims/%2531": 404,
        "/v1/claims/1?": 200,
        "/v1/claims/1?x=%zz": 200,
        "http://api": 404,
    }.items():
        writer.write(request("GET", path))
        assert (await read(reader))[0] == expected, path
    # An answer to HEAD has the length of its body, but not the body.
    writer.write(request("HEAD", "/v1/claims") + request("GET", TERMS))
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    assert head.startswith("HTTP/1.1 405 ")
    assert f"content-length: {len(Refusal('method').body())}\r\n" in head
    assert (await read(reader))[0] == 200
    # Refused at its head: the body is dropped, and the connection goes on.
    writer.write(request("POST", "/v1/nothing", body=b"x" * 100_000) + request("GET", TERMS))
    assert [(await read(reader))[0], (await read(reader))[0]] == [404, 200]
    writer.close()


async def a_client_that_does_not_read(port: int) -> None:
    """It is cut off when its answers have not gone out for `request_s_max`; nobody else is."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    asked = request("GET", "/v1/openapi.json") * 2000  # 30 MB of answers
    writer.write(asked)
    await asyncio.sleep(0)
    other, other_writer = await asyncio.open_connection("127.0.0.1", port)
    other_writer.write(request("GET", TERMS))
    assert (await read(other))[0] == 200
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    while not writer.transport.is_closing():  # writing to a closed connection fails
        writer.write(b"x")
        await asyncio.sleep(0.02)
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await read_so_many(reader, 2000)
    other_writer.close()


TALKS = (
    requests_sent_ahead,
    byte_by_byte,
    when_it_closes,
    odd_targets,
    a_client_that_does_not_read,
)


def test_connections_of_every_kind_at_once(tmp_path: Path) -> None:
    async def test(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(claim(1_000_000))
        assert (await read(reader))[0] == 201
        await asyncio.gather(*(talk(port) for talk in TALKS))
        # Left alone after its answer, a connection is closed without a word.
        assert await reader.read() == b""
        writer.close()

    with server(tmp_path, sqlite_url(tmp_path), request_s_max=1.0) as running:
        asyncio.run(test(running.port))
        assert "Traceback" not in running.log.read_text()
