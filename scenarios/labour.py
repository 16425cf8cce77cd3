"""Rules of the roster: kinds of shift, rest, overtime, night work, the price of uncovered demand.

Decides what a lawful shift is; which heads work it is found by sim/staffing. Lengths in hours; a
shift lasts its work, its unpaid break and its overtime. Sources of the defaults: the comments of
the base scenario.
"""

from typing import Annotated, Final

from pydantic import Field, model_validator

from scenarios.model import Fen, Hours, LunarDay, Model, Ratio

# 劳动法 art. 36 and 41: eight hours a day, and at most three more.
ORDINARY_H: Final = 8.0
LONGEST_OVERTIME_H: Final = 3.0
STEP_H: Final = 0.5
"""Shifts, breaks and overtime start and end on the half hour."""


class ShiftKind(Model):
    """A length of shift that an agent is employed for."""

    work_h: Annotated[float, Field(gt=0.0, le=24.0, multiple_of=STEP_H)]
    """Paid hours, overtime excluded."""
    break_h: Annotated[float, Field(ge=0.0, le=4.0, multiple_of=STEP_H)]
    """Unpaid meal break; 0: none."""
    break_from_h: Annotated[float, Field(ge=0.0, le=24.0, multiple_of=STEP_H)]
    """Hours after the start at which the break begins at the earliest."""
    break_to_h: Annotated[float, Field(ge=0.0, le=24.0, multiple_of=STEP_H)]
    """Hours after the start at which the break begins at the latest."""
    overtime_max_h: Annotated[int, Field(ge=0, le=24)]
    """Hours by which the shift may be prolonged."""
    days_per_week_max_count: Annotated[int, Field(ge=1, le=6)]
    """Days in any seven on which an agent works this shift; the law asks for one rest day."""
    heads_max_ratio: Ratio
    """Largest share of all heads employed for this shift."""

    @property
    def length_h(self) -> float:
        """Hours from start to end, overtime excluded."""
        return self.work_h + self.break_h

    @model_validator(mode="after")
    def _lawful(self) -> "ShiftKind":
        longest_h = ORDINARY_H + LONGEST_OVERTIME_H
        if self.work_h + self.overtime_max_h > longest_h:
            raise ValueError(
                f"a shift of {self.work_h:g} h and {self.overtime_max_h} h of overtime is longer "
                f"than the law allows: {longest_h:g} h a day (劳动法 art. 36 and 41)"
            )
        if self.overtime_max_h > LONGEST_OVERTIME_H:
            raise ValueError(
                f"{self.overtime_max_h} h of overtime are more than the law allows: "
                f"{LONGEST_OVERTIME_H:g} h a day (劳动法 art. 41)"
            )
        if self.break_h and not self.break_from_h <= self.break_to_h <= self.work_h:
            raise ValueError("the break must begin within the shift: break_from_h <= break_to_h")
        return self


class Labour(Model):
    """What every head's row of shifts must keep, and what a plan may cost."""

    rest_min_h: Annotated[float, Field(ge=8.0, le=24.0)]
    """Hours of rest between two shifts of a head."""
    days_in_row_max_count: Annotated[int, Field(ge=1, le=6)]
    """Days worked in a row at most; the law asks for one rest day in seven."""
    overtime_month_max_h: Annotated[float, Field(ge=0.0, le=36.0)]
    """Overtime of a head in a month at most; the law allows 36 h."""
    overtime_used_h: Annotated[float, Field(ge=0.0, le=36.0)]
    """Overtime that every head has already worked in the month of the festival."""
    night_from_h: Hours
    """Shifts that start from this hour of the day on, or before `night_to_h`, are night shifts."""
    night_to_h: Hours
    """Hour of the day before which a starting shift is a night shift."""
    night_heads_max_ratio: Ratio
    """Share of all heads that start a night shift on one day at most."""
    reserve_ratio: Annotated[float, Field(ge=0.0, le=0.5)]
    """Share of the heads employed that a plan leaves free, so that everyone's rest can be kept."""
    uncovered_fen_per_h: Fen
    """Price of an hour for which a needed head is missing."""
    kinds: dict[str, ShiftKind]
    """Kinds of shift by name."""

    @model_validator(mode="after")
    def _someone_may_work(self) -> "Labour":
        if not any(kind.heads_max_ratio >= 1.0 for kind in self.kinds.values()):
            raise ValueError("one kind of shift must be open to all: heads_max_ratio = 1.0")
        return self

    @property
    def planned_ratio(self) -> float:
        """Share of the heads employed that a plan may use."""
        return 1.0 - self.reserve_ratio

    def is_night(self, start_h: float) -> bool:
        """Whether a shift that starts at this hour of the day is a night shift."""
        return start_h >= self.night_from_h or start_h < self.night_to_h


class Duties(Model):
    """An explicit roster: column by column, one entry a group of heads with the same shift."""

    lunar_day: Annotated[tuple[LunarDay, ...], Field(strict=False)]
    """Lunar day on which the shift starts."""
    team: Annotated[tuple[str, ...], Field(strict=False)]
    """Team."""
    start_h: Annotated[tuple[Hours, ...], Field(strict=False)]
    """Hour of the day at which the shift starts."""
    length_h: Annotated[tuple[Hours, ...], Field(strict=False)]
    """Hours from start to end, the break included, overtime excluded."""
    break_start_h: Annotated[tuple[Hours, ...], Field(strict=False)]
    """Hours after the start at which the break begins."""
    break_h: Annotated[tuple[Hours, ...], Field(strict=False)]
    """Length of the unpaid break; 0: none."""
    overtime_h: Annotated[
        tuple[Annotated[float, Field(ge=0.0, le=LONGEST_OVERTIME_H)], ...], Field(strict=False)
    ]
    """Hours of overtime after the shift."""
    heads_count: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(strict=False)]
    """Heads."""

    @model_validator(mode="after")
    def _columns_match(self) -> "Duties":
        lengths = {name: len(getattr(self, name)) for name in type(self).model_fields}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"the columns of a roster must be equally long, not {lengths}")
        return self
