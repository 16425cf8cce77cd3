"""The eleven guarantees of the programme: which promise answers which trigger in which category.

Decides the terms in force. Does not decide budgets (scenarios/budgets.py) or amounts
(scenarios/terms.py). A (trigger, category) has at most one guarantee, checked at load; one that has
none is not promised: such a claim is counted and paid nothing. Money int fen, times seconds. Source
of the promises: the programme's announcement of 2026-02-11 (ebrun.com/640363) and the platform
rules named in the base scenario.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import model_validator

from scenarios.model import Model
from scenarios.terms import Term, TermColumns
from scenarios.words import BEARERS, CATEGORIES, GUARANTEES, TRIGGERS


class TermsByTrigger(Model):
    """The terms of one guarantee; a trigger that is left out is not covered by it."""

    closed_or_refused: Term | None = None
    """The store was closed or turned the consumer away."""
    no_room: Term | None = None
    """A booked room was not there."""
    service_no_show: Term | None = None
    """The service provider did not come."""
    false_advertising: Term | None = None
    """What was sold is not what was shown."""
    dissatisfaction: Term | None = None
    """The consumer was not satisfied."""
    price_anomaly: Term | None = None
    """More was charged than shown."""
    food_safety: Term | None = None
    """The food was not safe."""
    cancellation: Term | None = None
    """The consumer cancelled without a reason; refund_ratio is the share of the price that the
    merchant keeps and the programme makes good."""
    ticket_refund: Term | None = None
    """The consumer used a granted right to return a ticket."""
    valid_report: Term | None = None
    """A consumer's report of a violation was found valid."""
    alert: Term | None = None
    """A warned consumer cancelled before the visit."""

    @model_validator(mode="after")
    def _some_term(self) -> "TermsByTrigger":
        if not self.in_force():
            raise ValueError("a guarantee needs a term for at least one trigger")
        return self

    def in_force(self) -> tuple[tuple[str, Term], ...]:
        """(trigger, term) for every trigger covered, in the order of `words.TRIGGERS`."""
        found = ((trigger, getattr(self, trigger)) for trigger in TRIGGERS)
        return tuple((trigger, term) for trigger, term in found if term is not None)


class GuaranteeTerms(Model):
    """One guarantee."""

    granted: bool
    """Whether the promise is given at all; false withdraws it."""
    terms: TermsByTrigger
    """Its terms, a table a trigger."""


class Guarantees(Model):
    """All eleven guarantees."""

    instant_compensation: GuaranteeTerms
    """极速赔: paid in one contact when a store is closed, has no room or does not come."""
    advance_payout: GuaranteeTerms
    """先行赔付: false advertising, overcharging and unsafe food, paid before the merchant does."""
    no_reason_cancellation: GuaranteeTerms
    """无理由取消: bookings cancelled without a reason."""
    free_if_dissatisfied: GuaranteeTerms
    """不满意免单: money back to the dissatisfied."""
    ticket_refund_right: GuaranteeTerms
    """Randomly granted right to return cinema tickets."""
    second_booking: GuaranteeTerms
    """一日游: another day tour, or the money, when the booked one fails."""
    ticket_assurance: GuaranteeTerms
    """安心订票: shows that do not take place as sold."""
    laundry_assurance: GuaranteeTerms
    """安心洗护: laundry and home cleaning."""
    beauty_assurance: GuaranteeTerms
    """安心美: beauty services."""
    report_bounty: GuaranteeTerms
    """有奖举报: bounty for a valid report."""
    alert_compensation: GuaranteeTerms
    """主动服务: compensation of the warned."""

    @model_validator(mode="after")
    def _one_guarantee_each(self) -> "Guarantees":
        owner: dict[tuple[str, str], str] = {}
        for name, trigger, term in self.promises():
            for category in term.categories:
                first = owner.setdefault((trigger, category), name)
                if first != name:
                    raise ValueError(
                        f"{trigger} in {category} is promised twice, by {first} and by {name}:"
                        " take the category out of one of them"
                    )
        return self

    def promises(self) -> tuple[tuple[str, str, Term], ...]:
        """(guarantee, trigger, term) of every promise in force, in vocabulary order."""
        rows = []
        for name in GUARANTEES:
            guarantee: GuaranteeTerms = getattr(self, name)
            if guarantee.granted:
                rows += [(name, trigger, term) for trigger, term in guarantee.terms.in_force()]
        return tuple(rows)

    def table(self) -> "TermTable":
        """The promises in force as columns."""
        promises = self.promises()
        terms = tuple(term for _, _, term in promises)
        row = np.full((len(TRIGGERS), len(CATEGORIES)), -1, dtype=np.int16)
        for position, (_, trigger, term) in enumerate(promises):
            for category in term.categories:
                row[TRIGGERS.index(trigger), CATEGORIES.index(category)] = position
        return TermTable(
            row=row,
            guarantee=np.array([GUARANTEES.index(name) for name, _, _ in promises], dtype=np.int8),
            columns=TermColumns.of(terms),
            merchant_advances=_is_merchant([term.advanced_by for term in terms]),
            merchant_bears=_is_merchant([term.borne_by for term in terms]),
            recourse_ratio=np.array([term.recourse_ratio for term in terms], dtype=np.float64),
            recourse_lag_mean_s=np.array(
                [term.recourse_lag_mean_s for term in terms], dtype=np.float64
            ),
        )


def _is_merchant(bearers: list[str]) -> npt.NDArray[np.bool_]:
    return np.array([BEARERS.index(bearer) == 1 for bearer in bearers], dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class TermTable:
    """Promises in force: `row[trigger, category]` is the position of the term, -1 where none is."""

    row: npt.NDArray[np.int16]
    guarantee: npt.NDArray[np.int8]
    columns: TermColumns
    merchant_advances: npt.NDArray[np.bool_]
    merchant_bears: npt.NDArray[np.bool_]
    recourse_ratio: npt.NDArray[np.float64]
    recourse_lag_mean_s: npt.NDArray[np.float64]
