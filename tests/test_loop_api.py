"""The loop closes: what a replay measured becomes an overlay, and the simulation feels it."""

from pathlib import Path

import pytest

from loadtests.drill.behaviour import When, behaviour, overlay
from tests.fake_target import CLAIMS, honest
from tests.worlds import paired, small

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
