"""The network between the service and PostgreSQL fails: nothing is answered that is not known.

Cut at chosen bytes by a relay in the test's own loop: when the commit was sent and its answer is
lost, when the commit itself hangs on the way, and when nothing passes at all. A write is answered
503, which promises nothing; the same key finds out what became of it, once.
"""

import asyncio

import asyncpg

from tests.api_cases import Answer, Client, run, serving
from tests.relay import Relay, relayed

COMMIT = b"COMMIT\0"
SHORT = {"store_s_max": 0.5, "store_silent_s_max": 0.5, "store_retry_s_max": 0.05}


def at_commit(relay: Relay, *, up: bool, down: bool, new: bool) -> None:
    """Cut as the next commit passes."""

    def seen(piece: bytes) -> None:
        if COMMIT in piece:
            relay.seen = lambda _: None
            relay.cut(up=up, down=down, new=new)

    relay.seen = seen


def said_nothing(answer: Answer) -> None:
    """The answer of an outage: no approval, no refusal, and what to do."""
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["type"] == "tag:springpeak,2026:unavailable"


async def until_answered(api: Client, order_id: int, key: str) -> Answer:
    """Repeat with the same key, as the answer said."""
    while True:
        answer = await api.claim(order_id, key=key)
        if answer.status_code != 503:
            return answer
        said_nothing(answer)
        await asyncio.sleep(0.02)


async def until_waiting(url: str) -> None:
    """Until another session waits for the lock."""
    db = await asyncpg.connect(url)
    sql = (
        "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    while await db.fetchval(sql) == 0:
        await asyncio.sleep(0.01)
    await db.close()


def test_a_commit_whose_answer_is_lost_is_found_by_its_key(postgres_url: str) -> None:
    async def test() -> None:
        async with (
            relayed(postgres_url) as relay,
            serving(relay.url, **SHORT) as api,
        ):
            at_commit(relay, up=False, down=True, new=True)
            said_nothing(await api.claim(1, key="a"))
            relay.heal()
            again = await until_answered(api, 1, "a")
            assert (again.status_code, again.json()["claim_id"]) == (201, 1)
            assert again.headers["idempotency-replayed"] == "true"
            assert len(await api.ledger()) == 1

    run(test)


def test_a_quiet_session_does_not_keep_the_lock(postgres_url: str) -> None:
    """The commit hangs on the way: the server ends the session, the key is decided anew, and the
    commit that comes later commits nothing."""

    async def test() -> None:
        async with (
            relayed(postgres_url) as relay,
            serving(relay.url, **SHORT | {"store_s_max": 1.0}, store_idle_s_max=0.3) as api,
        ):
            at_commit(relay, up=True, down=True, new=False)
            said_nothing(await api.claim(1, key="a"))
            again = await until_answered(api, 1, "a")
            assert (again.status_code, again.json()["claim_id"]) == (201, 1)
            assert "idempotency-replayed" not in again.headers
            relay.heal()
            assert len(await api.ledger()) == 1

    run(test)


def test_a_late_commit_is_seen_by_the_repetition_that_waits_for_it(postgres_url: str) -> None:
    async def test() -> None:
        async with relayed(postgres_url) as relay, serving(relay.url, **SHORT) as api:
            at_commit(relay, up=True, down=True, new=False)
            said_nothing(await api.claim(1, key="a"))
            # The lock is still held: the repetition waits for it as long as it takes.
            api.service.store._link._settings = api.service.settings.model_copy(
                update={"store_s_max": 60.0}
            )
            waiting = asyncio.create_task(until_answered(api, 1, "a"))
            await until_waiting(postgres_url)
            relay.heal()
            again = await waiting
            assert (again.status_code, again.json()["claim_id"]) == (201, 1)
            assert again.headers["idempotency-replayed"] == "true"
            assert len(await api.ledger()) == 1

    run(test)


def test_a_dead_network_is_said_soon_and_healed_without_a_restart(postgres_url: str) -> None:
    async def test() -> None:
        async with (
            relayed(postgres_url) as relay,
            serving(relay.url, **SHORT, health_s_max=30.0) as api,
        ):
            first = await api.claim(1)
            relay.cut()
            attempts_count = relay.connections_count
            for one in range(2, 60):
                said_nothing(await api.claim(one, key=f"cut-{one}"))
                if one == 4:
                    said_nothing(await api.call("GET", "/v1/claims/1"))
                    health = await api.call("GET", "/healthz", role=None)
                    assert (health.status_code, health.json()) == (503, {"writable": False})
                    api.service.store._link._settings = api.service.settings.model_copy(
                        update={"store_retry_s_max": 30.0}
                    )
            # Between attempts it is said at once, and nobody knocks.
            assert relay.connections_count - attempts_count < 20
            api.service.store._link._again_s = 0.0
            relay.heal()
            for one in range(2, 60):
                assert (await until_answered(api, one, f"cut-{one}")).status_code == 201
            assert (await api.call("GET", "/v1/claims/1")).content == first.content
            assert (await api.call("GET", "/healthz", role=None)).status_code == 200
            assert len(await api.ledger()) == 59

    run(test)
