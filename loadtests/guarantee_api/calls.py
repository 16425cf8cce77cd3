"""A request whose head was read, and its reply: what connections and handlers exchange."""

from typing import Final, NamedTuple

import msgspec

from loadtests.guarantee_api.problems import CONTENT_TYPE, Refusal
from loadtests.guarantee_api.routes import Route
from loadtests.guarantee_api.tokens import Principal

JSON: Final = b"application/json"


class Call(msgspec.Struct, kw_only=True, gc=False):
    """A request: who sends what to which route; the body comes after the head."""

    route: Route
    number: int = 0
    """The number in the path, 0 if it has none."""
    method: bytes = b""
    principal: Principal | None = None
    headers: dict[bytes, bytes] = {}
    query: bytes = b""
    body: bytes = b""
    refusal: Refusal | None = None
    """Why it is not carried out."""
    keep_alive: bool = True
    """Whether the connection stays open after the answer."""
    began_s: float = 0.0

    @property
    def sender(self) -> Principal:
        assert self.principal is not None, "the route asks for a token"
        return self.principal


class Reply(NamedTuple):
    """What is sent back."""

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


def header(text: str) -> tuple[tuple[bytes, bytes], ...]:
    """One header out of `name value`, none out of nothing."""
    if not text:
        return ()
    name, _, value = text.partition(" ")
    return ((name.encode(), value.encode()),)


def refused(refusal: Refusal) -> Reply:
    """The reply that says why not."""
    return Reply(refusal.status, refusal.body(), CONTENT_TYPE, header(refusal.header))
