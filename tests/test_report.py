"""The report page: every number is a cell of the run's files, and the page stands on its own.

The walk below does not use the report's own look-up: it reads the addresses on the page and looks
the cells up in the files. No tolerance: a number is printed right or wrong.
"""

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from reports import page, style
from scenarios.loader import SHIPPED
from tests.synthetic_run import write_synthetic_run

BASE = SHIPPED / "spring-festival-2026.toml"
# The one phrase of the page's own that holds digits, with a plain or a fixed space.
PHRASES = ("95 % interval", "95\u00a0% interval")
# Text that is no result: names of days and hours, cuts of the verdict, quoted words, settings.
LABELS = {"dim", "cut", "quoted", "setting"}


@dataclass
class Walk(HTMLParser):
    """Collects the numbers of a page with their addresses, and all text outside of them."""

    numbers: list[tuple[dict[str, str], str]] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    _open: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        if tag not in ("meta", "path", "use", "rect", "br"):
            self._open.append((tag, given))
        if given.get("class") == "num":
            self.numbers.append((given, ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        classes = {given.get("class", "") for _, given in self._open}
        tags = {tag for tag, _ in self._open}
        if "num" in classes:
            given, text = self.numbers[-1]
            self.numbers[-1] = (given, text + data.strip())
        elif (
            not classes & LABELS
            and not tags & {"svg", "style", "title", "header"}
            and not any(given.get("id") == "assumptions" for _, given in self._open)
        ):
            self.rest.append(data)


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic run under the real base scenario, with its page."""
    path = write_synthetic_run(tmp_path_factory.mktemp("report") / "run", replications=4, seed=7)
    (path / "scenario.toml").write_text(BASE.read_text(encoding="utf-8"), encoding="utf-8")
    assert page.write(path) == path / "report.html"
    return path


@pytest.fixture(scope="module")
def html(run_dir: Path) -> str:
    return (run_dir / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def walk(html: str) -> Walk:
    found = Walk()
    found.feed(html)
    return found


def mistakes(walk: Walk, run_dir: Path) -> Iterator[str]:
    """Numbers of the page that are not what the file at their address says."""
    files = {
        name: json.loads((run_dir / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("summary", "manifest")
    }
    files["scenario"] = tomllib.loads((run_dir / "scenario.toml").read_text(encoding="utf-8"))
    frame = pl.read_parquet(run_dir / "estimates.parquet")
    dims = ("lunar_day", "hour", "skill", "channel", "guarantee", "category", "store_type")
    estimates = {
        (row["subject"], *(None if row[dim] is None else str(row[dim]) for dim in dims)): row
        for row in frame.iter_rows(named=True)
    }
    for given, text in walk.numbers:
        file, _, key = given["data-source"].partition(":")
        value: Any
        if file == "estimates":
            subject, _, selected = key.rstrip("]").partition("[")
            chosen = dict(pair.split("=") for pair in selected.split(",") if pair)
            row = estimates.get((subject, *(chosen.get(dim) for dim in dims)), {})
            value = row.get(given["data-field"])
        else:
            value = files[file]
            for part in key.split("."):
                value = value[part]
        wanted = style.MISSING if value is None else style.FORMATS[given["data-form"]](value)
        if text != wanted:
            yield f"{given['data-source']} {given['data-field']}: page {text!r}, file {wanted!r}"


def test_every_number_is_the_cell_at_its_address(walk: Walk, run_dir: Path) -> None:
    assert list(mistakes(walk, run_dir)) == []
    missing = [given["data-source"] for given, text in walk.numbers if text == style.MISSING]
    assert missing == [], "the page quotes cells that no run of several replications has"
    sources = {given["data-source"].partition(":")[0] for given, _ in walk.numbers}
    assert sources == {"estimates", "summary", "manifest", "scenario"}
    # Two heat maps in two widths already print 9 x 24 numbers each.
    assert len(walk.numbers) > 4 * 9 * 24


def test_the_walk_catches_one_wrong_cell(walk: Walk, run_dir: Path) -> None:
    given, text = walk.numbers[5]
    wrong = Walk(numbers=[*walk.numbers[:5], (given, f"1{text}"), *walk.numbers[6:]])
    assert len(list(mistakes(wrong, run_dir))) == 1


def test_no_number_stands_outside_an_address(walk: Walk) -> None:
    known = re.compile("|".join(PHRASES))
    for text in walk.rest:
        assert not re.search(r"\d", known.sub("", text)), f"a number without an address: {text!r}"


def test_the_page_needs_nothing_but_itself(html: str, walk: Walk) -> None:
    assert len(html.encode()) < 5_000_000
    assert "<script" not in html
    assert "@import" not in html
    assert set(re.findall(r"url\((#|[a-z/0-9:]*)", html)) <= {"#", "data:font/woff2"}
    for tag, given in walk.tags:
        for name in ("src", "href", "xlink:href", "srcset"):
            assert given.get(name, "#").startswith("#"), f"<{tag}> loads {given[name]}"


def test_ids_are_unique_and_references_resolve(html: str) -> None:
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    wanted = set(re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', html))
    assert {one or other for one, other in wanted} <= set(ids)


def test_rebuilding_gives_the_same_bytes(run_dir: Path, html: str) -> None:
    page.write(run_dir)
    assert (run_dir / "report.html").read_text(encoding="utf-8") == html
    assert sorted(path.name for path in run_dir.glob("*unfinished*")) == []


def figures(html: str) -> dict[str, str]:
    return dict(re.findall(r'<figure id="([^"]+)">(.*?)</figure>', html, flags=re.DOTALL))


def test_every_figure_of_the_brief_is_there_with_finding_units_band_and_source(
    html: str, run_dir: Path
) -> None:
    found = figures(html)
    assert list(found) == [
        "load",
        "service-level",
        "strain",
        "payouts",
        "pots",
        "merchants",
        "alerts",
    ]
    known = set(pl.read_parquet(run_dir / "estimates.parquet")["subject"])
    for key, text in found.items():
        title = re.search(r"<h3>(.*?)</h3>", text, flags=re.DOTALL)
        assert title is not None
        assert 'class="num"' in title[1], f"{key}: the title states no finding"
        source = re.search(r"Source: estimates.parquet: (.*?)</p>", text)
        assert source is not None
        assert set(source[1].split(", ")) <= known
        for layout in ("wide", "narrow"):
            drawing = re.search(rf'<svg class="drawing {layout}".*?</svg>', text, flags=re.DOTALL)
            assert drawing is not None
            # Bands are filled areas; the heat map frames cells whose interval crosses the target.
            mark = "PatchCollection" if key == "service-level" else "FillBetweenPolyCollection"
            assert mark in drawing[0], f"{key}, {layout}: no band"
            assert "DejaVu" not in drawing[0], "text is set in the reader's font"


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
