"""The loop closes: what a replay measured becomes an overlay, and the simulation feels it."""

from pathlib import Path

import numpy as np
import pytest

from loadtests.drill.behaviour import When, behaviour, overlay
from tests.fake_target import CLAIMS, honest
from tests.worlds import paired, result, small

REPEATED_RATIO = 0.5


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    """The overlay of a replay in which every second request failed at first and took 3 s longer."""
    fake = honest()
    for row in fake.rows[::2]:
        row.update(attempts=2, response_ns=row["response_ns"] + 3_000_000_000)
    fake.write(tmp_path)
    found = behaviour(tmp_path)
    assert found.failed_ratio == pytest.approx(REPEATED_RATIO, abs=1 / CLAIMS)
    path = tmp_path / "measured.toml"
    text = overlay(found, When(2, 8.0, 22.0), described="a test", sources=["a fake target"])
    path.write_text(text, encoding="utf-8")
    return path


def test_an_overlay_holds_what_was_measured(measured: Path) -> None:
    shock = small((str(measured),)).shocks["measured_api"]
    assert (shock.lunar_days, shock.start_h, shock.end_h) == ((2,), 8.0, 22.0)
    assert shock.api_failed_ratio == pytest.approx(REPEATED_RATIO, abs=1 / CLAIMS)
    assert shock.api_latency_s == pytest.approx(3.0 * REPEATED_RATIO, abs=0.1)


def test_a_measured_outage_sends_people_to_agents(measured: Path) -> None:
    """99 % intervals of paired differences; seeds are fixed, so each holds or never does."""
    worlds = ((), ()), ((str(measured),), ())
    assert paired("contacts_fresh_count", *worlds, replications=range(3)).rises
    assert paired("self_service_claims_count", *worlds, replications=range(3)).falls


AMPLE_POT = tuple(
    f"pots.instant_compensation.{one}_limit_fen=1000000000" for one in ("day", "total")
)
NO_GOODWILL, ALL_GOODWILL = "api.goodwill_ratio=0.0", "api.goodwill_ratio=1.0"


def test_promises_that_the_api_broke_are_paid_for() -> None:
    """Worlds that differ in goodwill alone, with money for everything; 99 % interval."""
    outage = ("api-outage",)
    worlds = (outage, (*AMPLE_POT, NO_GOODWILL)), (outage, AMPLE_POT)
    for owed in ("payout_due_fen", "payout_gross_fen"):
        assert paired(owed, *worlds).rises
    for still in ("contacts_offered_count", "self_service_claims_count", "claims_count"):
        assert paired(still, *worlds).exactly_zero


@pytest.mark.parametrize("nothing", ["loops.api_failover=false", "api.failed_ratio=0.0"])
def test_without_the_loop_or_without_failures_nobody_is_owed_goodwill(nothing: str) -> None:
    overlays = ("api-outage",) if nothing.startswith("loops.") else ()
    worlds = [(overlays, (nothing, share)) for share in (NO_GOODWILL, ALL_GOODWILL)]
    for metric in result(*worlds[0]).metrics:
        assert paired(metric, *worlds, replications=(0,)).exactly_zero, metric


def test_goodwill_moves_no_draw_of_anybody_else() -> None:
    without, with_all = (
        result(("api-outage",), (*AMPLE_POT, share)).tables for share in (NO_GOODWILL, ALL_GOODWILL)
    )
    for table in ("incidents", "contacts"):
        for column, values in without[table].items():
            assert np.array_equal(
                values, with_all[table][column], equal_nan=values.dtype.kind == "f"
            )
    claims = without["claims"], with_all["claims"]
    raised = ~claims[0]["escalated"] & claims[1]["escalated"]
    assert raised.any()
    assert (claims[1]["extra_fen"] >= claims[0]["extra_fen"]).all()
    same = claims[0]["extra_fen"] == claims[1]["extra_fen"]
    assert same[~raised].all()
