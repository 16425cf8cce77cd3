"""Figures of a journal against NumPy, thresholds as written and judged, when a run is invalid."""

import re

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests import latency
from loadtests.exposition import text
from loadtests.journal import COLUMNS, About, Clock, Journal, Share
from loadtests.sender import POOL_FULL
from loadtests.summary import BROKEN, HELD, INVALID, Summary, summarise
from loadtests.thresholds import judge, of_the_host
from scenarios.command import BASE
from scenarios.load import ThresholdError, parse
from scenarios.loader import load
from scenarios.problems import ScenarioProblems


def rows(*changes: dict[str, object]) -> pl.DataFrame:
    """Steps that went well, 1 ms each, with some values changed."""
    plain = {
        "operation": "terms",
        "worker": 0,
        "intended_ns": 0,
        "ready_ns": 0,
        "sent_ns": 0,
        "done_ns": 1_000_000,
        "response_ns": 1_000_000,
        "service_ns": 1_000_000,
        "status": 200,
        "outcome": "ok",
        "reason": "",
        "key": "",
        "answer_id": "",
        "answer_state": "",
        "answer_fen": None,
        "attempts": 1,
    }
    made = [{"step": number} | plain | one for number, one in enumerate(changes)]
    return pl.DataFrame(made, schema={one.name: getattr(pl, one.dtype) for one in COLUMNS})


DROPPED = {"outcome": "dropped", "sent_ns": None, "done_ns": None, "response_ns": None,
           "service_ns": None, "attempts": 0}  # fmt: skip


def judged(
    frame: pl.DataFrame, *texts: str, lost_ns: int | None = None, clock: Clock | None = None
) -> Summary:
    about = About(
        planned_count=frame.height,
        trace_digest="",
        host="",
        started_unix_ns=0,
        limits={"connections_count_max": 4},
        shares=(
            Share(worker=0, planned_count=frame.height, lost_ns=lost_ns, host="there", clock=clock),
        ),
    )
    return summarise(
        Journal(about, frame),
        parse(list(texts)),
        lag_limit_ms=2.0,
        clock_limit_ms=2.0,
        stopped=[],
    )


@given(
    st.lists(st.integers(0, 10**12), min_size=1, max_size=300), st.sampled_from([0.5, 0.9, 0.999])
)
def test_percentiles_are_exact(values: list[int], ratio: float) -> None:
    ordered = np.sort(np.array(values))
    expected = np.quantile(ordered, ratio, method="inverted_cdf")
    assert latency.quantile(ordered, ratio) == expected


def test_figures_count_what_they_say() -> None:
    found = latency.figures(
        rows(
            {},
            {"outcome": "fail", "status": 422},
            {"outcome": "unknown", "response_ns": 9_000_000},
            {"intended_ns": 0, "ready_ns": 5_000_000, "sent_ns": 5_500_000},
            DROPPED,
        )
    )
    assert (found["planned"], found["sent"], found["waited"]) == (5, 4, 1)
    assert found["failed_ratio"] == 0.5
    assert found["dropped_ratio"] == 0.2
    # It waited 5 ms for its parent; the sender was late by half a millisecond.
    assert found["send_lag_p99_ms"] == 0.5
    assert found["max_response_ms"] == 9.0


def test_thresholds_are_judged_by_operation() -> None:
    texts = ["p99_response_ms <= 5", "terms.max_service_ms < 1", "alert.failed_ratio <= 1"]
    found = judge(parse(texts), {"p99_response_ms": 5.0}, {"terms": {"max_service_ms": 1.0}})
    assert [one.held for one in found] == [True, False, False]
    assert found[2].value is None


def test_a_scenario_says_what_a_load_test_must_hold() -> None:
    of_base = load(BASE).load
    assert of_base is not None
    assert [one.metric for one in parse(of_base.thresholds)] == [
        "p99_response_ms",
        "failed_ratio",
        "send_lag_p99_ms",
    ]
    assert of_the_host(of_base.thresholds) == of_base.thresholds[:2]
    said = 'load.thresholds.*"p99_respose_ms <= 1": p99_respose_ms is not measured; did you mean'
    with pytest.raises(ScenarioProblems, match=said):
        load(BASE, sets=['load.thresholds=["p99_respose_ms <= 1"]'])


def test_thresholds_that_make_no_sense_are_refused_together() -> None:
    wrong = [
        "p99_respose_ms <= 1",
        "p99_response_ms = 1",
        "opn_claim.p50_response_ms < 1",
        "failed_ratio < 1e",
    ]
    with pytest.raises(ThresholdError) as error:
        parse(wrong)
    said = str(error.value).splitlines()
    assert len(said) == 4
    assert "did you mean p99_response_ms?" in said[0]
    assert "did you mean open_claim?" in said[2]
    assert "1e is not a number" in said[3]


def test_a_run_is_held_broken_or_invalid() -> None:
    assert judged(rows({}), "p99_response_ms <= 2").status == HELD
    assert judged(rows({}), "p99_response_ms <= 0.5").status == BROKEN
    late = judged(rows({"sent_ns": 3_000_000}), "p99_response_ms <= 2")
    assert (late.status, late.verdict) == (INVALID, "invalid")
    assert late.reasons == ["the sender was late: the send lag's p99 is 3.00 ms, above 2 ms"]
    full = judged(rows({}, DROPPED | {"reason": POOL_FULL}))
    assert full.reasons == [
        "1 steps found none of the 4 connections free: give more with --connections"
    ]
    unknown = DROPPED | {"outcome": "unknown"}
    lost = judged(rows({}, DROPPED, DROPPED, unknown), lost_ns=1_500_000_000)
    assert lost.status == INVALID
    assert lost.reasons == [
        "worker 0 was lost at 1.5 s: of its 4 steps 2 were dropped, and 1 may have been sent"
    ]


def test_a_clock_that_is_off_by_more_than_its_limit_makes_the_run_invalid() -> None:
    """What counts is how far its schedule may have been from its master's, uncertainty included;
    wall clocks do not."""
    for offset_ns, status in ((-1_800_000, HELD), (-1_900_000, INVALID), (1_900_000, INVALID)):
        clock = Clock(offset_ns=offset_ns, uncertainty_ns=150_000, wall_offset_ns=10**12)
        found = judged(rows({}), clock=clock)
        assert found.status == status
        assert found.clocks == [
            {"worker": 0, "host": "there", "offset_ms": offset_ns / 1e6, "uncertainty_ms": 0.15,
             "off_ms_max": (abs(offset_ns) + 150_000) / 1e6, "wall_offset_ms": 1e6}
        ]  # fmt: skip
    assert found.reasons == ["the clock of worker 0 may be 2.05 ms off its master's, above 2 ms"]


def test_locusts_statistics_are_prometheus_text() -> None:
    class Entry:
        name, method = "open_claim", "POST"
        num_requests, num_none_requests, num_failures, total_response_time = 3, 1, 2, 40.0

        def get_response_time_percentile(self, ratio: float) -> float:
            return 30.0 * ratio

    lines = text([Entry()]).splitlines()
    sample = re.compile(r'[a-z_]+(\{([a-z]+="[^"]*",?)+\})? [0-9.]+')
    assert all(line.startswith("# TYPE ") or sample.fullmatch(line) for line in lines)
    labels = 'operation="open_claim",method="POST"'
    assert f"springpeak_replay_failures_total{{{labels}}} 2" in lines
    assert f'springpeak_replay_response_seconds{{{labels},quantile="0.5"}} 0.015' in lines
    assert f"springpeak_replay_response_seconds_count{{{labels}}} 2" in lines
