"""Who serves what: teams, their queues, and the order in which contacts and agents meet.

Decides the two orders of the floor: which team a new contact asks first, and which line an agent
who becomes free serves first. Holds no state. A queue is skill x channel (skill position x 2 +
channel position); a line is a queue's contacts of one priority, number priority x queues + queue.
Cross-training and overflow, priorities between lines, FCFS within a line.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from scenarios.support import Support
from scenarios.words import CHANNELS, PRIORITIES, SKILLS, TOPICS, Channel, Skill

QUEUES_COUNT: Final = len(SKILLS) * len(CHANNELS)
PRIORITIES_COUNT: Final = len(PRIORITIES)


def queue_of(skill: Skill, channel: Channel) -> int:
    """The queue's number."""
    return SKILLS.index(skill) * len(CHANNELS) + CHANNELS.index(channel)


@dataclass(frozen=True, slots=True)
class TeamPlan:
    """A team as the pool sees it."""

    name: str
    first: int
    further: tuple[int, ...]
    overflow_reserve_ratio: float
    sessions_per_agent_count: int

    def rank(self, queue: int) -> int:
        """Preference of the team for a queue: 0 its first one, then 1, 2, ... Raises ValueError."""
        return (self.first, *self.further).index(queue)


@dataclass(frozen=True)
class Layout:
    """All teams in a fixed order, and the queue that takes escalated cases up."""

    teams: tuple[TeamPlan, ...]
    escalation_queue: int
    queues_count: int = QUEUES_COUNT
    topics_count: int = len(TOPICS)

    @classmethod
    def of(cls, support: Support) -> "Layout":
        """The layout of a scenario. Teams are sorted by name: the order of a file means nothing."""
        return cls(
            teams=tuple(
                TeamPlan(
                    name=name,
                    first=queue_of(team.first, team.channel),
                    further=tuple(queue_of(skill, team.channel) for skill in team.further),
                    overflow_reserve_ratio=team.overflow_reserve_ratio,
                    sessions_per_agent_count=(
                        support.im.sessions_per_agent_count if team.channel == "im" else 1
                    ),
                )
                for name, team in sorted(support.teams.items())
            ),
            escalation_queue=queue_of("specialist", "phone"),
        )

    @property
    def lines_count(self) -> int:
        return PRIORITIES_COUNT * self.queues_count

    @cached_property
    def routes(self) -> tuple[tuple[int, ...], ...]:
        """Per queue: the teams that a new contact asks, those with it as first queue in front.

        Of these, those that know least come first, so that who can help elsewhere stays free to
        (Gans, Koole and Mandelbaum, Manufacturing & Service Operations Management 5, 2003, 5.1).
        """
        return tuple(
            tuple(
                sorted(
                    (t for t, team in enumerate(self.teams) if q in (team.first, *team.further)),
                    key=lambda t: (self.teams[t].rank(q), len(self.teams[t].further), t),
                )
            )
            for q in range(self.queues_count)
        )

    @cached_property
    def preferences(self) -> tuple[tuple[int, ...], ...]:
        """Per team: the lines that a free agent looks into, by priority, then by preference."""
        return tuple(
            tuple(
                priority * self.queues_count + queue
                for priority in range(PRIORITIES_COUNT)
                for queue in (team.first, *team.further)
            )
            for team in self.teams
        )
