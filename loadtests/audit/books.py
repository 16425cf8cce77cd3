"""What a target keeps: claims, ledger, budgets and merchants' statuses, read page by page.

Decides when reading is done: when nothing was posted while it was read. Knows the routes and names
of the guarantee API's published contract, and nothing of any implementation. Money int fen.
"""

import http.client
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from time import sleep
from typing import Any, Final
from urllib.parse import urlsplit

from loadtests.tokenfile import Tokens

PAGE_COUNT: Final = 1000
TIMEOUT_S: Final = 30.0
PATIENCE: Final = 8
"""Attempts at a request, and at reading books that nobody changes meanwhile."""
PAUSE_S: Final = 0.25
NOT_ALLOWED: Final = (401, 403)

Row = dict[str, Any]


class TargetSilent(Exception):
    """The target does not answer, or not as its contract says: nothing can be judged."""


class TokenRefused(Exception):
    """The target does not take the token; the message is for the user."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and decoded body."""

    status: int
    body: Any


@dataclass(frozen=True, slots=True)
class Books:
    """Everything that the target keeps."""

    claims: list[Row]
    entries: list[Row]
    budgets: list[Row]


class Target:
    """Asks one target over one kept-alive connection. Raises TargetSilent."""

    def __init__(self, url: str, tokens: Tokens, *, pause_s: float = PAUSE_S) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise TokenRefused(f"--host {url}: an address such as http://127.0.0.1:8080 is needed")
        self._base = parts.path.rstrip("/")
        self._tokens = tokens
        self._pause_s = pause_s
        self._connection: http.client.HTTPConnection = (
            http.client.HTTPSConnection(
                parts.hostname,
                parts.port,
                timeout=TIMEOUT_S,
                context=ssl.create_default_context(),
            )
            if parts.scheme == "https"
            else http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT_S)
        )

    def close(self) -> None:
        self._connection.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        role: str = "auditor",
        shard_key: int = 0,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One request, again after a broken connection or an overloaded answer."""
        sent = {"authorization": f"Bearer {self._tokens.of(role, shard_key)}", **(headers or {})}
        if body:
            sent["content-type"] = "application/json"
        why = ""
        for _ in range(PATIENCE):
            try:
                self._connection.request(method, self._base + path, body or None, sent)
                answer = self._connection.getresponse()
                content = answer.read()
                if answer.status < 500 and answer.status != 429:
                    return Answer(answer.status, json.loads(content) if content else None)
                why = f"status {answer.status}"
            except (OSError, http.client.HTTPException, ValueError) as error:
                self._connection.close()
                why = str(error) or type(error).__name__
            sleep(self._pause_s)
        raise TargetSilent(f"{method} {path}: {why}")

    def books(self) -> Books:
        """Claims, ledger and budgets of one moment."""
        entries = list(self.pages("/v1/ledger", "entries"))
        for _ in range(PATIENCE):
            claims = list(self.pages("/v1/claims", "claims"))
            budgets: list[Row] = self.read("/v1/budgets")["budgets"]
            after = entries[-1]["entry_id"] if entries else 0
            more = list(self.pages("/v1/ledger", "entries", after=after))
            if not more:
                return Books(claims, entries, budgets)
            entries += more
            sleep(self._pause_s)
        raise TargetSilent("the ledger still grows: is somebody else writing?")

    def status_of(self, merchant_id: int) -> str | None:
        """A merchant's status; None if it has none."""
        answer = self.ask("GET", f"/v1/merchants/{merchant_id}/status")
        return None if answer.status == 404 else str(answer.body["status"])

    def pages(self, path: str, name: str, *, after: int = 0) -> Iterator[Row]:
        """Rows of a listing."""
        cursor: str | None = str(after)
        while cursor is not None:
            page = self.read(f"{path}?cursor={cursor}&limit={PAGE_COUNT}")
            try:
                yield from page[name]
                cursor = page["next_cursor"]
            except (KeyError, TypeError):
                raise TargetSilent(f"GET {path}: no page of {name}") from None

    def read(self, path: str) -> Any:
        """The body of an answer that must be 200."""
        answer = self.ask("GET", path)
        if answer.status in NOT_ALLOWED:
            raise TokenRefused(
                f"GET {path} is answered {answer.status}: an auditor's token is needed"
            )
        if answer.status != 200:
            raise TargetSilent(f"GET {path}: status {answer.status}")
        return answer.body
