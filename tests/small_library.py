"""A scenario library small enough to read at a glance, for tests of loading and the front door."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from scenarios.calendar import Calendar
from scenarios.loader import Library
from scenarios.model import Count, Model, PerCategory, Ratio
from scenarios.words import ExhaustionPolicy


class Shift(Model):
    """A shift."""

    start_h: Annotated[float, Field(ge=0.0, lt=24.0)]
    """Start (h)."""
    length_h: Annotated[float, Field(gt=0.0, le=12.0)]
    """Length (h)."""


class Support(Model):
    """The floor."""

    headcount_count: Count
    """Paid heads (agents)."""
    attendance_ratio: Ratio
    """Share of the rostered that come (ratio)."""
    shifts: Annotated[tuple[Shift, ...], Field(strict=False, min_length=1)]
    """The day's shifts."""


class Shock(Model):
    """A shock."""

    lunar_days: Annotated[tuple[int, ...], Field(strict=False, min_length=1)]
    """Days hit (d)."""
    orders_multiple: Annotated[float, Field(ge=0.0)] = 1.0
    """Factor on orders (multiple)."""


class Small(Model):
    """A root model."""

    name: str
    """Name."""
    description: str
    """What it stands for."""
    calendar: Calendar
    """Which year."""
    orders_per_day: PerCategory[Annotated[float, Field(ge=0.0)]]
    """Orders (orders per day)."""
    support: Support
    """The floor."""
    pot_policy: ExhaustionPolicy
    """What happens when the pot is exhausted."""
    shocks: dict[str, Shock]
    """Shocks, by name."""

    @model_validator(mode="after")
    def _someone_works(self) -> "Small":
        if self.support.headcount_count == 0 and self.orders_per_day.catering > 0:
            raise ValueError("the roster is empty while orders fall due")
        return self


BASE = """\
name = "base"
description = "The small base."
pot_policy = "review"  # A: the programme's own rule is not public

[calendar]
year = 2026  # S: State Council notice
statutory_pay_multiple = 3.0  # S: 劳动法 art. 44
rest_day_pay_multiple = 1.0  # M

[orders_per_day]
catering = 11_000_000.0  # A: 7000000/11000000/15000000
hotel = 550_000.0  # D: data/params.json
daytour_scenic = 600_000.0  # M
movie = 220_000.0  # M
show = 50_000.0  # M
laundry_home = 200_000.0  # M
beauty = 1_100_000.0  # M

[support]
headcount_count = 2400  # S: ebrun.com/640363
attendance_ratio = 0.93  # A: 0.85/0.93/0.98

[[support.shifts]]
start_h = 7.0  # M
length_h = 8.0  # M

[[support.shifts]]
start_h = 16.0  # M
length_h = 8.0  # M

[shocks]
"""


def small_library(folder: Path, **overlays: str) -> Library[Small]:
    """The library written into `folder`, with overlays by name."""
    (folder / "overlays").mkdir(exist_ok=True)
    (folder / "base.toml").write_text(BASE, encoding="utf-8")
    for name, text in overlays.items():
        (folder / "overlays" / f"{name}.toml").write_text(text, encoding="utf-8")
    return Library(folder, Small)
