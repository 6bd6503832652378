"""A real browser (Debian's chromium, driven by playwright) on the real service, whose mail goes to files."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests import pictures
from tests.live.service import Service

expect.set_options(timeout=60_000)  # a loaded machine is no failure

PASSWORD = "a password of the tests"
WIDE, NARROW = 1280, 390  # pixels
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


class Site(Service):
    """The service, and the mail it has sent."""

    def __init__(self, folder: Path, **env: str) -> None:
        self.mail = folder / "mail"
        self.mail.mkdir()
        self.refused: list[str] = []  # what browsers said that the Content-Security-Policy forbids
        super().__init__(
            folder,
            EMAIL_URL=f"filemail:///{self.mail}",
            FORM_RATE="10000/m",
            PUBLIC_RATE="10000/m",
            PUBLIC_PICTURES="10000",
            **env,
        )
        self.manage("collectstatic", "--no-input", "--verbosity", "0")

    def code(self, email: str) -> str:
        """The code in the newest mail to an address; the mail is used up."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            for path in sorted(self.mail.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True):
                text = path.read_text()
                code = re.search(r"^[A-Z]{4}-[A-Z]{4}$", text, re.MULTILINE)
                if f"To: {email}" in text and code:
                    path.unlink()
                    return code[0]
            time.sleep(0.02)
        raise AssertionError(f"no mail with a code to {email}")

    def new_page(self, browser: Browser, scheme: str = "light", width: int = WIDE) -> Page:
        """A page of a new visitor's."""
        context = browser.new_context(
            base_url=self.url,
            color_scheme=scheme,  # type: ignore[arg-type]
            viewport={"width": width, "height": 900},
        )
        context.set_default_timeout(60_000)
        page = context.new_page()
        page.on("console", self._note)
        return page

    def _note(self, said: ConsoleMessage) -> None:
        if "Content Security Policy" in said.text:
            self.refused.append(said.text)

    def sign_up(self, page: Page, email: str) -> None:
        page.goto("/signup")
        page.get_by_label("Email").fill(email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign up", exact=True).click()
        page.get_by_label("Code").fill(self.code(email))
        page.get_by_role("button", name="Confirm").click()
        page.wait_for_url("**/dashboard")


# Until what moves has come to its end; what turns for ever (a wait bar) has none. It is looked at again and again, for
# five seconds at most: in a closed menu a transition stops, and its promise stays open for ever.
SETTLED = """() => new Promise((resolve) => {
    const moves = (each) => Number.isFinite(each.effect.getComputedTiming().endTime);
    const until = performance.now() + 5000;
    const waits = () => performance.now() < until && document.getAnimations().some(moves);
    const look = () => (waits() ? setTimeout(look, 20) : resolve());
    look();
})"""


def assert_accessible(page: Page) -> None:
    """axe finds nothing, and nothing is cut off at the side."""
    page.wait_for_load_state()  # axe does not wait
    page.evaluate(SETTLED)  # halfway between two colours, neither contrast is there
    results = Axe().run(page)
    assert not results.violations_count, f"{page.url}\n{results.generate_report()}"
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{page.url} is too wide"


def clean(site: Site, secret: str, image: Any = None) -> requests.Response:
    """A real call of v1, with a real picture unless another is given."""
    return requests.post(
        f"{site.url}/api/v1/remove-watermark",
        headers={"X-API-Key": secret},
        files={"image": image or pictures.file(pictures.photo()), "mask": pictures.file(pictures.box_mask())},
        timeout=120,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site"))
    site.start()
    try:
        yield site
        assert not site.refused
    finally:
        site.stop()


def chromium() -> str | None:
    """Where it is; None where it is not installed."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if chromium() is None:
        pytest.skip("no chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield browser
        browser.close()
