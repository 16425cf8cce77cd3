"""The five feedback loops: each moves what it should, and switched off passes exactly nothing on.

Method: a lever at the loop's entry is pulled in two worlds, loop on and loop off, and the quantity
at its exit is compared under common random numbers. On: the 99 % paired interval lies on the right
side of 0 (false alarm at most 1 in 200 a test, fixed by the seed). Off: every difference is exactly
0.
"""

from dataclasses import dataclass

import pytest

from tests.worlds import World, paired


@dataclass(frozen=True)
class Loop:
    """A switch, a lever that feeds the loop, and the metrics at its exit with their direction;
    `still` holds other loops still that would carry the lever's effect around this one."""

    switch: str
    lever: World
    exits: dict[str, str]
    still: tuple[str, ...] = ()


SHORT = ("support.headcount_count=36", "support.headcount_before_count=30")
SMALL_POT = ("pots.instant_compensation.day_limit_fen=200000",)
CATEGORIES = ("catering", "hotel", "daytour_scenic", "movie", "show", "laundry_home", "beauty")
HIGH_FINES = tuple(f"conduct.fine_fen.{name}=400000" for name in CATEGORIES)

LOOPS = (
    Loop("abandonment_returns", ((), SHORT), {"redials_count": "up", "escalations_count": "up"}),
    Loop("exhausted_pot_review", ((), SMALL_POT), {"aht_phone_s": "up", "aht_im_s": "up"}),
    Loop(
        "alerts_save_contacts",
        (("monitoring-off",), ()),
        {"contacts_fresh_count": "up", "alert_compensation_fen": "down"},
    ),
    Loop("penalties_deter", ((), HIGH_FINES), {"misconduct_incidents_count": "down"}),
    Loop(
        "api_failover",
        (("api-outage",), ()),
        {"contacts_fresh_count": "up", "aht_im_s": "up"},
        ("loops.exhausted_pot_review=false",),
    ),
)
CASES = [(loop, metric) for loop in LOOPS for metric in loop.exits]
IDS = [f"{loop.switch}-{metric}" for loop, metric in CASES]


@pytest.mark.parametrize(("loop", "metric"), CASES, ids=IDS)
def test_on_it_moves_its_exit(loop: Loop, metric: str) -> None:
    overlays, sets = loop.lever
    moved = paired(metric, ((), loop.still), (overlays, (*sets, *loop.still)))
    assert moved.rises if loop.exits[metric] == "up" else moved.falls, moved.interval()


@pytest.mark.parametrize(("loop", "metric"), CASES, ids=IDS)
def test_off_it_moves_nothing(loop: Loop, metric: str) -> None:
    off = (*loop.still, f"loops.{loop.switch}=false")
    overlays, sets = loop.lever
    moved = paired(metric, ((), off), (overlays, (*sets, *off)))
    assert moved.exactly_zero, moved.differences
