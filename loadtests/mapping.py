"""The mapping: how each operation of a trace is asked of an API, and what in its answers counts.

Decides routes, names of fields and which status is which outcome. The shipped mapping is for the
reference guarantee API; a file of the user's own points the same trace at another API.
"""

from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from pydantic import Field

from loadtests import tomlfile
from loadtests.trace import DEPENDENT
from scenarios.load import OPERATIONS, WRITES
from scenarios.model import Model

SHIPPED: Final = Path(__file__).parent / "guarantee_api.toml"
TARGET: Final = "{target}"
ANSWER_ID: Final = "{answer_id}"

Header = Annotated[str, Field(pattern=r"^[!-~]([ -~]*[!-~])?$")]
RoutePath = Annotated[str, Field(pattern=r"^/[!-~]*$")]


class Answer(msgspec.Struct, gc=False):
    """What counts in an answer: `id`, `state`, and the amount in fen; None where it says nothing"""

    id: str | int | None = None
    state: str | None = None
    fen: int | None = None


class Operation(Model):
    """One operation: its route, and the names in its answer (all at the top level of a JSON object;
    empty means that there is none)."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    """Method of the request."""
    path: RoutePath
    """Path and query; {target} and {answer_id} are filled in."""
    accept: tuple[Annotated[int, Field(ge=100, le=599)], ...] = Field(default=(), strict=False)
    """Statuses outside 200 to 299 that are right answers, too."""
    rename: dict[str, str] = Field(default_factory=dict)
    """New names of the body's fields, by the trace's names."""
    answer_id: str = ""
    """Name of the identifier in the answer."""
    answer_state: str = ""
    """Name of the state in the answer."""
    answer_fen: tuple[str, ...] = Field(default=(), strict=False)
    """Names of the amounts in the answer, int fen, that are added up."""

    @cached_property
    def _amounts(self) -> tuple[str, ...]:
        return tuple(f"fen_{at}" for at in range(len(self.answer_fen)))

    @cached_property
    def _named(self) -> msgspec.json.Decoder[Any] | None:
        """Reads the named fields and skips the rest; None if none is named."""
        named = [
            ("id", str | int | None, self.answer_id),
            ("state", str | None, self.answer_state),
            *(
                (field, int | None, name)
                for field, name in zip(self._amounts, self.answer_fen, strict=True)
            ),
        ]
        kept = [
            (field, kind, msgspec.field(name=name, default=None))
            for field, kind, name in named
            if name
        ]
        return msgspec.json.Decoder(msgspec.defstruct("Named", kept, gc=False)) if kept else None

    def answer(self, body: bytes) -> Answer:
        """What counts in a body. Raises msgspec.MsgspecError if it is not as the mapping says."""
        if self._named is None or not body:
            return Answer()
        found, fen = self._named.decode(body), None
        for name in self._amounts:
            amount = getattr(found, name)
            if amount is not None:
                fen = amount if fen is None else fen + amount
        return Answer(getattr(found, "id", None), getattr(found, "state", None), fen)


class Mapping(Model):
    """A whole mapping."""

    key_header: Header
    """Header that carries the idempotency key."""
    probe: RoutePath
    """A read that every role may do: shows whether the host answers and the tokens are good."""
    headers: dict[str, Header] = Field(default_factory=dict)
    """Further headers of every request."""
    thresholds: tuple[str, ...] = Field(default=(), strict=False)
    """What every replay against this API must hold, as in --threshold."""
    operations: dict[str, Operation]
    """By the operation's name in the trace."""


def load(path: Path | None = None) -> Mapping:
    """The shipped mapping, or that of `path`. Raises TomlFileError."""
    file = path or SHIPPED
    mapping = tomlfile.model(Mapping, tomlfile.values(file), file)
    wrong = [
        f"{file}: operations.{one}: no such operation: one of {', '.join(OPERATIONS)}"
        for one in mapping.operations
        if one not in OPERATIONS
    ]
    wrong += [
        f"{file}: operations.{name}.path = {one.path!r}: {ANSWER_ID} only where a step depends "
        f"on another: {', '.join(DEPENDENT)}"
        for name, one in mapping.operations.items()
        if ANSWER_ID in one.path and name not in DEPENDENT
    ]
    if wrong:
        raise tomlfile.TomlFileError("\n".join(wrong))
    return mapping


def outcome(name: str, operation: Operation, status: int) -> Literal["ok", "fail", "unknown"]:
    """What a status says of an operation.

    A server that failed may have kept a write all the same, so that nobody knows; a read changed
    nothing, and 4xx says that the request was refused.
    """
    if 200 <= status < 300 or status in operation.accept:
        return "ok"
    return "unknown" if status >= 500 and name in WRITES else "fail"
