"""A study file: which assumptions are moved together, over which scenarios and decisions, and how
often each point is simulated.

Decides what may stand in the file; what its keys mean in a scenario is looked at by
sim/study/plan.py, which knows the scenario.
"""

from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from scenarios.model import LunarDay, Model

Kind = Literal["grid", "lhs", "sobol", "saltelli", "morris"]
# What says how large a design is, by its kind.
SIZES: Final[dict[str, str]] = {
    "grid": "levels_count",
    "lhs": "points_count",
    "sobol": "points_count",
    "saltelli": "base_points_count",
    "morris": "trajectories_count",
}
POWERS_OF_TWO: Final = ("sobol", "saltelli")
_Words = Annotated[tuple[str, ...], Field(strict=False)]
_Several = Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
_Levels = Annotated[tuple[float, ...], Field(strict=False, min_length=1)]
_Size = Annotated[int, Field(ge=2, le=1_000_000)]


class Design(Model):
    """How the points are laid out. Each kind has one size."""

    kind: Kind
    """grid: every combination of levels; lhs: Latin hypercube; sobol: Sobol' sequence; saltelli:
    the pairs of matrices behind Sobol' indices of every order; morris: trajectories of single
    steps, for screening."""
    points_count: _Size | None = None
    """Points of an lhs or sobol design; of sobol a power of two."""
    base_points_count: _Size | None = None
    """N of a saltelli design, a power of two: N (factors + 2) points, N (2 factors + 2) with
    second_order."""
    second_order: bool = False
    """Whether a saltelli design also tells the interaction of each pair."""
    trajectories_count: _Size | None = None
    """Trajectories of a morris design, each of (factors + 1) points."""
    levels_count: Annotated[int, Field(ge=2, le=1000)] | None = None
    """Levels of a range: in a grid of a factor that gives none, in a morris design of all (4)."""

    @model_validator(mode="after")
    def _one_size(self) -> "Design":
        own = SIZES[self.kind]
        for size in dict.fromkeys(SIZES.values()):
            given = getattr(self, size) is not None
            if given and size != own and (self.kind, size) != ("morris", "levels_count"):
                raise ValueError(f"design.{size} says nothing of a {self.kind} design: {own} does")
        value = getattr(self, own)
        if value is None and self.kind != "grid":
            raise ValueError(f"a {self.kind} design needs design.{own}")
        if self.kind in POWERS_OF_TWO and value & (value - 1):
            raise ValueError(
                f"design.{own} = {value} should be a power of two, such as "
                f"{1 << (value.bit_length() - 1)} or {1 << value.bit_length()}: only those are "
                "balanced"
            )
        if self.second_order and self.kind != "saltelli":
            raise ValueError(f"design.second_order is of a saltelli design, not of {self.kind}")
        if self.kind == "morris" and (self.levels_count or 4) % 2:
            raise ValueError(f"design.levels_count = {self.levels_count} should be even")
        return self


class StudyScenario(Model):
    """A scenario that every point is laid on."""

    name: str
    """How tables and page call it."""
    scenario: str = "spring-festival-2026"
    """A shipped scenario's name, or the path of a TOML file."""
    overlays: _Words = ()
    """Overlays on it."""
    sets: _Words = ()
    """Keys on top, as KEY=VALUE."""


class StudyFactor(Model):
    """A key that is moved: over a range by the design, or through levels, all of them."""

    key: str
    """Key of the scenario; an array is moved as a whole, by a multiple."""
    also: _Words = ()
    """Keys that take the same value."""
    low: float | None = None
    """Lower end; else that of the key's assumed low/base/high."""
    high: float | None = None
    """Upper end; else that of the key's assumed low/base/high."""
    law: Literal["uniform", "log_uniform", "triangular"] = "uniform"
    """How likely the values between are; triangular has its mode at the scenario's own value."""
    levels: _Levels | None = None
    """Values that are gone through at every point of the design."""
    decided: bool = False
    """Whether somebody decides it (heads, say): the frontier compares its levels."""

    @model_validator(mode="after")
    def _a_range_or_levels(self) -> "StudyFactor":
        if self.levels is None:
            if self.decided:
                raise ValueError(f"{self.key} is decided, so it needs levels to compare")
            if self.low is not None and self.high is not None and self.low >= self.high:
                raise ValueError(f"{self.key}: low {self.low:g} should be below high {self.high:g}")
            return self
        if self.low is not None or self.high is not None:
            raise ValueError(f"{self.key} has levels, so it needs no low and no high")
        if list(self.levels) != sorted(set(self.levels)):
            raise ValueError(f"{self.key}: levels should rise")
        return self


class StudyFrontier(Model):
    """What it costs against how it serves, for each combination of what is decided."""

    cost: _Several = ("wage_fen", "payout_net_fen")
    """Metrics that add up to the cost."""
    service: str = "service_level_phone_ratio"
    """Metric that says how well it serves; more is better."""


class StudyFile(Model):
    """All of a study file."""

    name: str
    """Name of the study; that of the file if not given."""
    description: str
    """What is asked, in a sentence."""
    first_day: LunarDay
    """First lunar day that is simulated, after its warm-up."""
    last_day: LunarDay
    """Last lunar day."""
    replications_count: Annotated[int, Field(ge=1, le=100_000)]
    """Seasons that every point meets; the same ones at every point."""
    seed: Annotated[int, Field(ge=0)]
    """Root of seasons and design."""
    outcomes: _Several
    """Metrics that are explained."""
    design: Design
    """How points are laid out."""
    scenarios: Annotated[tuple[StudyScenario, ...], Field(strict=False, min_length=1)]
    """What every point is laid on; each of them is a study of its own on the same points."""
    factors: Annotated[tuple[StudyFactor, ...], Field(strict=False)] = ()
    """What is moved."""
    widest_count: Annotated[int, Field(ge=1, le=100)] | None = None
    """So many more factors: the assumptions of the first scenario whose ranges move the outcomes
    most, one at a time, by the approximate answer."""
    frontier: StudyFrontier = StudyFrontier()
    """Axes of the frontier; it is drawn where a factor is decided."""

    @model_validator(mode="after")
    def _something_moves(self) -> "StudyFile":
        if self.first_day > self.last_day:
            raise ValueError(f"first_day {self.first_day} is after last_day {self.last_day}")
        if not self.factors and self.widest_count is None:
            raise ValueError("nothing is moved: give [[factors]] or widest_count")
        keys = [key for factor in self.factors for key in (factor.key, *factor.also)]
        names = [one.name for one in self.scenarios]
        for said in (keys, names, list(self.outcomes)):
            twice = next((one for one in said if said.count(one) > 1), None)
            if twice is not None:
                raise ValueError(f"{twice} stands here twice")
        return self
