"""Fits of orders, claims and festivals on logs made with known parameters."""

import json
import tomllib
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from scenarios.calendar import LUNAR_NEW_YEARS
from sim.fit.orders import shrink
from tests.test_cli import springpeak_says

BASE = "spring-festival-2026"


def accepted(overlay: Path) -> dict[str, object]:
    """The overlay's tables, once the base has taken it."""
    said = springpeak_says("scenarios", "check", BASE, "--overlay", str(overlay))
    assert said.status == 0, said.err
    return tomllib.loads(overlay.read_text(encoding="utf-8"))


def test_shrinkage_lies_between_the_day_and_the_mean() -> None:
    orders = np.array([1000.0, 1000.0, 10.0])
    mean, shape, shrunk = shrink(np.array([5.0, 40.0, 1.0]), orders)
    assert 0.0 < shape < np.inf
    assert 5 / 1000 < shrunk[0] < mean < shrunk[1] < 40 / 1000
    assert abs(shrunk[2] - mean) < 0.2 * abs(0.1 - mean), "ten orders say little"
    _, shape, shrunk = shrink(np.array([10.0, 10.0, 0.0]), orders)
    assert shape == np.inf
    assert len(set(shrunk)) == 1


def test_orders(tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    lines = ["order_id,category,placed_at,due_at,value_fen,incident"]
    for number in range(20_000):
        hours = 24 * int(rng.integers(10)) + int(rng.integers(9, 21))
        due = datetime(2026, 3, 1) + timedelta(hours=hours)
        placed = due - timedelta(hours=float(rng.exponential(10.0)))
        value = int(5000 * np.exp(0.5 * rng.standard_normal()))
        incident = "no_room" if rng.random() < 0.02 else ""
        lines.append(f"{number},hotel,{placed.isoformat()},{due.isoformat()},{value},{incident}")
    lines += ["1,hotel,,2026-03-01T09:00:00,100,", "x,castle,,2026-03-01T09:00:00,100,"]
    lines += ["y,hotel,,2026-03-01T09:00:00,1.5,", "z,hotel,2026-03-02,2026-03-01T09:00:00,9,"]
    path, out = tmp_path / "orders.csv", tmp_path / "orders.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    said = springpeak_says("fit", "orders", str(path), "-o", str(out))
    assert said.status == 0, said.err
    assert "4 rows set aside" in said.out
    for reason in ("order_id has come before", "category is none of", "whole number of fen"):
        assert reason in said.err
    values = accepted(out)
    ratio = values["incidents"]["ratio"]["hotel"]["no_room"]  # type: ignore[index]
    assert ratio == pytest.approx(0.02, abs=0.003)
    demand = values["demand"]
    assert demand["order_value_cv"]["hotel"] == pytest.approx(0.533, abs=0.03)  # type: ignore[index]
    assert isinstance(demand["order_value_fen"]["hotel"], int)  # type: ignore[index]
    assert sum(demand["hour_profile"]["hotel"][9:21]) == pytest.approx(1.0, abs=1e-4)  # type: ignore[index]


def test_claims(tmp_path: Path) -> None:
    rng = np.random.default_rng(12)
    n, start = 6000, datetime(2026, 2, 1)
    raw = np.exp(8.0 + 0.8 * rng.standard_normal(n))
    paid = np.where(rng.random(n) < 0.1, 0, np.minimum(raw, 8000.0)).astype(int)
    paid_at = rng.random(n) * 30 * 86400
    back_at = paid_at + rng.exponential(5 * 86400, n)
    back = (rng.random(n) < 0.6) & (back_at < 30 * 86400) & (paid > 0)

    def when(s: float) -> str:
        return (start + timedelta(seconds=float(s))).isoformat(timespec="seconds")

    frame = pl.DataFrame(
        {
            "claim_id": np.arange(n),
            "category": ["hotel"] * n,
            "guarantee": ["instant_compensation"] * n,
            "incident": ["no_room"] * n,
            "paid_at": [when(s) for s in paid_at],
            "paid_fen": paid,
            "cap_fen": np.full(n, 8000),
            "recovered_fen": np.where(back, paid, 0),
            "recovered_at": [when(s) if b else None for s, b in zip(back_at, back, strict=True)],
        }
    )
    path, out = tmp_path / "claims.parquet", tmp_path / "claims.toml"
    frame.write_parquet(path)
    said = springpeak_says("fit", "claims", str(path), "-o", str(out))
    assert said.status == 0, said.err
    beside = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
    severity = beside["severities"][0]
    assert severity["mu"]["low"] < 8.0 < severity["mu"]["high"]
    assert severity["sigma"]["low"] < 0.8 < severity["sigma"]["high"]
    assert severity["zero_ratio"]["low"] < 0.1 < severity["zero_ratio"]["high"]
    recovery = beside["recoveries"][0]
    share = recovery["recovered_share_ratio"]
    assert share["low"] < 0.6 < share["high"]
    assert recovery["lag_mean_s"]["low"] < 5 * 86400 < recovery["lag_mean_s"]["high"]
    terms = accepted(out)["guarantees"]["instant_compensation"]["terms"]["no_room"]  # type: ignore[index]
    assert terms["recourse_ratio"] == pytest.approx(0.6, abs=0.04)


def test_festival(tmp_path: Path) -> None:
    rng = np.random.default_rng(13)
    shape = np.linspace(2.0, 0.5, 16)
    lines = ["category,due_at"]
    for year, level in ((2025, 60.0), (2026, 90.0)):
        for day in range(-28, 20):
            rate = level * (shape[day + 7] if -7 <= day <= 8 else 1.0)
            when: date = LUNAR_NEW_YEARS[year] + timedelta(days=day)
            lines += [f"show,{when}T12:00:00"] * int(rng.poisson(rate))
    path, out = tmp_path / "years.csv", tmp_path / "festival.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    said = springpeak_says("fit", "festival", str(path), "-o", str(out), "--anchor", "2025,2026")
    assert said.status == 0, said.err
    values = accepted(out)["demand"]["day_multiplier"]["show"]  # type: ignore[index]
    assert values == pytest.approx(shape.tolist(), rel=0.3)
    season = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))["seasons"][0]
    inside = (np.array(season["low"]) < shape) & (shape < np.array(season["high"]))
    assert inside.mean() > 0.8
    wrong = {"2024,2026": "0 normal days", "1999": "needs different years", "x": "years"}
    for anchor, why in wrong.items():
        said = springpeak_says("fit", "festival", str(path), "-o", str(out), "--anchor", anchor)
        assert said.status == 2
        assert why in said.err
