"""Closed forms beside published and high-precision values, and their limits.

The figures have ten digits, from arbitrary-precision arithmetic; a last digit is good to one unit,
which for the fewest digits decides the tolerance instead of 1e-9. The CLI is held in
test_theory_command.py.
"""

import time
from functools import partial

import numpy as np
import pytest

from sim.theory.chat import chat
from sim.theory.erlang import Measures, erlang_b, erlang_c, log_erlang_b, patient
from sim.theory.impatience import erlang_a, mmng
from sim.theory.patience import exponential, parse
from sim.theory.priority import priorities
from sim.theory.returns import returning
from sim.theory.targets import least_agents
from sim.theory.targets import parse as target
from sim.theory.uncertain import mixed

EXACT = 1e-9
SMALL_OFFICE = {"arrival_per_s": 100 / 1800, "aht_s": 180.0}
LEVELS = (
    "p_wait",
    "p_abandon",
    "mean_wait_s",
    "sl_of_offered",
    "sl_excluding_short_abandons",
    "sl_counting_short_abandons",
    "sl_of_answered",
)


@pytest.mark.parametrize(
    ("n", "load", "b", "c"),
    [
        (1, 0.5, 0.3333333333, 0.5),
        (2, 1.0, 0.2, 0.3333333333),
        (5, 3.0, 0.1100543478, 0.2361516035),
        (10, 8.0, 0.1216610643, 0.4091801508),
        (14, 10.0, 0.0568191434, 0.1741319336),
        (50, 40.0, 0.0186906711, 0.0869525495),
        (100, 90.0, 0.0269573805, 0.2169404809),
        (100, 100.0, 0.0757004527, 1.0),
        (2400, 2300.0, 0.0009732141357, 0.0228457614445),
        (2400, 2350.0, None, 0.214036252838),
        (2400, 2400.0, 0.0161112608186, 1.0),
        (2400, 2600.0, 0.0810708495849, 1.0),
    ],
)
def test_erlang_b_and_c(n: int, load: float, b: float | None, c: float) -> None:
    digit = 6e-11
    if b is not None:
        assert erlang_b(n, load) == pytest.approx(b, rel=EXACT, abs=digit)
    assert erlang_c(n, load) == pytest.approx(c, rel=EXACT, abs=digit)


@pytest.mark.parametrize(
    ("n", "p_wait", "asa_s", "sl", "occupancy"),
    [
        (11, 0.6821182047, 122.7812768, 0.3896138117, 0.9090909),
        (12, 0.4493882243, 40.44494019, 0.6401580404, 0.8333333),
        (13, 0.2852704530, 17.11622718, 0.7955947884, 0.7692308),
        (14, 0.1741319336, 7.83593701177724, 0.8883500192, 0.7142857),
        (15, 0.1020423670, 3.673525212, 0.9414528429, 0.6666667),
    ],
)
def test_patient(n: int, p_wait: float, asa_s: float, sl: float, occupancy: float) -> None:
    said = patient(agents=n, **SMALL_OFFICE, threshold_s=20.0)
    assert (said.p_wait, said.mean_wait_s, said.sl_of_offered) == pytest.approx(
        (p_wait, asa_s, sl), rel=EXACT
    )
    assert said.occupancy == pytest.approx(occupancy, abs=1e-7)


def test_patient_elsewhere() -> None:
    twice = patient(agents=[23, 24], arrival_per_s=200 / 1800, aht_s=180.0, threshold_s=20.0)
    assert twice.sl_of_offered == pytest.approx([0.7021110108, 0.8088818870], rel=EXACT)
    assert twice.p_wait[1] == pytest.approx(0.2980722998, rel=EXACT)
    assert twice.mean_wait_s[1] == pytest.approx(13.41325349, rel=EXACT)
    large = patient(
        agents=[2310, 2350, 2400], arrival_per_s=6000 / 900, aht_s=345.0, threshold_s=20.0
    )
    printed = [0.5721600374, 0.9884357996, 0.9999306324]
    assert large.sl_of_offered == pytest.approx(printed, rel=EXACT)
    assert large.mean_wait_s[0] == pytest.approx(26.35514195, rel=EXACT)


