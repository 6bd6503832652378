"""The whole way of a customer, and of the staff that raise a plan, in a browser and with real calls of the API."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests import pictures
from tests.browser.conftest import PASSWORD, Site, assert_accessible, clean

EMAIL = "customer@example.org"
STAFF = "staff@example.org"


def make_first_key(page: Page) -> str:
    page.get_by_label("Name").fill("my first program")
    page.get_by_role("button", name="Create the key").click()
    secret = page.locator("#secret").inner_text()
    page.wait_for_load_state()  # a click does not wait for the page's script
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("getSelection().toString()") == secret
    return secret


def sign_in_as_staff(site: Site, browser: Browser) -> Page:
    site.env |= {"DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    site.manage("createsuperuser", "--no-input", "--email", STAFF)
    page = site.new_page(browser)
    page.goto("/admin/")
    page.get_by_label("Email").fill(STAFF)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_label("Code").fill(site.code(STAFF))  # the first time, an address is confirmed
    page.get_by_role("button", name="Confirm").click()
    page.goto("/admin/")
    return page


def test_it_works(site: Site, browser: Browser, tmp_path: Path) -> None:
    page = site.new_page(browser)
    page.goto("/")
    page.get_by_role("link", name="Sign up", exact=True).first.click()
    site.sign_up(page, EMAIL)
    assert_accessible(page)

    secret = make_first_key(page)
    assert_accessible(page)
    command = page.locator("#command").inner_text()

    answer = clean(site, secret)
    assert answer.status_code == 200
    assert pictures.pixels(answer.content).shape == (64, 96, 3)
    assert answer.headers["X-RateLimit-Limit"] == "2"
    paste(command, tmp_path)

    page.get_by_role("link", name="To the dashboard").click()
    expect(page.get_by_text("of 10 pictures used")).to_be_visible()
    expect(page.get_by_text("2 pictures cleaned, 0 requests failed")).to_be_visible()
    expect(page.get_by_role("cell", name=answer.headers["X-Request-Id"])).to_be_visible()
    assert_accessible(page)

    new_secret = rotate(page)
    assert clean(site, secret).status_code == 200  # the old one lives for a day
    assert requests.get(f"{site.url}/api/v1/stats", headers={"X-API-Key": new_secret}, timeout=30).status_code == 200
    revoke(page, secret)
    assert clean(site, secret).status_code == 401

    raise_plan(sign_in_as_staff(site, browser))
    answer = clean(site, new_secret)
    assert answer.status_code == 200
    assert answer.headers["X-RateLimit-Limit"] == "30"
    assert answer.headers["X-Quota-Limit"] == "20000"
    page.goto("/dashboard")
    expect(page.get_by_text("30 requests a minute, 60 at once")).to_be_visible()

    delete_account(page)
    assert clean(site, new_secret).status_code == 401


def paste(command: str, folder: Path) -> None:
    """The command that the page shows, in a shell; it counts one request whether curl is here or not."""
    if shutil.which("curl") is None:
        pytest.skip("no curl: apt-get install curl")
    subprocess.run(["sh", "-c", command], cwd=folder, env={"PATH": os.environ["PATH"]}, check=True, timeout=300)
    before, after = (pictures.pixels((folder / name).read_bytes()) for name in ("example.webp", "result.png"))
    assert before.shape == after.shape
    assert 0.02 < (before != after).any(axis=2).mean() < 0.5  # the mark was found, and little else touched


def rotate(page: Page) -> str:
    page.get_by_role("link", name="API keys").click()
    page.get_by_role("link", name="Rotate my first program").click()
    expect(page.get_by_role("button", name="Rotate")).to_be_visible()  # axe does not wait for a page
    assert_accessible(page)
    page.get_by_label("Works 24 hours more").check()
    page.get_by_role("button", name="Rotate").click()
    expect(page.get_by_text("The old key")).to_be_visible()
    return page.locator("#secret").inner_text()


def revoke(page: Page, secret: str) -> None:
    page.get_by_role("link", name="All keys").click()
    link = page.get_by_role("link", name=f"Revoke my first program {secret[:16]}")
    expect(link).to_be_visible()
    assert_accessible(page)
    link.click()
    expect(page.get_by_role("button", name="Revoke")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("is revoked")).to_be_visible()


def raise_plan(page: Page) -> None:
    page.get_by_role("link", name="Users").first.click()
    page.get_by_role("link", name=EMAIL).click()
    page.locator("#id_subscription-0-plan").select_option(label="Pro")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()


def delete_account(page: Page) -> None:
    page.get_by_role("link", name="Delete account").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_label("Your email address")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("Your email address").fill(EMAIL)
    page.get_by_role("button", name="Delete my account").click()
    expect(page.get_by_text("Your account is deleted.")).to_be_visible()


def test_a_form_is_sent_once_however_often_its_button_is_pressed(site: Site, browser: Browser) -> None:
    page = site.new_page(browser)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.goto("/signup")
    page.get_by_label("Email").fill("twice@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign up", exact=True).dblclick()
    page.get_by_label("Code").fill(site.code("twice@example.org"))
    assert len(sent) == 1
    page.get_by_role("button", name="Confirm").click()
    page.wait_for_url("**/dashboard")
