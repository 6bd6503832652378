"""A newcomer's path, timed: from /docs over the sign-up to the first result, by the pasted snippet of each language.

`pytest -s tests/browser/test_newcomer.py` prints the table of docs/research/0025-first-result.md.
"""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from config.manual import LANGUAGES
from tests import pictures
from tests.browser.conftest import PASSWORD, Site
from tests.clients import packages

pytestmark = pytest.mark.slow

PROGRAMS = {"sh": "curl", "py": "python3", "mjs": "npm", "php": "php", "go": "go"}
RUN = {"sh": "sh remove.sh", "py": "python remove.py", "mjs": "node remove.mjs"}
RUN |= {"php": "php remove.php", "go": "go run remove.go"}


@dataclass
class Visitor:
    """Who clicks, types and copies; how often, and for how long the machine took."""

    page: Page
    clicks: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    def click(self, what: Locator) -> None:
        what.click()
        self.clicks += 1

    def fill(self, label: str, text: str) -> None:
        self.page.get_by_label(label).fill(text)

    def copy(self, button: Locator) -> str:
        """What is in the clipboard then."""
        self.click(button)
        expect(self.page.get_by_role("button", name="Copied")).to_be_visible()
        return str(self.page.evaluate("navigator.clipboard.readText()"))

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self.seconds[step] = time.monotonic() - started


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packages.build(tmp_path_factory.mktemp("packages"))


@pytest.fixture(scope="module")
def newcomer(site: Site, browser: Browser) -> Visitor:
    """Who has a key now, and stands on the page that shows it."""
    page = site.new_page(browser)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visitor = Visitor(page)
    with visitor.timed("sign up"):
        page.goto("/docs")
        visitor.click(page.get_by_role("link", name="Sign up", exact=True).first)
        visitor.fill("Email", "newcomer@example.org")
        visitor.fill("Password", PASSWORD)
        visitor.click(page.get_by_role("button", name="Sign up", exact=True))
        visitor.fill("Code", site.code("newcomer@example.org"))
        visitor.click(page.get_by_role("button", name="Confirm"))
        page.wait_for_url("**/dashboard")
    with visitor.timed("key"):
        visitor.fill("Name", "my first program")
        visitor.click(page.get_by_role("button", name="Create the key"))
        page.wait_for_load_state()
    return visitor


@pytest.fixture(scope="module")
def first_lines(newcomer: Visitor, built: Path) -> list[str]:
    """What sets the key, as its page gives it, and what fetches a picture, as the quick start does."""
    page = newcomer.page
    page.screenshot(path=built / "key.png", full_page=True)
    export = newcomer.copy(page.get_by_role("button", name="Copy the line"))
    newcomer.click(page.get_by_role("link", name="To the quick start"))
    page.wait_for_load_state()
    page.screenshot(path=built / "quick start.png", full_page=True)
    return [export, newcomer.copy(page.locator(".code", has_text="tiled-before").get_by_role("button"))]


@pytest.mark.parametrize("ending", LANGUAGES)
def test_the_first_result(ending: str, newcomer: Visitor, first_lines: list[str], built: Path, tmp_path: Path) -> None:
    if shutil.which(PROGRAMS[ending]) is None:
        pytest.skip(f"no {PROGRAMS[ending]}")
    page, clicks = newcomer.page, newcomer.clicks
    with newcomer.timed("copy"):
        page.reload()  # each is somebody else's first visit
        page.wait_for_load_state()
        if ending != "sh":  # which is shown to who comes first
            newcomer.click(page.locator(f"label[for=remove-{ending}]"))
        snippet = newcomer.copy(page.locator("[data-example=remove] .panel:visible").get_by_role("button"))
    needed = newcomer.clicks - clicks
    newcomer.clicks = clicks
    (tmp_path / f"remove.{ending}").write_text(snippet)

    with newcomer.timed("install"):
        if ending in packages.INSTALL:
            packages.install(ending, built, tmp_path)
    with newcomer.timed("run"):
        script = "\n".join(["set -e", *first_lines, RUN[ending]])
        done = packages.shell(script, tmp_path, {})

    assert done.returncode == 0, done.stdout + done.stderr
    before, after = (pictures.pixels((tmp_path / name).read_bytes()) for name in ("image.jpg", "result.png"))
    assert before.shape == after.shape
    assert 0.02 < (before != after).any(axis=2).mean() < 0.5  # the mark was found, and little else touched
    steps = [f"{newcomer.seconds[step]:.1f}" for step in ("sign up", "key", "copy", "install", "run")]
    print("|", " | ".join([LANGUAGES[ending][0], str(clicks + needed), *steps, "200, the mark is gone"]), "|")
