"""The day itself: its level from what happened so far, the rest of the day anew, and what to do.

The forecast of a day is the mean of simulated replications of it; the actual counts move its level
(sim/staffing/level.py). For each hour to come: agents who are too many help where they are trained,
then overtime, and who is then still too many may leave; each step with what it does to service
level and abandonment, by M/M/n+G. Skills are groups of sim/staffing/floor.py. Overtime is up to
three hours after a shift (Labour Law of the People's Republic of China, article 41).
"""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import numpy as np
from scipy.ndimage import uniform_filter1d

from scenarios.scenario import Scenario
from sim.columns import Floats, Ints
from sim.experiment.runner import Progress
from sim.market.shocks import shock_field
from sim.staffing.actuals import Actuals, Clock
from sim.staffing.floor import Groups, Shown
from sim.staffing.floors import Tapes
from sim.staffing.level import Level
from sim.staffing.wanted import Wanted, slots_of_load, wanted
from sim.streams import Streams
from sim.support.roster import Roster
from sim.theory.impatience import mmng
from sim.theory.targets import Target

LOW, HIGH = 0.05, 0.95
OVERTIME_LIMIT_H: Final = 3.0
DAYS_PER_WEEK: Final = 7
Kind = Literal["move", "overtime", "time_off", "uncovered"]


@dataclass(frozen=True, slots=True)
class Outlook:
    """A skill in an interval to come; counts of contacts with a 90 % interval."""

    starts: datetime
    skill: str
    forecast_count: float
    offered_count: float
    offered_low: float
    offered_high: float
    agents: int
    required: int


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do in an hour, and what it does there; `to_skill` is helped, relieved or short."""

    starts: datetime
    kind: Kind
    from_skill: str
    to_skill: str
    agents: int
    service_level_before_ratio: float
    service_level_after_ratio: float
    abandoned_before_count: float
    abandoned_after_count: float


@dataclass(frozen=True, slots=True)
class Replan:
    """The rest of the day."""

    levels: dict[str, tuple[float, float, float]]
    """Of each skill that was counted: mean, low and high of the day's level."""
    outlook: tuple[Outlook, ...]
    advice: tuple[Advice, ...]


