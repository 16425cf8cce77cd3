"""What one upheld claim is owed: the terms of a promise and their integer arithmetic.

Decides refund, extra and legal part of a claim. Does not decide whether a claim is upheld, whether
a pot can pay it (sim/money/pots.py), or who pays in the end (sim/money/recourse.py). The simulation
and the guarantee API both call `amounts`, so that they cannot differ.

Units: money int fen, ratios and multiples of the price in parts per million (ppm) inside, uniforms
in [0, 1). Every product of a price and a ratio is rounded half up to the fen, once.

Order of the rules, for a price P (fen):
    refund   = refund_ratio x P
    agreed   = extra_ratio x P x S, then raised to the floor, then cut at the cap; S = 1 or, under
               the exponential law, -ln(1 - u) with mean 1 (a price gap: many small, few large)
    agreed   = max(escalated_multiple x agreed, goodwill) when settled after escalation; above the
               cap on purpose, since it is what a hurried settlement costs
    statute  = max(legal_multiple x P, legal_floor) in a share legal_ratio of claims, else 0
    extra    = max(agreed, statute); the part above `agreed` is what only the law explains
The statute comes last: no cap of the platform's own can cut what the law asks for. Sources:
consumer law art. 55 (3x, at least 500 CNY), food safety law art. 148 (10x, at least 1,000 CNY);
both come on top of the refund. A flat sum (coupon, bounty) is written as floor = cap.
"""

from dataclasses import dataclass, fields
from hashlib import blake2b
from typing import Annotated, Final, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, Field, model_validator

from scenarios.model import Model, Ratio, Seconds
from scenarios.words import Bearer, Category

PPM: Final = 1_000_000
# Prices and caps up to 10 M CNY and multiples up to 1,000 keep every product inside int64.
PRICE_MAX_FEN: Final = 10**9
MULTIPLE_MAX: Final = 1000
# Far above the float error of a six-decimal ratio below 1,000, far below a whole part per million.
_PPM_TOLERANCE: Final = 1e-3

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Bools: TypeAlias = npt.NDArray[np.bool_]


def to_ppm(ratio: float) -> int:
    """The ratio in parts per million; ratios finer than that are refused at load."""
    return round(ratio * PPM)


def _at_most_six_decimals(ratio: float) -> float:
    if abs(ratio * PPM - to_ppm(ratio)) > _PPM_TOLERANCE:
        raise ValueError("must have at most six decimals, so that money stays exact to the fen")
    return ratio


PpmRatio = Annotated[Ratio, AfterValidator(_at_most_six_decimals)]
PpmMultiple = Annotated[
    float, Field(ge=0.0, le=float(MULTIPLE_MAX)), AfterValidator(_at_most_six_decimals)
]
PriceFen = Annotated[int, Field(ge=0, le=PRICE_MAX_FEN)]
Categories = Annotated[tuple[Category, ...], Field(strict=False, min_length=1)]


class Term(Model):
    """What a guarantee promises for one trigger in some categories."""

    categories: Categories
    """Categories of orders to which the term applies."""
    refund_ratio: PpmRatio
    """Share of the price paid back."""
    extra_ratio: PpmMultiple
    """Compensation above the refund as a multiple of the price, before floor and cap; the mean of
    it under the exponential law."""
    extra_law: Literal["fixed", "exponential"]
    """fixed: every claim gets extra_ratio; exponential: the multiple is drawn with that mean."""
    extra_floor_fen: PriceFen
    """Least compensation above the refund, in fen."""
    extra_cap_fen: PriceFen
    """Most compensation above the refund, in fen; the law and goodwill may go above it."""
    legal_ratio: Ratio
    """Share of upheld claims to which the legal minimum applies (fraud, unsafe food)."""
    legal_multiple: PpmMultiple
    """Legal minimum as a multiple of the price, on top of the refund."""
    legal_floor_fen: PriceFen
    """Legal minimum in fen, whatever the price."""
    escalated_multiple: Annotated[PpmMultiple, Field(ge=1.0)]
    """Factor on the agreed extra part when the claim is settled after escalation."""
    goodwill_fen: PriceFen
    """Least extra part of a claim settled after escalation, in fen."""
    advanced_by: Bearer
    """Who pays first. The pot fronts every payment; merchant: recourse draws on the deposit at the
    moment of payment, without contest period or lag."""
    borne_by: Bearer
    """Who should bear it in the end. merchant: every payment raises a receivable; platform: only
    the share recourse_ratio, which merchants give of their own will, does."""
    recourse_ratio: Ratio
    """Share of payments that recourse wins, if the deposit still holds the money."""
    recourse_lag_mean_s: Seconds
    """Mean time from the end of the contest period to the money, in seconds (exponential)."""

    @model_validator(mode="after")
    def _floor_below_cap(self) -> "Term":
        if self.extra_cap_fen < self.extra_floor_fen:
            raise ValueError(
                f"extra_cap_fen {self.extra_cap_fen} is below extra_floor_fen"
                f" {self.extra_floor_fen}: raise the cap or lower the floor"
            )
        if len(set(self.categories)) != len(self.categories):
            raise ValueError("categories names a category twice")
        return self

    @property
    def version(self) -> str:
        """BLAKE2b of the term's values in eight digits: a promise that changes is another one."""
        return blake2b(self.model_dump_json().encode(), digest_size=4).hexdigest()


