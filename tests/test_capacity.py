"""Capacity: the law's fit and inverse, the search's interval, and a whole test on a small scale."""

import json
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loadtests import trace
from loadtests.capacity.command import concluded
from loadtests.capacity.plan import Capacity
from loadtests.capacity.scaling import Law, doubts, fit
from loadtests.capacity.search import Limit, Step, Word, search
from loadtests.capacity.steps import piece_of
from loadtests.trace import TraceError
from tests.test_cli import springpeak_says
from tests.trace_cases import small_trace


@pytest.mark.parametrize(
    "law", [Law(1000.0, 0.0, 0.0), Law(995.6, 0.0267, 0.000769), Law(50.0, 0.3, 0.02)]
)
def test_the_fit_finds_the_law_behind_exact_capacities(law: Law) -> None:
    """The middle row was fitted to a data base server by B. Schwartz (Practical Scalability
    Analysis with the Universal Scalability Law, 2015)."""
    counts = [1, 2, 4, 8, 16, 32, 48, 64]
    found = fit(counts, [law.capacity_per_s(n) for n in counts])
    assert found.per_worker_per_s == pytest.approx(law.per_worker_per_s, rel=1e-6)
    assert found.contention_ratio == pytest.approx(law.contention_ratio, abs=1e-6)
    assert found.coherency_ratio == pytest.approx(law.coherency_ratio, abs=1e-7)


def test_few_measurements_fix_few_parameters() -> None:
    one = fit([2], [1000.0])
    assert (one.contention_ratio, one.coherency_ratio, one.best_workers) == (0.0, 0.0, inf)
    assert one.capacity_per_s(6) == pytest.approx(3000.0)
    two = fit([1, 2], [1000.0, 1600.0])
    assert two.contention_ratio == pytest.approx(0.25)
    assert two.coherency_ratio == 0.0


@given(st.floats(10.0, 1e5), st.floats(0.0, 0.9), st.floats(0.0, 0.1), st.floats(1.0, 1e7))
def test_the_number_of_workers_is_the_least_that_carries_the_load(
    per_worker: float, contention: float, coherency: float, load: float
) -> None:
    law = Law(per_worker, contention, coherency)
    needed = law.workers_for(load)
    if needed is None:
        for count in (1, 2, max(1, int(min(law.best_workers, 1e6)))):
            assert law.capacity_per_s(count) < load
    else:
        # A whole number beyond the law's peak may carry a little less than the peak itself.
        assert law.capacity_per_s(min(needed, law.best_workers)) >= load * (1 - 1e-6)
        assert needed == 1 or law.capacity_per_s(needed - 1) < load


def found(*limits: tuple[float, float], peak_per_s: float) -> Capacity:
    """Limits of 1, 2, ... workers, all reached."""
    measured = {n: Limit(low, high, True, ()) for n, (low, high) in enumerate(limits, start=1)}
    return Capacity(measured, peak_per_s, Path())


def test_a_law_that_fits_is_told_with_the_workers_needed() -> None:
    good = found((1000.0, 1100.0), (1800.0, 1900.0), peak_per_s=2400.0)
    assert good.doubts() == []
    law, needed = concluded(good)
    assert law.startswith("scalability law: 1,000 per worker and second, contention 0.111")
    assert needed == "the peak of 2,400 requests per second needs 3 workers"
    assert concluded(replace(good, peak_per_s=1050.0))[1].endswith("needs 1 to 2 workers")
    assert concluded(replace(good, peak_per_s=500.0))[1].endswith("needs 1 worker")
    one = concluded(found((1000.0, 1100.0), peak_per_s=2100.0))
    assert "perfect scaling assumed" in one[0]
    assert one[1].endswith("needs 2 to 3 workers")


@pytest.mark.parametrize(
    ("second", "doubt"),
    [
        # Two workers cannot carry more than twice as much: the fit lies between.
        ((3000.0, 3100.0), "for 2 workers, measured were 3,000 to 3,100"),
        # Fewer with two than with one: contention ends at 1.
        ((700.0, 760.0), "the fit is at its bound"),
    ],
)
def test_a_law_that_does_not_fit_is_not_told_as_if_it_did(
    second: tuple[float, float], doubt: str
) -> None:
    bad = found((1000.0, 1060.0), second, peak_per_s=5000.0)
    law, needed = concluded(bad)
    assert law.startswith("scalability law: does not fit what was measured: ")
    assert doubt in law
    assert "contention" not in law
    assert "needs at least 3 workers; none of the measured numbers carried it" in needed
    carried = concluded(replace(bad, peak_per_s=900.0))[1]
    assert carried.endswith("needs 1 worker (as measured, not by the law)")


