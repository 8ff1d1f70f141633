"""The committed ledger in a real browser: `make browser` installs what drives it.

Skipped where Playwright or a Chromium is missing, and in part where axe-core is.
"""

import re
import shutil
from pathlib import Path

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="no Playwright: make browser")
PAGE = Path(__file__).resolve().parents[2] / "docs/ledger/index.html"
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
WIDTHS = {"phone": 390, "tablet": 820, "desk": 1400}
ROWS = ".all tbody tr"
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def opened(browser):
    """Open the page, at an address within it; what went wrong stands in ``page.faults``."""
    contexts = []

    def opened(hash="", **context):
        contexts.append(browser.new_context(**context))
        page = contexts[-1].new_page()
        page.faults = []
        page.on("console", lambda said: page.faults.append(said.text))
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("requestfailed", lambda request: page.faults.append(request.url))
        page.goto(PAGE.as_uri() + hash)
        return page

    yield opened
    for context in contexts:
        context.close()


def shown(page):
    """Rows of the table of all verdicts that are shown, and what the filter says of them."""
    said = re.fullmatch(r"(\d+) of (\d+) verdicts", page.locator("#filter output").inner_text())
    return page.locator(f"{ROWS}:visible").count(), int(said[1]), int(said[2])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_the_page_opens_whole_and_fits(opened, width, scheme):
    page = opened(viewport={"width": width, "height": 900}, color_scheme=scheme)
    # Lazy pictures are fetched once they come near.
    for picture in page.locator("main img").all():
        picture.scroll_into_view_if_needed()
    page.wait_for_function("[...document.images].every(image => image.complete)", timeout=120_000)
    broken = "found => found.filter(image => !image.naturalWidth).map(image => image.src)"
    assert page.locator("main img").evaluate_all(broken) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [WIDTHS["phone"], WIDTHS["desk"]], ids=["phone", "desk"])
def test_axe_finds_nothing_serious(opened, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-core")
    page = opened(viewport={"width": width, "height": 900}, color_scheme=scheme)
    found = axe.Axe().run(page).response["violations"]
    assert [rule["id"] for rule in found if rule["impact"] in ("serious", "critical")] == []


def test_filters_are_in_the_address_and_come_back_with_it(opened):
    page = opened()
    rows, said, every = shown(page)
    assert rows == said == every > 200
    page.get_by_label("text").fill("theorem 3.3")
    page.get_by_label("paper").select_option("du2018")
    page.get_by_label("kind").select_option("claim")
    rows, said, _ = shown(page)
    assert 0 < rows == said < 10
    assert "#filter:" in page.url and "kind=claim" in page.url

    again = opened(page.url.removeprefix(PAGE.as_uri()))
    assert shown(again) == (rows, said, every)
    assert again.get_by_label("text").input_value() == "theorem 3.3"
    again.get_by_role("button", name="show all").click()
    again.wait_for_function("!location.hash.includes('filter')")
    assert shown(again)[0] == every
    assert page.faults == again.faults == []


def test_a_link_to_a_claim_leads_there(opened):
    page = opened("#du2018-9b")
    row = page.locator("#du2018-9b")
    assert "9b" in row.inner_text()
    box = row.bounding_box()
    assert 0 <= box["y"] < page.viewport_size["height"]
    # From the table of all verdicts too.
    page.locator(f"{ROWS} a", has_text=re.compile("^Z3$")).click()
    assert page.url.endswith("#zhong2017-Z3")


def test_the_keyboard_reaches_content_filter_and_links(opened):
    page = opened()
    page.keyboard.press("Tab")
    assert "Skip" in page.locator(":focus").inner_text()
    page.keyboard.press("Enter")
    assert page.url.endswith("#verdicts")
    page.keyboard.press("/")
    page.keyboard.type("Z10b-tanh")
    assert shown(page)[0] == 1
    while page.evaluate("document.activeElement.getAttribute('href')") != "#zhong2017-Z10b-tanh":
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement !== document.body"), "the link is not reached"
    page.keyboard.press("Enter")
    assert page.url.endswith("#zhong2017-Z10b-tanh")


def test_without_a_script_all_is_there(opened):
    plain, scripted = opened(java_script_enabled=False), opened()
    assert not plain.locator("#filter").is_visible()
    assert plain.locator(f"{ROWS}:visible").count() == scripted.locator(ROWS).count() > 200
    assert plain.locator("main").inner_text().count("holds") > 200
    assert plain.locator("main img:visible").count() == scripted.locator("main img").count()


def test_on_paper_there_is_no_form(opened):
    page = opened()
    page.emulate_media(media="print")
    assert not page.locator("#filter").is_visible()
    assert page.locator(f"{ROWS}:visible").count() > 200
