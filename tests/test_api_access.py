"""Nobody gets in: every role on every route, no token, expired, forged and misused tokens."""

import json
from pathlib import Path

import jwt
import pytest

from loadtests.guarantee_api.routes import ROUTES, Route
from loadtests.guarantee_api.tokens import ALGORITHM, AUDIENCE, secret_from
from loadtests.guarantee_api.words import ROLES
from tests.api_cases import NOON_S, SECRET, Client, bearer, claim_body, run, serving, sqlite_url

# Written out by hand: a change of the routes' roles must be made twice. c a o u: consumer, agent,
# operator, auditor.
MATRIX = {
    "POST /v1/claims": "c a - -",
    "GET /v1/claims": "- - o u",
    "GET /v1/claims/{id}": "c a o u",
    "POST /v1/claims/{id}/resolution": "c a - -",
    "POST /v1/cancellations": "c a - -",
    "POST /v1/alerts": "- - o -",
    "POST /v1/reports": "c - - -",
    "PUT /v1/merchants/{id}/status": "- - o -",
    "GET /v1/merchants/{id}/status": "c a o u",
    "POST /v1/merchants/status": "- - o -",
    "GET /v1/guarantees": "c a o u",
    "GET /v1/budgets": "- - o u",
    "GET /v1/ledger": "- - - u",
    "PUT /v1/faults": "- - o -",
    "GET /metrics": "- - o u",
    "GET /healthz": "public",
    "GET /v1/openapi.json": "public",
}
CELLS = [
    (route, role, MATRIX[f"{route.method} {route.path}"].split()[number] != "-")
    for route in ROUTES
    if route.roles is not None
    for number, role in enumerate(ROLES)
]
claims = {"role": "agent", "sub": "7", "aud": AUDIENCE, "exp": int(NOON_S) + 60}


def signed(secret: bytes = SECRET, algorithm: str = ALGORITHM, **changed: object) -> str:
    left = {name: value for name, value in (claims | changed).items() if value is not None}
    return "Bearer " + jwt.encode(left, secret, algorithm=algorithm)


GOOD = signed()
BAD_TOKENS = {
    "none at all": None,
    "empty": "",
    "another scheme": "Basic YTpi",
    "no token": "Bearer ",
    "not a token": "Bearer x.y.z",
    "expired": signed(exp=int(NOON_S)),
    "never expires": signed(exp=None),
    "forged: another secret": signed(b"another secret of more than 32 bytes"),
    "forged: role changed": GOOD[:-20] + ("A" * 20),
    "forged: unsigned": "Bearer " + jwt.encode(claims, None, algorithm="none"),
    "another audience": signed(aud="somebody else"),
    "unknown role": signed(role="root"),
    "no role": signed(role=None),
    "no subject": signed(sub=None),
    "consumer without number": signed(role="consumer", sub="seven"),
    "a null byte": "Bearer \0",
    "very long": "Bearer " + "a" * 8000,
}


async def send(api: Client, route: Route, headers: dict[str, str]) -> tuple[int, bytes]:
    body = claim_body(1) if route.body is not None else None
    path = route.path.replace("{id}", "1")
    answer = await api.call(route.method, path, body, role=None, headers=headers)
    return answer.status_code, answer.content


def test_the_matrix_knows_every_route() -> None:
    assert set(MATRIX) == {f"{route.method} {route.path}" for route in ROUTES}
    assert len(CELLS) == 4 * (len(ROUTES) - 2)


def test_every_role_on_every_route(store_url: str) -> None:
    async def test() -> None:
        async with serving(store_url) as api:
            for route, role, allowed in CELLS:
                status, _ = await send(api, route, bearer(role))
                assert (status != 403) == allowed, f"{role} on {route.name}: {status}"
                assert status < 500

    run(test)


@pytest.mark.parametrize("token", BAD_TOKENS.values(), ids=BAD_TOKENS)
def test_no_bad_token_opens_any_route(token: str | None, tmp_path: Path) -> None:
    async def test() -> None:
        async with serving(sqlite_url(tmp_path)) as api:
            headers = {} if token is None else {"authorization": token}
            for route in ROUTES:
                status, content = await send(api, route, headers)
                if route.roles is None:
                    assert status == 200
                else:
                    assert status == 401, route.name
                    assert json.loads(content)["type"] == "tag:springpeak,2026:unauthenticated"

    run(test)


def test_a_token_stops_working_when_its_time_is_over(tmp_path: Path) -> None:
    async def test() -> None:
        async with serving(sqlite_url(tmp_path)) as api:
            headers = bearer("agent", hours=1.0)
            path = "/v1/guarantees?category=hotel"
            assert (await api.call("GET", path, role=None, headers=headers)).status_code == 200
            api.clock.now_s += 3600
            assert (await api.call("GET", path, role=None, headers=headers)).status_code == 401

    run(test)


def test_consumers_see_and_move_only_their_own(tmp_path: Path) -> None:
    async def test() -> None:
        async with serving(sqlite_url(tmp_path)) as api:
            await api.claim(1)
            theirs = claim_body(2, consumer_id=8)
            asked = await api.call("POST", "/v1/claims", theirs, role="consumer", subject="7")
            assert asked.status_code == 403
            for subject, expected in (("7", 200), ("8", 404)):
                seen = await api.call("GET", "/v1/claims/1", role="consumer", subject=subject)
                assert seen.status_code == expected
            moved = await api.resolve(1, role="consumer", subject="8")
            assert moved.status_code == 404
            assert (await api.call("GET", "/v1/claims/1")).json()["state"] == "approved"

    run(test)


def test_too_many_requests_of_one_sender(tmp_path: Path) -> None:
    async def test() -> None:
        limits = {"consumer_requests_per_s": 5, "burst_s": 2.0}
        async with serving(sqlite_url(tmp_path), **limits) as api:
            path = "/v1/guarantees?category=hotel"

            async def ask(subject: str) -> int:
                return (await api.call("GET", path, role="consumer", subject=subject)).status_code

            assert [await ask("7") for _ in range(11)] == [200] * 10 + [429]
            assert await ask("8") == 200
            api.clock.now_s += 0.2
            assert [await ask("7"), await ask("7")] == [200, 429]

    run(test)


def test_faults_do_not_exist_unless_asked_for(tmp_path: Path) -> None:
    async def test() -> None:
        for faults, expected in ((False, 404), (True, 200)):
            async with serving(sqlite_url(tmp_path), faults=faults) as api:
                answer = await api.call("PUT", "/v1/faults", {"disk_full": False}, role="operator")
                assert answer.status_code == expected

    run(test)


def test_secrets_are_private_and_long_enough(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    made = secret_from(path)
    assert (len(made), path.stat().st_mode & 0o777) == (64, 0o600)
    assert secret_from(path) == made
    path.write_text("short")
    with pytest.raises(ValueError, match="too easy to guess"):
        secret_from(path)
