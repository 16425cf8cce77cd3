"""Traffic of a run: nothing of the run is lost or made up twice, and the API takes every request.

The run is the synthetic one of tests/synthetic_run.py where shapes suffice, and a small simulated
world where rows have to agree with each other.
"""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from loadtests import trace
from loadtests.traffic.habits import load as load_habits
from loadtests.traffic.make import Made, make
from loadtests.traffic.window import parse
from sim.experiment.runner import run as run_replications
from tests import api_cases
from tests.synthetic_run import InlineExecutor
from tests.test_cli import springpeak_says
from tests.worlds import SEED, small

EVENING = "2026-02-18T18:00/PT2H"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small world, simulated."""
    path = tmp_path_factory.mktemp("world") / "run"
    return run_replications(
        small(), replications=1, precision_ratio=None, seed=SEED, workers=1, out=path,
        executor=InlineExecutor(),
    ).path  # fmt: skip


@pytest.fixture(scope="module")
def evening(world: Path) -> Made:
    return make(world, asked=parse(EVENING))


def table(world: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(world / f"{name}.parquet")


def test_every_row_of_the_run_becomes_a_request_once(world: Path) -> None:
    counts = make(world, asked=None).trace.counts()
    incidents, claims = table(world, "incidents"), table(world, "claims")
    contacts = table(world, "contacts").filter(pl.col("answered_s").is_not_null())
    of_incidents = contacts.filter(pl.col("topic") != "inquiry").join(
        incidents, on="case_id", how="semi"
    )
    horizon = small().horizon
    self_service = incidents.filter(pl.col("path") == "self_service").height
    # Claims that come after the horizon's end have no place in it.
    opened = of_incidents["case_id"].n_unique()
    assert opened < counts["open_claim"] <= opened + self_service
    assert counts["open_claim"] > opened + 0.9 * self_service
    rights = claims.filter(pl.col("trigger").is_in(["cancellation", "ticket_refund"]))
    assert counts["cancel"] == rights.height
    daily = table(world, "merchants_daily")
    assert counts["report"] == daily["reports_count"].sum()
    warned = table(world, "alerts")["alerts_count"].sum()
    assert 0.98 * warned < counts["alert"] <= warned
    polls = (horizon.end_s - horizon.warm_up_s) / load_habits().platform.budget_poll_s
    assert counts["budgets"] == polls
    lookups = small().api.calls_per_contact_count - 2
    known = contacts.filter(pl.col("ended_s").is_not_null())
    assert counts["terms"] + counts["read_merchant"] == pytest.approx(lookups * known.height, 0.02)


def test_a_window_holds_what_happens_in_it(evening: Made, world: Path) -> None:
    whole = make(world, asked=None).trace.steps
    lead_s = load_habits().trace.lead_in_s
    # The second simulated day's evening: 18 hours after the whole trace's lead-in.
    start_ns = int((lead_s + 18 * 3600) * 1e9)
    there = whole.filter(
        pl.col("intended_ns").is_between(start_ns, start_ns + int(7200e9), closed="left")
    )
    # Polls start at the window, and bulk updates carry what was found in it.
    exact = ("open_claim", "cancel", "alert", "report", "read_claim", "resolve_claim", "terms")
    inside = evening.trace.steps.filter(pl.col("intended_ns") >= int(lead_s * 1e9))
    for operation in exact:
        wanted = there.filter(pl.col("operation") == operation).height
        assert inside.filter(pl.col("operation") == operation).height == wanted, operation
    early = evening.trace.steps.filter(pl.col("intended_ns") < int(lead_s * 1e9))
    opened = early.filter(pl.col("operation") != "merchant_status_bulk")
    assert opened.height == evening.carried_count > 0
    assert evening.trace.duration_s <= lead_s + 7200
    assert evening.trace.window == EVENING
    assert trace.mistakes(evening.trace.steps) == []


def test_settled_is_what_the_run_upheld(evening: Made, world: Path) -> None:
    steps = evening.trace.steps
    ends = steps.filter(pl.col("operation") == "resolve_claim", pl.col("role") == "agent")
    settled = ends["body"].cast(pl.String).str.contains("settle").mean()
    contacts = table(world, "contacts").join(table(world, "incidents"), on="case_id")
    upheld = contacts.filter(pl.col("resolved"))["upheld"].mean()
    assert isinstance(settled, float)
    assert isinstance(upheld, float)
    # Refusals of self-service claims come on top.
    assert upheld - 0.25 < settled < upheld + 0.05


def test_amplified_traffic_is_whole_cases_again(evening: Made, world: Path) -> None:
    thrice = make(world, asked=parse(EVENING), amplify=3.0)
    once, counts = evening.trace.counts(), thrice.trace.counts()
    for operation in ("open_claim", "cancel", "alert", "report", "read_claim", "resolve_claim"):
        assert counts[operation] == 3 * once[operation], operation
    assert counts["budgets"] == once["budgets"]
    assert trace.mistakes(thrice.trace.steps) == []
    minutes = [
        np.histogram(made.trace.steps["intended_ns"].to_numpy() / 60e9, bins=range(0, 122, 10))[0]
        for made in (evening, thrice)
    ]
    # Copies lie half a minute away at most: ten minutes hold thrice as much, give or take.
    assert np.corrcoef(*minutes)[0, 1] > 0.95
    half = make(world, asked=parse(EVENING), amplify=0.5).trace.counts()
    assert 0.3 * once["alert"] < half["alert"] < 0.7 * once["alert"]


def test_terms_are_looked_up_as_often_as_orders_fall_due(evening: Made, world: Path) -> None:
    """Poisson around the expectation: within 4.4 sigma, one false alarm in 100,000."""
    counts = make(world, asked=parse(EVENING), reads=True).trace.counts()
    looked_up = counts["terms"] - evening.trace.counts()["terms"]
    demand = table(world, "demand").filter(pl.col("lunar_day") == 1)
    expected = 0.0
    for category, profile in small().demand.hour_profile.model_dump().items():
        orders = demand.filter(pl.col("category") == category)["orders_count"].sum()
        expected += orders * sum(profile[18:20]) / sum(profile)
    assert abs(looked_up - expected) < 4.4 * np.sqrt(expected)


def test_a_trace_carries_the_thresholds_of_its_scenario(evening: Made) -> None:
    load = small().load
    assert load is not None
    assert evening.trace.thresholds == load.thresholds != ()


def test_the_same_seed_gives_the_same_trace(evening: Made, world: Path) -> None:
    assert make(world, asked=parse(EVENING)).trace.steps.equals(evening.trace.steps)
    other = make(world, asked=parse(EVENING), seed=2).trace.steps
    assert not other.equals(evening.trace.steps)


def test_the_busiest_window_has_the_most_claims(world: Path) -> None:
    busiest = make(world, asked=parse("busiest/PT1H")).trace
    some = make(world, asked=parse("2026-02-18T04:00/PT1H")).trace
    assert busiest.counts()["open_claim"] > 2 * some.counts()["open_claim"]


ROUTES = {
    "open_claim": ("POST", "/v1/claims"),
    "read_claim": ("GET", "/v1/claims/{id}"),
    "resolve_claim": ("POST", "/v1/claims/{id}/resolution"),
    "cancel": ("POST", "/v1/cancellations"),
    "alert": ("POST", "/v1/alerts"),
    "report": ("POST", "/v1/reports"),
    "merchant_status": ("PUT", "/v1/merchants/{target}/status"),
    "merchant_status_bulk": ("POST", "/v1/merchants/status"),
    "read_merchant": ("GET", "/v1/merchants/{target}/status"),
    "terms": ("GET", "/v1/guarantees?{target}"),
    "budgets": ("GET", "/v1/budgets"),
}


def test_the_api_takes_every_request(world: Path, tmp_path: Path) -> None:
    steps = make(world, asked=parse("busiest/PT2H")).trace.steps
    assert set(steps["operation"].unique()) >= set(ROUTES) - {"merchant_status"}
    refused: Counter[tuple[str, int, str]] = Counter()

    async def send() -> None:
        async with api_cases.serving(api_cases.sqlite_url(tmp_path)) as client:
            claims: dict[int, tuple[int, str]] = {}
            for step in steps.iter_rows(named=True):
                method, path = ROUTES[step["operation"]]
                number, state = claims.get(step["depends_on"], (0, ""))
                if step["operation"] == "resolve_claim" and state == "rejected":
                    continue
                answer = await client.call(
                    method,
                    path.format(id=number, target=step["target"]),
                    step["body"] or None,
                    role=step["role"],
                    subject=str(trace.consumer_of(step["shard_key"])),
                    key=step["key"] or None,
                )
                if answer.status_code >= 400:
                    problem = json.loads(answer.content)
                    refused[step["operation"], answer.status_code, problem["title"]] += 1
                elif step["operation"] in trace.OPENING:
                    opened = answer.json()
                    claims[step["step"]] = opened["claim_id"], opened["state"]

    api_cases.run(send)
    assert not refused


@pytest.mark.parametrize(
    ("window", "said"),
    [
        ("2026-02-18T18:00", "no length such as PT10M"),
        ("2026-02-18T18:00/PT0M", "an empty window"),
        ("yesterday/PT10M", "yesterday is no date and time"),
        ("2026-02-18T18:00+08:00/PT10M", "local time without an offset"),
        ("2026-02-17T18:00/PT10M", "does not lie within the run"),
        ("2026-02-19T23:55/PT10M", "2026-02-18T00:00 to 2026-02-20T00:00"),
    ],
)
def test_wrong_windows_end_with_status_2(window: str, said: str, world: Path) -> None:
    answer = springpeak_says("trace", str(world), "--window", window, "-o", "none.parquet")
    assert answer.status == 2
    assert said in answer.err
    assert not Path("none.parquet").exists()


def test_the_command_writes_a_trace(world: Path, tmp_path: Path) -> None:
    out = tmp_path / "t.parquet"
    said = springpeak_says(
        "trace", str(world), "--window", "2026-02-18T18:00/PT10M", "--amplify", "2", "-o", str(out)
    )
    assert said.status == 0, said
    assert "claims opened before the window" in said.out
    assert trace.read(out).amplification == 2.0


def test_what_is_no_run_is_refused(world: Path, tmp_path: Path) -> None:
    said = springpeak_says("trace", str(tmp_path), "-o", str(tmp_path / "t"))
    assert (said.status, "has no manifest.json" in said.err) == (2, True)
    empty = tmp_path / "run"
    empty.mkdir()
    (empty / "manifest.json").write_text("{}")
    said = springpeak_says("trace", str(empty), "-o", str(tmp_path / "t"))
    assert said.status == 2
    assert len(said.err.splitlines()) == 6, "every missing table is named"
    said = springpeak_says("trace", str(world), "--amplify", "0", "-o", str(tmp_path / "t"))
    assert (said.status, "--amplify 0" in said.err) == (2, True)
