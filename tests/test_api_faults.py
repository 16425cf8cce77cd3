"""When the store fails: 503 as a problem, nothing half-kept, and recovery without a restart."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.api_cases import Client, claim_body, run, serving


async def set_faults(api: Client, **faults: object) -> None:
    answer = await api.call("PUT", "/v1/faults", faults, role="operator", key=None)
    assert answer.status_code == 200


async def healthy(api: Client) -> bool:
    answer = await api.call("GET", "/healthz", role=None)
    assert answer.json() == {"writable": answer.status_code == 200}
    return answer.status_code == 200


@pytest.mark.parametrize("fault", ["disk_full", "read_only"])
def test_a_store_that_refuses_writes(store_url: str, fault: str) -> None:
    """SQLite's own errors (SQLITE_FULL by a page limit, SQLITE_READONLY) and PostgreSQL's own for a
    read-only session; a full PostgreSQL disk is raised by the store as the server would."""

    async def test() -> None:
        async with serving(store_url, faults=True) as api:
            first = await api.claim(1)
            await set_faults(api, **{fault: True})
            refused = 0
            # A full disk still has room within its last pages: it refuses sooner or later.
            for order_id in range(2, 400):
                answer = await api.claim(order_id, key=f"full-{order_id}")
                if answer.status_code == 503:
                    refused += 1
                    assert answer.headers["content-type"] == "application/problem+json"
                    assert answer.headers["retry-after"] == "1"
                    assert answer.json()["type"] == "tag:springpeak,2026:unavailable"
                    if refused == 3:
                        break
            assert refused == 3
            if fault == "read_only":
                assert not await healthy(api)
            # What was kept can still be read.
            assert (await api.call("GET", "/v1/claims/1")).content == first.content
            await set_faults(api)
            assert await healthy(api)
            again = await api.claim(order_id, key=f"full-{order_id}")
            assert again.status_code == 201
            assert "idempotency-replayed" not in again.headers

    run(test)


def test_errors_before_and_after_the_commit(store_url: str) -> None:
    """Either way 503; with the same key, the first is decided anew, the second is answered."""

    async def test() -> None:
        async with serving(store_url, faults=True) as api:
            for number, (fault, replayed) in enumerate(
                (("fail_before_commit_count", False), ("fail_after_commit_count", True)), start=1
            ):
                await set_faults(api, **{fault: 1})
                assert (await api.claim(number, key=fault)).status_code == 503
                again = await api.claim(number, key=fault)
                assert again.status_code == 201
                assert ("idempotency-replayed" in again.headers) == replayed
            assert len(await api.ledger()) == 2

    run(test)


def test_a_frozen_store_is_not_healthy_and_loses_nothing(store_url: str) -> None:
    async def test() -> None:
        async with serving(store_url, faults=True, health_s_max=30.0) as api:
            assert await healthy(api)
            await set_faults(api, frozen_store_ms=60_000)
            waiting = asyncio.create_task(api.claim(1))
            await asyncio.sleep(0)
            # Impatient only while nothing can answer: a slow machine may take long for a write.
            patient = api.service.settings
            api.service.settings = patient.model_copy(update={"health_s_max": 0.05})
            assert not await healthy(api)
            api.service.settings = patient
            await set_faults(api)
            assert (await waiting).status_code == 201
            assert await healthy(api)

    run(test)


def test_more_than_can_wait_is_refused_at_once(store_url: str) -> None:
    async def test() -> None:
        async with serving(store_url, faults=True, pending_count_max=10) as api:
            await set_faults(api, frozen_store_ms=50)
            answers = await asyncio.gather(*(api.claim(one) for one in range(1, 61)))
            codes = [one.status_code for one in answers]
            assert set(codes) == {201, 503}
            kinds = {one.json()["type"] for one in answers if one.status_code == 503}
            assert kinds == {"tag:springpeak,2026:overloaded"}
            assert len(await api.ledger()) == codes.count(201)

    run(test)


def test_latency_is_added_to_every_request(store_url: str) -> None:
    async def test() -> None:
        async with serving(store_url, faults=True) as api:
            await set_faults(api, latency_ms=30)
            loop = asyncio.get_running_loop()
            before_s = loop.time()
            await api.call("GET", "/v1/guarantees?category=hotel")
            # Slow machines only make it longer.
            assert loop.time() - before_s >= 0.029

    run(test)


def test_entries_cannot_be_edited(store_url: str) -> None:
    """The data base itself refuses to change history."""

    async def test() -> None:
        async with serving(store_url) as api:
            await api.claim(1)
            execute: Callable[[str], Awaitable[object]] = _executor(api)
            for sql in ("UPDATE entries SET amount_fen = 1", "DELETE FROM entries"):
                with pytest.raises(Exception, match="append-only"):
                    await execute(sql)
            for sql in (
                "UPDATE pots SET available_fen = -1, held_fen = funded_fen + 1 WHERE guarantee = 0",
            ):
                with pytest.raises(Exception, match=r"(?i)check"):
                    await execute(sql)

    run(test)


def _executor(api: Client) -> Callable[[str], Awaitable[object]]:
    store = api.service.store

    async def execute(sql: str) -> object:
        writer = await store._link.writer() if hasattr(store, "_link") else store._writer
        done = writer.execute(sql)
        return await done if asyncio.iscoroutine(done) else done

    return execute


def test_wrong_books_are_not_served(store_url: str) -> None:
    """Money moved beside the ledger is found when the store is opened."""

    async def spoil() -> None:
        async with serving(store_url) as api:
            await api.call("POST", "/v1/claims", claim_body(1))
            sql = "UPDATE pots SET available_fen = available_fen - 5, held_fen = held_fen + 5"
            await _executor(api)(f"{sql} WHERE guarantee = 0")
            assert any("pot's balance" in one for one in await api.service.store.prove())

    with pytest.raises(AssertionError):  # `serving` proves the books at its end, too
        run(spoil)

    async def open_again() -> None:
        async with serving(store_url):
            pass

    with pytest.raises(Exception, match="does not follow"):
        run(open_again)
