"""Bearer tokens: who asks, in which role, until when. JWT with HMAC-SHA256 (RFC 7519, PyJWT).

Decides whether a token is genuine and in time; what its role may do stands in routes.py. Verified
tokens are remembered by their text, so that a signature is checked once; their time is checked
always. Times in Unix seconds.
"""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import jwt

from loadtests.guarantee_api.problems import Refusal
from loadtests.guarantee_api.words import ROLES
from loadtests.tokenfile import STAFF, Tokens
from loadtests.trace import CONSUMERS_COUNT

ALGORITHM: Final = "HS256"
AUDIENCE: Final = "springpeak-guarantee-api"
SECRET_BYTES_MIN: Final = 32
REMEMBERED_COUNT_MAX: Final = 65_536


class Principal(NamedTuple):
    """Who asks. A consumer's subject is its consumer_id."""

    role: str
    subject: str
    expires_s: int


def secret_from(path: Path) -> bytes:
    """The signing secret of a file, made and kept private if there is none."""
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(SECRET_BYTES_MIN))
    secret = path.read_bytes().strip()
    if len(secret) < SECRET_BYTES_MIN:
        raise ValueError(f"{path} holds fewer than {SECRET_BYTES_MIN} bytes: too easy to guess")
    return secret


def issue(secret: bytes, *, role: str, subject: str, expires_s: int) -> str:
    """A signed token."""
    if role not in ROLES:
        raise ValueError(f"{role} is not a role: one of {', '.join(ROLES)}")
    if role == "consumer" and not subject.isdecimal():
        raise ValueError("a consumer's subject is its consumer_id, a number")
    claims = {"role": role, "sub": subject, "exp": expires_s, "aud": AUDIENCE}
    return jwt.encode(claims, secret, algorithm=ALGORITHM)


def issue_all(secret: bytes, *, expires_s: int) -> Tokens:
    """Tokens of the staff, and of the consumers that traces use."""
    staff = {
        role: issue(secret, role=role, subject="load-test", expires_s=expires_s) for role in STAFF
    }
    consumers = tuple(
        issue(secret, role="consumer", subject=str(number), expires_s=expires_s)
        for number in range(1, CONSUMERS_COUNT + 1)
    )
    return Tokens(staff, consumers)


class Gate:
    """Checks tokens."""

    def __init__(self, secret: bytes, now_s: Callable[[], float]) -> None:
        self._secret = secret
        self._now_s = now_s
        self._remembered: dict[bytes, Principal] = {}

    def principal(self, header: bytes | None) -> Principal:
        """Who sent this Authorization header; raises a refusal for everybody else."""
        principal = self._remembered.get(header) if header is not None else None
        if principal is None:
            principal = self._verified(header)
            if len(self._remembered) >= REMEMBERED_COUNT_MAX:
                self._remembered.clear()
            assert header is not None
            self._remembered[header] = principal
        if principal.expires_s <= self._now_s():
            raise _refused("the token has expired")
        return principal

    def _verified(self, header: bytes | None) -> Principal:
        scheme, _, token = (header or b"").partition(b" ")
        if scheme.lower() != b"bearer" or not token:
            raise _refused("send Authorization: Bearer TOKEN")
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                # Times are checked against the service's own clock, above.
                options={"require": ["exp", "sub", "aud"], "verify_exp": False},
            )
        except (jwt.PyJWTError, ValueError):
            raise _refused("the token is not genuine") from None
        role, subject, expires_s = claims.get("role"), claims["sub"], claims["exp"]
        if role not in ROLES or not isinstance(subject, str) or not isinstance(expires_s, int):
            raise _refused("the token is not one of this service")
        if role == "consumer" and not subject.isdecimal():
            raise _refused("the token is not one of this service")
        return Principal(str(role), subject, expires_s)


def _refused(detail: str) -> Refusal:
    return Refusal("unauthenticated", detail, header="www-authenticate Bearer")
