"""What may be asked of the store: one value a write, checked by HTTP before it gets here.

Decides nothing. Codes are positions in the vocabularies; money int fen; times Unix milliseconds.
"""

import msgspec


class OpenClaim(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Open a claim of any kind: incident, cancellation, valid report or alert."""

    trigger: int
    category: int
    order_id: int
    merchant_id: int
    consumer_id: int
    order_value_fen: int
    price_gap_fen: int | None
    statutory: bool
    escalated: bool
    needs_a_person: bool


class Resolve(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """End the hold of a claim: pay it or give the money back."""

    claim_id: int
    settles: bool
    consumer_id: int | None
    """Set when a consumer asks: only an approved claim of that consumer's own may be resolved."""


class SetStatus(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Set one merchant's status, unless it changed since version `expected`."""

    merchant_id: int
    status: int
    expected: int | None


class SetStatuses(msgspec.Struct, frozen=True, kw_only=True):
    """Set many merchants' statuses: (merchant_id, status) rows, the last of a merchant wins."""

    rows: list[tuple[int, int]]


class Probe(msgspec.Struct, frozen=True):
    """Write something that nobody reads: is the store writable?"""


Command = OpenClaim | Resolve | SetStatus | SetStatuses | Probe


class Write(msgspec.Struct, frozen=True, kw_only=True):
    """A command with what makes its repetition harmless."""

    key_hash: bytes
    """Hash of the Idempotency-Key and of who sent it; empty for a probe."""
    digest: bytes
    """Hash of method, path and body: the same key with another digest is refused."""
    now_ms: int
    command: Command


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What a write was answered, kept as it was sent."""

    status: int
    header: str
    """One header that belongs to the answer, as `name value`; empty for none."""
    body: bytes
    replayed: bool = False
