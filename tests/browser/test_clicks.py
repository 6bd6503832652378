"""Every job of the product, by hand: how many clicks, fields and seconds it takes. `pytest -s` prints the table.

Clicks and fields are held here; docs/research/0026-clicks.md shows them. Seconds depend on the machine. A drag is a
click, and so is choosing files, however many; what the operating system's and Stripe's dialogs ask is not ours.
"""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests import pictures
from tests.accounts.billing.stripe_stub import StripeStub
from tests.browser.conftest import PASSWORD, Site
from tests.browser.test_editor import drag, said
from tests.browser.test_many import LOGO, folder, photo
from tests.browser.test_packs import shop, site
from tests.browser.test_saved_marks import add_logo
from tests.inpainting.saved_marks import logos

__all__ = ["folder", "shop", "site"]
EXAMPLES = Path("static/examples")
PRICES = (
    "from accounts.models import Plan; Plan.objects.filter(slug='pro').update(price=29, stripe_price_id='price_pro')"
)
FREE = (
    "from accounts.models import Plan, Subscription; "
    "Subscription.objects.filter(user__email='clicks@example.org').update(plan=Plan.objects.get(slug='free'))"
)
Files = Callable[..., list[Path]]

# Of each job: clicks, fields.
TAKES = {
    "stranger: a clean picture on the disk": (3, 0),
    "see-through text": (3, 0),
    "opaque logo": (5, 0),
    "object": (5, 0),
    "20 pictures with one logo": (6, 0),
    "20 pictures with one saved logo": (5, 0),
    "an account": (3, 3),
    "upgrade, but for Stripe's own page": (2, 0),
}
SECONDS: dict[str, float] = {}


class Hand:
    """Uses a page, and counts."""

    def __init__(self, page: Page) -> None:
        self.page, self.clicks, self.fields = page, 0, 0

    def click(self, target: Locator) -> None:
        self.clicks += 1
        target.click()

    def press(self, name: str) -> None:
        self.click(self.page.get_by_role("button", name=name, exact=True))

    def follow(self, name: str) -> None:
        self.click(self.page.get_by_role("link", name=name).first)

    def fill(self, field: Locator, text: str) -> None:
        self.fields += 1
        field.fill(text)

    def choose(self, *files: Path) -> None:
        with self.page.expect_file_chooser() as chooser:
            self.click(self.page.locator("#file"))
        chooser.value.set_files(files)

    def mark(self, first: tuple[int, int], last: tuple[int, int]) -> None:
        """With a box, around these pixels of a picture of 400 x 300."""
        self.click(self.page.get_by_label("Box"))
        self.clicks += 1
        drag(self.page, first, last)

    def save(self, name: str) -> Path:
        with self.page.expect_download() as started:
            self.press(name)
        return Path(started.value.path())


@pytest.fixture(scope="module", autouse=True)
def table() -> Iterator[None]:
    yield
    print("\n\n| job | clicks | fields | seconds |\n|---|---|---|---|")
    for name, seconds in SECONDS.items():
        print(f"| {name} | {TAKES[name][0]} | {TAKES[name][1]} | {seconds:.0f} |")


@contextmanager
def job(name: str, page: Page) -> Iterator[Hand]:
    """From the page that is open to the end of the block."""
    page.wait_for_load_state()
    hand, began = Hand(page), time.monotonic()
    yield hand
    SECONDS[name] = time.monotonic() - began
    assert (hand.clicks, hand.fields) == TAKES[name]


