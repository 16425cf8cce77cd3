"""The workbook: live formulas that equal the engine, claims to the fen, always the same bytes."""

import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from reports.workbook.build import Written, write
from scenarios.payout_tables import columns_of
from sim.experiment.files import RunError
from sim.experiment.frames import dtype_of
from tests.spreadsheet import Found, formulas, office, poisoned, recalculated, tables, values
from tests.test_cli import springpeak_says

ROWS_LIMIT = 1500


def text_of(path: Path, name: str) -> str:
    with zipfile.ZipFile(path) as packed:
        return packed.read(name).decode()


def sheet_texts(path: Path) -> dict[str, str]:
    """The XML of every sheet by its name."""
    names = re.findall(r'<sheet name="([^"]+)"', text_of(path, "xl/workbook.xml"))
    return {
        name: text_of(path, f"xl/worksheets/sheet{number}.xml")
        for number, name in enumerate(names, start=1)
    }


def fen_in_sheets(path: Path, found: Found, head: str) -> int:
    """A column of the claims' sheets added up in fen, from the text of the cells."""
    total_fen = 0
    for name, xml in sheet_texts(path).items():
        if not name.startswith("Claims"):
            continue
        heads = [str(cell).partition("\n")[0] for cell in found[name][2]]
        letter = chr(ord("A") + heads.index(head))
        for yuan, fen in re.findall(rf'<c r="{letter}\d+" s="\d+"><v>(\d+)\.(\d\d)</v>', xml):
            total_fen += int(yuan) * 100 + int(fen)
    return total_fen


def statistic_rows(table: str, **fixed: Any) -> dict[str, Any]:
    """A row of a payout table: the given values, and something of the right type elsewhere."""
    words: dict[str, Any] = {}
    for column in columns_of(table):
        if column.dtype == "String":
            words[column.name] = "x"
        elif column.dtype.startswith("enum:"):
            words[column.name] = "instant_compensation"
        else:
            words[column.name] = 1
    return {**words, **fixed}


def with_payout_tables(run: Path) -> None:
    """Tables of `springpeak payout` as finance would have them, two figures withheld."""
    withheld = {"value_fen": None, "low_fen": None, "high_fen": None, "withheld": "too few"}
    rows: dict[str, list[dict[str, Any]]] = {
        "payout_distribution": [
            statistic_rows(
                "payout_distribution",
                measure=measure,
                by=by,
                statistic=statistic,
                **(withheld if statistic == "p99" else {"value_fen": 100.0 * n}),
            )
            for n, (measure, by, statistic) in enumerate(
                (measure, by, statistic)
                for measure in ("gross", "recovered", "net")
                for by in ("total", "guarantee")
                for statistic in ("mean", "p50", "p75", "p90", "p95", "p99", "tvar95", "tvar99")
            )
        ],
        "payout_answers": [statistic_rows("payout_answers", figure="fund_p95", value_fen=12345.0)],
        "payout_tornado": [
            statistic_rows("payout_tornado", rank=rank, key=f"some.key_{rank}")
            for rank in (1, 2, 3, 4)
        ],
        "payout_attribution": [
            statistic_rows(
                "payout_attribution", measure="net", by="guarantee", level=0.95, cotvar_fen=fen
            )
            for fen in (1700.0, 2100.0)
        ],
        "payout_bridge": [
            statistic_rows("payout_bridge", part=part, amount_fen=fen)
            for part, fen in (("start", 1000), ("volume", -12), ("terms", 40), ("end", 1028))
        ],
        "payout_cash": [statistic_rows("payout_cash", flow="peak_funding", lunar_day=None)],
    }
    for table, lines in rows.items():
        schema = {column.name: dtype_of(column) for column in columns_of(table)}
        pl.DataFrame(lines, schema=schema, strict=False).write_parquet(run / f"{table}.parquet")


