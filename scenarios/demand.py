"""When and how many orders fall due: horizon, regions, base volumes, profiles, over-dispersion,
bursts."""

from typing import Annotated

from pydantic import Field, model_validator

from scenarios.model import (
    FIRST_OFFSET_D,
    Cv,
    Hours,
    LunarDay,
    Model,
    Multiple,
    PerCategory,
    PerDay,
    Profile24,
    Ratio,
    Seconds,
)
from scenarios.words import REGIONS, Category

LunarDays = Annotated[tuple[LunarDay, ...], Field(strict=False, min_length=1)]


class Horizon(Model):
    """The simulated days. Time 0 is 00:00 of the first warm-up day; statistics start after warm-up.
    """

    first_day: LunarDay
    """First lunar day that counts (d)."""
    last_day: LunarDay
    """Last lunar day that counts (d)."""
    warm_up_days: Annotated[int, Field(ge=1, le=3)]
    """Days simulated before the first one so that queues and redials do not start empty (d)."""
    tick_s: Annotated[int, Field(ge=60, le=3600)]
    """Step of the population grain (s); divides an hour."""

    @model_validator(mode="after")
    def _days_in_order(self) -> "Horizon":
        if self.last_day < self.first_day:
            raise ValueError(f"last_day {self.last_day} lies before first_day {self.first_day}")
        if self.first_day - self.warm_up_days < FIRST_OFFSET_D:
            raise ValueError(
                f"first_day {self.first_day} less {self.warm_up_days} warm-up days lies before "
                f"{FIRST_OFFSET_D}, the first day with demand data"
            )
        if 3600 % self.tick_s:
            raise ValueError(f"tick_s {self.tick_s} does not divide 3600")
        return self

    @property
    def start_day(self) -> int:
        """Lunar day of time 0."""
        return self.first_day - self.warm_up_days

    @property
    def days_count(self) -> int:
        """Simulated days, warm-up included."""
        return self.last_day - self.start_day + 1

    @property
    def ticks_per_day(self) -> int:
        return 86400 // self.tick_s

    @property
    def warm_up_s(self) -> float:
        return self.warm_up_days * 86400.0

    @property
    def end_s(self) -> float:
        return self.days_count * 86400.0


class Regions(Model):
    """Share of orders and stores by region."""

    north: Ratio
    """Beijing, Tianjin, Hebei, Shanxi, Inner Mongolia (ratio of orders)."""
    northeast: Ratio
    """Liaoning, Jilin, Heilongjiang (ratio of orders)."""
    east: Ratio
    """Shanghai, Jiangsu, Zhejiang, Anhui, Fujian, Jiangxi, Shandong (ratio of orders)."""
    central: Ratio
    """Henan, Hubei, Hunan (ratio of orders)."""
    south: Ratio
    """Guangdong, Guangxi, Hainan (ratio of orders)."""
    southwest: Ratio
    """Chongqing, Sichuan, Guizhou, Yunnan, Tibet (ratio of orders)."""
    northwest: Ratio
    """Shaanxi, Gansu, Qinghai, Ningxia, Xinjiang (ratio of orders)."""

    @model_validator(mode="after")
    def _sums_to_one(self) -> "Regions":
        total = sum(self.row())
        if abs(total - 1.0) > 1e-9:
            raise ValueError(f"the shares of the regions add up to {total:.6g}, not 1")
        return self

    def row(self) -> tuple[float, ...]:
        return tuple(getattr(self, name) for name in REGIONS)


class Burst(Model):
    """A scheduled live-room sale whose vouchers fall due together."""

    category: Category
    """Category sold."""
    lunar_days: LunarDays
    """Days on which the orders fall due (d)."""
    start_h: Hours
    """Hour at which they start to fall due (h)."""
    duration_h: Annotated[float, Field(gt=0.0, le=24.0)]
    """How long (h)."""
    added_ratio: Multiple
    """Orders added, relative to the category's regular orders in these hours (ratio)."""

    @model_validator(mode="after")
    def _ends_before_midnight(self) -> "Burst":
        if self.start_h + self.duration_h > 24.0:
            raise ValueError("start_h + duration_h passes midnight: use two bursts")
        return self


class Demand(Model):
    """Orders due: base x day multiplier x hour profile x region share x gamma factors + bursts."""

    orders_multiple: Multiple
    """Factor on all orders (multiple); the lever of a demand surge."""
    orders_per_day: PerCategory[Annotated[float, Field(ge=0.0, le=1e9)]]
    """Orders due on a normal day (orders per day)."""
    category_multiple: PerCategory[Multiple]
    """Factor on a category's orders (multiple); 1 in the base."""
    order_value_fen: PerCategory[Annotated[int, Field(ge=1, le=10**9)]]
    """Mean price of an order (fen)."""
    order_value_cv: PerCategory[Cv]
    """Coefficient of variation of the price, lognormal (ratio)."""
    day_multiplier: PerCategory[PerDay]
    """Orders relative to a normal day, lunar days -7..8 (multiple)."""
    hour_profile: PerCategory[Profile24]
    """Orders falling due by hour 0..23; normalised to sum 1 (ratio)."""
    opening_h: PerCategory[Hours]
    """Hour at which stores of the category open (h): a closure can be seen from then on."""
    lead_time_median_s: PerCategory[Seconds]
    """Median time from placing an order to its falling due (s)."""
    lead_time_sigma_ratio: Cv
    """Sigma of the lognormal lead time (log units)."""
    common_day_cv: Cv
    """CV of the gamma factor that all categories share on a day (ratio)."""
    category_day_cv: Cv
    """CV of a category's own gamma factor on a day (ratio)."""
    common_hour_cv: Cv
    """CV of the gamma factor that all categories share in an hour (ratio)."""
    category_hour_cv: Cv
    """CV of a category's own gamma factor in an hour (ratio)."""
    bursts: dict[str, Burst]
    """Scheduled live-room bursts, by name."""
