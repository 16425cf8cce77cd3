"""Every way a request can be refused, as problem details (RFC 9457).

`type` is a tag URI: it names the problem and promises no page. A `Refusal` is raised by whatever
finds the problem and becomes the answer at one place (app.py).
"""

from dataclasses import dataclass
from typing import Final

from loadtests.guarantee_api.messages import Problem, encode

CONTENT_TYPE: Final = b"application/problem+json"
TITLES: Final = {
    "malformed": (400, "The request cannot be read"),
    "key-missing": (400, "Writes need an Idempotency-Key header"),
    "unauthenticated": (401, "A valid bearer token is needed"),
    "forbidden": (403, "The token's role may not do this"),
    "not-found": (404, "There is no such thing"),
    "method": (405, "The method is not allowed here"),
    "timeout": (408, "The request took too long to arrive"),
    "key-reused": (409, "The Idempotency-Key was used for another request"),
    "resolved": (409, "The claim is not open"),
    "changed": (412, "The resource changed since that ETag"),
    "too-large": (413, "The body is too large"),
    "media-type": (415, "The body must be application/json"),
    "invalid": (422, "The request does not fit the schema"),
    "rate": (429, "Too many requests"),
    "headers-too-large": (431, "The headers are too large"),
    "internal": (500, "The service failed"),
    "unavailable": (503, "The store cannot answer now; repeat with the same key"),
    "overloaded": (503, "Too many requests are waiting"),
}


@dataclass(slots=True)
class Refusal(Exception):
    """A request is refused; `kind` is a key of TITLES."""

    kind: str
    detail: str = ""
    path: str = ""
    header: str = ""
    """One more header, as `name value`."""

    @property
    def status(self) -> int:
        return TITLES[self.kind][0]

    def body(self) -> bytes:
        return problem(self.kind, self.detail, self.path)


def problem(kind: str, detail: str = "", path: str = "") -> bytes:
    """The body of a refusal."""
    status, title = TITLES[kind]
    return encode(
        Problem(
            type=f"tag:springpeak,2026:{kind}",
            title=title,
            status=status,
            detail=detail,
            path=path,
        )
    )