@pytest.fixture(scope="module")
def written(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Written:
    """The workbook of a small run with payout tables, its claims on three sheets."""
    copy = tmp_path_factory.mktemp("workbook") / "run"
    shutil.copytree(small_run, copy)
    with_payout_tables(copy)
    return write(copy, rows_limit=ROWS_LIMIT)


@pytest.fixture(scope="module")
def found(written: Written) -> Found:
    """Every value of it."""
    return values(written.path)


def close(one: Any, other: Any) -> bool:
    """Equal, figures within a fen."""
    if isinstance(one, str) or isinstance(other, str):
        return bool(one == other)
    return abs(one - other) < 0.01


def test_libreoffice_calculates_every_formula_to_the_engines_value(
    written: Written, found: Found, tmp_path: Path
) -> None:
    if office() is None:
        pytest.skip("LibreOffice is not installed: formulas were not recalculated")
    anew = recalculated(poisoned(written.path, tmp_path / "poisoned.xlsx"), tmp_path)
    every = formulas(written.path)
    assert len(every) > 300
    apart = [f for f in every if not close(f.at(anew), f.at(found))]
    assert not apart, [(f.sheet, f.text, f.at(found), f.at(anew)) for f in apart[:5]]


def test_kept_values_are_the_engines(found: Found, small_run: Path) -> None:
    (by_guarantee,) = tables(found["By guarantee"])
    payouts = pl.read_parquet(small_run / "payouts.parquet")
    n = payouts["replication"].n_unique()
    for row in by_guarantee[:-1]:
        mine = payouts.filter(pl.col("guarantee") == row["Guarantee"])
        assert row["Paid, gross"] == pytest.approx(mine["gross_fen"].sum() / 100 / n, abs=1e-9)
        assert row["Net"] == pytest.approx(row["Net, engine"], abs=1e-6)
    assert by_guarantee[-1]["Net"] == pytest.approx(payouts["net_fen"].sum() / 100 / n, abs=1e-6)
    for sheet in ("By guarantee", "By day", "By category"):
        (rows,) = tables(found[sheet])
        assert {row["Difference"] for row in rows} == {0}


def test_claims_on_several_sheets_reconcile_to_the_fen(
    written: Written, found: Found, small_run: Path
) -> None:
    assert [name for name in sheet_texts(written.path) if name.startswith("Claims")] == [
        f"Claims {number}" for number in (1, 2, 3)
    ]
    claims = pl.read_parquet(small_run / "claims.parquet")
    assert written.sums is not None
    assert written.sums.claims_count == claims.height
    for head, column in (("Paid", "paid_fen"), ("Due", "due_fen"), ("Recovered", "recovered_fen")):
        assert fen_in_sheets(written.path, found, head) == claims[column].sum()
    payouts = pl.read_parquet(small_run / "payouts.parquet").filter(pl.col("replication") == 0)
    assert fen_in_sheets(written.path, found, "Paid") == payouts["gross_fen"].sum()
    verdict = next(tables(found["Reconciliation"]))
    assert {row["Verdict"] for row in verdict} == {"reconciled"}


def test_a_claims_row_leads_to_order_incident_term_payout_and_recovery(
    found: Found, small_run: Path
) -> None:
    (first, *_) = tables(found["Claims 1"])
    (versions,) = tables(found["Terms"])
    terms = {row["Term"]: row["Version"] for row in versions}
    rows = pl.read_parquet(small_run / "claims.parquet").iter_rows(named=True)
    claims = {row["claim_id"]: row for row in rows}
    assert len(first) == ROWS_LIMIT - 3
    for row in first:
        claim = claims[row["Claim"]]
        assert (row["Order"], row["Incident"]) == (claim["order_id"], claim["incident_id"])
        assert row["Term version"] == terms[f"guarantees.{row['Guarantee']}.terms.{row['Trigger']}"]
        assert round(row["Paid"] * 100) == claim["paid_fen"]
        assert round(row["Recovered"] * 100) == claim["recovered_fen"]
        assert row["Paid from"] == (None if claim["paid_fen"] == 0 else "pot")
        assert row["Decided"].isoformat().startswith("2026-02-1")


def test_the_first_page_and_the_summary_say_what_a_controller_asks(
    written: Written, found: Found
) -> None:
    cover = dict(row[:2] for row in found["Cover"][3:18])
    manifest = json.loads((written.path.parent / "manifest.json").read_text(encoding="utf-8"))
    assert cover["Fingerprint of the scenario"] == manifest["fingerprint"]
    assert cover["Seed"] == str(manifest["seed"])
    assert cover["Replications"] == manifest["finished_count"]
    assert "Tornado" in str(cover["Sheets"])
    assert "Policy lab" in str(cover["Not in this run"])
    _, bearers = tables(found["Cover"])
    assert bearers[0]["Should be borne by"] == "merchant"
    answers, totals, spread, movers = tables(found["Summary"])
    assert answers[0]["Amount"] == 123.45
    assert totals[-1]["Figure"] == "Borne by the platform, net"
    assert spread[0]["P95"] == 4.0
    assert spread[0]["P99"] == "withheld"
    for sheet in ("Attribution", "Bridge"):
        *_, check = tables(found[sheet])
        assert [row["Difference"] for row in check] == [0]
    assert [row["Assumption"] for row in movers] == [f"some.key_{n}" for n in (1, 2, 3)]


def test_assumptions_are_marked_and_every_column_has_a_meaning(
    written: Written, found: Found
) -> None:
    (rows,) = tables(found["Assumptions"])
    assumed = [row for row in rows if row["Kind"] == "Assumed"]
    assert len(assumed) > 200
    assert all(row["Low to high case"] or row["Source"] for row in assumed)
    shaded = text_of(written.path, "xl/styles.xml").count("FFFFF2CC")
    assert shaded == 1
    (meanings,) = tables(found["Columns"])
    named = {(row["Sheet"], row["Column"]) for row in meanings if row["Meaning"]}
    for sheet, lines in found.items():
        if sheet not in ("Columns", "Claims 1", "Claims 2", "Claims 3"):
            heads = {str(head).partition("\n")[0] for head in lines[2] if head}
            assert {(sheet, head) for head in heads} <= named


def test_every_sheet_prints_on_a4_landscape_with_frozen_heads_and_units(
    written: Written, found: Found
) -> None:
    for name, xml in sheet_texts(written.path).items():
        assert '<pageSetup paperSize="9"' in xml, name
        assert 'orientation="landscape"' in xml, name
        assert 'fitToHeight="0"' in xml, name
        of_several = ("Cover", "Summary", "Pots", "Attribution", "Bridge", "Reconciliation")
        assert ('ySplit="3"' in xml) == (name not in of_several), name
    heads = found["Payouts"][2]
    assert [str(head).partition("\n")[2] for head in heads][5:] == ["CNY"] * 4


def test_the_same_run_gives_the_same_bytes(written: Written) -> None:
    folder = written.folder
    before = {path.name: path.read_bytes() for path in [written.path, *sorted(folder.iterdir())]}
    write(written.path.parent, rows_limit=ROWS_LIMIT)
    assert before == {path.name: path.read_bytes() for path in [written.path, *folder.iterdir()]}
    assert "2026-02-17T00:00:00Z" in text_of(written.path, "docProps/core.xml")


def test_the_same_tables_stand_as_csv_and_parquet(
    written: Written, found: Found, small_run: Path
) -> None:
    claims = pl.read_parquet(small_run / "claims.parquet")
    exported = pl.read_parquet(written.folder / "claims.parquet")
    assert (exported["paid_cny"] * 100).sum() == claims["paid_fen"].sum()
    exact = {"paid_cny": pl.Decimal(38, 2)}
    csv = pl.read_csv(written.folder / "claims.csv", schema_overrides=exact)
    assert csv["paid_cny"].to_list() == exported["paid_cny"].to_list()
    assert csv.columns == exported.columns
    by_guarantee = pl.read_parquet(written.folder / "by_guarantee.parquet")
    (rows,) = tables(found["By guarantee"])
    assert by_guarantee["net_cny"].to_list() == [row["Net"] for row in rows[:-1]]
    assert len(list(written.folder.glob("*.csv"))) == len(list(written.folder.glob("*.parquet")))


@pytest.mark.parametrize("table", ["claims", "payouts", "ledger"])
def test_a_fen_apart_and_nothing_is_written(small_run: Path, tmp_path: Path, table: str) -> None:
    copy = tmp_path / "run"
    shutil.copytree(small_run, copy)
    column = {"claims": "paid_fen", "payouts": "gross_fen", "ledger": "amount_fen"}[table]
    rows = pl.read_parquet(copy / f"{table}.parquet").with_row_index("at")
    some = rows.filter(pl.col("replication") == 0, pl.col(column) > 1000)
    at = some["at"][0] if table != "ledger" else some.filter(pl.col("kind") == "payout")["at"][0]
    more = pl.when(pl.col("at") == at).then(1).otherwise(0)
    changed = rows.with_columns(pl.col(column) + more).drop("at")
    changed.write_parquet(copy / f"{table}.parquet")
    with pytest.raises(RunError, match=r"paid_claims_fen is \d+ and paid_\w+_fen is \d+"):
        write(copy)
    assert not (copy / "workbook.xlsx").exists()
    assert not (copy / "workbook").exists()


def test_a_run_without_single_claims_has_a_workbook_that_says_so(
    small_run: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "run"
    shutil.copytree(small_run, copy)
    for name in ("claims", "ledger", "incidents", "contacts"):
        (copy / f"{name}.parquet").unlink()
    said = springpeak_says("workbook", str(copy))
    assert said.status == 0
    assert "fen" not in said.out
    found = values(copy / "workbook.xlsx")
    assert "Claims" not in found
    assert "none: this run keeps no single claims" in {row[1] for row in found["Cover"]}


def test_the_command_says_what_it_checked_and_refuses_what_is_no_run(
    small_run: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "run"
    shutil.copytree(small_run, copy)
    said = springpeak_says("workbook", str(copy))
    assert said.status == 0
    assert "claims, payouts and ledger differ by 0 fen" in said.out
    assert str(copy / "workbook.xlsx") in said.out
    (copy / "estimates.parquet").unlink()
    for path, message in ((copy, "is not finished"), (tmp_path / "no", "is not a run directory")):
        said = springpeak_says("workbook", str(path))
        assert said.status == 2
        assert message in said.err
