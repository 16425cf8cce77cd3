"""The what-if page and the report, driven in Chromium: pick, change, run, compare, save, open.

Screenshots of both languages at two widths are kept in results/pages/. Every wait is for a
condition on the page; replications run behind a gate that the test opens.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from scenarios.loader import load
from tests.glyphs import covered
from tests.whatif_page import PAGES, SMALL, Gate, chromium, served, why_no_browser

pytestmark = pytest.mark.skipif(why_no_browser() is not None, reason=str(why_no_browser()))

# Only a failing test waits so long.
WAIT_MS = 600_000
WIDTHS = (1280, 390)
LANGUAGES = ("en", "zh")
OVERTAKEN = ("htmx:sendAbort", "htmx:afterRequest")
# Elements that stick out of the page, or hold text that they do not show.
CUT = """() => {
  const found = [];
  const shown = e => e.checkVisibility() && !e.closest('.hidden, .skip, svg *');
  const scrolls = e => e !== document.body &&
    (/auto|scroll/.test(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
  for (const e of document.querySelectorAll('body *')) {
    if (!shown(e) || scrolls(e)) continue;
    const box = e.getBoundingClientRect();
    if (box.width && box.right > document.documentElement.clientWidth + 1)
      found.push(`${e.tagName} ${e.className} ends at ${box.right}`);
    if (e.matches('input:not([type=checkbox])') && e.scrollWidth > e.clientWidth + 1)
      found.push(`${e.name} shows not all of ${e.value}`);
    const hides = /hidden|clip/.test(getComputedStyle(e).overflowX) && !e.matches('svg');
    if (hides && e.scrollWidth > e.clientWidth + 1)
      found.push(`${e.tagName} ${e.className} cuts its text`);
  }
  if (document.documentElement.scrollWidth > document.documentElement.clientWidth + 1)
    found.push('the page is wider than the window');
  return found;
}"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Headless, without a network service of its own, with a fresh profile."""
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as driver:
        found = driver.chromium.launch(
            executable_path=chromium(), args=flags, downloads_path=tmp_path_factory.mktemp("saved")
        )
        yield found
        found.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Gate, Path]]:
    folder = tmp_path_factory.mktemp("what-if")
    with served(folder) as (address, gate):
        yield address, gate, folder


