"""Tables of cash, of payouts by region and of recourse: the same money as the books, split anew."""

import numpy as np
import polars as pl
import pytest

from scenarios.tables import TABLES
from sim.experiment.frames import to_frame
from sim.money import recoveries
from tests.money_cases import AT_NOON, BORNE, DAY_S, Claim, guarantees, run, world
from tests.worlds import result

REGION = np.array([2, 0], dtype=np.int8)
TERMS = guarantees(instant_compensation=BORNE | {"recourse_lag_mean_s": 0.0})
CLAIMS = [
    Claim(AT_NOON, 700, store=0),
    Claim(AT_NOON + 60.0, 500, store=0),
    Claim(AT_NOON + 120.0, 400, store=1, recourse_u=0.9),
    # Not due before the end: won, and the deposit of store 1 holds 250 of 300 fen.
    Claim(AT_NOON + DAY_S, 300, store=1),
    Claim(AT_NOON + DAY_S, 80, store=-1),
]


@pytest.fixture(scope="module")
def tables() -> dict[str, pl.DataFrame]:
    settlement = run(world(terms=TERMS, deposit_fen=[1000, 250]), CLAIMS)
    money = settlement.tables()
    found = recoveries.tables(settlement.books, money, region=REGION)
    for name, table in found.items():
        assert {*table, "replication"} == {column.name for column in TABLES[name]}
    return {name: to_frame(name, table, replication=0) for name, table in found.items()}


def test_every_receivable_has_one_end(tables: dict[str, pl.DataFrame]) -> None:
    (total,) = tables["recourse"].filter(by="total").to_dicts()
    states = {name: total[name] for name in recoveries.STATES}
    assert states == {
        "owed_fen": 1900,
        "recovered_fen": 1000,
        "contested_fen": 400,
        "defaulted_fen": 200,
        "open_fen": 300,
        "collectible_fen": 250,
    }
    assert total["stores_count"] == 2


def test_bands_are_those_of_the_deposit_before_anything_was_taken(
    tables: dict[str, pl.DataFrame],
) -> None:
    bands = tables["recourse"].filter(by="deposit")
    assert bands["key"].to_list() == list(recoveries.DEPOSIT_BANDS)
    assert bands["owed_fen"].to_list() == [1900, 0, 0, 0, 0], "both are below 1,000 CNY"
    ranks = tables["recourse"].filter(by="store_rank")
    assert ranks["owed_fen"].to_list()[0] == 1900
    lags = tables["recourse"].filter(by="lag")
    assert dict(lags.select("key", "recovered_fen").iter_rows()) == {"0": 0, "1": 1000}


def test_regions_and_bearers(tables: dict[str, pl.DataFrame]) -> None:
    rows = tables["payouts_by_region"].filter(pl.col("gross_fen") > 0)
    found = {
        (row["lunar_day"], row["region"], row["bearer"]): row["gross_fen"]
        for row in rows.to_dicts()
    }
    assert found == {
        (0, "east", "merchant"): 1200,
        (0, "north", "merchant"): 400,
        (1, "north", "merchant"): 300,
        (1, None, "merchant"): 80,
    }


def test_cash_is_where_the_clock_stood(tables: dict[str, pl.DataFrame]) -> None:
    cash = tables["cash"]
    paid = cash.filter(pl.col("paid_fen") > 0)
    assert paid["interval_start_s"].to_list() == [AT_NOON, AT_NOON + DAY_S]
    assert paid["paid_fen"].to_list() == [1600, 380]
    assert cash.filter(pl.col("recovered_fen") > 0)["lunar_day"].to_list() == [1]


def test_a_small_world_adds_up_to_its_metrics() -> None:
    found = result()
    tables = {
        name: to_frame(name, found.tables[name], replication=0)
        for name in ("payouts", "payouts_by_region", "cash", "recourse")
    }
    gross, recovered = (
        int(found.metrics[f"payout_{name}_fen"][0]) for name in ("gross", "recovered")
    )
    for name, column in (("payouts", "gross"), ("payouts_by_region", "gross"), ("cash", "paid")):
        assert tables[name][f"{column}_fen"].sum() == gross
        assert tables[name]["recovered_fen"].sum() == recovered
    split = tables["recourse"].group_by("by").agg(pl.col("owed_fen", "recovered_fen").sum())
    assert set(split["recovered_fen"]) == {recovered}
    (total,) = tables["recourse"].filter(by="total").to_dicts()
    lost = total["contested_fen"] + total["defaulted_fen"]
    assert lost == int(found.metrics["recourse_written_off_fen"][0])
    assert total["open_fen"] == int(found.metrics["recourse_open_fen"][0])
    assert 0 < total["collectible_fen"] < total["open_fen"]
