"""The report: every number is a cell of the run's files, in both languages; the page stands alone.

No tolerance: a number is printed right or wrong.
"""

import base64
import re
import tomllib
from pathlib import Path

import polars as pl
import pytest

from reports import page, style
from reports.language import LANGUAGES, speaking
from scenarios.loader import SHIPPED
from sim.payout.frames import write as write_tables
from sim.payout.seasons import Seasons
from sim.payout.tables import tables as payout_tables
from tests.glyphs import covered
from tests.page_walk import Files, Walk, mistakes, walked
from tests.synthetic_run import write_synthetic_run
from tests.test_cli import springpeak_says

BASE = SHIPPED / "spring-festival-2026.toml"
# Phrases of the page's own that hold digits, with a plain or a fixed space.
PHRASES = (
    r"95[ \u00a0]?% (?:interval|置信区间)",
    r"5 ?% (?:or|或) 1 ?%",
    r"(?:TVaR|at) 9[59] ?%",
    r"\bP\d\d\b",
    r"9[59]% 把握",
    r"5 ?% (?:of seasons|春节|的 5% 春节)",
    r"的 5% 春节",
)
CHAPTERS = ["answers", "staffing", "payouts", "load-test", "assumptions"]


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic run under the real base scenario with its payout tables, reported twice."""
    path = write_synthetic_run(tmp_path_factory.mktemp("report") / "run", replications=4, seed=7)
    (path / "scenario.toml").write_text(BASE.read_text(encoding="utf-8"), encoding="utf-8")
    write_tables(path, payout_tables(Seasons(path), budgets_fen={}, asked_level=None))
    for language, name in zip(LANGUAGES, ("report.html", "report.zh.html"), strict=True):
        with speaking(language):
            assert page.write(path) == path / name
    return path


@pytest.fixture(scope="module")
def pages(run_dir: Path) -> dict[str, str]:
    names = zip(LANGUAGES, ("report.html", "report.zh.html"), strict=True)
    return {language: (run_dir / name).read_text(encoding="utf-8") for language, name in names}


@pytest.fixture(scope="module")
def html(pages: dict[str, str]) -> str:
    return pages["en"]


@pytest.fixture(scope="module")
def walks(pages: dict[str, str]) -> dict[str, Walk]:
    return {language: walked(text) for language, text in pages.items()}


@pytest.fixture(scope="module")
def walk(walks: dict[str, Walk]) -> Walk:
    return walks["en"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_is_the_cell_at_its_address(
    language: str, walks: dict[str, Walk], run_dir: Path
) -> None:
    walk = walks[language]
    with speaking(language):
        assert list(mistakes(walk, Files.of_run(run_dir))) == []
    sources = {re.split(r"[:\[]", given["data-source"])[0] for given, _ in walk.numbers}
    assert sources >= {"estimates", "summary", "manifest", "scenario", "payout_distribution"}
    # Two heat maps in two widths already print 9 x 24 numbers each.
    assert len(walk.numbers) > 4 * 9 * 24


def test_both_languages_print_the_same_cells(walks: dict[str, Walk]) -> None:
    addresses = [
        sorted((given["data-source"], given["data-field"]) for given, _ in walk.numbers)
        for walk in walks.values()
    ]
    assert addresses[0] == addresses[1]


def test_the_walk_catches_one_wrong_cell(walk: Walk, run_dir: Path) -> None:
    given, text = walk.numbers[5]
    wrong = Walk(numbers=[*walk.numbers[:5], (given, f"1{text}"), *walk.numbers[6:]])
    assert len(list(mistakes(wrong, Files.of_run(run_dir)))) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_number_stands_outside_an_address(language: str, walks: dict[str, Walk]) -> None:
    known = re.compile("|".join(PHRASES))
    for text in walks[language].rest:
        assert not re.search(r"\d", known.sub("", text)), f"a number without an address: {text!r}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_needs_nothing_but_itself(
    language: str, pages: dict[str, str], walks: dict[str, Walk]
) -> None:
    html = pages[language]
    assert len(html.encode()) < 5_000_000
    assert "<script" not in html
    assert "@import" not in html
    assert set(re.findall(r"url\((#|[a-z/0-9:]*)", html)) <= {"#", "data:font/woff2"}
    for tag, given in walks[language].tags:
        for name in ("src", "href", "xlink:href", "srcset"):
            value = given.get(name, "#")
            assert value.startswith(("#", "data:text/csv")), f"<{tag}> loads {value}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_is_in_its_language_and_lacks_no_glyph(
    language: str, pages: dict[str, str], walks: dict[str, Walk]
) -> None:
    assert f'<html lang="{"zh-CN" if language == "zh" else "en"}">' in pages[language]
    assert not set(pages[language]) - covered() - set("\n\r\t")
    if language == "zh":
        terms = style.GUARANTEE_NAMES.values()
        english = re.compile("|".join(sorted({one for one, _ in terms})))
        plain = [english.sub("", text) for text in walks["zh"].rest]
        sentences = [text for text in plain if re.search(r"[A-Za-z]{3,} [a-z]+ [a-z]+ ", text)]
        assert sentences == []


def test_chapters_stand_behind_their_tabs(html: str) -> None:
    assert re.findall(r'<article class="chapter" id="([^"]+)">', html) == CHAPTERS
    assert re.findall(r'<nav>.*?</nav>', html, flags=re.DOTALL)
    assert re.findall(r'<a href="#([^"]+)">', html) == CHAPTERS


def test_ids_are_unique_and_references_resolve(html: str) -> None:
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    wanted = set(re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', html))
    assert {one or other for one, other in wanted} <= set(ids)


def test_rebuilding_gives_the_same_bytes(run_dir: Path, pages: dict[str, str]) -> None:
    said = springpeak_says("report", str(run_dir), "--lang", "zh")
    assert said.status == 0
    assert said.out.startswith("2,400 名客服够用吗？ ")
    assert str(run_dir / "report.zh.html") in said.out.replace("\n", "")
    assert (run_dir / "report.zh.html").read_text(encoding="utf-8") == pages["zh"]
    assert sorted(path.name for path in run_dir.glob("*unfinished*")) == []


def figures(html: str) -> dict[str, str]:
    return dict(re.findall(r'<figure id="([^"]+)">(.*?)</figure>', html, flags=re.DOTALL))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_figure_has_finding_units_band_source_and_data(
    language: str, pages: dict[str, str], run_dir: Path
) -> None:
    found = figures(pages[language])
    assert list(found) == [
        "service-level",
        "load",
        "strain",
        "alerts",
        "payouts-by-day",
        "pots",
        "merchants",
        "payout-cash",
    ]
    for key, text in found.items():
        title = re.search(r"<h3>(.*?)</h3>", text, flags=re.DOTALL)
        assert title is not None
        assert 'class="num"' in title[1], f"{key}: the title states no finding"
        source = re.search(r"<span>(?:Source: |来源：)(\w+)\.parquet: (.*?)</span>", text)
        assert source is not None
        table = pl.read_parquet(run_dir / f"{source[1]}.parquet")
        assert set(source[2].split(", ")) <= set(table[table.columns[0]].cast(pl.String))
        assert download(text).height > 0
        for layout in ("wide", "narrow"):
            drawing = re.search(rf'<svg class="drawing {layout}".*?</svg>', text, flags=re.DOTALL)
            assert drawing is not None
            # Bands are filled areas; the heat map frames cells whose interval crosses the target.
            mark = "PatchCollection" if key == "service-level" else "FillBetweenPolyCollection"
            assert mark in drawing[0], f"{key}, {layout}: no band"
            assert "font-family" not in drawing[0], "text is set in the page's own typeface"


def download(figure: str) -> pl.DataFrame:
    """The table behind a figure's button."""
    link = re.search(r'<a class="save" download="[^"]+\.csv" href="data:[^,]+,([^"]+)">', figure)
    assert link is not None
    return pl.read_csv(base64.b64decode(link[1]), infer_schema_length=None)


