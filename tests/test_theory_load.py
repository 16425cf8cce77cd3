"""Loads that nobody knows and loads that move: square roots, the newsvendor, waves, Erlang-R."""

import numpy as np
import pytest

from sim.theory.erlang import patient
from sim.theory.impatience import mmng
from sim.theory.offered_load import offered_load, wave_response
from sim.theory.patience import exponential, parse
from sim.theory.returns import Wave, erlang_r_load
from sim.theory.square_root import (
    beta_of,
    garnett,
    halfin_whitt,
    newsvendor_agents,
    square_root_agents,
)

EXACT = 1e-9


def test_square_root_staffing() -> None:
    betas = (0.25, 0.5, 1.0, 1.5, 2.0)
    printed = (0.7209321134, 0.5045386410, 0.2233612748, 0.08469039449, 0.02688136243)
    assert [halfin_whitt(beta) for beta in betas] == pytest.approx(printed, rel=EXACT)
    assert garnett(0.0, 0.5) == pytest.approx(0.5857864376, rel=EXACT)
    assert garnett(0.0, 2.0) == pytest.approx(0.4142135624, rel=EXACT)
    assert square_root_agents(2000.0, 1.0) == 2045


@pytest.mark.parametrize("beta", [0.5, 1.0, 1.5])
def test_large_queues_come_close_to_their_square_root_limits(beta: float) -> None:
    """The distance falls like the root of the load: a tenth of it at a hundred times the load."""
    apart = []
    for load in (400.0, 40_000.0):
        agents = round(load + beta * load**0.5)
        rates = {"agents": agents, "arrival_per_s": load / 300.0, "aht_s": 300.0}
        c = patient(**rates, threshold_s=20.0)
        a = mmng(**rates, patience=exponential(150.0), threshold_s=20.0)
        limits = halfin_whitt(beta), garnett(beta, 2.0)
        apart.append((float(c.p_wait) - limits[0], float(a.p_wait) - limits[1]))
    assert apart[0] == pytest.approx([10.0 * one for one in apart[1]], rel=0.1)


@pytest.mark.parametrize(
    ("p_wait", "patient_beta", "betas"),
    [
        (0.1, 1.4201868881, (1.37442011, 1.33858049, 1.28155157, 1.1965633, 1.07724264)),
        (0.2, 1.0615162754, (0.984755095, 0.928418442, 0.841621234, 0.715330096, 0.540227647)),
        (0.3, 0.82894463336, (0.717904458, 0.640742968, 0.524400513, 0.357408143, 0.126895345)),
        (0.5, 0.50605446899, (0.307390395, 0.182634635, 0.0, -0.258284377, -0.614780789)),
        (0.7, 0.27148528057, (-0.0634476723, -0.252725721, -0.524400513, -0.906147395,
                             -1.43580892)),
        (0.9, 0.08287596267, (-0.538621322, -0.846098022, -1.28155157, -1.89303869, -2.74884021)),
    ],
)  # fmt: skip
def test_beta_of(p_wait: float, patient_beta: float, betas: tuple[float, ...]) -> None:
    assert beta_of(p_wait, None) == pytest.approx(patient_beta, rel=EXACT, abs=6e-12)
    found = [beta_of(p_wait, ratio) for ratio in (0.25, 0.5, 1.0, 2.0, 4.0)]
    # Printed to nine digits.
    assert found == pytest.approx(betas, rel=6e-9)


def test_newsvendor() -> None:
    agents = newsvendor_agents(
        load_erlang=2000.0,
        load_sd_erlang=100.0,
        agent_per_h=60.0,
        lost_contact=30.0,
        handled_per_h=10.0,
    )
    assert agents == pytest.approx(2084.1621, abs=1e-4)


@pytest.mark.parametrize(
    ("aht_min", "lag_min", "damping", "loads"),
    [
        (6, 7.2951, 0.99887188, "1987.284236 2273.389115 2399.346358 2291.371921 2012.715764 "
         "1726.610885 1600.653642 1708.628079"),
        (30, 34.6284, 0.97716153, "1941.166784 2231.632782 2386.411437 2314.835513 2058.833216 "
         "1768.367218 1613.588563 1685.164487"),
    ],
)  # fmt: skip
def test_load_lags_behind_a_daily_wave(
    aht_min: float, lag_min: float, damping: float, loads: str
) -> None:
    turn = 2.0 * np.pi / 86400.0
    answer = wave_response(turn, parse(f"lognormal:mean={aht_min * 60},cv=1.2"))
    assert abs(answer) == pytest.approx(damping, abs=1e-8)
    assert -np.angle(answer) / turn / 60.0 == pytest.approx(lag_min, abs=1e-4)
    wave = Wave(2000.0, 400.0 * abs(answer), float(np.angle(answer)), turn)
    printed = [float(text) for text in loads.split()]
    assert wave.at(np.arange(0, 24, 3) * 3600.0) == pytest.approx(printed, rel=EXACT)


def test_load_of_intervals_follows_the_wave() -> None:
    """A sine in steps of 6 minutes, eight days long, beside the exact answer on the last."""
    turn, handle = 2.0 * np.pi / 86400.0, parse("lognormal:mean=1800,cv=1.2")
    middle_s = (np.arange(8 * 240) + 0.5) * 360.0
    rate = (2000.0 + 400.0 * np.sin(turn * middle_s)) / 1800.0
    at_s = 7 * 86400.0 + np.arange(0, 24, 3) * 3600.0
    found = offered_load(rate, interval_s=360.0, handle=handle, at_s=at_s)
    answer = wave_response(turn, handle)
    exact = Wave(2000.0, 400.0 * abs(answer), float(np.angle(answer)), turn)
    assert found == pytest.approx(exact.at(at_s), rel=1e-4)


def test_erlang_r() -> None:
    load = erlang_r_load(
        Wave(100.0, 20.0, 0.0, 1.0), aht_s=1.0, return_ratio=0.25, return_delay_s=2.0
    )
    shape = (load.mean, load.amplitude, load.phase)
    assert shape == pytest.approx((133.0 + 1.0 / 3.0, 13.76041832, -0.8584387287), rel=EXACT)
    printed = "122.91913215 135.27477617 145.84546659 144.91255941 133.33376517 121.75457390"
    expected = [float(text) for text in printed.split()]
    assert load.at(np.arange(6)) == pytest.approx(expected, rel=EXACT)
