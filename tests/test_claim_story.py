"""`springpeak ledger`: a claim's whole story, from the run's files alone."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from reports.ledger.story import read_story
from reports.ledger.text import balances_fen, steps
from tests.test_cli import springpeak_says


def claims_of(run: Path) -> pl.DataFrame:
    return pl.read_parquet(run / "claims.parquet")


def one_of_each(run: Path) -> list[int]:
    """Claims that together have every trigger, flag, purse, path and kind of ending."""
    claims = claims_of(run).join(
        pl.read_parquet(run / "incidents.parquet").select("incident_id", "path", "alert_response"),
        on="incident_id",
        how="left",
    )
    kinds = ("trigger", "escalated", "reviewed", "opportunistic", "path", "alert_response")
    ended = (pl.col("recovered_fen") > 0, pl.col("paid_fen") == 0, pl.col("legal_fen") > 0)
    firsts = claims.group_by(*kinds, *(e.alias(f"ended_{i}") for i, e in enumerate(ended))).first()
    return sorted(firsts["claim_id"].to_list())


def test_every_kind_of_claim_has_a_story_that_adds_up(small_run: Path) -> None:
    numbers = one_of_each(small_run)
    assert len(numbers) > 30
    for number in numbers:
        story = read_story(small_run, number)
        claim = story.claim
        assert claim["claim_id"] == number
        assert dict(steps(story))["Claim"].startswith(f"{number}: decided ")
        assert sum(balances_fen(story).values()) == 0
        for kind, column in (("payout", "paid_fen"), ("recovery", "recovered_fen")):
            assert sum(row["amount_fen"] for row in story.entries_of(kind)) == claim[column]
        assert balances_fen(story).get("consumer", 0) == claim["paid_fen"]
        if story.incident is not None:
            assert story.incident["order_id"] == claim["order_id"]
            assert story.incident["store_id"] == claim["store_id"]
            assert len(story.attempts) == len({row["attempt_count"] for row in story.attempts})


def test_orders_are_claimed_once_and_shared_with_their_incident(small_run: Path) -> None:
    claims = claims_of(small_run)
    incidents = pl.read_parquet(small_run / "incidents.parquet")
    assert incidents["order_id"].n_unique() == incidents.height
    both = claims.join(incidents, on="incident_id", suffix="_of_incident")
    assert (both["order_id"] == both["order_id_of_incident"]).all()
    ordered = claims.filter(pl.col("order_id").is_not_null())
    assert ordered["order_id"].n_unique() == ordered.height
    reports = claims["trigger"] == "valid_report"
    assert (claims["order_id"].is_null() == reports).all()


def test_the_command_tells_order_incident_contacts_term_payout_pot_and_recovery(
    small_run: Path,
) -> None:
    contacts = pl.read_parquet(small_run / "contacts.parquet")
    again = contacts.filter(pl.col("kind") == "reconnect")["case_id"].to_list()
    row = (
        claims_of(small_run)
        .join(pl.read_parquet(small_run / "incidents.parquet"), on="incident_id")
        .filter(pl.col("case_id").is_in(again), pl.col("recovered_fen") > 0)
        .row(0, named=True)
    )
    said = springpeak_says("ledger", str(small_run), "--claim", str(row["claim_id"]))
    assert said.status == 0
    for words in (
        f"{row['order_id']}: {row['category'].replace('_', ' ')}",
        f"{row['incident_id']}: {row['incident'].replace('_', ' ')}",
        "Contact 1",
        "reconnect by",
        f"{row['claim_id']}: decided 初",
        f"guarantees.{row['guarantee']}.terms.{row['trigger']}, version ",
        f"paid CNY {row['paid_fen'] / 100:,.2f}",
        "of the day's CNY",
        f"claimed back from store {row['store_id']}",
        "received from its deposit",
        "debits = credits = CNY",
    ):
        assert words in said.out, words


def test_json_has_the_rows_with_units_and_dates(small_run: Path) -> None:
    number = claims_of(small_run)["claim_id"][10]
    told = json.loads(
        springpeak_says("ledger", str(small_run), "--claim", str(number), "--json").out
    )
    assert told["claim"]["claim_id"] == number
    assert told["claim"]["decided_at"].startswith("2026-02-18T")
    assert told["term"]["key"].startswith("guarantees.")
    assert sum(told["balances_fen"].values()) == 0
    assert {one["step"] for one in told["story"]} >= {"Order", "Term", "Payout", "Pot", "Recovery"}


@pytest.mark.parametrize("fault", ["unknown", "rows", "older", "no run"])
def test_bad_input_is_one_clear_line(small_run: Path, tmp_path: Path, fault: str) -> None:
    copy = tmp_path / "run"
    shutil.copytree(small_run, copy)
    claims = claims_of(small_run)
    number, last = claims["claim_id"][0], claims["claim_id"].max()
    if fault == "unknown":
        number = 10**9
        message = f"{copy} has no claim {number}: its claims are numbered "
        assert str(last) in springpeak_says("ledger", str(copy), "--claim", str(number)).err
    elif fault == "rows":
        (copy / "claims.parquet").unlink()
        message = f"{copy} keeps no single claims: it has no claims.parquet"
    elif fault == "older":
        claims.drop("order_id").write_parquet(copy / "claims.parquet")
        message = f"{copy / 'claims.parquet'} has no column order_id"
    else:
        copy = tmp_path / "nowhere"
        message = f"{copy} is not a run directory"
    said = springpeak_says("ledger", str(copy), "--claim", str(number))
    assert said.status == 2
    assert said.out == ""
    assert said.err.startswith(message)
    assert len(said.err.splitlines()) == 1
