"""What a world gave to its floor, tick by tick: enough to run the floor alone again, staffed anew.

The floor alone is several times faster than the world around it. What the floor would have changed
in the world (pots that run dry later or earlier, and so the surcharge on handle times) stays as it
was taken down.
"""

from collections.abc import Generator
from dataclasses import dataclass, field

import simpy

from sim.columns import Ints
from sim.support.attempts import Attempts
from sim.support.cases import Cases, Floats
from sim.support.layout import Layout
from sim.support.pool import Pool


@dataclass(frozen=True, slots=True)
class Tape:
    """Cases and surcharges by tick."""

    cases: list[Cases] = field(default_factory=list)
    surcharges: list[tuple[float, ...]] = field(default_factory=list)

    def take(self, cases: Cases, surcharge: tuple[float, ...]) -> None:
        """Takes a tick down."""
        self.cases.append(cases)
        self.surcharges.append(surcharge)

    def play(self, layout: Layout, *, tick_s: float, slots: Ints, pace: Floats) -> Attempts:
        """The floor's record with other slots and pace, both of shape (ticks, teams)."""
        assert len(slots) == len(pace) == len(self.cases)
        env = simpy.Environment()
        pool = Pool(env, layout)

        def live() -> Generator[simpy.Event, None, None]:
            ticks = zip(self.cases, self.surcharges, slots.tolist(), pace.tolist(), strict=True)
            for cases, surcharge, tick_slots, tick_pace in ticks:
                pool.staff(tick_slots, tick_pace)
                pool.surcharge(surcharge)
                pool.offer(cases)
                yield env.timeout(tick_s)

        env.run(until=env.process(live()))
        return pool.attempts()
