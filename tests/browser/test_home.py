"""Home is light, there before its scripts, and nothing of it jumps."""

from collections import Counter

import pytest
from playwright.sync_api import Browser, Request, expect

from tests.browser.conftest import NARROW, WIDE, Site

BUDGET = 150_000  # bytes of HTML, CSS and JavaScript, as they are sent
MOST_SHIFT = 0.1  # good, after https://web.dev/articles/cls
WIDEST_LINE = 65  # ch
SHIFTS = """() => new Promise((resolve) => {
    let sum = 0;
    new PerformanceObserver((list) => {
        for (const shift of list.getEntries()) if (!shift.hadRecentInput) sum += shift.value;
    }).observe({ type: "layout-shift", buffered: true });
    setTimeout(() => resolve(sum), 1000);
})"""
TOO_WIDE = """(most) => [...document.querySelectorAll("main p, main dd, main .prose li")].filter((line) => {
    const ruler = document.createElement("span");
    Object.assign(ruler.style, { position: "absolute", width: `${most}ch` });
    line.append(ruler);
    const width = ruler.getBoundingClientRect().width;
    ruler.remove();
    return line.checkVisibility() && !line.querySelector(".button, button, select") && line.clientWidth > width + 1;
}).map((line) => line.textContent.trim().slice(0, 60))"""


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_it_works(site: Site, browser: Browser, width: int) -> None:
    page = site.new_page(browser, width=width)
    sent: Counter[str] = Counter()

    def count(request: Request) -> None:
        kind = request.resource_type
        if kind in ("document", "stylesheet", "script"):
            sizes = request.sizes()
            sent[kind] += sizes["responseBodySize"] + sizes["responseHeadersSize"]

    page.on("requestfinished", count)
    page.goto("/", wait_until="networkidle")

    assert min(sent["document"], sent["stylesheet"], sent["script"]) > 0
    assert sent.total() < BUDGET, sent
    assert page.evaluate(SHIFTS) < MOST_SHIFT
    page.context.close()


def test_it_is_painted_without_scripts(site: Site, browser: Browser) -> None:
    context = browser.new_context(base_url=site.url, java_script_enabled=False)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.resource_type))
    page.goto("/")

    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_text("Choose pictures")).to_be_visible()
    for picture in page.locator(".pair img").all():
        expect(picture).to_be_visible()
    assert "script" not in asked
    context.close()


def test_no_line_is_longer_than_sixty_five_characters(site: Site, browser: Browser) -> None:
    page = site.new_page(browser)
    for path in ("/", "/pricing", "/terms", "/privacy", "/acceptable-use", "/status", "/support", "/docs", "/docs/api"):
        page.goto(path)
        assert page.evaluate(TOO_WIDE, WIDEST_LINE) == [], path
    page.context.close()


@pytest.mark.parametrize("path", ["/", "/pricing", "/docs", "/login", "/status", "/nothing"])
def test_the_header_of_a_phone_is_one_row(site: Site, browser: Browser, path: str) -> None:
    page = site.new_page(browser, width=NARROW)
    page.goto(path)
    header = page.locator(".site-header").bounding_box()
    assert header is not None
    assert header["height"] < 64
    page.get_by_role("button", name="Menu", exact=True).click()
    expect(page.get_by_role("navigation", name="Site").get_by_role("link", name="Docs")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("navigation", name="Site")).to_be_hidden()
    page.context.close()
