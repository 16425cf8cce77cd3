"""The bodies of requests and answers: types, ranges and what they mean; OpenAPI is made from them.

Decides what is well-formed, not what is allowed. Money int fen (1 CNY = 100 fen), times Unix
milliseconds, identifiers integers below 2**53, so that every JSON reader keeps them whole.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from loadtests.guarantee_api.words import (
    ClaimState,
    MerchantStatus,
    Reason,
    ResolutionOutcome,
    Source,
    Spoil,
)
from scenarios.terms import PRICE_MAX_FEN
from scenarios.words import Category, ExhaustionPolicy, Guarantee, IncidentType, Trigger

ID_MAX: Final = 2**53 - 1
BULK_COUNT_MAX: Final = 10_000

Id = Annotated[int, Meta(ge=1, le=ID_MAX)]
PriceFen = Annotated[int, Meta(ge=0, le=PRICE_MAX_FEN)]
CountMax = Annotated[int, Meta(ge=0, le=ID_MAX)]


class Body(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of request bodies: an unknown field is refused."""


class ClaimRequest(Body, frozen=True, kw_only=True):
    """Something went wrong with an order."""

    trigger: IncidentType
    category: Category
    order_id: Id
    merchant_id: Id
    consumer_id: Id
    """A consumer's token claims for that consumer only."""
    order_value_fen: PriceFen
    price_gap_fen: PriceFen | None = None
    """What the replacement cost more, where the term compensates a price gap; the term's mean
    multiple of the price if left out."""
    statutory: bool = False
    """Fraud or unsafe food was found: the law's minimum applies. From a consumer: a person looks
    first."""
    escalated: bool = False
    """Settled after escalation. From a consumer: a person looks first."""


class CancellationRequest(Body, frozen=True, kw_only=True):
    """A booking cancelled without a reason; the programme makes good what the merchant keeps."""

    category: Category
    order_id: Id
    merchant_id: Id
    consumer_id: Id
    order_value_fen: PriceFen


class AlertRequest(Body, frozen=True, kw_only=True):
    """A consumer with an order still ahead is warned and offered compensation; it is held until the
    consumer cancels (settle) or goes anyway (release)."""

    category: Category
    order_id: Id
    merchant_id: Id
    consumer_id: Id
    order_value_fen: PriceFen


class ReportRequest(Body, frozen=True, kw_only=True):
    """A consumer reports a merchant's violation; a person checks it before the bounty is paid."""

    category: Category
    order_id: Id
    merchant_id: Id
    consumer_id: Id


class ResolutionRequest(Body, frozen=True, kw_only=True):
    """How a claim ends."""

    outcome: ResolutionOutcome


class StatusRequest(Body, frozen=True, kw_only=True):
    """A merchant's status."""

    status: MerchantStatus


class StatusUpdate(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One merchant of many."""

    merchant_id: Id
    status: MerchantStatus


class StatusesRequest(Body, frozen=True, kw_only=True):
    """Statuses of many merchants; the last one given for a merchant wins."""

    updates: Annotated[list[StatusUpdate], Meta(min_length=1, max_length=BULK_COUNT_MAX)]


class Claim(Struct, frozen=True, kw_only=True, gc=False):
    """A claim and its decision."""

    claim_id: Id
    state: ClaimState
    reason: Reason
    guarantee: Guarantee | None
    trigger: Trigger
    category: Category
    order_id: Id
    merchant_id: Id
    consumer_id: Id
    order_value_fen: PriceFen
    refund_fen: CountMax
    extra_fen: CountMax
    legal_fen: CountMax
    """The part of `extra_fen` that only the law explains."""
    paid_from: Source
    created_ms: CountMax
    resolved_ms: CountMax | None


class Merchant(Struct, frozen=True, kw_only=True, gc=False):
    """A merchant's status; `version` counts its changes and is the ETag."""

    merchant_id: Id
    status: MerchantStatus
    version: CountMax
    changed_ms: CountMax


class StatusesAnswer(Struct, frozen=True, kw_only=True):
    """What a bulk update did."""

    merchants_count: CountMax


class GuaranteeView(Struct, frozen=True, kw_only=True):
    """Terms of one promise: ratios and multiples in parts per million of the price."""

    guarantee: Guarantee
    trigger: Trigger
    category: Category
    refund_ppm: CountMax
    extra_ppm: CountMax
    extra_is_price_gap: bool
    extra_floor_fen: CountMax
    extra_cap_fen: CountMax
    legal_ppm: CountMax
    legal_floor_fen: CountMax
    escalated_ppm: CountMax
    goodwill_fen: CountMax
    borne_by_merchant: bool


class GuaranteesAnswer(Struct, frozen=True, kw_only=True):
    """Terms in force for a category."""

    terms: list[GuaranteeView]
    merchant_status: MerchantStatus | None
    """Status of the merchant asked for, null if it has none or none was asked for."""


class Budget(Struct, frozen=True, kw_only=True):
    """One pot; `guarantee` null is the reserve. funded = available + held + settled."""

    guarantee: Guarantee | None
    funded_fen: CountMax
    available_fen: CountMax
    held_fen: CountMax
    settled_fen: CountMax
    day_limit_fen: CountMax | None
    day_left_fen: CountMax | None
    policy: ExhaustionPolicy | None


class BudgetsAnswer(Struct, frozen=True, kw_only=True):
    """All pots and the reserve."""

    budgets: list[Budget]


class Entry(Struct, frozen=True, kw_only=True, gc=False):
    """One entry of the ledger: `debit` receives, `credit` gives."""

    entry_id: Id
    kind: str
    debit: str
    credit: str
    guarantee: Guarantee | None
    claim_id: Id | None
    merchant_id: Id | None
    amount_fen: Id
    posted_ms: CountMax


class LedgerPage(Struct, frozen=True, kw_only=True):
    """Entries in order of posting; `next_cursor` is null on the last page."""

    entries: list[Entry]
    next_cursor: str | None


class ClaimsPage(Struct, frozen=True, kw_only=True):
    """Claims in order of opening; `next_cursor` is null on the last page."""

    claims: list[Claim]
    next_cursor: str | None


class Health(Struct, frozen=True, kw_only=True):
    """Whether a write was just made durable."""

    writable: bool


class FaultsRequest(Body, frozen=True, kw_only=True):
    """Faults for tests; what is left out is switched off."""

    latency_ms: Annotated[int, Meta(ge=0, le=60_000)] = 0
    """Added to every request."""
    fail_before_commit_count: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    """So many batches fail, nothing of them is kept."""
    fail_after_commit_count: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    """So many batches are kept, but their answers are lost."""
    frozen_store_ms: Annotated[int, Meta(ge=0, le=60_000)] = 0
    """The next batch waits so long before it begins."""
    disk_full: bool = False
    """The store cannot grow."""
    read_only: bool = False
    """The store refuses writes."""
    spoil: Spoil | None = None
    """The books are made wrong in this way, once; such a store cannot be started again."""


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Problem details (RFC 9457)."""

    type: str
    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: str = ""
    path: str = ""
    """Where in the body, as in `$.order_id`."""


encode = msgspec.json.Encoder().encode