@dataclass(frozen=True, slots=True)
class TermColumns:
    """Terms as columns, for arithmetic on many claims at once; row i is one term."""

    refund_ppm: Ints
    extra_ppm: Ints
    exponential: Bools
    extra_floor_fen: Ints
    extra_cap_fen: Ints
    legal_ratio: Floats
    legal_ppm: Ints
    legal_floor_fen: Ints
    escalated_ppm: Ints
    goodwill_fen: Ints

    @classmethod
    def of(cls, terms: tuple[Term, ...]) -> "TermColumns":
        def ints(values: list[int]) -> Ints:
            return np.array(values, dtype=np.int64)

        return cls(
            refund_ppm=ints([to_ppm(t.refund_ratio) for t in terms]),
            extra_ppm=ints([to_ppm(t.extra_ratio) for t in terms]),
            exponential=np.array([t.extra_law == "exponential" for t in terms], dtype=np.bool_),
            extra_floor_fen=ints([t.extra_floor_fen for t in terms]),
            extra_cap_fen=ints([t.extra_cap_fen for t in terms]),
            legal_ratio=np.array([t.legal_ratio for t in terms], dtype=np.float64),
            legal_ppm=ints([to_ppm(t.legal_multiple) for t in terms]),
            legal_floor_fen=ints([t.legal_floor_fen for t in terms]),
            escalated_ppm=ints([to_ppm(t.escalated_multiple) for t in terms]),
            goodwill_fen=ints([t.goodwill_fen for t in terms]),
        )

    def take(self, row: npt.NDArray[np.intp]) -> "TermColumns":
        """The terms of claims, given each claim's row."""
        return TermColumns(*(getattr(self, field.name).take(row) for field in fields(self)))


class Amounts(NamedTuple):
    """What claims are owed; `legal_fen` is the part of `extra_fen` that only the law explains."""

    refund_fen: Ints
    extra_fen: Ints
    legal_fen: Ints


def share_fen(amount_fen: Ints, ppm: Ints) -> Ints:
    """amount x ratio, rounded half up to the fen."""
    return (amount_fen * ppm + PPM // 2) // PPM


def amounts(
    terms: TermColumns,
    *,
    order_value_fen: Ints,
    severity_u: Floats,
    legal_u: Floats,
    escalated: Bools,
) -> Amounts:
    """What each claim is owed under its own term (`terms` has one row a claim)."""
    drawn_ppm = np.rint(-np.log1p(-severity_u) * terms.extra_ppm)
    drawn_ppm = np.minimum(drawn_ppm, MULTIPLE_MAX * PPM).astype(np.int64)
    extra_ppm = np.where(terms.exponential, drawn_ppm, terms.extra_ppm)
    return amounts_known(
        terms,
        order_value_fen=order_value_fen,
        agreed_fen=share_fen(order_value_fen, extra_ppm),
        statutory=legal_u < terms.legal_ratio,
        escalated=escalated,
    )


def amounts_known(
    terms: TermColumns,
    *,
    order_value_fen: Ints,
    agreed_fen: Ints,
    statutory: Bools,
    escalated: Bools,
) -> Amounts:
    """The same where nothing is drawn: the extra part before floor and cap is known (a fixed
    multiple, or a price gap on a receipt), and so is whether the law's minimum applies."""
    assert order_value_fen.min(initial=0) >= 0
    assert order_value_fen.max(initial=0) <= PRICE_MAX_FEN
    refund_fen = share_fen(order_value_fen, terms.refund_ppm)
    agreed_fen = np.minimum(np.maximum(agreed_fen, terms.extra_floor_fen), terms.extra_cap_fen)
    raised_fen = np.maximum(share_fen(agreed_fen, terms.escalated_ppm), terms.goodwill_fen)
    agreed_fen = np.where(escalated, raised_fen, agreed_fen)
    statute_fen = np.maximum(share_fen(order_value_fen, terms.legal_ppm), terms.legal_floor_fen)
    statute_fen = np.where(statutory, statute_fen, 0)
    extra_fen = np.maximum(agreed_fen, statute_fen)
    return Amounts(refund_fen, extra_fen, extra_fen - agreed_fen)
