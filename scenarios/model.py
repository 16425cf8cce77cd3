"""What every block of a scenario has in common: frozen, strict, no unknown keys, units in the name.

Types here carry the range that their unit implies, so that a field only states what is special to
it.
"""

from typing import Annotated, Final, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from scenarios.words import CATEGORIES, INCIDENT_TYPES

T = TypeVar("T")

FIRST_OFFSET_D: Final = -7
LAST_OFFSET_D: Final = 8
DAYS_KNOWN: Final = LAST_OFFSET_D - FIRST_OFFSET_D + 1

Ratio = Annotated[float, Field(ge=0.0, le=1.0)]
Multiple = Annotated[float, Field(ge=0.0, le=1000.0)]
Cv = Annotated[float, Field(ge=0.0, le=5.0)]
Seconds = Annotated[float, Field(ge=0.0, le=90 * 86400.0)]
Hours = Annotated[float, Field(ge=0.0, le=24.0)]
Fen = Annotated[int, Field(ge=0, le=10**15)]
Count = Annotated[int, Field(ge=0, le=10**9)]
PositiveCount = Annotated[int, Field(ge=1, le=10**9)]
LunarDay = Annotated[int, Field(ge=FIRST_OFFSET_D, le=LAST_OFFSET_D)]
# TOML has arrays, Python's frozen sequence is the tuple: only these fields convert.
Profile24 = Annotated[tuple[Multiple, ...], Field(strict=False, min_length=24, max_length=24)]
PerDay = Annotated[
    tuple[Multiple, ...], Field(strict=False, min_length=DAYS_KNOWN, max_length=DAYS_KNOWN)
]


class Model(BaseModel):
    """Base of every scenario block: frozen, strict, unknown keys refused, every field described."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )


class PerCategory(Model, Generic[T]):
    """One value a category; `row()` gives them in the order of `words.CATEGORIES`."""

    catering: T
    hotel: T
    daytour_scenic: T
    movie: T
    show: T
    laundry_home: T
    beauty: T

    def row(self) -> tuple[T, ...]:
        return tuple(getattr(self, name) for name in CATEGORIES)


class PerIncident(Model, Generic[T]):
    """One value an incident type; `row()` gives them in the order of `words.INCIDENT_TYPES`."""

    closed_or_refused: T
    no_room: T
    service_no_show: T
    false_advertising: T
    dissatisfaction: T
    price_anomaly: T
    food_safety: T

    def row(self) -> tuple[T, ...]:
        return tuple(getattr(self, name) for name in INCIDENT_TYPES)
