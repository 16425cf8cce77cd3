"""Writes are named: the same key changes nothing. Statuses have versions. Batches share no fate."""

import asyncio
from typing import Any

import pytest

from tests.api_cases import claim_body, run, serving


def test_the_same_key_and_body_get_the_same_answer(store_url: str) -> None:
    async def test() -> None:
        async with serving(store_url) as api:
            first = await api.claim(1, key="a")
            await api.resolve(1)
            again = await api.claim(1, key="a")
            assert (again.status_code, again.content) == (201, first.content)
            assert again.headers["location"] == first.headers["location"]
            assert again.headers["idempotency-replayed"] == "true"
            assert len(await api.ledger()) == 6

    run(test)


def test_the_same_key_for_something_else_is_a_conflict(store_url: str) -> None:
    async def test() -> None:
        async with serving(store_url) as api:
            await api.claim(1, key="a")
            other = await api.claim(2, key="a")
            assert other.status_code == 409
            assert other.headers["content-type"] == "application/problem+json"
            assert other.json()["type"] == "tag:springpeak,2026:key-reused"
            assert (await api.resolve(1, key="a")).status_code == 409
            # Keys belong to who sends them.
            stranger = await api.call("POST", "/v1/claims", claim_body(2), key="a", subject="8")
            assert stranger.status_code == 201

    run(test)


def test_refusals_are_remembered_too(store_url: str) -> None:
    async def test() -> None:
        async with serving(store_url) as api:
            missing = await api.resolve(1, key="early")
            await api.claim(1)
            again = await api.resolve(1, key="early")
            assert (missing.status_code, again.content) == (404, missing.content)

    run(test)


def test_keys_expire_by_setting(store_url: str) -> None:
    async def test() -> None:
        async with serving(store_url, key_lifetime_s=60.0) as api:
            await api.claim(1, key="a")
            api.clock.now_s += 59
            assert (await api.claim(1, key="a")).json()["claim_id"] == 1
            api.clock.now_s += 1
            reused = await api.claim(2, key="a")
            assert reused.json()["claim_id"] == 2

    run(test)


