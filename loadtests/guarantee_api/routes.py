"""The routes: which role may do what, what goes in and what comes out. OpenAPI is made from this.

Decides access by role. That a consumer sees and resolves only its own claims is decided where the
claim is known (handlers.py, decide.py).
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

import httptools

from loadtests.guarantee_api import messages
from loadtests.guarantee_api.problems import Refusal
from loadtests.guarantee_api.words import ROLES, Role

EVERYBODY: Final = frozenset(ROLES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation."""

    name: str
    method: str
    path: str
    """`{id}` stands for one number."""
    summary: str
    roles: frozenset[Role] | None
    """Who may; None: no token is asked for."""
    body: type | None = None
    answer: type | None = None
    status: int = 200
    query: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    """Kinds of problems besides those of every route."""

    @property
    def writes(self) -> bool:
        """Whether the route asks for an Idempotency-Key."""
        return self.body is not None and self.name != "set_faults"


def _roles(*roles: Role) -> frozenset[Role]:
    return frozenset(roles)


ROUTES: Final = (
    Route(
        name="open_claim",
        method="POST",
        path="/v1/claims",
        summary="Open a claim; it is approved, in review or rejected at once.",
        roles=_roles("consumer", "agent"),
        body=messages.ClaimRequest,
        answer=messages.Claim,
        status=201,
    ),
    Route(
        name="list_claims",
        method="GET",
        path="/v1/claims",
        summary="Claims in order of opening, a page at a time.",
        roles=_roles("operator", "auditor"),
        answer=messages.ClaimsPage,
        query=("cursor", "limit"),
    ),
    Route(
        name="read_claim",
        method="GET",
        path="/v1/claims/{id}",
        summary="One claim; a consumer sees only its own.",
        roles=EVERYBODY,
        answer=messages.Claim,
        refusals=("not-found",),
    ),
    Route(
        name="resolve_claim",
        method="POST",
        path="/v1/claims/{id}/resolution",
        summary="Pay a claim out of its hold, or release the hold.",
        roles=_roles("consumer", "agent"),
        body=messages.ResolutionRequest,
        answer=messages.Claim,
        refusals=("not-found", "resolved"),
    ),
    Route(
        name="open_cancellation",
        method="POST",
        path="/v1/cancellations",
        summary="Cancel a booking without a reason.",
        roles=_roles("consumer", "agent"),
        body=messages.CancellationRequest,
        answer=messages.Claim,
        status=201,
    ),
    Route(
        name="open_alert",
        method="POST",
        path="/v1/alerts",
        summary="Warn a consumer and hold the compensation offered.",
        roles=_roles("operator"),
        body=messages.AlertRequest,
        answer=messages.Claim,
        status=201,
    ),
    Route(
        name="open_report",
        method="POST",
        path="/v1/reports",
        summary="Report a violation; a person checks it before the bounty is paid.",
        roles=_roles("consumer"),
        body=messages.ReportRequest,
        answer=messages.Claim,
        status=201,
    ),
    Route(
        name="set_status",
        method="PUT",
        path="/v1/merchants/{id}/status",
        summary="Set a merchant's status; with If-Match only if it did not change meanwhile.",
        roles=_roles("operator"),
        body=messages.StatusRequest,
        answer=messages.Merchant,
        refusals=("changed",),
    ),
    Route(
        name="read_status",
        method="GET",
        path="/v1/merchants/{id}/status",
        summary="A merchant's status, with its ETag.",
        roles=EVERYBODY,
        answer=messages.Merchant,
        refusals=("not-found",),
    ),
    Route(
        name="set_statuses",
        method="POST",
        path="/v1/merchants/status",
        summary="Set the statuses of up to ten thousand merchants.",
        roles=_roles("operator"),
        body=messages.StatusesRequest,
        answer=messages.StatusesAnswer,
    ),
    Route(
        name="read_guarantees",
        method="GET",
        path="/v1/guarantees",
        summary="Terms in force for a category, and the status of a merchant.",
        roles=EVERYBODY,
        answer=messages.GuaranteesAnswer,
        query=("category", "merchant_id"),
    ),
    Route(
        name="read_budgets",
        method="GET",
        path="/v1/budgets",
        summary="Every pot and the reserve: available, held, settled.",
        roles=_roles("operator", "auditor"),
        answer=messages.BudgetsAnswer,
    ),
    Route(
        name="list_entries",
        method="GET",
        path="/v1/ledger",
        summary="Entries of the ledger in order of posting, a page at a time.",
        roles=_roles("auditor"),
        answer=messages.LedgerPage,
        query=("cursor", "limit"),
    ),
    Route(
        name="set_faults",
        method="PUT",
        path="/v1/faults",
        summary="Faults for tests; not found unless the service was started with --faults.",
        roles=_roles("operator"),
        body=messages.FaultsRequest,
        answer=messages.FaultsRequest,
        refusals=("not-found",),
    ),
    Route(
        name="read_metrics",
        method="GET",
        path="/metrics",
        summary="Counters of this process and the pots, for Prometheus.",
        roles=_roles("operator", "auditor"),
    ),
    Route(
        name="read_health",
        method="GET",
        path="/healthz",
        summary="Whether a write can be made durable now.",
        roles=None,
        answer=messages.Health,
    ),
    Route(
        name="read_openapi",
        method="GET",
        path="/v1/openapi.json",
        summary="This description.",
        roles=None,
    ),
)
NOWHERE: Final = Route(name="none", method="", path="", summary="No route.", roles=None)
"""Where requests go that ask for nothing there is."""
ID_DIGITS_MAX: Final = 16


class Router:
    """Finds the route of a request."""

    def __init__(self) -> None:
        self._by_path: dict[str, dict[str, Route]] = {}
        for route in ROUTES:
            self._by_path.setdefault(route.path, {})[route.method] = route
        self._exact = {(one.method.encode(), one.path.encode()): one for one in ROUTES}

    def find(self, method: bytes, target: bytes) -> tuple[Route, int, bytes]:
        """The route, the number in its path (0 if it has none) and the query."""
        path, _, query = target.partition(b"?")
        route = self._exact.get((method, path))
        if route is not None:
            return route, 0, query
        if not path.startswith(b"/") and path:  # the absolute form, as sent to proxies
            try:
                path = httptools.parse_url(path).path or b"/"
            except httptools.HttpParserInvalidURLError:
                raise Refusal("malformed") from None
        text = path.decode("latin-1")
        return *self._search(method.decode(), unquote(text) if "%" in text else text), query

    def _search(self, method: str, path: str) -> tuple[Route, int]:
        number = 0
        methods = self._by_path.get(path)
        if methods is None:
            parts = path.split("/")
            if len(parts) > 3 and _is_number(parts[3]):
                number = int(parts[3])
                parts[3] = "{id}"
                methods = self._by_path.get("/".join(parts))
        if methods is None:
            raise Refusal("not-found")
        route = methods.get(method)
        if route is None:
            raise Refusal("method", header=f"allow {', '.join(sorted(methods))}")
        return route, number


def _is_number(text: str) -> bool:
    if not (text.isascii() and text.isdigit() and len(text) <= ID_DIGITS_MAX):
        return False
    return 1 <= int(text) <= messages.ID_MAX