def test_the_button_gives_the_rows_of_the_table(html: str, run_dir: Path) -> None:
    data = download(figures(html)["strain"])
    table = pl.read_parquet(run_dir / "estimates.parquet")
    assert data["subject"].unique(maintain_order=True).to_list() == [
        "abandoned_ratio", "queue_len_mean", "redials_count"
    ]  # fmt: skip
    assert data.height == 3 * 9 * 24
    for row in data.rows(named=True)[::100]:
        (same,) = table.filter(
            pl.col("subject") == row["subject"],
            pl.col("lunar_day") == row["lunar_day"],
            pl.col("hour") == row["hour"],
            pl.col("skill").is_null(),
        ).rows(named=True)
        assert {name: same[name] for name in ("mean", "low", "high")} == {
            name: row[name] for name in ("mean", "low", "high")
        }


def test_assumptions_are_marked_with_low_and_high(html: str) -> None:
    rows = re.findall(
        r"<tr><td>([^<]+)</td><td([^>]*)>(.*?)</td><td>(.*?)</td><td>(.*?)</td>", html
    )
    found = {row[0]: row for row in rows}
    _, changed, value, span, source = found["merchants.speculator_ratio.catering"]
    base = tomllib.loads(BASE.read_text(encoding="utf-8"))
    assert style.plain(base["merchants"]["speculator_ratio"]["catering"]) in value
    assert changed == ""
    assert re.fullmatch(r"[\d.,]+ – [\d.,]+", span)
    assert '<span class="tag A">Assumed</span>' in source
    assert ">Source</span>" in found["calendar.statutory_pay_multiple"][4]
    assert found["demand.day_multiplier.hotel"][3].startswith("× ")