def test_expired_answers_are_forgotten(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only their keys: what is kept of answers does not grow for ever."""

    async def test() -> None:
        async with serving(store_url, key_lifetime_s=60.0) as api:
            store: Any = api.service.store
            monkeypatch.setattr(f"{type(store).__module__}.PURGE_COUNT", 5)

            async def answers_count() -> int:
                read = store._link.read if hasattr(store, "_link") else store._read
                rows = read("SELECT COUNT(*) FROM answers")
                return (await rows if asyncio.iscoroutine(rows) else rows)[0][0]

            for order_id in range(1, 9):
                await api.claim(order_id)
            assert await answers_count() == 8
            api.clock.now_s += 61
            for order_id in range(9, 20):
                await api.claim(order_id)
            assert await answers_count() == 11

    run(test)


def test_a_write_without_a_good_key_is_refused(store_url: str) -> None:
    async def test() -> None:
        async with serving(store_url) as api:
            for key in ("", "a b", "x" * 129):
                assert (await api.claim(1, key=key)).status_code == 400
            bare = await api.call("POST", "/v1/claims", claim_body(1), key=None)
            assert bare.json()["type"] == "tag:springpeak,2026:key-missing"
            assert await api.ledger() == []

    run(test)


def test_fifty_clients_with_one_key_make_one_claim(store_url: str) -> None:
    async def test() -> None:
        async with serving(store_url) as api:
            answers = await asyncio.gather(*(api.claim(1, key="one") for _ in range(50)))
            assert {one.status_code for one in answers} == {201}
            assert len({one.content for one in answers}) == 1
            assert len(await api.ledger()) == 1
            replays = sum("idempotency-replayed" in one.headers for one in answers)
            assert replays == 49

    run(test)


def test_two_hundred_clients_race_for_the_last_thousand_fen(store_url: str) -> None:
    """100 rounds: a pot of 1,000 fen, claims of 40 to 400 fen; the held sum is exact each time."""
    sets = (
        "pots.instant_compensation.total_limit_fen=1000",
        "pots.instant_compensation.day_limit_fen=1000",
        'pots.instant_compensation.policy="stop"',
        "guarantees.instant_compensation.terms.closed_or_refused.extra_floor_fen=0",
        "guarantees.instant_compensation.terms.closed_or_refused.extra_ratio=0.0",
    )

    async def test() -> None:
        async with serving(store_url, *sets) as api:
            for race in range(100):
                orders = [race * 200 + k for k in range(1, 201)]
                answers = await asyncio.gather(
                    *(api.claim(one, order_value_fen=40 * (one % 10 + 1)) for one in orders)
                )
                claims = [one.json() for one in answers]
                held = [one for one in claims if one["state"] == "approved"]
                pot = await api.pot()
                held_fen = sum(one["refund_fen"] for one in held)
                assert held_fen == pot["held_fen"] == 1000 - pot["available_fen"] <= 1000
                assert pot["available_fen"] < 40, "somebody could still have been paid"
                done = await asyncio.gather(
                    *(api.resolve(one["claim_id"], "release") for one in held)
                )
                assert {one.status_code for one in done} == {200}
            assert (await api.pot())["available_fen"] == 1000

    run(test)


def test_a_status_has_a_version(store_url: str) -> None:
    async def test() -> None:
        async with serving(store_url) as api:
            path = "/v1/merchants/5/status"

            async def put(status: str, **headers: str) -> int:
                answer = await api.call(
                    "PUT", path, {"status": status}, role="operator", headers=headers
                )
                return answer.status_code

            assert (await api.call("GET", path)).status_code == 404
            assert await put("closed") == 200
            assert await put("open", **{"if-match": '"0"'}) == 412
            assert await put("open", **{"if-match": '"1"'}) == 200
            assert await put("open", **{"if-match": "nonsense"}) == 400
            now = await api.call("GET", path)
            assert (now.headers["etag"], now.json()["status"]) == ('"2"', "open")
            same = await api.call("GET", path, headers={"if-none-match": '"2"'})
            assert (same.status_code, same.content) == (304, b"")

    run(test)


def test_many_statuses_at_once(store_url: str) -> None:
    async def test() -> None:
        async with serving(store_url) as api:
            updates = [{"merchant_id": k % 900 + 1, "status": "closed"} for k in range(1000)]
            updates.append({"merchant_id": 7, "status": "sold_out"})
            for key in ("bulk", "bulk", "other"):
                done = await api.call(
                    "POST", "/v1/merchants/status", {"updates": updates}, role="operator", key=key
                )
                assert done.json() == {"merchants_count": 1001}
            one = (await api.call("GET", "/v1/merchants/7/status")).json()
            assert (one["status"], one["version"]) == ("sold_out", 2)
            seen = await api.call("GET", "/v1/guarantees?category=hotel&merchant_id=7")
            assert seen.json()["merchant_status"] == "sold_out"

    run(test)


def test_single_and_bulk_updates_of_one_batch_follow_each_other(store_url: str) -> None:
    """They may reach the store in one batch: the versions count as if they had come singly."""

    async def test() -> None:
        async with serving(store_url) as api:
            path, bulk = "/v1/merchants/5/status", "/v1/merchants/status"
            many = {"updates": [{"merchant_id": 5, "status": "closed"}]}
            writes = []
            for _ in range(3):
                writes += [
                    api.call("PUT", path, {"status": "open"}, role="operator"),
                    api.call("POST", bulk, many, role="operator"),
                ]
            answers = await asyncio.gather(*writes)
            assert [one.json().get("version") for one in answers] == [1, None, 3, None, 5, None]
            last = (await api.call("GET", path)).json()
            assert (last["version"], last["status"]) == (6, "closed")

    run(test)


def test_a_bad_write_does_not_take_its_batch_with_it(store_url: str) -> None:
    """A write that the decision chokes on fails alone: the others of its batch are kept."""

    async def test() -> None:
        async with serving(store_url) as api:
            decider = api.service.store._decider
            owed = decider.programme.owed

            def choking(claims):
                if any(one.order_id == 13 for one in claims):
                    raise RuntimeError("a bug that only order 13 meets")
                return owed(claims)

            decider.programme.__dict__["owed"] = choking
            try:
                answers = await asyncio.gather(*(api.claim(k) for k in range(1, 21)))
            finally:
                del decider.programme.__dict__["owed"]
            wrong = [k for k, one in enumerate(answers, start=1) if one.status_code != 201]
            assert wrong == [13]
            assert answers[12].json()["type"] == "tag:springpeak,2026:internal"
            assert len(await api.ledger()) == 19

    run(test)