@pytest.fixture
def page(browser: Browser, site: tuple[str, Gate, Path]) -> Iterator[Page]:
    """The page in English at 1280 pixels; what the browser's console says is an error."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        found = _page(context)
        said: list[str] = []
        found.on("console", lambda message: said.append(message.text))
        found.on("pageerror", lambda error: said.append(str(error)))
        found.goto(site[0])
        yield found
        # An answer that a newer change has overtaken is given up, and htmx notes it.
        assert not [text for text in said if not text.startswith(OVERTAKEN)]


def _page(context: BrowserContext) -> Page:
    """A page that waits for its conditions as long as a busy machine needs."""
    expect.set_options(timeout=WAIT_MS)
    context.set_default_timeout(WAIT_MS)
    return context.new_page()


def heads(page: Page) -> str:
    """How many heads the first card speaks of."""
    question = page.locator("#answer .card h2").first.inner_text()
    return re.sub(r"\D", "", question)


def move(page: Page, key: str, text: str) -> None:
    field = page.locator(f"[id='{key.replace('.', '-')}']")
    group = page.locator("details", has=field)
    if group.get_attribute("open") is None:
        group.locator("summary").click()
    field.fill(text)


def test_a_change_is_answered_at_once_and_marked_as_an_approximation(page: Page) -> None:
    assert heads(page) == "48"
    move(page, "support.headcount_count", "60")
    expect(page.locator("#answer .card h2").first).to_contain_text("60")
    expect(page.locator("#answer .kind")).to_contain_text("approximation")
    wages = page.locator("#answer .measures tr", has_text="Wages").locator("td").nth(2)
    expect(wages).to_contain_text("+")
    orders = page.locator("#answer .measures tr", has_text="Orders").locator("td").nth(2)
    expect(orders).to_have_text("0")


def test_bad_values_are_refused_beside_their_fields_in_the_schemas_words(page: Page) -> None:
    for key, text, words in (
        ("support.attendance_ratio", "1.2", "should be less than or equal to 1"),
        ("support.headcount_count", "many", "should be a valid integer"),
        ("demand.orders_multiple", "-1", "should be greater than or equal to 0"),
        ("pots.report_bounty.day_limit_fen", "9999999999", "is above total_limit_fen"),
        ("support.shifts.night.heads_ratio", "0.9", "must add up to 1, not"),
    ):
        before = page.locator(f"[id='{key.replace('.', '-')}']").input_value()
        move(page, key, text)
        refused = page.locator(f"[id='no-{key.replace('.', '-')}']")
        expect(refused).to_contain_text(words)
        expect(page.locator("#answer .stop")).to_be_visible()
        move(page, key, before)
        expect(refused).to_be_empty()
        expect(page.locator("#answer .card").first).to_be_visible()


def test_an_overlay_is_picked_and_what_was_moved_stays(page: Page) -> None:
    move(page, "support.headcount_count", "55")
    page.get_by_label("Demand a fifth higher").check()
    expect(page.locator("#demand-orders_multiple")).to_have_value("1.2")
    expect(page.locator("#support-headcount_count")).to_have_value("55")
    orders = page.locator("#answer .measures tr", has_text="Orders").locator("td").nth(2)
    expect(orders).to_contain_text("+")
    expect(page.locator("#answer .card h2").first).to_contain_text("55")


def test_simulate_compare_save_and_open_the_report(
    page: Page, site: tuple[str, Gate, Path]
) -> None:
    _, gate, folder = site
    move(page, "support.headcount_count", "70")
    page.get_by_label("Replications").fill("2")
    page.get_by_role("button", name="Simulate the day").click()
    bar = page.locator("#progress progress")
    expect(bar).to_have_attribute("value", "0")
    expect(bar).to_have_attribute("max", "4")
    gate.open(1)
    expect(bar).to_have_attribute("value", "1")
    page.get_by_role("button", name="Simulate the day").click()
    expect(page.locator("#study")).to_contain_text("A simulation is running")
    expect(bar).to_have_attribute("value", "1")
    gate.open(3)
    expect(page.locator("#study[data-phase=done]")).to_be_visible()
    assert page.evaluate(CUT) == []
    table = page.locator(".simulated")
    orders = table.locator("tr", has_text="Orders")
    expect(orders.locator("td").nth(2)).to_have_text("0")
    expect(orders.locator("td").nth(3)).to_have_text("0 to 0")
    wages = table.locator("tr", has_text="Wages")
    expect(wages).to_have_class("clear")

    page.get_by_label("Name of the overlay").fill("seventy")
    page.get_by_role("button", name="Save as an overlay").click()
    expect(page.locator("#saved code")).to_contain_text("--overlay")
    with page.expect_download() as saved:
        page.locator("#saved a").click()
    text = Path(saved.value.path()).read_text(encoding="utf-8")
    assert tomllib.loads(text)["support"] == {"headcount_count": 70}
    overlay = folder / "runs" / "seventy.toml"
    scenario = load(str(SMALL), overlays=(str(overlay),))
    assert scenario.support.headcount_count == 70

    with page.expect_popup() as opened:
        page.get_by_role("link", name="Open the report with your changes").click()
    report = opened.value
    report.wait_for_load_state()
    expect(report.locator("h1")).to_be_visible()
    address = report.url
    report.close()
    _keep_report(page, address)


def test_cancelling_keeps_what_is_finished(page: Page, site: tuple[str, Gate, Path]) -> None:
    gate = site[1]
    move(page, "support.headcount_count", "65")
    page.get_by_label("Replications").fill("3")
    page.get_by_role("button", name="Simulate the day").click()
    bar = page.locator("#progress progress")
    # What the baseline has from another test counts as finished; then it waits at the gate.
    expect(bar).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#progress")).to_contain_text("stopping after")
    gate.open(1)
    expect(page.locator("#study[data-phase=cancelled]")).to_contain_text("are kept")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_cut_off_and_no_glyph_is_missing(
    browser: Browser, site: tuple[str, Gate, Path], language: str, width: int
) -> None:
    with browser.new_context(viewport={"width": width, "height": 900}) as context:
        page = _page(context)
        page.goto(f"{site[0]}?lang={language}")
        for summary in page.locator("#fields summary").all()[1:]:
            summary.click()
        _look(page, f"what-if-{language}-{width}")
        assert page.locator("html").get_attribute("lang") == ("zh-CN" if language == "zh" else "en")


def test_every_field_has_a_label_and_the_keyboard_reaches_it(page: Page) -> None:
    unlabelled = page.evaluate(
        "() => [...document.querySelectorAll('input:not([type=hidden]), select, button')]"
        ".filter(e => !e.labels?.length && !e.textContent.trim() && !e.ariaLabel).map(e => e.name)"
    )
    assert unlabelled == []
    page.locator("#scenario").focus()
    reached = []
    for _ in range(14):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.name || document.activeElement.id"))
    assert reached[0] == "day"
    assert reached.count("overlays") == 10
    page.locator("#support-headcount_count").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("61")
    page.keyboard.press("Enter")
    expect(page.locator("#answer .card h2").first).to_contain_text("61")


def _keep_report(page: Page, address: str) -> None:
    """Look at the report in both languages and widths."""
    for language in LANGUAGES:
        for width in WIDTHS:
            report = _page(page.context)
            report.set_viewport_size({"width": width, "height": 900})
            report.goto(address.replace("lang=en", f"lang={language}"))
            _look(report, f"report-{language}-{width}")
            report.close()


def _look(page: Page, name: str) -> None:
    """Keep a picture; nothing is cut off, every character is in the shipped typeface, and the
    browser has loaded that typeface."""
    PAGES.mkdir(parents=True, exist_ok=True)
    page.evaluate("document.fonts.ready.then(() => true)")
    page.screenshot(path=PAGES / f"{name}.png", full_page=True)
    assert page.evaluate(CUT) == [], name
    text = page.evaluate("document.body.innerText")
    assert not set(text) - set("\n\t\r") - covered(), name
    faces = page.evaluate("[...document.fonts].map(one => [one.family, one.status])")
    assert ["springpeak", "loaded"] in faces, name
    assert not [one for one in faces if one[1] == "error"], name
