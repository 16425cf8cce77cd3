"""What people and machines do between the rows of a run; the values stand in habits.toml."""

import tomllib
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from scenarios.model import Model

SHIPPED: Final = Path(__file__).parent / "habits.toml"
Delay = Annotated[float, Field(gt=0.0, le=86400.0)]


class Claims(Model):
    """From opening a claim to its end."""

    look_after_s: Delay
    """From opening a claim to a look at it (s)."""
    accept_after_s: Delay
    """From opening a claim to its consumer's acceptance (s)."""
    review_after_s: Delay
    """From a self-service claim that is not upheld to an agent's refusal (s)."""
    alert_answer_after_s: Delay
    """From an alert to the consumer's answer (s)."""


class Platform(Model):
    """What machines send by themselves."""

    sweep_s: Delay
    """Interval of the bulk updates of merchants' statuses (s)."""
    reopen_after_s: Delay
    """From a false alarm to its correction (s)."""
    budget_poll_s: Delay
    """Interval at which the dashboard reads the budgets (s)."""


class Cutting(Model):
    """How a window is cut out, and copied."""

    lead_in_s: Delay
    """Length of the time before the window in which claims that are open already are opened (s)."""
    spread_s: Delay
    """Largest distance of a copy from its original under amplification (s)."""


class Habits(Model):
    """All habits."""

    claims: Claims
    platform: Platform
    trace: Cutting


def load() -> Habits:
    """The shipped habits."""
    return Habits.model_validate(tomllib.loads(SHIPPED.read_text(encoding="utf-8")))
