"""What can go wrong on top: time-limited, region-limited multipliers, and the switches of the
loops."""

from typing import Annotated

from pydantic import Field, model_validator

from scenarios.demand import LunarDays
from scenarios.model import Hours, Model, Multiple, Ratio, Seconds
from scenarios.words import Category, Region


class Shock(Model):
    """One shock. Every multiplier is 1 where the shock does nothing; empty lists mean all."""

    lunar_days: LunarDays
    """Days on which it acts (d)."""
    start_h: Hours = 0.0
    """Hour at which it starts on each of these days (h)."""
    end_h: Hours = 24.0
    """Hour at which it ends on each of these days (h)."""
    regions: Annotated[tuple[Region, ...], Field(strict=False)] = ()
    """Regions hit; empty = all."""
    categories: Annotated[tuple[Category, ...], Field(strict=False)] = ()
    """Categories hit; empty = all."""
    orders_multiple: Multiple = 1.0
    """Factor on orders due (multiple)."""
    closure_multiple: Multiple = 1.0
    """Factor on undeclared closures (multiple)."""
    no_show_multiple: Multiple = 1.0
    """Factor on services not kept (multiple)."""
    oversell_multiple: Multiple = 1.0
    """Factor on deliberate overselling (multiple)."""
    contact_multiple: Multiple = 1.0
    """Factor on claims that reach a person, and on inquiries (multiple)."""
    attendance_multiple: Ratio = 1.0
    """Factor on agents' attendance, whole days (multiple)."""
    api_failed_ratio: Ratio = 0.0
    """Self-service claims that the API fails (ratio)."""
    api_latency_s: Seconds = 0.0
    """Added response time of one API call (s)."""

    @model_validator(mode="after")
    def _ends_after_start(self) -> "Shock":
        if self.end_h <= self.start_h:
            raise ValueError(f"end_h {self.end_h:g} is not after start_h {self.start_h:g}")
        return self


class Loops(Model):
    """Switches of the five feedback loops; off, a loop passes nothing on."""

    abandonment_returns: bool
    """1: abandoned consumers redial and escalate."""
    exhausted_pot_review: bool
    """2: an exhausted pot under policy "review" lengthens handling."""
    alerts_save_contacts: bool
    """3: warned consumers change plans, and paused listings take no orders."""
    penalties_deter: bool
    """4: catches and fines lower misconduct, and points delist."""
    api_failover: bool
    """5: API trouble sends self-service claims to people and slows agents."""