@pytest.mark.parametrize(
    ("load", "at_80", "at_90"),
    [
        (5, 8, 9),
        (10, 14, 15),
        (50, 57, 59),
        (100, 108, 111),
        (500, 513, 518),
        (1000, 1015, 1021),
        (2000, 2017, 2024),
    ],
)
def test_required_by_erlang_c(load: float, at_80: int, at_90: int) -> None:
    def solve(n: int, within_s: float) -> Measures:
        return patient(agents=n, arrival_per_s=load / 300.0, aht_s=300.0, threshold_s=within_s)

    found = [least_agents(solve, [target(t)], threshold_s=20.0) for t in ("80/20", "90/20")]
    assert found == [at_80, at_90]


@pytest.mark.parametrize(
    ("calls", "period_s", "aht_s", "patience_s", "within_s", "n", "printed"),
    [
        (100, 1800, 180, 300, 20, 11, "0.4597748418 0.0699452961 20.98358882 0.6568732037 "
         "0.6742106541 0.6825883868 0.7062737287"),
        (100, 1800, 180, 300, 20, 12, "0.3318020355 0.0427111057 12.81333171 0.7722793077 "
         "0.7862944111 0.7901035516 0.8067358896"),
        (100, 1800, 180, 300, 20, 13, "0.2257970840 0.0249633036 7.488991090 0.8581777000 "
         "0.8682745212 0.8698063047 0.8801491300"),
        (100, 1800, 180, 300, 20, 14, "0.1452601143 0.0139837441 4.195123237 0.9167920919 "
         "0.9234073223 0.9239560273 0.9297940946"),
        (100, 1800, 180, 60, 20, 10, "0.4234176749 0.1575268715 9.451612289 0.7180101881 "
         "0.7953326005 0.8152304106 0.8522647950"),
        (100, 60, 60, 60, 6, 100, "0.5132987983 0.0398609968 2.391659809 0.8136545349 "
         "0.8401755881 0.8452206189 0.8474341030"),
        (6000, 900, 360, 180, 20, 2300, "0.9210070597 0.0422640019 7.607520336 0.9480241919 "
         "0.9897554947 0.9901874362 0.9898596207"),
        (6000, 900, 360, 180, 120, 2300, "0.9210070597 0.0422640019 7.607520336 0.9577359981 "
         "1 1 1"),
        (6000, 900, 360, 180, 20, 2400, "0.4174022035 0.00954008790 1.717215821 0.9903996645 "
         "0.9999387396 0.9999393240 0.9999391721"),
    ],
)  # fmt: skip
def test_erlang_a(
    calls: float,
    period_s: float,
    aht_s: float,
    patience_s: float,
    within_s: float,
    n: int,
    printed: str,
) -> None:
    said = erlang_a(
        agents=n,
        arrival_per_s=calls / period_s,
        aht_s=aht_s,
        patience_s=patience_s,
        threshold_s=within_s,
    )
    expected = [float(text) for text in printed.split()]
    found = [float(getattr(said, name)) for name in LEVELS]
    assert found == pytest.approx(expected, rel=EXACT, abs=6e-11)


def test_speeds_of_answer() -> None:
    said = erlang_a(agents=[11, 13], **SMALL_OFFICE, patience_s=300.0, threshold_s=20.0)
    speeds = (said.asa_all_s, said.asa_answered_s, said.asa_virtual_s)
    printed = [
        [20.983588819, 7.4889910901],
        [19.603253238, 6.9139683061],
        [24.098222763, 8.3120925606],
    ]
    for found, expected in zip(speeds, printed, strict=True):
        assert found == pytest.approx(expected, rel=EXACT)
    # All waits are those of the answered and of the abandoned; the latter are printed, too.
    left_s = (said.asa_all_s - said.asa_answered_s * (1.0 - said.p_abandon)) / said.p_abandon
    assert left_s == pytest.approx([39.337755175, 29.948691292], rel=EXACT)


def test_required_with_an_occupancy_cap() -> None:
    solve = partial(erlang_a, arrival_per_s=6600 / 900, aht_s=360.0, patience_s=300.0)
    targets = [target("90/60"), target("occupancy<=0.95")]
    found = least_agents(
        lambda n, within_s: solve(agents=n, threshold_s=within_s), targets, threshold_s=20.0
    )
    assert found == 2779


