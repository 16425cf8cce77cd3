"""Closed forms beside CHECKS A.1 and A.2 to the printed digits, and their limits."""

import numpy as np
import pytest

from sim.theory.erlang import erlang_b, erlang_c, patient
from sim.theory.impatience import erlang_a, mmng
from sim.theory.patience import parse


def test_erlang_b_and_c() -> None:
    b = erlang_b([1, 5, 100, 2400, 2400], [0.5, 3.0, 100.0, 2300.0, 2600.0])
    printed = [0.3333333333, 0.1100543478, 0.0757004527, 0.0009732141357, 0.0810708495849]
    assert b == pytest.approx(printed, rel=1e-9)
    c = erlang_c([14, 2400, 2400], [10.0, 2300.0, 2350.0])
    assert c == pytest.approx([0.1741319336, 0.0228457614445, 0.214036252838], rel=1e-9)


def test_erlang_a() -> None:
    said = erlang_a(
        agents=2300, arrival_per_s=6000 / 900, aht_s=360.0, patience_s=180.0, threshold_s=20.0
    )
    levels = (
        said.sl_of_offered,
        said.sl_excluding_short_abandons,
        said.sl_counting_short_abandons,
        said.sl_of_answered,
    )
    printed = (0.9480241919, 0.9897554947, 0.9901874362, 0.9898596207)
    assert levels == pytest.approx(printed, rel=1e-9)
    assert (said.p_wait, said.p_abandon, said.mean_wait_s) == pytest.approx(
        (0.9210070597, 0.0422640019, 7.607520336), rel=2e-9
    )


def test_speeds_of_answer() -> None:
    said = erlang_a(
        agents=13, arrival_per_s=100 / 1800, aht_s=180.0, patience_s=300.0, threshold_s=20.0
    )
    speeds = (said.asa_all_s, said.asa_answered_s, said.asa_virtual_s)
    assert speeds == pytest.approx((7.4889910901, 6.9139683061, 8.3120925606), rel=1e-10)


def test_endless_patience_is_erlang_c() -> None:
    queue = {"agents": 13, "arrival_per_s": 100 / 1800, "aht_s": 180.0, "threshold_s": 20.0}
    limit = erlang_a(**queue, patience_s=1e12)
    assert limit.sl_of_offered == pytest.approx(patient(**queue).sl_of_offered, rel=1e-9)


def test_weibull_of_cv_1_is_exponential() -> None:
    queue = {"agents": 13, "arrival_per_s": 100 / 1800, "aht_s": 180.0, "threshold_s": 20.0}
    same = mmng(**queue, patience=parse("weibull:mean=300,cv=1"))
    assert same.p_abandon == pytest.approx(erlang_a(**queue, patience_s=300.0).p_abandon, rel=1e-9)


def test_5000_agents_are_finite() -> None:
    for rate in (10.0, 5000.0, 50_000.0):
        for law in ("deterministic:60", "lognormal:mean=300,cv=1.5", "weibull:mean=300,cv=2"):
            said = mmng(
                agents=5000, arrival_per_s=rate, aht_s=1.0, patience=parse(law), threshold_s=20.0
            )
            assert np.isfinite(said.p_wait)
            assert 0.0 <= said.p_abandon <= 1.0


@pytest.mark.parametrize("text", ["gamma:mean=3", "lognormal:mean=300", "exponential:mean=-1"])
def test_a_wrong_law_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="law of patience"):
        parse(text)
