"""The floor of a requirement: which queues are staffed apart, and what a replication shows of them.

Each skill of a channel is staffed apart, by the team that serves it first, without help from
others: help is then the roster's reserve. A skill that no team serves first shares the agents of
the team that helps it out first, and both count as one group: two queues with cross-trained agents
only need the agents of their common load.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scenarios.scenario import Scenario
from scenarios.support import Support
from scenarios.words import CHANNELS, SKILLS, Channel
from sim.columns import Floats, Ints
from sim.support.attempts import ANSWERED, Attempts
from sim.support.integrals import open_integral
from sim.support.layout import QUEUES_COUNT, Layout
from sim.support.roster import sessions_by_team

SAMPLES_PER_TICK: Final = 15


@dataclass(frozen=True, slots=True)
class Groups:
    """Queues that share agents. `team` is the team whose slots stand for the group's."""

    names: tuple[str, ...]
    channels: tuple[Channel, ...]
    team: tuple[int, ...]
    of_queue: Ints
    sessions: Ints

    @classmethod
    def of(cls, support: Support) -> "Groups":
        """The groups of a scenario's teams, in order of skill and channel."""
        layout = Layout.of(support)
        host = list(range(QUEUES_COUNT))
        team_of: dict[int, int] = {}
        for queue in range(QUEUES_COUNT):
            team = layout.routes[queue][0]
            host[queue] = layout.teams[team].first
            team_of.setdefault(host[queue], team)
        firsts = sorted(set(host))
        members = [[q for q in range(QUEUES_COUNT) if host[q] == first] for first in firsts]
        return cls(
            names=tuple("+".join(queue_name(q) for q in queues) for queues in members),
            channels=tuple(CHANNELS[first % len(CHANNELS)] for first in firsts),
            team=tuple(team_of[first] for first in firsts),
            of_queue=np.array([firsts.index(h) for h in host]),
            sessions=sessions_by_team(support)[[team_of[first] for first in firsts]],
        )

    def layout(self, support: Support) -> Layout:
        """The floor's layout when every group stands alone."""
        plain = Layout.of(support)
        teams = []
        for number, team in enumerate(plain.teams):
            own = self.of_queue[team.first] if number in self.team else -1
            further = tuple(q for q in team.further if self.of_queue[q] == own)
            teams.append(replace(team, further=further, overflow_reserve_ratio=0.0))
        return replace(plain, teams=tuple(teams))

    def of_team(self, support: Support) -> list[int]:
        """The group of each team's first queue."""
        return [int(self.of_queue[team.first]) for team in Layout.of(support).teams]

    def helps(self, support: Support) -> list[tuple[int, int]]:
        """(giver, taker) of groups whose agents are trained for others, in order of preference."""
        pairs = [
            (rank, int(self.of_queue[team.first]), int(self.of_queue[queue]))
            for team in Layout.of(support).teams
            for rank, queue in enumerate(team.further)
        ]
        ordered = [(giver, taker) for _, giver, taker in sorted(pairs) if giver != taker]
        return list(dict.fromkeys(ordered))

    def slots(self, agents: Ints, teams_count: int) -> Ints:
        """Slots (ticks, teams) of agents (ticks, groups); teams that stand for none have none."""
        slots = np.zeros((len(agents), teams_count), dtype=np.int64)
        slots[:, list(self.team)] = agents * self.sessions
        return slots


@dataclass(frozen=True, slots=True)
class Shown:
    """One replication of the floor; ticks x groups, and `in_system` ticks x samples x groups."""

    in_system: NDArray[np.float32]
    load: Floats
    """Mean number of contacts in hand (slots)."""
    offered: Ints
    handle_s: Floats
    """Mean slot time of the contacts answered, by group."""


def shown(scenario: Scenario, groups: Groups, attempts: Attempts) -> Shown:
    """What a record shows; contacts count in the tick in which they arrive."""
    horizon = scenario.horizon
    ticks_count, count = horizon.days_count * horizon.ticks_per_day, len(groups.names)
    group = groups.of_queue[attempts.queue]
    tick_s = float(horizon.tick_s)
    cell = (attempts.arrived_s / tick_s).astype(np.int64) * count + group
    left_s = np.where(np.isnan(attempts.ended_s), np.inf, attempts.ended_s)
    in_hand = np.flatnonzero(attempts.team >= 0)
    load = open_integral(
        group=group[in_hand],
        groups_count=count,
        start_s=attempts.answered_s[in_hand],
        end_s=left_s[in_hand],
        interval_s=tick_s,
        intervals_count=ticks_count,
    )
    done = (attempts.outcome == ANSWERED) & ~np.isnan(attempts.ended_s)
    handle_s = np.bincount(
        group[done], weights=(attempts.ended_s - attempts.answered_s)[done], minlength=count
    ) / np.maximum(np.bincount(group[done], minlength=count), 1)
    return Shown(
        in_system=_in_system(attempts.arrived_s, left_s, group, count, ticks_count, tick_s),
        load=load / tick_s,
        offered=np.bincount(cell, minlength=ticks_count * count).reshape(ticks_count, count),
        handle_s=handle_s,
    )


def _in_system(
    arrived_s: Floats, left_s: Floats, group: Ints, count: int, ticks_count: int, tick_s: float
) -> NDArray[np.float32]:
    """Contacts waiting or in hand at the middle of each sample."""
    step_s = tick_s / SAMPLES_PER_TICK
    at_s = (np.arange(ticks_count * SAMPLES_PER_TICK) + 0.5) * step_s
    found = np.empty((len(at_s), count), dtype=np.float32)
    for g in range(count):
        mine = group == g
        came, went = np.sort(arrived_s[mine]), np.sort(left_s[mine])
        found[:, g] = np.searchsorted(came, at_s, "right") - np.searchsorted(went, at_s, "right")
    return found.reshape(ticks_count, SAMPLES_PER_TICK, count)


def queue_name(queue: int) -> str:
    """A queue in words, e.g. general/phone."""
    return f"{SKILLS[queue // len(CHANNELS)]}/{CHANNELS[queue % len(CHANNELS)]}"
