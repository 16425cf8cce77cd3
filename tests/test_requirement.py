"""Agents that are needed: shape, groups that share agents, and targets that contradict."""

import numpy as np
import pytest

from sim.staffing.floor import Groups
from sim.staffing.floors import Tapes
from sim.staffing.requirement import Requirement, required
from sim.staffing.start import TargetError
from sim.staffing.wanted import slots_of_load
from sim.support.layout import Layout
from sim.theory.patience import exponential
from sim.theory.targets import Target
from sim.theory.targets import parse as target
from tests.synthetic_run import InlineExecutor
from tests.worlds import SEED, small

ONE_DAY = small(sets=("horizon.last_day=1",))


def found(targets: tuple[Target, ...], replications: int = 2) -> Requirement:
    numbers = range(replications)
    with Tapes.open(ONE_DAY, seed=SEED, workers=1, executor=InlineExecutor()) as tapes:
        endless = tapes.record(numbers, lambda _done: None)
        return required(tapes, numbers, endless, targets=targets, risk_ratio=0.95)


def test_a_requirement_covers_the_horizon() -> None:
    requirement = found(())
    horizon = ONE_DAY.horizon
    assert requirement.first_lunar_day == horizon.start_day
    shape = (horizon.days_count * horizon.ticks_per_day, 6)
    assert requirement.agents.shape == shape
    assert requirement.skills[:2] == ("instant_compensation/phone", "instant_compensation/im")
    by_hour = requirement.agents.reshape(-1, 4, 6).sum(axis=(1, 2))
    assert by_hour[24:].argmax() in range(9, 23)
    assert requirement.agents[96:].sum(axis=0).min() > 0
    # Days nearer to their forecast need fewer agents in all; an hour against its day's trend, more.
    better = requirement.better_forecast_ratio
    assert 0.9 < np.average(better, weights=requirement.agents + 1) < 1.0


def test_contradictions_are_refused() -> None:
    with pytest.raises(TargetError, match="contradicts"):
        found((target("sl>=0.9"), target("sl<=0.5")))
    with pytest.raises(TargetError, match=r"occupancy >= 0\.99 contradicts"):
        found((target("sl>=0.9"), target("occupancy>=0.99")), replications=1)


def test_two_skills_with_only_cross_trained_agents_need_their_common_load() -> None:
    """10 erlang each: 24 agents together, not the 14 of one of them."""
    support = ONE_DAY.support
    crossed = support.model_copy(
        update={
            "teams": {
                name: team.model_copy(
                    update={
                        "first": "specialist",
                        "further": ("instant_compensation", "general"),
                    }
                )
                if team.channel == "phone"
                else team
                for name, team in support.teams.items()
            }
        }
    )
    groups = Groups.of(crossed)
    together = "instant_compensation/phone+general/phone+specialist/phone"
    assert together in groups.names
    group = groups.names.index(together)
    team = groups.layout(crossed).teams[groups.team[group]]
    assert {team.first, *team.further} == {0, 2, 4}
    load, wanted = np.array([10.0, 20.0]), (target("80/20"),)
    slots = slots_of_load(load, wanted, handle_s=180.0, patience=exponential(1e9))
    assert slots.tolist() == [14, 24]


def test_every_group_stands_alone() -> None:
    groups = Groups.of(ONE_DAY.support)
    layout = groups.layout(ONE_DAY.support)
    assert len(groups.names) == 6
    assert not any(layout.teams[team].further for team in groups.team)
    slots = groups.slots(np.ones((3, 6), dtype=np.int64), len(Layout.of(ONE_DAY.support).teams))
    assert slots.sum(axis=1).tolist() == [3 + 3 * 3] * 3
