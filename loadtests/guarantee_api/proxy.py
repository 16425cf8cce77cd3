"""The configuration of HAProxy before several serving processes of one store.

Decides which process is asked, when it is left alone, and what is asked again. A request is sent to
another process where it did not reach the first, or where that closed without an answer and the
request is a read or carries an Idempotency-Key, which makes a repetition harmless; never otherwise,
and never because it took long. What HAProxy answers itself is a problem like the API's own: 502,
503 and 504 promise nothing, and the same key finds out. `/healthz` asks whether a write becomes
durable, so that a process whose way to the store is gone gets nothing, unless all are unwell. For
HAProxy 2.6 and later (docs.haproxy.org/2.6/configuration.html: "retry-on", "disable-l7-retry",
"http-check", "backup").
"""

import re
from collections.abc import Sequence
from typing import Final

from loadtests.guarantee_api.messages import Problem, encode
from loadtests.guarantee_api.problems import TITLES
from loadtests.guarantee_api.settings import Settings

ADDRESS: Final = re.compile(r"[A-Za-z0-9_.*-]+:([0-9]{1,5})|\[[0-9A-Fa-f:.]+\]:([0-9]{1,5})")
SPARE_S: Final = 2.0
"""A process answers within its own limits; the proxy waits a little longer."""
SENDERS_COUNT_MAX: Final = 100_000
_MS: Final = 1000
# Kinds of problems by the status of what HAProxy answers itself.
_KINDS: Final = {
    400: "malformed",
    408: "timeout",
    500: "internal",
    502: "unavailable",
    503: "unavailable",
    504: "unavailable",
}


def check(address: str) -> str:
    """The address, HOST:PORT. Raises ValueError."""
    found = ADDRESS.fullmatch(address)
    if found is None or not 0 < int(found[1] or found[2]) <= 65535:
        raise ValueError(f"{address} is no address such as 127.0.0.1:8081 or [::1]:8081")
    return address


def config(
    servers: Sequence[str], settings: Settings, *, bind: str, connections_count_max: int
) -> str:
    """haproxy.cfg for processes at `servers`. Raises ValueError."""
    for address in (bind, *servers):
        check(address)
    if len(set(servers)) < len(servers) or bind in servers:
        raise ValueError(f"{', '.join([bind, *servers])}: each address once")
    lines = [
        *_global(connections_count_max),
        *_defaults(settings),
        *_frontend(settings, bind),
        *_backend(servers, settings),
    ]
    return "\n".join(lines) + "\n"


def _global(connections_count_max: int) -> list[str]:
    return [
        "# Written by `springpeak proxy`: HAProxy 2.6 or later before the guarantee API.",
        "global",
        f"    maxconn {connections_count_max}",
        "    log stderr format raw local0 notice",
        "    hard-stop-after 30s",
    ]


def _defaults(settings: Settings) -> list[str]:
    answer_ms = round((settings.store_s_max + SPARE_S) * _MS)
    return [
        "",
        "defaults",
        "    mode http",
        "    log global",
        "    timeout connect 1s",
        f"    timeout http-request {round(settings.request_s_max * _MS)}ms",
        f"    timeout server {answer_ms}ms",
        f"    timeout client {2 * answer_ms}ms",
        "    timeout http-keep-alive 60s",
        f"    timeout queue {round(SPARE_S * _MS)}ms",
        "    # At once, and at another process: that one is not asked again.",
        "    retries 3",
        "    option redispatch 1",
        "    retry-on conn-failure empty-response",
        *(f"    http-error status {status} {_problem(status)}" for status in _KINDS),
    ]


def _frontend(settings: Settings, bind: str) -> list[str]:
    # A bucket that is full and refills meanwhile gives twice its size within this time.
    most = round(2.0 * settings.consumer_requests_per_s * settings.burst_s)
    return [
        "",
        "frontend guarantee_api",
        f"    bind {bind}",
        "    # Of one process: ask it directly.",
        f"    http-request return status 404 {_problem(404)} if {{ path /metrics /v1/faults }}",
        "    # Asked twice only where that does no harm.",
        "    http-request disable-l7-retry unless { method GET HEAD } or"
        " { req.hdr(idempotency-key) -m found }",
        "    # One consumer, counted over all processes: what one alone would take at most.",
        "    acl of_a_consumer http_auth_bearer,jwt_payload_query('$.role') -m str consumer",
        "    http-request track-sc0 http_auth_bearer,sha1,hex table senders if of_a_consumer",
        f"    http-request return status 429 {_problem(429)} if of_a_consumer"
        f" {{ sc_http_req_rate(0) gt {most} }}",
        "    default_backend processes",
        "",
        "backend senders",
        f"    stick-table type string len 40 size {SENDERS_COUNT_MAX} expire 1m"
        f" store http_req_rate({round(settings.burst_s * _MS)}ms)",
    ]


def _backend(servers: Sequence[str], settings: Settings) -> list[str]:
    return [
        "",
        "backend processes",
        "    balance leastconn",
        "    http-reuse safe",
        "    option httpchk",
        "    http-check send meth GET uri /healthz ver HTTP/1.1 hdr host api",
        "    http-check expect status 200",
        f"    timeout check {round(settings.health_s_max * _MS)}ms",
        "    # Refused connections are found at once; a slow store is given two chances. Where no",
        "    # process is well all are asked: a slow service that nobody asks any more is down.",
        "    option allbackups",
        "    default-server check inter 1s fastinter 250ms fall 2 rise 1"
        f" maxconn {settings.connections_count_max}",
        *(f"    server process{at} {address}" for at, address in enumerate(servers, start=1)),
        *(
            f"    server process{at}-anyway {address} no-check backup"
            for at, address in enumerate(servers, start=1)
        ),
    ]


def _problem(status: int) -> str:
    """How HAProxy is told to answer a status: as a problem (RFC 9457)."""
    kind = {404: "not-found", 429: "rate"}.get(status) or _KINDS[status]
    body = encode(Problem(type=f"tag:springpeak,2026:{kind}", title=TITLES[kind][1], status=status))
    again = " hdr retry-after 1" if status in (429, 502, 503, 504) else ""
    return f"content-type application/problem+json string '{body.decode()}'{again}"
