"""Reads of PostgreSQL are gathered: one question for all that wait, each with its own answer."""

import asyncio

from loadtests.guarantee_api.store import StoreUnavailable
from tests.api_cases import Client, run, serving


def test_reads_that_come_together_are_one_question(postgres_url: str) -> None:
    """Statuses and claims of many at once: each gets its own, or none, and what fails fails alone
    of those that asked together."""

    async def test() -> None:
        async with serving(postgres_url) as api:
            for order_id in range(1, 21):
                await api.claim(order_id)
            link, asked = api.service.store._link, []
            read = link.read

            async def counted(sql: str, *values: object, **how: bool) -> list[object]:
                asked.append(values)
                return await read(sql, *values, **how)

            link.read = counted
            paths = [f"/v1/claims/{one % 25 + 1}" for one in range(200)]
            answers = await asyncio.gather(*(api.call("GET", one) for one in paths))
            for number, answer in enumerate(answers):
                claim_id = number % 25 + 1
                assert answer.status_code == (200 if claim_id <= 20 else 404)
                if claim_id <= 20:
                    assert answer.json()["claim_id"] == claim_id
            assert len(asked) <= 2, "the first, and all that came meanwhile"

            async def failing(*_: object, **__: object) -> list[object]:
                raise StoreUnavailable("a test")

            link.read = failing
            failed = await asyncio.gather(*(api.call("GET", one) for one in paths))
            assert {one.status_code for one in failed} == {503}
            link.read = read
            assert (await api.call("GET", "/v1/claims/1")).status_code == 200

    run(test)


def test_a_read_sees_what_was_answered_before_it(postgres_url: str) -> None:
    """Writes and reads in pairs, all at once: a look-up never joins an older question."""

    async def pair(api: Client, order_id: int) -> None:
        claim_id = (await api.claim(order_id)).json()["claim_id"]
        found = await api.call("GET", f"/v1/claims/{claim_id}")
        assert (found.status_code, found.json()["order_id"]) == (200, order_id)
        await api.resolve(claim_id)
        found = await api.call("GET", f"/v1/claims/{claim_id}")
        assert found.json()["state"] == "settled"

    async def test() -> None:
        async with serving(postgres_url) as api:
            await asyncio.gather(*(pair(api, one) for one in range(1, 301)))

    run(test)
