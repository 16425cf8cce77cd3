"""Walks every number of the workbook: each is the table cell it came from, in both languages.

Formulas are held against the engine by LibreOffice (tests/test_workbook.py); here are the figures
that are no formulas. None may stand in a sheet without being looked up in the run's files.
"""

import json
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from reports.language import speaking
from reports.workbook.build import write
from reports.workbook.finance import head
from scenarios.guarantees import Guarantees
from scenarios.payout_tables import columns_of
from tests.spreadsheet import Found, tables
from tests.test_workbook import with_payout_tables

FINANCE = {
    "Distribution": ["payout_distribution"],
    "Cash": ["payout_cash"],
    "Attribution": ["payout_attribution"],
    "Tornado": ["payout_tornado"],
    "Bridge": ["payout_bridge"],
}
DAY_S = 86400.0


@pytest.fixture(scope="module")
def run(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run with payout tables and its workbook in both languages."""
    copy = tmp_path_factory.mktemp("walk") / "run"
    shutil.copytree(small_run, copy)
    with_payout_tables(copy)
    write(copy)
    with speaking("zh"):
        assert write(copy).path.name == "workbook.zh.xlsx"
    return copy


def cells(path: Path) -> Found:
    """Every cell; of a formula its text."""
    book = openpyxl.load_workbook(path)
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class Truth:
    """What the run's files say about the rows of a sheet's tables, head by head."""

    def __init__(self, run: Path) -> None:
        self.frames = {file.stem: pl.read_parquet(file) for file in run.glob("*.parquet")}
        self.metrics = json.loads((run / "summary.json").read_text(encoding="utf-8"))["metrics"]
        scenario = (run / "scenario.toml").read_text(encoding="utf-8")
        terms = tomllib.loads(scenario)["guarantees"]
        self.terms = Guarantees.model_validate(terms, strict=False).promises()

    def rows(self, sheet: str, number: int) -> list[dict[str, Any]]:
        """One dict of expected numbers a row of the sheet's table with this number."""
        if sheet in FINANCE and number < len(FINANCE[sheet]):
            return self._table(FINANCE[sheet][number])
        known = {
            ("Cover", 0): self._cover,
            ("Summary", 0): self._answers,
            ("Summary", 1): self._totals,
            ("By guarantee", 0): lambda: self._engine("payout_net_fen", "guarantee", "Net"),
            ("By day", 0): lambda: self._engine("payout_net_fen", "lunar_day", "Net"),
            ("By category", 0): lambda: self._engine("payout_gross_fen", "category", "Gross"),
            ("Terms", 0): self._terms,
            ("Reconciliation", 1): self._ledger,
            ("Reconciliation", 2): self._days,
            ("Attribution", 1): lambda: [{"Level": 0.95}],
            ("Payouts", 0): self._payouts,
            ("Claims", 0): self._claims,
        }
        return known[sheet, number]() if (sheet, number) in known else []

    def _table(self, name: str) -> list[dict[str, Any]]:
        scale = {c.name: 100.0 if c.unit == "fen" else 1.0 for c in columns_of(name)}
        heads = {c.name: head(c) for c in columns_of(name)}
        return [
            {heads[key]: value / scale[key] for key, value in row.items() if is_number(value)}
            for row in self.frames[name].select(list(heads)).iter_rows(named=True)
        ]

    def _cover(self) -> list[dict[str, Any]]:
        count = self.frames["replications"]["replication"].n_unique()
        return [{}] * 5 + [{"This workbook": None, "": count}]

    def _answers(self) -> list[dict[str, Any]]:
        return [
            {
                "Amount": row["value_fen"] / 100,
                "95 % from": row["low_fen"] / 100,
                "to": row["high_fen"] / 100,
            }
            for row in self.frames["payout_answers"].iter_rows(named=True)
        ]

    def _totals(self) -> list[dict[str, Any]]:
        names = (
            "claims_count", None, "payout_gross_fen", "payout_shortfall_fen",
            "payout_recovered_fen",
            "payout_net_fen",
        )  # fmt: skip
        found = []
        for name in names:
            one = self.metrics.get(name, {})
            said = {"Mean, engine": "mean", "95 % from": "low", "to": "high"}
            scale = 100.0 if one.get("unit") == "fen" else 1.0
            found.append({h: one[k] / scale for h, k in said.items() if one.get(k) is not None})
        return found

    def _engine(self, subject: str, by: str, measure: str) -> list[dict[str, Any]]:
        others = [
            name
            for name in ("lunar_day", "hour", "skill", "channel", "guarantee", "category")
            if name != by
        ]
        frame = self.frames["estimates"].filter(
            pl.col("subject") == subject,
            pl.col(by).is_not_null(),
            pl.col("store_type").is_null(),
            *(pl.col(name).is_null() for name in others),
        )
        heads = {f"{measure}, engine": "mean", "95 % from": "low", "to": "high"}
        found = []
        for row in frame.sort(by).iter_rows(named=True):
            said = {h: row[k] / 100 for h, k in heads.items() if row[k] is not None}
            found.append(said | ({"Lunar day": row[by]} if by == "lunar_day" else {}))
        return found

    def _terms(self) -> list[dict[str, Any]]:
        return [
            {
                "Cap on extra": term.extra_cap_fen / 100,
                "Recourse wins": term.recourse_ratio,
                "Recovery lag": term.recourse_lag_mean_s / DAY_S,
            }
            for _, _, term in self.terms
        ]

    def _ledger(self) -> list[dict[str, Any]]:
        ledger = self.frames["ledger"].filter(pl.col("replication") == 0)
        received = (pl.col("kind") == "recovery") & (pl.col("debit") == "platform")
        found = []
        for name in self.frames["estimates"]["guarantee"].cast(pl.String).unique().drop_nulls():
            mine = ledger.filter(pl.col("guarantee").cast(pl.String) == name)
            found.append(
                {
                    "Guarantee": name,
                    "Paid: ledger": mine.filter(kind="payout")["amount_fen"].sum() / 100,
                    "Recovered: ledger": mine.filter(received)["amount_fen"].sum() / 100,
                }
            )
        return found

    def _days(self) -> list[dict[str, Any]]:
        days = self.frames["payouts"]["lunar_day"].unique().sort().to_list()
        return [{"Lunar day": day} for day in days]

    def _payouts(self) -> list[dict[str, Any]]:
        heads = {
            "Replication": "replication", "Lunar day": "lunar_day", "Claims": "claims_count",
            "Due": "due_fen", "Paid, gross": "gross_fen", "Shortfall": "shortfall_fen",
            "Recovered": "recovered_fen",
        }  # fmt: skip
        rows = self.frames["payouts"].sort("replication", maintain_order=True)
        return [_said(row, heads) for row in rows.iter_rows(named=True)]

    def _claims(self) -> list[dict[str, Any]]:
        heads = {
            "Claim": "claim_id", "Order": "order_id", "Incident": "incident_id",
            "Case": "case_id", "Lunar day": "lunar_day", "Store": "store_id",
            "Order value": "order_value_fen", "Refund": "refund_fen", "Extra": "extra_fen",
            "Of it by law": "legal_fen", "Due": "due_fen", "Paid": "paid_fen",
            "Recovered": "recovered_fen",
        }  # fmt: skip
        cases = self.frames["incidents"].select("incident_id", "case_id")
        rows = self.frames["claims"].join(cases, on="incident_id", how="left").sort("claim_id")
        return [_said(row, heads) for row in rows.iter_rows(named=True)]


def _said(row: dict[str, Any], heads: dict[str, str]) -> dict[str, Any]:
    return {
        said: row[name] / 100 if name.endswith("_fen") else row[name]
        for said, name in heads.items()
        if row[name] is not None
    }


def numbers(found: Found) -> Iterator[tuple[str, int, int, dict[str, Any]]]:
    """Rows that hold a number which is no formula: sheet, table, row, and the row by its heads."""
    for sheet, lines in found.items():
        for number, table in enumerate(tables(lines)):
            for at, row in enumerate(table):
                if any(is_number(value) for value in row.values()):
                    yield sheet, number, at, row


def test_every_number_is_the_table_cell_it_came_from(run: Path) -> None:
    truth, known, count = Truth(run), {}, 0
    for sheet, number, at, row in numbers(cells(run / "workbook.xlsx")):
        place = (sheet, number)
        if place not in known:
            known[place] = truth.rows(*place)
        if place == ("Reconciliation", 1):
            (wanted,) = (one for one in known[place] if one["Guarantee"] == row["Guarantee"])
        else:
            assert at < len(known[place]), f"{sheet}, row {at}: from no table: {row}"
            wanted = known[place][at]
        for name, value in row.items():
            if is_number(value):
                count += 1
                there = list(wanted.values())[-1] if sheet == "Cover" else wanted.get(name)
                assert there is not None, (sheet, number, at, row)
                assert value == pytest.approx(there, rel=1e-12, abs=1e-9), (sheet, at, name)
    assert count > 5000


def test_both_languages_hold_the_same_figures_and_formulas(run: Path) -> None:
    english, chinese = (cells(run / name) for name in ("workbook.xlsx", "workbook.zh.xlsx"))
    assert len(english) == len(chinese)
    assert "封面" in chinese
    assert "赔付单" in chinese
    for ours, theirs in zip(english.values(), chinese.values(), strict=True):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            for a, b in zip(one, other, strict=True):
                assert is_number(a) == is_number(b)
                if is_number(a):
                    assert a == b


def test_the_chinese_workbook_speaks_chinese(run: Path) -> None:
    """Words that stay as they are: codes, keys and sources of the scenario, names of the run."""
    found = cells(run / "workbook.zh.xlsx")
    for sheet in ("封面", "摘要", "按保障项目", "按日", "核对"):
        for row in found[sheet]:
            for cell in row:
                if isinstance(cell, str) and " " in cell and not cell.startswith("="):
                    assert any("\u4e00" <= letter <= "\u9fff" for letter in cell), cell
