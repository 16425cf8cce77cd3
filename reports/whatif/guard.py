"""Who may talk to the page: a middleware that every request passes before anything else.

On loopback the name in `Host` must be one of this server's own (else another site's name could be
rebound to it); elsewhere each request needs the token, as a cookie or `Authorization: Bearer`. A
request that changes something must come from the page itself (`Origin`, `Sec-Fetch-Site`). There
are no websockets: such a connection is refused. Answers carry headers that let the page load
nothing from elsewhere and let nobody frame it.
"""

import hmac
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE: Final = "springpeak_token"
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
SAFE: Final = ("GET", "HEAD")
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self';"
    " img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# A report is one file that carries its style and its typeface, and has no script.
REPORT_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; font-src data:; img-src data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Guard:
    """The middleware. `token` None means that none is asked for, which only loopback may have."""

    def __init__(self, app: ASGIApp, *, port: int, token: str | None, loopback: bool) -> None:
        self._app = app
        self._token = token
        names = tuple(map(in_address, LOOPBACK)) if loopback else ()
        self._hosts = frozenset(f"{name}:{port}" for name in names)
        if port == 80:
            self._hosts |= frozenset(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, send)
        elif self._token is not None and scope["method"] == "GET" and self._is_token(given):
            # The token moves from the address, which histories keep, into a cookie.
            answer = RedirectResponse(scope["path"], status_code=303)
            answer.set_cookie(COOKIE, self._token, httponly=True, samesite="strict")
            await answer(scope, receive, send)
        elif self._token is not None and not self._is_token(_presented(headers)):
            await PlainTextResponse(
                "A token is needed: open the address that springpeak ui printed.\n",
                status_code=401,
                headers={"WWW-Authenticate": "Bearer"},
            )(scope, receive, send)
        else:
            await self._app(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope, headers: Headers) -> PlainTextResponse | None:
        host = headers.get("host", "").lower()
        if self._hosts and host not in self._hosts:
            return PlainTextResponse("This name is not the server's.\n", status_code=421)
        if scope["method"] in SAFE:
            return None
        origin = headers.get("origin", "")
        if origin != f"{scope['scheme']}://{host}":
            return PlainTextResponse("Only the page itself may do this.\n", status_code=403)
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return PlainTextResponse("Only the page itself may do this.\n", status_code=403)
        return None

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), (self._token or "").encode())


def in_address(host: str) -> str:
    """A host as it stands in an address and in `Host`: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def _presented(headers: Headers) -> str:
    """The token that a request brings."""
    kind, _, token = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return token.strip()
    cookies: SimpleCookie = SimpleCookie()
    try:
        cookies.load(headers.get("cookie", ""))
    except CookieError:
        return ""
    return cookies[COOKIE].value if COOKIE in cookies else ""


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("Content-Security-Policy", POLICY)
            headers.setdefault("Cache-Control", "no-store")
            headers["X-Content-Type-Options"] = "nosniff"
            headers["Referrer-Policy"] = "no-referrer"
        await send(message)

    return sending
