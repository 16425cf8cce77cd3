"""What each route does: from a checked request to a command or a read, and to the answer.

Decides what a role may claim about itself: a consumer claims and resolves for that consumer only,
and what needs finding out (fraud, escalation, a report) goes to a person.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from hashlib import blake2b
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from loadtests.guarantee_api import messages
from loadtests.guarantee_api.calls import JSON, Call, Reply, header
from loadtests.guarantee_api.commands import (
    Answer,
    Command,
    OpenClaim,
    Resolve,
    SetStatus,
    SetStatuses,
    Write,
)
from loadtests.guarantee_api.decide import merchant_view, view
from loadtests.guarantee_api.messages import encode
from loadtests.guarantee_api.problems import CONTENT_TYPE, Refusal
from loadtests.guarantee_api.programme import day_of
from loadtests.guarantee_api.service import Service
from loadtests.guarantee_api.views import budgets, ledger_page
from loadtests.guarantee_api.words import STATUS_CODES, STATUSES
from scenarios.words import CATEGORIES, TRIGGERS

TEXT: Final = b"text/plain; version=0.0.4; charset=utf-8"
KEY: Final = re.compile(rb"[!-~]{1,128}")
ETAG: Final = re.compile(rb'"([0-9]{1,16})"')
LIMIT_DEFAULT: Final = 100
TRIGGER_CODES: Final[dict[str, int]] = {word: position for position, word in enumerate(TRIGGERS)}
CATEGORY_CODES: Final[dict[str, int]] = {word: position for position, word in enumerate(CATEGORIES)}


def decoded(call: Call) -> Any:
    """The body as the route's type."""
    assert call.route.body is not None
    kind = call.headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != JSON:
        raise Refusal("media-type")
    try:
        return DECODERS[call.route.body].decode(call.body)
    except msgspec.ValidationError as error:
        detail, _, path = str(error).partition(" - at `")
        raise Refusal("invalid", detail, path.removesuffix("`")) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal("malformed", str(error)[:200]) from None


def query_of(call: Call) -> Mapping[str, str]:
    """The query's parameters: known ones, each once."""
    return _parameters(call.query, call.route.query)


@lru_cache(maxsize=1024)
def _parameters(query: bytes, known: tuple[str, ...]) -> Mapping[str, str]:
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, max_num_fields=8, errors="strict"
        )
    except ValueError:
        raise Refusal("invalid", "the query cannot be read") from None
    values = dict(pairs)
    if len(values) != len(pairs) or not values.keys() <= set(known):
        allowed = ", ".join(known) or "none"
        raise Refusal("invalid", f"allowed parameters, each once: {allowed}")
    return MappingProxyType(values)


def _number(values: Mapping[str, str], name: str, *, low: int, high: int, default: int) -> int:
    text = values.get(name)
    if text is None:
        return default
    well_formed = text.isascii() and text.isdigit() and len(text) <= 16
    if not well_formed or not low <= int(text) <= high:
        raise Refusal("invalid", f"{name} must be a whole number from {low} to {high}", name)
    return int(text)


def kept(service: Service, call: Call, command: Command) -> Write:
    """A command to be kept once, whatever is repeated."""
    sender = call.sender
    key = call.headers[b"idempotency-key"]
    owner = f"{sender.role}\0{sender.subject}\0".encode()
    route = f"{call.route.name}\0{call.number}\0".encode()
    condition = call.headers.get(b"if-match", b"") + b"\0"
    return Write(
        key_hash=blake2b(owner + key, digest_size=16).digest(),
        digest=blake2b(route + condition + call.body, digest_size=16).digest(),
        now_ms=service.now_ms(),
        command=command,
    )


def written(service: Service, answer: Answer) -> Reply:
    """The reply to a write that is durable now."""
    if answer.status >= 400:
        return Reply(answer.status, answer.body, CONTENT_TYPE)
    headers = header(answer.header)
    if answer.replayed:
        service.metrics.replays_count += 1
        headers = (*headers, (b"idempotency-replayed", b"true"))
    return Reply(answer.status, answer.body, JSON, headers)


def check_key(call: Call) -> None:
    """Writes name themselves, so that a repetition changes nothing."""
    key = call.headers.get(b"idempotency-key")
    if key is None:
        raise Refusal("key-missing")
    if not KEY.fullmatch(key):
        raise Refusal("malformed", "Idempotency-Key: 1 to 128 visible ASCII characters")


def _open(call: Call, request: Any, *, trigger: str, needs_a_person: bool = False) -> OpenClaim:
    sender = call.sender
    by_consumer = sender.role == "consumer"
    if by_consumer and request.consumer_id != int(sender.subject):
        raise Refusal("forbidden", "a consumer asks for itself only", "$.consumer_id")
    statutory = getattr(request, "statutory", False)
    escalated = getattr(request, "escalated", False)
    return OpenClaim(
        trigger=TRIGGER_CODES[trigger],
        category=CATEGORY_CODES[request.category],
        order_id=request.order_id,
        merchant_id=request.merchant_id,
        consumer_id=request.consumer_id,
        order_value_fen=getattr(request, "order_value_fen", 0),
        price_gap_fen=getattr(request, "price_gap_fen", None),
        statutory=statutory,
        escalated=escalated,
        needs_a_person=needs_a_person or (by_consumer and (statutory or escalated)),
    )


def open_claim(call: Call) -> OpenClaim:
    request: messages.ClaimRequest = decoded(call)
    return _open(call, request, trigger=request.trigger)


def open_cancellation(call: Call) -> OpenClaim:
    return _open(call, decoded(call), trigger="cancellation")


def open_alert(call: Call) -> OpenClaim:
    return _open(call, decoded(call), trigger="alert")


