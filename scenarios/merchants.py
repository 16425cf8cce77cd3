"""The fleet of stores: who they are, when they close, what they can sell, how they behave."""

from typing import Annotated

from pydantic import Field, model_validator

from scenarios.model import (
    Count,
    Cv,
    Fen,
    Model,
    Multiple,
    PerCategory,
    PerDay,
    PerIncident,
    PositiveCount,
    Ratio,
    Seconds,
)
from scenarios.words import CATEGORIES


class ByStoreType(Model):
    """One ratio for each store type."""

    compliant: Multiple
    """Compliant stores (ratio)."""
    speculator: Multiple
    """Speculators (ratio)."""


class Merchants(Model):
    """The individually tracked stores."""

    store_count: PositiveCount
    """Stores of the fleet (stores)."""
    category_share: PerCategory[Ratio]
    """Share of the stores by category (ratio); sums to 1."""
    speculator_ratio: PerCategory[Ratio]
    """Share of stores that speculate (ratio)."""
    popularity_sigma_ratio: Cv
    """Sigma of the lognormal popularity weight (log units): a heavy tail."""
    deposit_fen: PerCategory[Fen]
    """Median deposit that recourse and fines draw on (fen)."""
    deposit_sigma_ratio: Cv
    """Sigma of the lognormal deposit (log units)."""
    margin_ratio: PerCategory[Ratio]
    """Margin of an honest order before fines and recourse, share of its price (ratio)."""
    misconduct_gain_ratio: Ratio
    """What an order with misconduct adds to the margin, share of its price (ratio)."""
    delisting_points_count: PositiveCount
    """Violation points at which a store is delisted (points)."""
    points: PerIncident[Count]
    """Violation points for one established violation (points)."""

    @model_validator(mode="after")
    def _shares_sum_to_one(self) -> "Merchants":
        total = sum(self.category_share.row())
        if abs(total - 1.0) > 1e-9:
            raise ValueError(f"category_share adds up to {total:.6g}, not 1")
        empty = [
            name
            for name, share in zip(CATEGORIES, self.category_share.row(), strict=True)
            if share * self.store_count < 1.0
        ]
        if empty:
            raise ValueError(
                f"no store left for {', '.join(empty)}: raise store_count or the share"
            )
        return self


class Opening(Model):
    """Closing for the festival: a store closes on the days whose closed share passes its threshold.
    """

    closed_ratio: PerCategory[Ratio]
    """Share of stores closed on a day with wave 1 (ratio)."""
    wave: PerDay
    """Closed share relative to a normal day, lunar days -7..8 (multiple)."""
    undeclared_odds: ByStoreType
    """How much likelier a type is to close without saying so (relative); the level is solved."""
    closure_multiple: Multiple
    """Factor on the closed share (multiple); 1 in the base."""


class Stock(Model):
    """Rooms: bookings come in beyond the allotment while the listing lags or the store oversells.
    """

    oversell_ratio: ByStoreType
    """Bookings accepted beyond the allotment on purpose, share of it (ratio)."""
    oversell_multiple: Multiple
    """Factor on deliberate overselling (multiple); 1 in the base."""
    listing_lag_s: Seconds
    """Time between selling out and the listing saying so (s)."""
    allotment_sigma_ratio: Cv
    """Sigma of the lognormal spread of allotments between hotels (log units)."""
    allotment_headroom_ratio: Annotated[float, Field(ge=0.0, le=20.0)]
    """Median allotment relative to normal daily bookings (ratio); 0 = solved so that the base ratio
    of no-room incidents equals its target."""


class Conduct(Model):
    """Misconduct: base ratios by type of store, and how penalties deter."""

    speculator_multiple: PerIncident[Multiple]
    """Incident ratio of a speculator relative to a compliant store (multiple)."""
    misconduct_multiple: Multiple
    """Factor on all misconduct (multiple); 1 in the base."""
    deterrence_elasticity_ratio: Multiple
    """Fall of log misconduct per relative rise of the expected penalty (ratio)."""
    perception_weight_ratio: Ratio
    """Weight of yesterday's catches in what merchants expect (ratio, exponential smoothing)."""
    caught_multiple: Ratio
    """Conduct of a store after it was caught, relative to before (multiple)."""
    fine_fen: PerCategory[Fen]
    """Fine for one established violation (fen)."""
    reference_fine_fen: PerCategory[Fen]
    """Fine at which the base ratios of misconduct hold (fen)."""
    surface_share_short_video: Ratio
    """Share of false advertising in short videos (ratio)."""
    surface_share_live_room: Ratio
    """Share of false advertising in live rooms (ratio); the rest stands on product pages."""

    @model_validator(mode="after")
    def _surfaces_fit(self) -> "Conduct":
        if self.surface_share_short_video + self.surface_share_live_room > 1.0:
            raise ValueError("surface_share_short_video + surface_share_live_room is above 1")
        return self


class Incidents(Model):
    """Targets: share of orders that end in an incident, before monitoring; mechanisms are solved to
    them."""

    ratio: PerCategory[PerIncident[Ratio]]
    """Incidents per order on a day with factor 1 (ratio)."""
    day_factor: PerIncident[PerDay]
    """Factor by lunar day -7..8 (multiple)."""
