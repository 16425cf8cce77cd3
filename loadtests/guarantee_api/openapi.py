"""The OpenAPI 3.1 document, made from the route table and the types of the bodies.

Published at /v1/openapi.json and kept beside this file; a test holds the two equal.
"""

from typing import Any, Final

import msgspec

from loadtests.guarantee_api.messages import ID_MAX, Problem
from loadtests.guarantee_api.problems import TITLES
from loadtests.guarantee_api.routes import ROUTES, Route
from scenarios.words import CATEGORIES

REF: Final = "#/components/schemas/{name}"
ID: Final = {"type": "integer", "minimum": 1, "maximum": ID_MAX}
ETAG: Final = {"type": "string", "pattern": '^"[0-9]{1,16}"$'}
PARAMETERS: Final[dict[str, dict[str, Any]]] = {
    "id": {"in": "path", "name": "id", "required": True, "schema": ID},
    "cursor": {
        "in": "query",
        "name": "cursor",
        "description": "`next_cursor` of the page before; the first page if left out.",
        "schema": {"type": "string", "pattern": "^(0|[1-9][0-9]{0,14})$"},
    },
    "limit": {
        "in": "query",
        "name": "limit",
        "description": "Most rows of the page.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
    },
    "category": {
        "in": "query",
        "name": "category",
        "required": True,
        "schema": {"type": "string", "enum": list(CATEGORIES)},
    },
    "merchant_id": {"in": "query", "name": "merchant_id", "schema": ID},
    "key": {
        "in": "header",
        "name": "Idempotency-Key",
        "required": True,
        "description": "Names the write: the same key and request get the same answer and change"
        " nothing; with another request 409.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,128}$"},
    },
    "if-match": {"in": "header", "name": "If-Match", "schema": ETAG},
    "if-none-match": {"in": "header", "name": "If-None-Match", "schema": ETAG},
}
ALWAYS: Final = ("malformed", "method", "timeout", "invalid", "headers-too-large", "unavailable")
WITH_TOKEN: Final = ("unauthenticated", "forbidden", "rate")
WITH_BODY: Final = ("too-large", "media-type")
WITH_KEY: Final = ("key-missing", "key-reused")


def document() -> dict[str, Any]:
    """The whole document."""
    types: list[type] = [Problem]
    for route in ROUTES:
        types += [kind for kind in (route.body, route.answer) if kind is not None]
    _, components = msgspec.json.schema_components(types, ref_template=REF)
    paths: dict[str, Any] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "springpeak guarantee API",
            "version": "1",
            "description": "Decides claims of a guarantee programme at once, holds and settles"
            " them in two phases, and never loses, doubles or overdraws a payment. Money is"
            " whole fen.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    parameters = [PARAMETERS["id"]] if "{id}" in route.path else []
    parameters += [PARAMETERS[name] for name in route.query]
    if route.writes:
        parameters.append(PARAMETERS["key"])
    if route.name == "set_status":
        parameters.append(PARAMETERS["if-match"])
    if route.name == "read_status":
        parameters.append(PARAMETERS["if-none-match"])
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "responses": _responses(route),
    }
    if parameters:
        operation["parameters"] = parameters
    if route.roles is not None:
        operation["security"] = [{"bearer": []}]
        operation["x-roles"] = sorted(route.roles)
    if route.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _ref(route.body)}},
        }
    return operation


def _responses(route: Route) -> dict[str, Any]:
    kinds = [*ALWAYS, *route.refusals]
    if "{id}" in route.path and "not-found" not in kinds:
        kinds.append("not-found")  # what is no number is nowhere
    kinds += WITH_TOKEN if route.roles is not None else ()
    kinds += WITH_BODY if route.body is not None else ()
    kinds += WITH_KEY if route.writes else ()
    responses: dict[str, Any] = {str(route.status): _success(route)}
    if route.name == "read_status":
        responses["304"] = {"description": "Not changed since that ETag"}
    for kind in sorted(kinds, key=lambda one: TITLES[one][0]):
        status, title = TITLES[kind]
        before = responses.get(str(status))
        responses[str(status)] = {
            "description": title if before is None else f"{before['description']}; {title}",
            "content": {"application/problem+json": {"schema": _ref(Problem)}},
        }
    if route.name == "read_health":
        responses["503"] = {**_success(route), "description": "The store does not keep writes"}
    return responses


def _success(route: Route) -> dict[str, Any]:
    if route.answer is not None:
        content = {"application/json": {"schema": _ref(route.answer)}}
    elif route.name == "read_metrics":
        content = {"text/plain": {"schema": {"type": "string"}}}
    else:
        content = {"application/json": {"schema": {"type": "object"}}}
    return {"description": "Done", "content": content}


def _ref(kind: type) -> dict[str, str]:
    return {"$ref": REF.format(name=kind.__name__)}
