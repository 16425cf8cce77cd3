"""The support floor as it is assumed: heads, teams, shifts, attendance, new hires, pay, targets.

Decides what a planner may change about the people who answer; not what consumers do (consumers
block) and not how a contact finds an agent (sim/support/pool.py). Units stand in the names; hours
of a shift count from its start. Sources of the defaults: the comments of the base scenario. Words:
"2,400" is headcount, of which one rest day in seven, attendance, seats, breaks and shrinkage leave
the productive agents.
"""

from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from scenarios.labour import Duties, Labour
from scenarios.model import Count, Fen, Hours, Model, Multiple, PositiveCount, Ratio, Seconds
from scenarios.words import CHANNELS, SKILLS, Channel, Skill

SHARE_TOLERANCE_RATIO: Final = 1e-6
STEPS_PER_H: Final = 4


class Im(Model):
    """How many IM sessions an agent holds at once, and what that costs in speed."""

    sessions_per_agent_count: Annotated[int, Field(ge=1, le=30)]
    """IM sessions that one agent holds at the same time."""
    efficiency_ratio: Annotated[float, Field(gt=0.0, le=1.0)]
    """Speed of a session beside others relative to one alone: slot time = session time / this."""


class NewHires(Model):
    """Learning curve: handle time multiple of a new hire = 1 + slowdown x exp(-days / constant)."""

    slowdown_ratio: Annotated[float, Field(ge=0.0, le=5.0)]
    """Extra handle time of a new hire on the first day, as a share of an experienced agent's."""
    learning_time_constant_d: Annotated[float, Field(gt=0.0, le=1000.0)]
    """Days after which the extra handle time has fallen to 1/e."""
    worked_d: Annotated[float, Field(ge=0.0, le=1000.0)]
    """Days that the new hires have worked before the first day of the horizon."""


class Wage(Model):
    """Pay: an hour costs month / (days x hours), times the day's or the overtime's multiple."""

    per_month_fen: Fen
    """Monthly wage of an agent, in fen."""
    work_days_per_month: Annotated[float, Field(gt=0.0, le=31.0)]
    """Paid days in a month, by which a monthly wage is divided."""
    work_h_per_day: Annotated[float, Field(gt=0.0, le=24.0)]
    """Paid hours in a day, by which a daily wage is divided."""
    overtime_multiple: Multiple
    """Multiple of the hourly wage for overtime, unless the day itself (calendar) asks for more."""


class Overtime(Model):
    """Heads that stay on after their shift on given days."""

    heads_ratio: Ratio
    """Share of a shift's present heads that stay on after its end."""
    length_h: Annotated[float, Field(ge=0.0, le=3.0)]
    """Hours they stay on; the law allows at most three."""
    lunar_days: Annotated[tuple[int, ...], Field(strict=False)]
    """Lunar days on which shifts that start on them are prolonged."""


class Shift(Model):
    """A shift that starts every day at the same time; it may end on the next day."""

    start_h: Annotated[float, Field(ge=0.0, lt=24.0)]
    """Hour of the day at which the shift starts."""
    length_h: Annotated[float, Field(gt=0.0, le=12.0)]
    """Hours from start to end, the break included."""
    break_start_h: Hours
    """Hours after the shift's start at which the first break wave leaves."""
    break_h: Hours
    """Length of the unpaid break in hours."""
    break_waves_count: Annotated[int, Field(ge=1, le=12)]
    """Equal waves in which the heads take their break, one straight after the other."""
    heads_ratio: Ratio
    """Share of a day's heads that work this shift."""

    @model_validator(mode="after")
    def _break_lies_inside(self) -> "Shift":
        if self.break_start_h + self.break_h * self.break_waves_count > self.length_h:
            raise ValueError(
                "the last break wave ends after the shift: shorten or advance the break"
            )
        return self


class Team(Model):
    """Agents of one channel with a first queue and further queues that they help out in."""

    channel: Channel
    """Channel on which the team works; IM agents hold several sessions."""
    first: Skill
    """Skill of the queue that the team serves first."""
    further: Annotated[tuple[Skill, ...], Field(strict=False)]
    """Skills of further queues of the same channel, in order of preference."""
    heads_ratio: Ratio
    """Share of all heads in this team."""
    overflow_reserve_ratio: Ratio
    """A further queue's contact is taken only while more than this share of the slots is free."""

    @model_validator(mode="after")
    def _queues_differ(self) -> "Team":
        if len({self.first, *self.further}) != 1 + len(self.further):
            raise ValueError("a team names each queue once: first and further must all differ")
        return self