@pytest.fixture
def home(site: Site, browser: Browser) -> Iterator[Page]:
    """A stranger's."""
    page = site.new_page(browser)
    page.goto("/")
    page.wait_for_selector(".ready")
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def dashboard(site: Site, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Page:
    """Of an account that has saved a logo, on the Free plan."""
    site.manage("shell", "-c", PRICES)
    page = site.new_page(browser)
    site.sign_up(page, "clicks@example.org")
    add_logo(page, tmp_path_factory.mktemp("logo") / "logo.png")
    return page


def cleaned(page: Page) -> None:
    expect(said(page)).to_contain_text("Done in", timeout=300_000)


def less_of_it(result: Path, example: str) -> bool:
    """Whether it is twice as near to the picture without the mark as to the one with it, where these differ."""
    made, after, before = (
        pictures.pixels(path.read_bytes())[..., :3].astype(int)
        for path in (result, *(EXAMPLES / f"{example}-{each}.webp" for each in ("after", "before")))
    )
    where = np.abs(after - before).max(axis=2) > 24
    return bool(np.abs(made - after)[where].mean() < np.abs(made - before)[where].mean() / 2)


@pytest.mark.parametrize(
    ("name", "example"), [("stranger: a clean picture on the disk", "tiled"), ("see-through text", "text")]
)
def test_a_picture_with_a_watermark(home: Page, name: str, example: str) -> None:
    with job(name, home) as hand:
        hand.choose(EXAMPLES / f"{example}-before.webp")
        hand.press("Clean")
        cleaned(home)
        result = hand.save("Download")
    assert less_of_it(result, example)


@pytest.mark.parametrize("name", ["opaque logo", "object"])
def test_what_is_brushed_over(home: Page, folder: Files, name: str) -> None:
    before = photo(0)
    if name == "object":
        before[100:160, 180:230] = (20, 40, 30)
    (left, top), (right, bottom) = {"opaque logo": ((295, 235), (385, 285)), "object": ((172, 92), (238, 168))}[name]
    with job(name, home) as hand:
        hand.choose(*folder(0, before))
        hand.mark((left, top), (right, bottom))
        hand.press("Clean")
        cleaned(home)
        result = hand.save("Download")
    changed = (pictures.pixels(result.read_bytes()) != before).any(axis=2)
    assert changed[top + 10 : bottom - 10, left + 10 : right - 10].mean() > 0.9
    assert not changed[: top - 4].any()


def test_twenty_pictures_with_one_logo(home: Page, folder: Files) -> None:
    with job("20 pictures with one logo", home) as hand:
        hand.choose(*folder(20))
        expect(said(home)).to_contain_text("Same marks for all")
        hand.mark((295, 235), (385, 285))
        hand.press("Same marks for all")
        hand.press("Clean all")
        expect(said(home)).to_contain_text("20 pictures cleaned.", timeout=300_000)
        archive = hand.save("Download all")

    results = members(archive)
    assert list(results) == [f"picture {number}-clean.png" for number in range(20)]
    for number, result in enumerate(results.values()):
        assert result[LOGO].mean() < 200
        assert (result[:200] == photo(number)[:200]).all()


def test_twenty_pictures_with_one_saved_logo(site: Site, dashboard: Page, folder: Files) -> None:
    site.manage("create_api_key", "--email", "clicks@example.org", "--plan", "pro")
    truth = [logos.photo(300, 400, seed) for seed in range(20)]
    files = folder(0, *[logos.laid(true, logos.logo(), 240, 270, 0.5) for true in truth])
    dashboard.goto("/dashboard")
    with job("20 pictures with one saved logo", dashboard) as hand:
        hand.follow("Editor")
        dashboard.wait_for_selector(".ready")
        hand.choose(*files)
        expect(said(dashboard)).to_contain_text("Same marks for all")
        hand.press("Saved")
        hand.press("Take Our logo off all")
        expect(said(dashboard)).to_contain_text("20 pictures cleaned.", timeout=300_000)
        archive = hand.save("Download all")
    for true, result in zip(truth, members(archive).values(), strict=True):
        assert logos.decibels(result, true, 240, 270, logos.logo()) > 36


def test_an_account(site: Site, home: Page) -> None:
    with job("an account", home) as hand:
        hand.follow("Sign up")
        hand.fill(home.get_by_label("Email"), "new@example.org")
        hand.fill(home.get_by_label("Password"), PASSWORD)
        hand.press("Sign up")
        hand.fill(home.get_by_label("Code"), site.code("new@example.org"))
        hand.press("Confirm")
        home.wait_for_url("**/dashboard")


def members(archive: Path) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(archive) as results:
        return {name: pictures.pixels(results.read(name)) for name in results.namelist()}


def test_upgrade(site: Site, shop: tuple[StripeStub, str], dashboard: Page) -> None:
    stub, _ = shop

    def pay(route: Route) -> None:
        stub.pay(route.request.url)
        route.fulfill(status=303, headers={"Location": f"{site.url}/billing?paid=1"})

    site.manage("shell", "-c", FREE)
    dashboard.route("https://checkout.stripe.com/**", pay)
    dashboard.goto("/dashboard")
    with job("upgrade, but for Stripe's own page", dashboard) as hand:
        hand.follow("Plan and billing")
        hand.press("Upgrade to Pro")
        expect(dashboard.get_by_text("Pro renews on")).to_be_visible()
