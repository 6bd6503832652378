"""axe on every page, light and dark, wide and narrow."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import NARROW, PASSWORD, WIDE, Site, assert_accessible, clean

PUBLIC = [
    "/",
    "/pricing",
    "/terms",
    "/privacy",
    "/acceptable-use",
    "/status",
    "/support",
    "/docs",
    "/docs/errors",
    "/docs/masks",
    "/docs/search?q=mask",
    "/docs/search?q=zebra",
]
ENTRANCES = ["/signup", "/login", "/account/password/reset/"]
ERRORS = ["/nothing", "/account/inactive/"]
OWN = [
    "/dashboard",
    "/editor",
    "/batches",
    "/dashboard/keys",
    "/dashboard/keys/new",
    "/dashboard/webhooks",
    "/dashboard/webhooks/new",
    "/dashboard/webhooks/default",
    "/dashboard/webhooks/default/rotate",
    "/dashboard/lifetimes",
    "/dashboard/marks",
    "/dashboard/marks/new",
    "/billing",
    "/account/export",
    "/account/delete",
    "/account/email/",
    "/account/password/change/",
    "/account/sessions/",
    "/account/two-factor/",
    "/account/two-factor/totp/activate/",
    "/logout",
]
LOOKS = [("light", WIDE), ("dark", WIDE), ("light", NARROW), ("dark", NARROW)]


@pytest.fixture(scope="module")
def customer(site: Site, browser: Browser) -> Page:
    """Somebody signed in who has keys and has used them."""
    page = site.new_page(browser)
    site.sign_up(page, "axe@example.org")
    secret = site.manage("create_api_key", "--email", "axe@example.org", "--plan", "pro")
    site.manage("create_api_key", "--email", "axe@example.org", "--plan", "pro")
    assert [clean(site, secret).status_code, clean(site, secret, "no picture").status_code] == [200, 400]
    return page


def visit(page: Page, path: str) -> None:
    """Past the password, where it has been asked for too long ago."""
    page.goto(path)
    if "/reauthenticate/" in page.url:
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Confirm").click()
    page.wait_for_url(f"**{path}")


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_it_works(site: Site, browser: Browser, scheme: str, width: int) -> None:
    page = site.new_page(browser, scheme, width)
    for path in PUBLIC + ENTRANCES + ERRORS:
        page.goto(path)
        assert_accessible(page)


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_an_accounts_own_pages(site: Site, customer: Page, scheme: str, width: int) -> None:
    customer.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    customer.set_viewport_size({"width": width, "height": 900})
    for path in OWN:
        visit(customer, path)
        assert_accessible(customer)


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_the_pages_of_a_key(customer: Page, scheme: str, width: int) -> None:
    customer.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    customer.set_viewport_size({"width": width, "height": 900})
    for action in ("Edit", "Rotate", "Revoke"):
        customer.goto("/dashboard/keys")
        customer.get_by_role("main").get_by_role("link", name=action).first.click()
        expect(customer.get_by_role("heading", name=action)).to_be_visible()
        assert_accessible(customer)


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_the_code_of_a_sign_up(site: Site, browser: Browser, scheme: str, width: int) -> None:
    page = site.new_page(browser, scheme, width)
    page.goto("/signup")
    page.get_by_label("Email").fill(f"{scheme}{width}@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign up", exact=True).click()
    expect(page.get_by_text("It is valid 15 minutes.")).to_be_visible()
    assert_accessible(page)
    page.context.close()


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_menus(site: Site, browser: Browser, customer: Page, scheme: str, width: int) -> None:
    """On a phone each opens over the page; elsewhere there is nothing to open."""
    customer.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    customer.set_viewport_size({"width": width, "height": 900})
    customer.goto("/dashboard")
    for name, link in (("Menu", "Editor"), ("Account menu", "Sessions")):
        button = customer.get_by_role("button", name=name, exact=True)
        if width == NARROW:
            button.click()
        else:
            expect(button).to_be_hidden()
        expect(customer.get_by_role("link", name=link, exact=True)).to_be_visible()
        assert_accessible(customer)
        customer.keyboard.press("Escape")


def test_a_refused_form(site: Site, browser: Browser) -> None:
    page = site.new_page(browser)
    page.goto("/login")
    page.get_by_label("Email").fill("nobody@example.org")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in", exact=True).click()

    expect(page.locator(".errorlist")).to_be_visible()
    assert_accessible(page)


def test_the_documentation_of_the_api(site: Site, browser: Browser) -> None:
    """It is used; whether Swagger UI is accessible is not ours to say."""
    page = site.new_page(browser)
    page.goto("/api/docs")
    page.get_by_text("/api/v1/models", exact=True).click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()

    expect(page.get_by_text("Response body").first).to_be_visible()
    expect(page.locator(".live-responses-table tbody .response-col_status")).to_contain_text("200")
