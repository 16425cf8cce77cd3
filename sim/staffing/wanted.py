"""What each group of skills is staffed for, and the agents that theory asks for a load.

Decides which targets a simulation answers (shares of contacts that wait) and which ones theory does
(abandonment, occupancy, speeds of answer). Loads in erlang of slots, times in seconds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from scenarios.scenario import Scenario
from scenarios.words import Channel
from sim.columns import Bools, Floats, Ints
from sim.theory.impatience import mmng
from sim.theory.patience import Patience, lognormal
from sim.theory.targets import AGENTS_LIMIT, Target

GRID_COUNT: Final = 24
LEAST_ERLANG: Final = 0.05


@dataclass(frozen=True, slots=True)
class Wanted:
    """The targets of a group; each service level with its threshold."""

    targets: tuple[Target, ...]
    patience: Patience

    @property
    def delays(self) -> tuple[Target, ...]:
        """Targets on who waits (too long), which the simulation answers."""
        return tuple(t for t in self.targets if t.wants_more_agents and _is_delay(t))

    @property
    def others(self) -> tuple[Target, ...]:
        """Targets that theory answers."""
        return tuple(t for t in self.targets if not _is_delay(t))


def _is_delay(target: Target) -> bool:
    return target.measure == "p_wait" or target.measure.startswith("sl_")


def wanted(scenario: Scenario, channel: Channel, targets: Sequence[Target]) -> Wanted:
    """The given targets, or the scenario's own; a service level without threshold takes the
    channel's."""
    own = scenario.support.targets
    of_channel = own.phone if channel == "phone" else own.im
    if not targets:
        targets = (
            Target("sl_of_offered", True, of_channel.service_level_ratio),
            Target("p_abandon", False, own.abandoned_ratio),
        )
    law = scenario.consumers.patience
    median_s, sigma = (
        (law.phone_median_s, law.phone_sigma_ratio)
        if channel == "phone"
        else (law.im_median_s, law.im_sigma_ratio)
    )
    return Wanted(
        targets=tuple(
            replace(target, threshold_s=of_channel.threshold_s)
            if target.measure.startswith("sl_") and target.threshold_s is None
            else target
            for target in targets
        ),
        patience=lognormal(median_s, sigma),
    )


def slots_of_load(
    load: Floats, targets: Sequence[Target], *, handle_s: float, patience: Patience
) -> Ints:
    """Least slots by M/M/n+G for loads of any shape; 0 where there is no target.

    Solved on a grid of loads; between them (slots - load) / sqrt(load) is interpolated. Raises
    ValueError where a target asks for fewer agents than another needs.
    """
    if not targets:
        return np.zeros(load.shape, dtype=np.int64)
    load = np.maximum(load, LEAST_ERLANG)
    grid = np.geomspace(load.min(), load.max(), GRID_COUNT if np.ptp(load) > 0.0 else 1)

    def value(slots: Ints, target: Target) -> Floats:
        said = mmng(
            agents=slots,
            arrival_per_s=grid / handle_s,
            aht_s=handle_s,
            patience=patience,
            threshold_s=target.threshold_s or 0.0,
        )
        return np.asarray(getattr(said, target.measure))

    def enough(slots: Ints) -> Bools:
        found = np.ones(len(grid), dtype=np.bool_)
        for target in targets:
            if target.wants_more_agents:
                found &= target.met(value(slots, target))
        return found

    slots = _least(enough, len(grid))
    for target in targets:
        met = target.met(value(slots, target))
        if not met.all():
            worst = int(np.argmin(met))
            raise ValueError(
                f"{target} contradicts the other targets: {slots[worst]} slots, which they need "
                f"for {grid[worst]:.4g} erlang, do not keep it"
            )
    spare = (slots - grid) / np.sqrt(grid)
    found = load + np.interp(load, grid, spare) * np.sqrt(load)
    return np.ceil(found - 1e-9).astype(np.int64)


def _least(enough: Callable[[Ints], Bools], count: int) -> Ints:
    """Least slots, each at least 1, from which on a condition holds."""
    low, high = np.zeros(count, dtype=np.int64), np.ones(count, dtype=np.int64)
    while not (met := enough(high)).all():
        low, high = np.where(met, low, high), np.where(met, high, 2 * high)
        if high.max() > AGENTS_LIMIT:
            raise ValueError(f"a target needs more than {AGENTS_LIMIT} slots")
    while (high - low).max() > 1:
        middle = np.maximum((low + high) // 2, 1)
        met = enough(middle)
        low, high = np.where(met, low, middle), np.where(met, middle, high)
    return high