class ChannelTarget(Model):
    """Service-level target of a channel: share of offered contacts answered within a threshold."""

    threshold_s: Seconds
    """Service-level threshold in seconds."""
    service_level_ratio: Ratio
    """Share of offered contacts to be answered within the threshold."""


class Targets(Model):
    """What "the floor holds" means."""

    phone: ChannelTarget
    """Service level on the phone."""
    im: ChannelTarget
    """Service level (first reply) of instant messages."""
    abandoned_ratio: Ratio
    """Highest acceptable share of offered contacts that are abandoned, both channels together."""


class Support(Model):
    """The support floor: who works when, on what, how well and for how much."""

    headcount_count: PositiveCount
    """The number of agents that the programme announces."""
    growth: Literal["to", "by"]
    """Whether the programme grew to this headcount or by it."""
    headcount_before_count: Count
    """Heads before the programme; new hires are the difference ("to") or the headcount ("by")."""
    seats_count: PositiveCount
    """Work places; no more heads than this work at the same time."""
    attendance_ratio: Ratio
    """Expected share of rostered heads that attend."""
    attendance_spread_ratio: Ratio
    """Standard deviation of a day's attendance, relative to its expectation."""
    shrinkage_ratio: Annotated[float, Field(ge=0.0, lt=1.0)]
    """Share of attended time, breaks apart, that is not available for contacts."""
    rest_days_per_week_count: Annotated[int, Field(ge=0, le=6)]
    """Rest days of each head in seven days, spread evenly over the week."""
    im: Im
    """Concurrent IM sessions."""
    new_hires: NewHires
    """Learning curve of new hires."""
    wage: Wage
    """Pay."""
    overtime: Overtime
    """Overtime."""
    targets: Targets
    """Service-level and abandonment targets."""
    labour: Labour
    """Rules that a roster found by `springpeak staff` keeps."""
    shifts: dict[str, Shift]
    """Shifts by name."""
    duties: Duties | None = None
    """A roster head by head that takes the place of the shares of shifts and teams."""
    teams: dict[str, Team]
    """Teams by name."""

    @property
    def heads_count(self) -> int:
        """All heads of the floor, by the reading of "2,400" that `growth` chooses."""
        return self.headcount_count + (self.headcount_before_count if self.growth == "by" else 0)

    @property
    def new_hire_ratio(self) -> float:
        """Share of the heads that came with the programme."""
        experienced_count = min(self.headcount_before_count, self.heads_count)
        return 1.0 - experienced_count / self.heads_count

    @model_validator(mode="after")
    def _roster_is_complete(self) -> "Support":
        if not self.shifts:
            raise ValueError("the roster is empty: at least one shift is needed")
        if not self.teams:
            raise ValueError("the floor is empty: at least one team is needed")
        for name, total in (
            ("shifts", sum(shift.heads_ratio for shift in self.shifts.values())),
            ("teams", sum(team.heads_ratio for team in self.teams.values())),
        ):
            if abs(total - 1.0) > SHARE_TOLERANCE_RATIO:
                raise ValueError(f"heads_ratio of all {name} must add up to 1, not {total:.6g}")
        if self.growth == "to" and self.headcount_before_count > self.headcount_count:
            raise ValueError(
                "growing to fewer heads than before: headcount_before_count is too high"
            )
        return self

    @model_validator(mode="after")
    def _duties_have_teams(self) -> "Support":
        unknown = sorted(set(self.duties.team) - set(self.teams)) if self.duties else []
        if unknown:
            raise ValueError(f"duties name teams that do not exist: {', '.join(unknown)}")
        return self

    @model_validator(mode="after")
    def _every_queue_is_served(self) -> "Support":
        served = {
            (skill, team.channel)
            for team in self.teams.values()
            if team.heads_ratio > 0.0
            for skill in (team.first, *team.further)
        }
        missing = [f"{s}/{c}" for s in SKILLS for c in CHANNELS if (s, c) not in served]
        if missing:
            raise ValueError(f"no team serves {', '.join(missing)}")
        return self

    @model_validator(mode="after")
    def _every_hour_is_covered(self) -> "Support":
        covered = {
            int((shift.start_h + step / STEPS_PER_H) % 24)
            for shift in self.shifts.values()
            if shift.heads_ratio > 0.0
            for step in range(int(shift.length_h * STEPS_PER_H))
        }
        missing = [f"{hour:02d}" for hour in range(24) if hour not in covered]
        if missing:
            raise ValueError(f"the floor is open day and night, but no shift covers {missing}")
        return self
