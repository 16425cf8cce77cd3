"""Several processes on one store: their truth is the data base's, whatever each of them remembers.

Two real processes, asked at the same moment: a pot is never overdrawn, a key is answered once and
alike, a version is taken by one of them.
"""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.api_cases import claim_body
from tests.api_server import Connection, Server, server

SMALL_POT = (
    "pots.instant_compensation.total_limit_fen=1000",
    "pots.instant_compensation.day_limit_fen=1000",
    'pots.instant_compensation.policy="stop"',
    "guarantees.instant_compensation.terms.closed_or_refused.extra_floor_fen=0",
    "guarantees.instant_compensation.terms.closed_or_refused.extra_ratio=0.0",
)
RACES = 15
CLAIMS = 40
"""Of 40 to 400 fen each: the pot of 1,000 pays a few of them."""


@pytest.fixture
def two(store_url: str, tmp_path: Path) -> Iterator[list[Server]]:
    """Two processes on one store, with a pot of 1,000 fen."""
    with ExitStack() as stack:
        servers = []
        for name in ("one", "other"):
            (tmp_path / name).mkdir()
            servers.append(stack.enter_context(server(tmp_path / name, store_url, *SMALL_POT)))
        yield servers


class Pair:
    """Connections to both, and a question put to both at once."""

    def __init__(self, servers: list[Server]) -> None:
        self._ports = [one.port for one in servers]
        self._free: list[list[Connection]] = [[], []]

    async def ask(self, process: int, method: str, path: str, body: Any = None, **how: Any) -> Any:
        free = self._free[process]
        connection = free.pop() if free else Connection(self._ports[process])
        answer = await connection.call(method, path, body, **how)
        free.append(connection)
        return answer

    async def both(self, method: str, path: str, *bodies: Any, **how: Any) -> list[Any]:
        asked = (self.ask(at, method, path, body, **how) for at, body in enumerate(bodies))
        return list(await asyncio.gather(*asked))

    async def pot(self) -> dict[str, int]:
        _, found = await self.ask(0, "GET", "/v1/budgets", role="auditor")
        return next(o for o in found["budgets"] if o["guarantee"] == "instant_compensation")

    def close(self) -> None:
        for one in (*self._free[0], *self._free[1]):
            one.close()


async def a_pot_is_not_overdrawn(pair: Pair) -> None:
    for number in range(RACES):
        await race(pair, number)
    assert (await pair.pot())["available_fen"] == 1000
    _, page = await pair.ask(1, "GET", "/v1/claims?limit=1000", role="auditor")
    numbers = [one["claim_id"] for one in page["claims"]]
    assert numbers == list(range(1, RACES * CLAIMS + 1)), "one number a claim, none left out"


async def race(pair: Pair, number: int) -> None:
    orders = range(number * CLAIMS + 1, (number + 1) * CLAIMS + 1)
    answers = await asyncio.gather(
        *(
            pair.ask(
                one % 2, "POST", "/v1/claims",
                claim_body(one, order_value_fen=40 * (one // 2 % 10 + 1)), key=f"open-{one}",
            )
            for one in orders
        )
    )  # fmt: skip
    assert {status for status, _ in answers} == {201}
    held = [one for _, one in answers if one["state"] == "approved"]
    pot = await pair.pot()
    held_fen = sum(one["refund_fen"] for one in held)
    assert held_fen == pot["held_fen"] == 1000 - pot["available_fen"] <= 1000
    assert pot["available_fen"] < 40, "somebody could still have been paid"
    released = await asyncio.gather(
        *(
            pair.ask(
                at % 2, "POST", f"/v1/claims/{one['claim_id']}/resolution",
                {"outcome": "release"}, key=f"end-{one['claim_id']}",
            )
            for at, one in enumerate(held)
        )
    )  # fmt: skip
    assert {status for status, _ in released} == {200}


async def a_key_has_one_effect_and_one_answer(pair: Pair) -> None:
    before_fen = (await pair.pot())["settled_fen"]
    for one in range(10_001, 10_031):
        body = claim_body(one, order_value_fen=10)
        answers = await pair.both("POST", "/v1/claims", body, body, key=f"open-{one}")
        assert answers[0] == answers[1]
        assert answers[0][0] == 201
        end = {"outcome": "settle"}
        path = f"/v1/claims/{answers[0][1]['claim_id']}/resolution"
        settled = await pair.both("POST", path, end, end, key=f"end-{answers[0][1]['claim_id']}")
        assert settled[0] == settled[1]
        assert (settled[0][0], settled[0][1]["state"]) == (200, "settled")
    assert (await pair.pot())["settled_fen"] - before_fen == 300
    _, page = await pair.ask(0, "GET", "/v1/claims?cursor=600&limit=1000", role="auditor")
    assert len(page["claims"]) == 30


async def a_key_with_two_bodies_is_one_bodys(pair: Pair) -> None:
    before_fen = (await pair.pot())["held_fen"]
    for one in range(20_001, 20_021):
        bodies = [claim_body(100 * one + at, order_value_fen=10) for at in range(2)]
        answers = await pair.both("POST", "/v1/claims", *bodies, key=f"open-{one}")
        assert sorted(status for status, _ in answers) == [201, 409]
    assert (await pair.pot())["held_fen"] - before_fen == 200


async def an_order_is_claimed_once_and_a_claim_resolved_once(pair: Pair) -> None:
    """Other keys, the same thing: decided on what the other process has committed."""
    before = await pair.pot()
    for one in range(30_001, 30_021):
        body = claim_body(one, order_value_fen=10)
        answers = await asyncio.gather(
            *(pair.ask(at, "POST", "/v1/claims", body, key=f"{one}-{at}") for at in range(2))
        )
        assert sorted(answer["state"] for _, answer in answers) == ["approved", "rejected"]
        number = next(o["claim_id"] for _, o in answers if o["state"] == "approved")
        path = f"/v1/claims/{number}/resolution"
        ended = await asyncio.gather(
            *(
                pair.ask(at, "POST", path, {"outcome": word}, key=f"end-{one}-{at}")
                for at, word in enumerate(("settle", "release"))
            )
        )
        assert sorted(status for status, _ in ended) == [200, 409]
    after = await pair.pot()
    assert after["held_fen"] == before["held_fen"]
    used_fen = after["settled_fen"] - before["settled_fen"]
    assert before["available_fen"] - after["available_fen"] == used_fen


async def a_version_is_taken_once(pair: Pair) -> None:
    for version in range(20):
        answers = await asyncio.gather(
            *(
                pair.ask(
                    at, "PUT", "/v1/merchants/9/status", {"status": status},
                    key=f"{status}-{version}", role="operator", if_match=f'"{version}"',
                )
                for at, status in enumerate(("open", "closed"))
            )
        )  # fmt: skip
        assert sorted(status for status, _ in answers) == [200, 412]


def test_two_processes_are_as_one(two: list[Server]) -> None:
    """Each claim in turn on one pair of processes: starting them is what takes the time."""

    async def test() -> None:
        pair = Pair(two)
        for check in (
            a_pot_is_not_overdrawn,
            a_key_has_one_effect_and_one_answer,
            a_key_with_two_bodies_is_one_bodys,
            an_order_is_claimed_once_and_a_claim_resolved_once,
            a_version_is_taken_once,
        ):
            await check(pair)
        pair.close()

    asyncio.run(test())
