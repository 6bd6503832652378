"""Somebody takes their data along, and is told when that failed."""

import json
import sqlite3
import zipfile
from pathlib import Path

import requests
from playwright.sync_api import Browser, Download, Page

from tests import pictures
from tests.browser.conftest import PASSWORD, Site, clean


def signed_in(site: Site, browser: Browser, email: str) -> Page:
    """On the page, with the password confirmed."""
    page = site.new_page(browser)
    site.sign_up(page, email)
    page.get_by_role("link", name="Your data").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    return page


def download(page: Page) -> Download:
    with page.expect_download() as coming:
        page.get_by_role("button", name="Download ZIP").click()
    return coming.value


def test_it_works(site: Site, browser: Browser, tmp_path: Path) -> None:
    page = signed_in(site, browser, "leaving@example.org")
    secret = site.manage("create_api_key", "--email", "leaving@example.org", "--plan", "pro")
    assert clean(site, secret).status_code == 200
    picture = pictures.file(pictures.photo())
    answer = requests.post(
        f"{site.url}/upload-image", headers={"X-API-Key": secret}, files={"image": picture}, timeout=60
    )
    assert answer.status_code == 200
    got = download(page)

    assert got.suggested_filename.startswith("account-")
    path = tmp_path / "data.zip"
    got.save_as(path)
    with zipfile.ZipFile(path) as archive:
        assert [row["email"] for row in json.loads(archive.read("account.json"))] == ["leaving@example.org"]
        assert [row["status"] for row in json.loads(archive.read("requests.json"))] == [200]
        [stored] = json.loads(archive.read("uploads.json"))
        assert archive.read(f"pictures/uploads/{stored['name']}.png") == picture.getvalue()
        assert secret not in archive.read("keys.json").decode()


def test_a_database_that_goes_away_halfway_fails_the_download(site: Site, browser: Browser) -> None:
    page = signed_in(site, browser, "unlucky@example.org")
    tables = sqlite3.connect(Path(site.env["DATA_DIR"]) / "db.sqlite3")
    tables.execute("ALTER TABLE inpainting_batch RENAME TO away")
    try:
        assert download(page).failure()
    finally:
        tables.execute("ALTER TABLE away RENAME TO inpainting_batch")
        tables.close()

    assert not download(page).failure()
