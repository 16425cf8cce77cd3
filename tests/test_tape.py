"""A floor that is run again alone, or with agents given by tick, meets the same contacts."""

import numpy as np

from sim.replication import simulate
from sim.streams import Streams
from sim.support.tape import Tape
from sim.world import World
from tests.worlds import SEED, result, small


def test_the_floor_alone_gives_the_same_record() -> None:
    scenario, tape = small(), Tape()
    world = World(scenario, Streams(seed=SEED, replication=0), tape=tape)
    world.run()
    again = tape.play(
        world.layout,
        tick_s=scenario.horizon.tick_s,
        slots=world.roster.slots,
        pace=world.roster.pace,
    )
    first = world.pool.attempts()
    assert np.array_equal(first.answered_s, again.answered_s, equal_nan=True)
    assert np.array_equal(first.ended_s, again.ended_s, equal_nan=True)


def test_agents_by_tick_move_no_draw() -> None:
    scenario = small()
    shape = (scenario.horizon.days_count * scenario.horizon.ticks_per_day, 8)
    plenty = simulate(
        scenario, seed=SEED, replication=0, agents=np.full(shape, 500, dtype=np.int64)
    )
    usual = result()
    for name in ("orders_count", "incidents_count", "contacts_fresh_count"):
        assert plenty.metrics[name] == usual.metrics[name]
    assert plenty.metrics["contacts_abandoned_count"][0] == 0.0
    assert plenty.metrics["service_level_phone_ratio"][0] == 1.0
    assert (plenty.tables["staffing"]["agents_available"] == 500).all()
