"""The budgets: one pot a guarantee, a shared reserve, what happens when a pot runs dry, recourse.

Decides limits and policies. Does not decide what is due (scenarios/terms.py) or what is paid
(sim/money/pots.py). Money int fen, times seconds. What a day's limit leaves unspent does not roll
over: the total limit is the only thing that carries from day to day.
"""

from typing import Annotated

from pydantic import Field, model_validator

from scenarios.model import Fen, Model, Multiple, Ratio, Seconds
from scenarios.words import GUARANTEES, ExhaustionPolicy


class Pot(Model):
    """The budget of one guarantee."""

    day_limit_fen: Fen
    """Most that the pot pays on one day, in fen."""
    total_limit_fen: Fen
    """Most that the pot pays over the whole horizon, in fen; it is funded with this sum."""
    policy: ExhaustionPolicy
    """At exhaustion: reserve = paid at once from the reserve; review = a person checks each claim,
    and those approved are paid from the reserve; stop = nothing more is paid."""

    @model_validator(mode="after")
    def _day_within_total(self) -> "Pot":
        if self.day_limit_fen > self.total_limit_fen:
            raise ValueError(
                f"day_limit_fen {self.day_limit_fen} is above total_limit_fen"
                f" {self.total_limit_fen}: one day could spend more than the pot holds"
            )
        return self


class Pots(Model):
    """All pots, their reserve, and the manual review that replaces instant payment."""

    reserve_fen: Fen
    """Reserve behind the pots with policy reserve or review, shared by all, in fen."""
    review_delay_s: Seconds
    """Time from the claim to the decision of a manual review, in seconds."""
    review_approved_ratio: Ratio
    """Share of genuine claims that a manual review approves."""
    review_approved_opportunistic_ratio: Ratio
    """Share of opportunistic claims that a manual review lets through."""
    review_handle_multiple: Annotated[Multiple, Field(ge=1.0)]
    """Factor on the handle time of a contact whose claim needs a manual review, at least 1."""
    instant_compensation: Pot
    """Pot of instant compensation."""
    advance_payout: Pot
    """Pot of advance payouts."""
    no_reason_cancellation: Pot
    """Pot of no-reason cancellations."""
    free_if_dissatisfied: Pot
    """Pot of free if dissatisfied."""
    ticket_refund_right: Pot
    """Pot of ticket-refund rights."""
    second_booking: Pot
    """Pot of the second-booking guarantee."""
    ticket_assurance: Pot
    """Pot of ticket assurance."""
    laundry_assurance: Pot
    """Pot of laundry assurance."""
    beauty_assurance: Pot
    """Pot of beauty assurance."""
    report_bounty: Pot
    """Pot of report bounties."""
    alert_compensation: Pot
    """Pot of alert compensation."""

    def row(self) -> tuple[Pot, ...]:
        """The pots in the order of `words.GUARANTEES`."""
        return tuple(getattr(self, name) for name in GUARANTEES)


class Recourse(Model):
    """How the platform gets money back from merchants."""

    enabled: bool
    """Whether the platform takes recourse at all."""
    contest_s: Seconds
    """Time a merchant has to contest before recourse may draw on its deposit, in seconds."""