def open_report(call: Call) -> OpenClaim:
    return _open(call, decoded(call), trigger="valid_report", needs_a_person=True)


def resolve_claim(call: Call) -> Resolve:
    request: messages.ResolutionRequest = decoded(call)
    sender = call.sender
    return Resolve(
        claim_id=call.number,
        settles=request.outcome == "settle",
        consumer_id=int(sender.subject) if sender.role == "consumer" else None,
    )


async def read_claim(service: Service, call: Call) -> Reply:
    sender = call.sender
    row = await service.store.claim(call.number)
    if row is None or (sender.role == "consumer" and row.consumer_id != int(sender.subject)):
        raise Refusal("not-found")
    return Reply(200, encode(view(row)))


def _page(service: Service, call: Call) -> tuple[int, int]:
    values = query_of(call)
    after = _number(values, "cursor", low=0, high=messages.ID_MAX, default=0)
    most = service.settings.page_count_max
    limit = _number(values, "limit", low=1, high=most, default=min(LIMIT_DEFAULT, most))
    return after, limit


async def list_claims(service: Service, call: Call) -> Reply:
    after, limit = _page(service, call)
    rows = await service.store.claims(after=after, limit=limit + 1)
    cursor = str(rows[limit - 1].claim_id) if len(rows) > limit else None
    page = messages.ClaimsPage(claims=[view(row) for row in rows[:limit]], next_cursor=cursor)
    return Reply(200, encode(page))


async def list_entries(service: Service, call: Call) -> Reply:
    after, limit = _page(service, call)
    rows = await service.store.entries(after=after, limit=limit + 1)
    return Reply(200, encode(ledger_page(rows, limit=limit)))


def set_status(call: Call) -> SetStatus:
    request: messages.StatusRequest = decoded(call)
    expected = None
    if b"if-match" in call.headers and call.headers[b"if-match"] != b"*":
        found = ETAG.fullmatch(call.headers[b"if-match"])
        if found is None:
            raise Refusal("malformed", 'If-Match: one ETag such as "3"')
        expected = int(found[1])
    status = STATUS_CODES[request.status]
    return SetStatus(merchant_id=call.number, status=status, expected=expected)


def set_statuses(call: Call) -> SetStatuses:
    request: messages.StatusesRequest = decoded(call)
    codes = STATUS_CODES
    rows = [(one.merchant_id, codes[one.status]) for one in request.updates]
    return SetStatuses(rows=rows)


async def read_status(service: Service, call: Call) -> Reply:
    row = await service.store.merchant(call.number)
    if row is None:
        raise Refusal("not-found")
    etag = f'"{row.version}"'.encode()
    if call.headers.get(b"if-none-match") == etag:
        return Reply(304, b"", JSON, ((b"etag", etag),))
    return Reply(200, encode(merchant_view(row)), JSON, ((b"etag", etag),))


async def read_guarantees(service: Service, call: Call) -> Reply:
    values = query_of(call)
    category = values.get("category")
    if category not in CATEGORY_CODES:
        raise Refusal("invalid", f"one of {', '.join(CATEGORIES)}", "category")
    merchant_id = _number(values, "merchant_id", low=1, high=messages.ID_MAX, default=0)
    row = await service.store.merchant(merchant_id) if merchant_id else None
    if row is None:
        return Reply(200, service.terms[CATEGORY_CODES[category]])
    answer = messages.GuaranteesAnswer(
        terms=service.programme.views(CATEGORY_CODES[category]),
        merchant_status=STATUSES[row.status],
    )
    return Reply(200, encode(answer))


async def read_budgets(service: Service, call: Call) -> Reply:
    query_of(call)
    pots, used_fen = await service.store.pots(day=day_of(service.now_ms()))
    return Reply(200, encode(budgets(service.programme, pots, used_fen)))


async def set_faults(service: Service, call: Call) -> Reply:
    if service.faults is None:
        raise Refusal("not-found")
    request: messages.FaultsRequest = decoded(call)
    await service.faults.set(request)
    return Reply(200, encode(request))


async def read_metrics(service: Service, call: Call) -> Reply:
    query_of(call)
    pots, _ = await service.store.pots(day=day_of(service.now_ms()))
    return Reply(200, service.metrics.text(pots), TEXT)


async def read_health(service: Service, call: Call) -> Reply:
    query_of(call)
    writable = await service.is_writable()
    return Reply(200 if writable else 503, encode(messages.Health(writable=writable)))


async def read_openapi(service: Service, call: Call) -> Reply:
    query_of(call)
    return Reply(200, service.openapi)


WRITES: Final[dict[str, Callable[[Call], Command]]] = {
    prepare.__name__: prepare
    for prepare in (
        open_claim,
        resolve_claim,
        open_cancellation,
        open_alert,
        open_report,
        set_status,
        set_statuses,
    )
}
"""From a call to what is to be kept of it."""
READS: Final[dict[str, Callable[[Service, Call], Awaitable[Reply]]]] = {
    read.__name__: read
    for read in (
        list_claims,
        read_claim,
        read_status,
        read_guarantees,
        read_budgets,
        list_entries,
        set_faults,
        read_metrics,
        read_health,
        read_openapi,
    )
}
"""From a call to its reply, without keeping anything in the books."""
DECODERS: Final[dict[type, msgspec.json.Decoder[Any]]] = {
    kind: msgspec.json.Decoder(kind)
    for kind in (
        messages.ClaimRequest,
        messages.CancellationRequest,
        messages.AlertRequest,
        messages.ReportRequest,
        messages.ResolutionRequest,
        messages.StatusRequest,
        messages.StatusesRequest,
        messages.FaultsRequest,
    )
}
