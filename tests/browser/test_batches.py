"""A batch watched in a browser: its page moves by itself, also without JavaScript."""

from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests import pictures
from tests.browser.conftest import PASSWORD, Site, assert_accessible
from tests.browser.test_accessibility import LOOKS

EMAIL = "batches@example.org"


@pytest.fixture(scope="module")
def customer(site: Site, browser: Browser) -> Page:
    page = site.new_page(browser)
    site.sign_up(page, EMAIL)
    return page


@pytest.fixture(scope="module")
def secret(site: Site, customer: Page) -> str:
    return site.manage("create_api_key", "--email", EMAIL, "--plan", "pro")


def send(site: Site, secret: str, count: int = 3) -> str:
    """A batch of so many pictures; where its page is."""
    photo = pictures.photo(320, 240)
    files = [("images", (f"picture {n}.png", pictures.file(photo[:, :: 1 - 2 * (n % 2)]))) for n in range(count)]
    files.append(("mask", ("mask.png", pictures.file(pictures.box_mask(320, 240)))))
    answer = requests.post(f"{site.url}/api/v1/batch", headers={"X-API-Key": secret}, files=files, timeout=60)
    assert answer.status_code == 202
    return f"/batches/{answer.json()['id']}"


def set_limit(site: Site, concurrent_items: int | None) -> None:
    """How many of the account's pictures are worked on at once; with 0 they wait."""
    code = "from accounts.models import Subscription; Subscription.objects.filter(user__email='{}').update({}={})"
    site.manage("shell", "-c", code.format(EMAIL, "concurrent_items", concurrent_items))


def sign_in(page: Page) -> None:
    page.goto("/login")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/dashboard")


def test_it_works(site: Site, customer: Page, secret: str, tmp_path: Path) -> None:
    customer.goto("/batches")
    expect(customer.get_by_text(f"X-API-Key: {secret[:16]}…")).to_be_visible()
    set_limit(site, 0)
    path = send(site, secret)
    customer.goto(path)
    expect(customer.get_by_text("0 of 3 done")).to_be_visible()
    assert_accessible(customer)
    customer.evaluate("window.sameDocument = true")
    set_limit(site, None)
    expect(customer.get_by_text("3 of 3 done")).to_be_visible()
    assert customer.evaluate("window.sameDocument")  # it moved, and was not loaded again
    expect(customer.get_by_role("link", name="Download ZIP")).to_be_visible()
    images = customer.locator(".items img")
    expect(images).to_have_count(3)
    for nth in range(3):
        expect(images.nth(nth)).to_have_js_property("naturalWidth", 192)

    for scheme, width in LOOKS:
        customer.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        customer.set_viewport_size({"width": width, "height": 900})
        for where in (path, "/batches"):
            customer.goto(where)
            assert_accessible(customer)
            customer.screenshot(path=tmp_path / f"{len(where)}-{scheme}-{width}.png", full_page=True)

    customer.goto(path)
    customer.get_by_role("link", name="Delete", exact=True).click()
    customer.get_by_role("button", name="Delete", exact=True).click()
    expect(customer.get_by_text("pictures are deleted")).to_be_visible()
    expect(images).to_have_count(0)


def test_without_javascript(site: Site, browser: Browser, secret: str) -> None:
    context = browser.new_context(base_url=site.url, java_script_enabled=False)
    page = context.new_page()
    sign_in(page)
    set_limit(site, 0)
    page.goto(send(site, secret, 1))
    expect(page.get_by_text("0 of 1 done")).to_be_visible()
    set_limit(site, None)

    expect(page.get_by_text("1 of 1 done")).to_be_visible()