def test_a_limit_that_was_not_reached_is_only_a_lower_bound() -> None:
    law = Law(1000.0, 0.0, 0.0)
    assert doubts(law, {2: (1500.0, inf)}, {2: 1500.0}) == []
    assert doubts(law, {2: (2500.0, inf)}, {2: 2500.0}) == [
        "it gives 2,000 requests per second for 2 workers, measured were 2,500 to more"
    ]


@given(st.floats(20.0, 30_000.0), st.floats(100.0, 5000.0))
@example(limit=20_000.0, start=143.0)  # doubling ends close below the most that is tried
def test_the_search_closes_in_on_the_limit(limit: float, start: float) -> None:
    def measure(rate_per_s: float) -> Step:
        return Step(rate_per_s, "held" if rate_per_s <= limit else "broken")

    found = search(measure, start_per_s=start, most_per_s=20_000.0, precision_ratio=0.1)
    if limit >= 20_000.0:
        assert (found.low_per_s, found.proven) == (20_000.0, False)
    elif limit > start / 64:
        assert found.proven
        assert found.low_per_s <= limit < found.high_per_s
        if found.low_per_s:
            assert found.high_per_s <= 1.1 * found.low_per_s * (1 + 1e-9)
    rates = [step.rate_per_s for step in found.steps]
    assert len(set(rates)) == len(rates) < 25


def test_a_late_sender_ends_the_search_but_proves_nothing() -> None:
    def measure(rate_per_s: float) -> Step:
        word: Word = "held" if rate_per_s <= 1500 else "late"
        return Step(rate_per_s, word)

    found = search(measure, start_per_s=500.0, most_per_s=16_000.0, precision_ratio=0.1)
    assert not found.proven
    assert found.low_per_s <= 1500 < found.high_per_s <= 1.1 * found.low_per_s


def test_a_piece_of_a_trace_is_a_trace() -> None:
    piece = piece_of(small_trace(40), count=50)
    assert trace.mistakes(piece.steps) == []
    assert 48 <= piece.steps.height <= 50
    assert piece.steps["intended_ns"][0] == 0
    with pytest.raises(TraceError, match="has 120 steps"):
        piece_of(small_trace(40), count=121)


def test_a_whole_capacity_test(tmp_path: Path) -> None:
    """At a rate that any machine carries, and thresholds that none breaks: what is written, not how
    fast this machine is."""
    path, out, overlay = tmp_path / "trace.parquet", tmp_path / "out", tmp_path / "measured.toml"
    trace.write(small_trace(100), path)
    said = springpeak_says(
        "capacity", str(path), "--workers", "1", "--step", "1", "--start", "200",
        "--at-most", "200", "--threshold", "failed_ratio <= 0.5", "--lag-limit-ms", "10000",
        "--peak", "200", "--out", str(out), "--write-overlay", str(overlay), "--day", "2",
        "--hours", "18..21", "--json",
    )  # fmt: skip
    assert said.status == 0, said
    values = json.loads(said.out)
    assert values["workers"]["1"]["low_per_s"] == 200.0
    assert values["workers_needed"] == {"low": 1, "high": 1}
    checked = springpeak_says(
        "scenarios", "check", "spring-festival-2026", "--overlay", str(overlay)
    )
    assert checked.status == 0, checked
    assert json.loads((out / "capacity.json").read_text()) == values


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--workers", "none"), "numbers such as 1,2,4"),
        (("--hours", "21..18"), "hours of a day such as 18..21"),
        (("--threshold", "speed > 3"), "speed"),
        (("--write-overlay", "no/such.toml"), "there is no folder no"),
        (("--out", __file__), "is no folder"),
    ],
)
def test_wrong_input_ends_with_status_2(
    options: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "trace.parquet"
    trace.write(small_trace(5), path)
    answer = springpeak_says("capacity", str(path), "--out", str(tmp_path / "out"), *options)
    assert answer.status == 2
    assert said in answer.err
    assert not (tmp_path / "out").exists()


def test_thresholds_that_no_rate_holds_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = found((0.0, 100.0), peak_per_s=500.0)
    monkeypatch.setattr("loadtests.capacity.plan.measure", lambda *_: nothing)
    answer = springpeak_says("capacity", "trace.parquet", "--out", str(tmp_path / "out"))
    assert answer.status == 2
    assert "no rate held the thresholds: --start lower, or looser thresholds" in answer.err
