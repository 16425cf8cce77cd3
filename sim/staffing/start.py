"""From loads to agents: by theory at the quantile of replications that the risk asks for.

The load that an endless floor would carry in each replication, with its returns, lognormal handle
times, sessions and random demand, staffed by M/M/n+G at the quantile of replications that the risk
asks for (modified offered load; Jennings, Mandelbaum, Massey and Whitt, Management Science 42,
1996); and one step of iterative staffing from what floors with those agents show.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy.ndimage import uniform_filter1d

from scenarios.scenario import Scenario
from sim.columns import Floats, Ints
from sim.staffing.floor import Groups, Shown
from sim.staffing.isa import LEAST_LOAD_ERLANG, Spread, by_replication
from sim.staffing.wanted import Wanted, slots_of_load, wanted
from sim.theory.targets import Target, contradictions

# Intervals that share a spread over replications: two hours and a quarter.
WINDOW: Final = 9
BETTER_FORECAST_RATIO: Final = 0.95
"""A forecast 5 % better: the days miss their forecast by so much of what they do now."""


class TargetError(ValueError):
    """Raised when no number of agents can meet the targets together."""


def asked_of(scenario: Scenario, targets: Sequence[Target]) -> list[Wanted]:
    """What each group is staffed for; no `targets` means the scenario's own. Raises TargetError."""
    asked = [wanted(scenario, channel, targets) for channel in Groups.of(scenario.support).channels]
    said = sorted({text for one in asked for text in contradictions(one.targets)})
    if said:
        raise TargetError("; ".join(said))
    return asked


class Start:
    """Agents that follow from loads; arrays have the shape (intervals, groups)."""

    def __init__(
        self,
        groups: Groups,
        asked: Sequence[Wanted],
        *,
        loads: Floats,
        handle_s: Floats,
        risk_ratio: float,
        ticks_per_day: int,
    ) -> None:
        """`loads` in slots, shape (replications, intervals, groups); `handle_s` by group."""
        self._groups, self._asked, self._risk_ratio = groups, asked, risk_ratio
        self._ticks_per_day = ticks_per_day
        self._loads = loads
        self._load = uniform_filter1d(self._loads.mean(axis=0), 3, axis=0, mode="nearest")
        self._handle_s = handle_s
        risky = self._risky(self._loads)
        self.agents = self._by_theory(risky, [one.targets for one in asked])
        self._others = self._by_theory(risky, [one.others for one in asked])

    def _risky(self, loads: Floats) -> Floats:
        """The load that a share `risk_ratio` of replications stays under."""
        risky = np.empty_like(self._load)
        for g in range(len(self._asked)):
            own = uniform_filter1d(loads[:, :, g], 3, axis=1, mode="nearest")
            spread = Spread(
                self._load[:, g],
                risk_ratio=self._risk_ratio,
                window=WINDOW,
                ticks_per_day=self._ticks_per_day,
            )
            risky[:, g] = spread.upper(self._load[:, g], own)
        return risky

    def better_forecast_ratio(self) -> Floats:
        """Share of the agents needed when every day is as much nearer to its forecast.

        A day's forecast error is how far its load is from the mean of all replications, by group;
        it is drawn in to BETTER_FORECAST_RATIO of itself, replication by replication, and what
        varies within the day stays as it is.
        """
        days = self._loads.reshape(len(self._loads), -1, self._ticks_per_day, len(self._asked))
        of_day = days.sum(axis=2)
        expected = np.maximum(of_day.mean(axis=0), LEAST_LOAD_ERLANG)
        level = np.maximum(of_day, LEAST_LOAD_ERLANG) / expected
        nearer = 1.0 + BETTER_FORECAST_RATIO * (level - 1.0)
        loads = (days * (nearer / level)[:, :, np.newaxis]).reshape(self._loads.shape)
        better = self._by_theory(self._risky(loads), [one.targets for one in self._asked])
        return np.asarray(np.maximum(better, 1) / np.maximum(self.agents, 1), dtype=np.float64)

    def _by_theory(self, load: Floats, targets: Sequence[Sequence[Target]]) -> Ints:
        """Agents by M/M/n+G. Raises TargetError."""
        try:
            slots = [
                slots_of_load(
                    load[:, g],
                    targets[g],
                    handle_s=float(self._handle_s[g]),
                    patience=self._asked[g].patience,
                )
                for g in range(len(targets))
            ]
        except ValueError as error:
            raise TargetError(str(error)) from None
        return self._whole_agents(np.stack(slots, axis=1).astype(np.float64))

    def iterate(self, floors: Sequence[Shown]) -> Ints:
        """The agents that follow from floors run with those found before."""
        slots = np.zeros_like(self._load)
        for g, one in enumerate(self._asked):
            in_system = np.array([floor.in_system[:, :, g] for floor in floors], dtype=np.float64)
            for target in one.delays:
                late_ratio = 1.0 - target.bound if target.at_least else target.bound
                needed = by_replication(
                    in_system,
                    self._load[:, g],
                    delay_ratio=late_ratio,
                    risk_ratio=self._risk_ratio,
                    window=WINDOW,
                    ticks_per_day=self._ticks_per_day,
                )
                # A queue that is gone within T: n slots and n x T / handle time contacts in line.
                gone = 1.0 + (target.threshold_s or 0.0) / float(self._handle_s[g])
                slots[:, g] = np.maximum(slots[:, g], needed / gone)
        return np.maximum(self._whole_agents(slots), self._others)

    def _whole_agents(self, slots: Floats) -> Ints:
        return np.ceil(slots / self._groups.sessions - 1e-9).astype(np.int64)
