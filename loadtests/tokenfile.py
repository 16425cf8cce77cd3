"""The token file: the bearer tokens that a load test and its audit send, by role.

JSON: {"agent": TOKEN, "operator": TOKEN, "auditor": TOKEN, "consumer": [TOKEN, ...]}. The first of
the consumers' tokens is consumer 1's, and so on: a consumer's step goes out under the token of
`trace.consumer_of(shard_key)`. `springpeak tokens FILE` writes it for the reference API.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from loadtests.trace import CONSUMERS_COUNT, ROLES, consumer_of

STAFF: Final = tuple(role for role in ROLES if role != "consumer")


class TokenFileError(Exception):
    """The token file cannot be read or written; the message says why, for the user."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens by role; consumers' in the order of their numbers."""

    staff: dict[str, str]
    consumers: tuple[str, ...]

    def of(self, role: str, shard_key: int) -> str:
        """The token of a step."""
        return (
            self.consumers[consumer_of(shard_key) - 1] if role == "consumer" else self.staff[role]
        )

    def by_role(self, steps: pl.DataFrame) -> dict[str, str]:
        """A token of each role that a trace's steps need."""
        roles = steps["role"].unique().cast(pl.String).sort()
        return {role: self.of(role, 0) for role in roles}


def read(path: Path) -> Tokens:
    """The tokens of a file. Raises TokenFileError with everything that is wrong with it."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TokenFileError(f"{path} cannot be read as a token file: {error}") from None
    if not isinstance(values, dict):
        raise TokenFileError(f"{path} is no token file: one JSON object of tokens by role")
    wrong = [
        f"{path}: {role}: one token, a string, is needed"
        for role in STAFF
        if not isinstance(values.get(role), str) or not _is_header(values[role])
    ]
    consumers = values.get("consumer", [])
    if not (
        isinstance(consumers, list)
        and len(consumers) == CONSUMERS_COUNT
        and all(isinstance(one, str) and _is_header(one) for one in consumers)
    ):
        wrong.append(f"{path}: consumer: a list of {CONSUMERS_COUNT} tokens is needed")
    if wrong:
        raise TokenFileError("\n".join(wrong))
    return Tokens({role: values[role] for role in STAFF}, tuple(consumers))


def write(path: Path, tokens: Tokens) -> None:
    """Write a token file that only its owner can read."""
    values = {**tokens.staff, "consumer": list(tokens.consumers)}
    try:
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(json.dumps(values, indent=1), encoding="utf-8")
    except OSError as error:
        raise TokenFileError(f"{path} cannot be written: {error.strerror}") from None


def _is_header(text: str) -> bool:
    """Whether it can stand in a header: visible ASCII."""
    return bool(text) and text.isascii() and text.isprintable() and " " not in text
