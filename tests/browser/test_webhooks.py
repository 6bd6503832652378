"""Webhooks in a browser: added, tested, and looked at with what failed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Site, assert_accessible
from tests.browser.test_accessibility import LOOKS
from tests.web import Web, serving


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site"), DEBUG="true", FETCH_ALLOWED_NETWORKS="127.0.0.0/8")
    site.start()
    try:
        yield site
        assert not site.refused
    finally:
        site.stop()


@pytest.fixture(scope="module")
def customer(site: Site, browser: Browser) -> Page:
    page = site.new_page(browser)
    site.sign_up(page, "webhooks@example.org")
    return page


@pytest.fixture
def receiver() -> Iterator[Web]:
    with serving() as web:
        web.put("/hook", b"thanks")
        web.put("/broken", b"out of order " * 20, "503 Service Unavailable")
        yield web


def look(page: Page, folder: Path, name: str, path: str) -> None:
    for scheme, width in LOOKS:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(path)
        assert_accessible(page)
        page.screenshot(path=folder / f"{name}-{scheme}-{width}.png", full_page=True)


def add(page: Page, url: str) -> str:
    """Where its page is."""
    page.goto("/dashboard/webhooks/new")
    page.get_by_label("Address").fill(url)
    page.get_by_label("A batch has failed as a whole").check()
    page.get_by_role("button", name="Add the endpoint").click()
    expect(page.get_by_text("whsec_")).to_be_visible()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("link", name="To the endpoint").click()
    return page.url


def test_it_works(site: Site, customer: Page, receiver: Web, tmp_path: Path) -> None:
    look(customer, tmp_path, "empty", "/dashboard/webhooks")
    path = add(customer, receiver.url("/hook"))
    look(customer, tmp_path, "fresh", path)
    customer.get_by_role("button", name="Send a test").click()
    expect(customer.get_by_text("200 OK")).to_be_visible()  # the page moves by itself
    look(customer, tmp_path, "delivered", path)
    look(customer, tmp_path, "list", "/dashboard/webhooks")

    customer.goto(path)
    customer.get_by_role("button", name="Disable").click()
    expect(customer.get_by_text("by you")).to_be_visible()
    look(customer, tmp_path, "disabled", path)


def test_a_log_with_failures(site: Site, customer: Page, receiver: Web, tmp_path: Path) -> None:
    path = add(customer, receiver.url("/broken"))
    customer.get_by_role("button", name="Send a test").click()
    expect(customer.get_by_text("503 Service Unavailable").first).to_be_visible()
    look(customer, tmp_path, "failing", path)
    for page in ("edit", "rotate", "delete"):
        look(customer, tmp_path, page, f"{path}/{page}")
    for page in ("", "/default", "/default/rotate"):
        look(customer, tmp_path, f"all{page.replace('/', '-')}", f"/dashboard/webhooks{page}")


def test_without_javascript(site: Site, customer: Page, browser: Browser, receiver: Web) -> None:
    cookies = customer.context.storage_state()
    context = browser.new_context(base_url=site.url, java_script_enabled=False, storage_state=cookies)
    page = context.new_page()
    page.goto("/dashboard/webhooks/new")
    page.get_by_label("Address").fill(receiver.url("/hook"))
    page.get_by_label("80 or 100 percent").check()
    page.get_by_role("button", name="Add the endpoint").click()
    page.get_by_role("link", name="To the endpoint").click()
    page.get_by_role("button", name="Send a test").click()

    expect(page.get_by_text("200 OK")).to_be_visible()