def replan(
    scenario: Scenario,
    actuals: Actuals,
    now: Clock,
    *,
    targets: Sequence[Target],
    risk_ratio: float,
    seed: int,
    replications: int,
    workers: int,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> Replan:
    """The rest of the day, staffed as the scenario's shifts do; no `targets`: the scenario's own.

    Required is what keeps the targets at the level that the day stays under with `risk_ratio`.
    """
    day = _of_day(scenario, now)
    groups = Groups.of(day.support)
    report = progress or (lambda _done, _planned: None)
    report(0, replications)
    with Tapes.open(day, seed=seed, workers=workers, executor=executor) as tapes:
        floors = tapes.record(range(replications), lambda done: report(done, replications))
    plan = _Plan(day, groups, floors, now, targets)
    return plan.answer(actuals, _present(day, groups, seed, replications), risk_ratio)


def _of_day(scenario: Scenario, now: Clock) -> Scenario:
    """The scenario narrowed to the day, with its warm-up."""
    values = scenario.model_dump()
    values["horizon"] |= {"first_day": now.lunar_day, "last_day": now.lunar_day}
    return type(scenario).model_validate(values)


def _present(day: Scenario, groups: Groups, seed: int, replications: int) -> Ints:
    """Expected productive agents by interval of the day and group, cross-trained at their first."""
    shocks = shock_field(day)
    drawn = [
        Roster.draw(
            day.support,
            calendar=day.calendar,
            horizon=day.horizon,
            streams=Streams(seed=seed, replication=replication),
            attendance_multiple_by_day=shocks.attendance_multiple,
        ).agents_available
        for replication in range(replications)
    ]
    available = np.mean(drawn, axis=0)[-day.horizon.ticks_per_day :]
    found = np.zeros((len(available), len(groups.names)))
    for team, group in enumerate(groups.of_team(day.support)):
        found[:, group] += available[:, team]
    return np.asarray(np.rint(found), dtype=np.int64)


class _Plan:
    """A day's forecast by interval and group."""

    def __init__(
        self,
        day: Scenario,
        groups: Groups,
        floors: Sequence[Shown],
        now: Clock,
        targets: Sequence[Target],
    ) -> None:
        self._day, self._groups, self._now = day, groups, now
        ticks = day.horizon.ticks_per_day
        mean = np.mean([floor.offered[-ticks:] for floor in floors], axis=0)
        self._forecast = uniform_filter1d(mean, 3, axis=0, mode="nearest")
        self._handle_s = np.mean([floor.handle_s for floor in floors], axis=0)
        self._wanted = [wanted(day, channel, targets) for channel in groups.channels]
        self._per_hour = 3600 // day.horizon.tick_s

    def answer(self, actuals: Actuals, present: Ints, risk_ratio: float) -> Replan:
        """Levels, outlook and advice."""
        levels = self._levels(actuals)
        expected = np.array([one.mean for one in levels])
        risky = np.array([one.quantile(risk_ratio) for one in levels])
        required = np.stack(
            [self._required(g, self._forecast[:, g] * risky[g]) for g in range(len(levels))], axis=1
        )
        elapsed = self._now.elapsed_count
        outlook = tuple(
            Outlook(
                starts=self._now.start(tick),
                skill=name,
                forecast_count=float(self._forecast[tick, g]),
                offered_count=float(self._forecast[tick, g] * expected[g]),
                offered_low=float(levels[g].counts(self._forecast[tick, g], LOW)),
                offered_high=float(levels[g].counts(self._forecast[tick, g], HIGH)),
                agents=int(present[tick, g]),
                required=int(required[tick, g]),
            )
            for tick in range(elapsed, len(self._forecast))
            for g, name in enumerate(self._groups.names)
        )
        rates = self._forecast * expected / self._now.tick_s
        advice: list[Advice] = []
        first_hour = -(-elapsed // self._per_hour)
        for hour in range(first_hour, 24):
            ticks = slice(hour * self._per_hour, (hour + 1) * self._per_hour)
            advice += self._advise(hour, rates[ticks], present[ticks], required[ticks])
        told = {
            name: (levels[g].mean, levels[g].quantile(LOW), levels[g].quantile(HIGH))
            for g, name in enumerate(self._groups.names)
            if levels[g] != Level.before(self._day.demand)
        }
        return Replan(told, outlook, tuple(advice))

    def _levels(self, actuals: Actuals) -> list[Level]:
        """The level of each group, from the skill that counts it."""
        elapsed, levels = self._now.elapsed_count, []
        hours = np.arange(elapsed) // self._per_hour
        for name in self._groups.names:
            level = Level.before(self._day.demand)
            for column, skill in enumerate(actuals.skills):
                if any(skill in (one, one.partition("/")[0]) for one in name.split("+")):
                    like = [g for g, n in enumerate(self._groups.names) if skill in n]
                    forecast = self._forecast[:elapsed, like].sum(axis=1)
                    level = level.after(
                        counted=np.bincount(hours, weights=actuals.offered[:, column]),
                        forecast=np.bincount(hours, weights=forecast),
                    )
            levels.append(level)
        return levels

    def _required(self, g: int, offered: Floats) -> Ints:
        load = offered / self._now.tick_s * float(self._handle_s[g])
        one: Wanted = self._wanted[g]
        slots = slots_of_load(
            load, one.targets, handle_s=float(self._handle_s[g]), patience=one.patience
        )
        return -(-slots // int(self._groups.sessions[g]))

    def _advise(self, hour: int, rates: Floats, present: Ints, required: Ints) -> list[Advice]:
        """Moves, overtime, time off and what stays short, in this order."""
        agents = present.copy()
        names, found = self._groups.names, []

        def spare(g: int) -> int:
            return int((agents[:, g] - required[:, g]).min())

        def step(kind: Kind, giver: int | None, taker: int | None, count: int) -> None:
            g = taker if taker is not None else giver
            assert g is not None
            before = self._quality(rates[:, g], agents[:, g], g)
            if kind != "uncovered":
                for group, sign in ((giver, -1), (taker, 1)):
                    if group is not None:
                        agents[:, group] = np.maximum(agents[:, group] + sign * count, 0)
            after = self._quality(rates[:, g], agents[:, g], g)
            found.append(
                Advice(
                    starts=self._now.start(hour * self._per_hour),
                    kind=kind,
                    from_skill=names[giver] if giver is not None else "",
                    to_skill=names[taker] if taker is not None else "",
                    agents=count,
                    service_level_before_ratio=before[0],
                    service_level_after_ratio=after[0],
                    abandoned_before_count=before[1],
                    abandoned_after_count=after[1],
                )
            )

        for giver, taker in self._groups.helps(self._day.support):
            count = min(spare(giver), -spare(taker))
            if count > 0:
                step("move", giver, taker, count)
        for g in range(len(names)):
            staying = self._may_stay(hour, g)
            if spare(g) < 0 and staying > 0:
                step("overtime", None, g, min(-spare(g), staying))
            if spare(g) < 0:
                step("uncovered", None, g, -spare(g))
            elif spare(g) > 0:
                step("time_off", g, None, spare(g))
        return found

    def _quality(self, rates: Floats, agents: Ints, g: int) -> tuple[float, float]:
        """Service level and abandoned contacts of the hour."""
        channel = self._groups.channels[g]
        own = self._day.support.targets
        said = mmng(
            agents=np.maximum(agents * int(self._groups.sessions[g]), 1),
            arrival_per_s=np.maximum(rates, 1e-9),
            aht_s=float(self._handle_s[g]),
            patience=self._wanted[g].patience,
            threshold_s=(own.phone if channel == "phone" else own.im).threshold_s,
        )
        share = rates / max(float(rates.sum()), 1e-12)
        abandoned = float((said.p_abandon * rates).sum()) * self._now.tick_s
        return float((said.sl_of_offered * share).sum()), abandoned

    def _may_stay(self, hour: int, g: int) -> int:
        """Productive agents whose shift ended within the hours that overtime may last."""
        support = self._day.support
        ending = sum(
            shift.heads_ratio
            for shift in support.shifts.values()
            if (hour - shift.start_h - shift.length_h) % 24.0 < OVERTIME_LIMIT_H
        )
        teams = [team for _, team in sorted(support.teams.items())]
        own = sum(
            team.heads_ratio
            for team, group in zip(teams, self._groups.of_team(support), strict=True)
            if group == g
        )
        on_duty = 1.0 - support.rest_days_per_week_count / DAYS_PER_WEEK
        productive = support.attendance_ratio * (1.0 - support.shrinkage_ratio) * on_duty
        return int(support.heads_count * own * ending * productive)