def test_erlang_a_agrees_with_its_series_at_extremes() -> None:
    """40-digit series of the closed form: overload, little and much patience, many agents."""
    cases = [
        (5000, 4900.0, 10.0, 0.05, 0.09604419083831447, 8.828611455490147e-05),
        (5000, 8000.0, 0.2, 0.01, 1.0, 0.375),
        (100, 200.0, 1e4, 1.0, 1.0, 0.5),
        (100, 99.0, 1e5, 1.0, 0.8826662239087478, 8.809183756420062e-06),
        (10, 8.0, 1e-3, 0.1, 0.12251003372366695, 0.12130183060844046),
        (2400, 2300.0, 1e-5, 0.1, 0.0009953017332010906, 0.0009722313530056756),
        (1, 0.01, 1.0, 0.1, 0.009950166250831947, 0.004983374916805358),
    ]
    for n, load, patience, within, p_wait, p_abandon in cases:
        said = erlang_a(
            agents=n, arrival_per_s=load, aht_s=1.0, patience_s=patience, threshold_s=within
        )
        assert (said.p_wait, said.p_abandon) == pytest.approx((p_wait, p_abandon), rel=EXACT)
    swamped = erlang_a(
        agents=5000, arrival_per_s=8000.0, aht_s=1.0, patience_s=0.2, threshold_s=0.01
    )
    assert swamped.sl_of_offered == pytest.approx(1.196130543363585e-46, rel=EXACT)


def test_priorities() -> None:
    together, by_class = priorities(
        agents=13, arrivals_per_s=(30 / 1800, 70 / 1800), aht_s=180.0, threshold_s=20.0
    )
    assert by_class.mean_wait_s == pytest.approx([5.134868155, 22.25109534], rel=EXACT)
    assert together.mean_wait_s == pytest.approx(17.11622718, rel=EXACT)
    alone = patient(agents=13, **SMALL_OFFICE, threshold_s=20.0)
    one, _ = priorities(agents=13, arrivals_per_s=(100 / 1800,), aht_s=180.0, threshold_s=20.0)
    assert one.sl_of_offered == pytest.approx(alone.sl_of_offered, rel=EXACT)


def test_waits_by_priority_integrate_to_their_means() -> None:
    """Two ways to a mean: Cobham's, and the walk's P(wait > T) summed over T."""
    queue = partial(priorities, agents=5, arrivals_per_s=(0.006, 0.004, 0.004), aht_s=180.0)
    step_s = 5.0
    tails = np.array(
        [1.0 - queue(threshold_s=t)[1].sl_of_offered for t in np.arange(0.0, 3000.5, step_s)]
    )
    weights = np.array([1.0, *[4.0, 2.0] * 299, 4.0, 1.0]) * step_s / 3.0
    _, by_class = queue(threshold_s=0.0)
    assert weights @ tails == pytest.approx(by_class.mean_wait_s, rel=1e-3)


def test_reconnects() -> None:
    for ratio, n, printed in (
        (0.1, 15, 0.8688730784),
        (0.2, 16, 0.8209870742),
        (0.25, 17, 0.8287919640),
    ):
        _, said = returning(
            agents=n,
            fresh_per_s=100 / 1800,
            aht_s=180.0,
            patience=None,
            redial_ratio=0.0,
            reconnect_ratio=ratio,
            threshold_s=20.0,
        )
        assert said.sl_of_offered == pytest.approx(printed, rel=EXACT)


def test_redials_and_reconnects_balance() -> None:
    total, said = returning(
        agents=10,
        fresh_per_s=100 / 1800,
        aht_s=180.0,
        patience=exponential(60.0),
        redial_ratio=0.6,
        reconnect_ratio=0.2,
        threshold_s=20.0,
    )
    abandoned = float(said.p_abandon)
    gone = total * ((1.0 - abandoned) * 0.8 + abandoned * 0.4)
    assert gone == pytest.approx(100 / 1800, rel=1e-12)


def test_a_chat_is_a_slot() -> None:
    queue = {"arrival_per_s": 0.5, "threshold_s": 20.0, "patience": exponential(120.0)}
    said = chat(agents=50, sessions_count=3, efficiency_ratio=0.8, aht_s=180.0, **queue)
    slots = mmng(agents=150, aht_s=225.0, **queue)
    assert said.agents == 50
    assert said.p_abandon == slots.p_abandon


