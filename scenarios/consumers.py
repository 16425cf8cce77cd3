"""What consumers do: complain or stay silent, by which channel, how long they wait, whether they
return."""

from typing import Annotated

from pydantic import Field, model_validator

from scenarios.model import (
    Cv,
    Model,
    Multiple,
    PerCategory,
    PerIncident,
    Profile24,
    Ratio,
    Seconds,
)
from scenarios.words import IncidentType, Skill


class Inquiries(Model):
    """Plain questions that reach a person."""

    ratio: PerCategory[Ratio]
    """Inquiries per order (ratio)."""
    phone_ratio: Ratio
    """Share by phone (ratio); the rest by IM."""
    handle_phone_s: Seconds
    """Mean handle time by phone, after-contact work included (s)."""
    handle_im_s: Seconds
    """Mean length of an IM session (s)."""
    skill: Skill
    """Skill group asked for."""
    hour_profile: Profile24
    """Arrivals by hour 0..23; normalised to sum 1 (ratio)."""
    eve_shift_ratio: Ratio
    """On 除夕, share of the 18-23 h arrivals that come at 11-17 h instead (ratio)."""


class Patience(Model):
    """Time a consumer is willing to wait, before the first and every further attempt."""

    phone_median_s: Seconds
    """Median on the phone, lognormal (s)."""
    phone_sigma_ratio: Cv
    """Sigma on the phone (log units)."""
    urgent_mean_s: Seconds
    """Mean of the exponential patience of urgent cases on the phone (s)."""
    im_median_s: Seconds
    """Median in IM, lognormal (s)."""
    im_sigma_ratio: Cv
    """Sigma in IM (log units)."""


class Returns(Model):
    """Redial after abandoning, reconnect after an answer that did not resolve, escalation after
    giving up."""

    redial_ratio: Ratio
    """Share of abandoners who try again (ratio)."""
    redial_urgent_ratio: Ratio
    """The same for urgent cases (ratio)."""
    redial_delay_mean_s: Seconds
    """Mean of the exponential delay before a redial (s)."""
    fcr_ratio: Ratio
    """First contact resolution: answered contacts that need no further one (ratio)."""
    reconnect_delay_median_s: Seconds
    """Median of the lognormal delay before a reconnect (s)."""
    reconnect_delay_sigma_ratio: Cv
    """Sigma of it (log units)."""
    escalation_ratio: Ratio
    """Share of those who give up on an incident who escalate: regulator, hotline, public post
    (ratio)."""
    fallback_ratio: Ratio
    """Share of those who give up without escalating who claim by self-service instead (ratio)."""
    fallback_delay_mean_s: Seconds
    """Mean of the exponential delay until they do (s)."""
    escalation_delay_mean_s: Seconds
    """Mean of the exponential delay until a specialist takes the escalation up (s)."""
    escalation_handle_multiple: Multiple
    """Handle time of an escalation relative to the phone handle time of its topic (multiple)."""


class Opportunism(Model):
    """Claims without a grievance, which grow with the generosity of the terms."""

    dissatisfaction_ratio: Ratio
    """Share of dissatisfaction claims that are opportunistic at the reference terms (ratio)."""
    cancellation_ratio: Ratio
    """Share of no-reason cancellations that are opportunistic at the reference terms (ratio)."""
    elasticity_ratio: Multiple
    """Relative growth of opportunistic claims per relative growth of the refund share (ratio)."""
    reference_dissatisfaction_refund_ratio: Annotated[float, Field(gt=0.0, le=1.0)]
    """Refund share at which the ratios above hold (ratio)."""
    reference_cancellation_refund_ratio: Annotated[float, Field(gt=0.0, le=1.0)]
    """Refund share of cancellations at which the ratio above holds (ratio)."""


class Consumers(Model):
    """Consumers in trouble."""

    contact_ratio: PerIncident[Ratio]
    """Share of incidents, not solved beforehand, that are claimed at all (ratio)."""
    contact_multiple: Multiple
    """Factor on claims and inquiries (multiple); 1 in the base."""
    self_service_ratio: PerIncident[Ratio]
    """Of the claims, share by self-service (ratio)."""
    phone_ratio: PerIncident[Ratio]
    """Of the claims that reach a person, share by phone (ratio)."""
    handle_phone_s: PerIncident[Seconds]
    """Mean handle time by phone (s)."""
    handle_im_s: PerIncident[Seconds]
    """Mean length of an IM session (s)."""
    handle_sigma_ratio: Cv
    """Sigma of the lognormal handle time (log units)."""
    upheld_ratio: PerIncident[Ratio]
    """Share of claims upheld (ratio)."""
    claim_delay_median_s: PerIncident[Seconds]
    """Median time from the incident to the claim (s)."""
    claim_delay_sigma_ratio: Cv
    """Sigma of that lognormal time (log units)."""
    skill: PerIncident[Skill]
    """Skill group asked for, by incident type."""
    urgent: Annotated[tuple[IncidentType, ...], Field(strict=False)]
    """Incident types served before all others."""
    inquiries: Inquiries
    """Plain questions."""
    patience: Patience
    """Willingness to wait."""
    returns: Returns
    """Who comes back."""
    opportunism: Opportunism
    """Who claims without a grievance."""


class Rights(Model):
    """Rights that need no incident."""

    cancellation_ratio: PerCategory[Ratio]
    """Orders cancelled without a reason (ratio)."""
    ticket_refund_granted_ratio: Ratio
    """Film orders that are granted the refund right at random (ratio)."""
    ticket_refund_used_ratio: Ratio
    """Of those, share that use it (ratio)."""


class Api(Model):
    """What trouble with the guarantee API does to people."""

    failed_ratio: Ratio
    """Self-service claims that the API fails in normal operation (ratio)."""
    failover_ratio: Ratio
    """Of the failed, share that turn to a person (ratio); the rest come back to self-service later.
    """
    retry_delay_mean_s: Seconds
    """Mean of the exponential delay until they come back (s)."""
    goodwill_ratio: Ratio
    """Of the failed, share settled on the terms of an escalation, goodwill included: the promise of
    an instant answer was broken before their eyes (ratio)."""
    calls_per_contact_count: Annotated[int, Field(ge=0, le=1000)]
    """API calls an agent waits for during one contact (calls)."""

    @model_validator(mode="after")
    def _delay_is_positive(self) -> "Api":
        if self.retry_delay_mean_s <= 0.0:
            raise ValueError("retry_delay_mean_s must be above 0")
        return self