@pytest.mark.parametrize(
    ("n", "printed"),
    [
        (13, (0.8581777, 0.83845657, 0.78662758, 0.72051924)),
        (14, (0.91679209, 0.90034698, 0.85361459, 0.78830400)),
        (15, (0.95385646, 0.94147934, 0.90304761, 0.84326513)),
    ],
)
def test_gamma_rates(n: int, printed: tuple[float, ...]) -> None:
    queue = partial(erlang_a, agents=n, aht_s=180.0, patience_s=300.0, threshold_s=20.0)
    found = [
        mixed(
            lambda r: queue(arrival_per_s=r), arrival_per_s=100 / 1800, cv=cv, law="gamma"
        ).sl_of_offered
        for cv in (0.0, 0.1, 0.2, 0.3)
    ]
    assert found == pytest.approx(printed, abs=1e-8)


@pytest.mark.parametrize(
    ("n", "levels", "abandoned"),
    [
        (2060, (0.998918, 0.952574, 0.804347), (0.001049, 0.010230, 0.027742)),
        (2100, (0.999880, 0.978800, 0.856173), (0.000119, 0.005528, 0.020771)),
        (2200, (1.000000, 0.998154, 0.942211), (0.000000, 0.000790, 0.009051)),
        (2273, (1.000000, 0.999781, 0.974036), (0.000000, 0.000129, 0.004450)),
        (2400, (1.000000, 0.999997, 0.995117), (0.000000, 0.000002, 0.001031)),
    ],
)
def test_a_forecast_of_2000_erlang(
    n: int, levels: tuple[float, ...], abandoned: tuple[float, ...]
) -> None:
    queue = partial(erlang_a, agents=n, aht_s=360.0, patience_s=300.0, threshold_s=20.0)
    found = [
        mixed(lambda r: queue(arrival_per_s=r), arrival_per_s=2000 / 360, cv=cv, law="normal")
        for cv in (0.0, 0.05, 0.1)
    ]
    # Asked for to 0.002; the printed quadrature of CV 10 % is itself good to 1.5e-4.
    assert [one.sl_of_offered for one in found] == pytest.approx(levels, abs=2e-4)
    assert [one.p_abandon for one in found] == pytest.approx(abandoned, abs=2e-4)


def test_endless_patience_is_erlang_c() -> None:
    queue = {"agents": 13, **SMALL_OFFICE, "threshold_s": 20.0}
    limit = erlang_a(**queue, patience_s=1e12)
    assert limit.sl_of_offered == pytest.approx(patient(**queue).sl_of_offered, rel=EXACT)


def test_weibull_of_cv_1_is_exponential() -> None:
    queue = {"agents": 13, **SMALL_OFFICE, "threshold_s": 20.0}
    same = mmng(**queue, patience=parse("weibull:mean=300,cv=1"))
    assert same.p_abandon == pytest.approx(erlang_a(**queue, patience_s=300.0).p_abandon, rel=EXACT)


def test_5000_agents_are_finite() -> None:
    assert log_erlang_b(5000, 1.0) == pytest.approx(-37592.143476, rel=EXACT)
    for rate in (10.0, 5000.0, 50_000.0):
        for law in ("deterministic:60", "lognormal:mean=300,cv=1.5", "weibull:mean=300,cv=2"):
            said = mmng(
                agents=5000, arrival_per_s=rate, aht_s=1.0, patience=parse(law), threshold_s=20.0
            )
            assert np.isfinite(said.p_wait)
            assert 0.0 <= said.p_abandon <= 1.0


def test_a_day_of_intervals_in_a_tenth_of_a_second() -> None:
    """CPU time, of which a busy machine takes none away; about 0.02 s where this was written."""
    queue = partial(erlang_a, aht_s=360.0, patience_s=180.0, threshold_s=20.0)
    day = {"agents": np.arange(2380, 2476), "arrival_per_s": np.linspace(6.0, 7.2, 96)}
    queue(**day)
    started_s = time.process_time()
    queue(**day)
    assert time.process_time() - started_s < 0.1


@pytest.mark.parametrize("text", ["gamma:mean=3", "lognormal:mean=300", "exponential:mean=-1"])
def test_a_wrong_law_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="law of patience"):
        parse(text)
