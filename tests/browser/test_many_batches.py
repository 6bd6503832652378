"""Many pictures of an account in the editor: Clean all is a batch, which goes on without the page."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests import pictures
from tests.browser.conftest import Site
from tests.browser.test_editor import drag, said
from tests.browser.test_many import LOGO, folder, opened, photo, press, states, zipped
from tests.browser.test_saved_marks import add_logo, save_marks
from tests.inpainting.saved_marks import logos

__all__ = ["folder"]
EMAIL = "strip@example.org"
Files = Callable[..., list[Path]]


@pytest.fixture(scope="module")
def customer(site: Site, browser: Browser) -> Page:
    page = site.new_page(browser)
    site.sign_up(page, EMAIL)
    site.manage("create_api_key", "--email", EMAIL, "--plan", "pro")
    return page


def change(site: Site, what: str) -> None:
    """The account's row, `user`."""
    site.manage("shell", "-c", f"from accounts.models import User; user = User.objects.get(email='{EMAIL}'); {what}")


def wait(site: Site, *, on: bool) -> None:
    """Whether the account's pictures wait for ever."""
    change(site, f"user.subscription.concurrent_items = {0 if on else None}; user.subscription.save()")


def mark_all(page: Page) -> None:
    page.keyboard.press("x")
    drag(page, (295, 235), (385, 285))
    press(page, "Same marks for all")


def test_it_works(customer: Page, folder: Files) -> None:
    page = opened(customer, folder(5))
    expect(page.locator(".kept")).to_contain_text("keeps results for 1\u00a0day")
    mark_all(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    press(page, "Clean all")
    expect(said(page)).to_contain_text("5 pictures cleaned.")

    assert states(page) == ["cleaned"] * 5
    assert sum(url.endswith("/editor/batch?account") for url in asked) == 1
    assert not any("remove-watermark" in url for url in asked)
    for number, result in enumerate(zipped(page).values()):
        assert result[LOGO].mean() < 200
        assert (result[:230] == photo(number)[:230]).all()
    page.goto("/batches")  # and nothing asks
    page.locator("a[href^='/batches/']").first.click()
    expect(page.locator(".items .badge.good")).to_have_count(5)
    expect(page.locator(".items")).to_contain_text("picture 4.png")


def test_each_has_its_own_mask_or_none(customer: Page, folder: Files) -> None:
    page = opened(customer, folder(0, *[pictures.photo(WIDTH, HEIGHT) for WIDTH, HEIGHT in ((400, 300),) * 3]))
    drag(page, (100, 100), (140, 100))
    page.keyboard.press("n")
    expect(page.locator(".frame").nth(1)).to_have_attribute("aria-current", "true")
    drag(page, (200, 200), (240, 200))
    press(page, "Clean all")
    expect(said(page)).to_contain_text("2 pictures cleaned; nothing found in 1")

    assert states(page) == ["cleaned", "cleaned", "nothing found"]
    first, second = (result != pictures.photo(400, 300) for result in zipped(page).values())
    assert first[95:105, 100:140].any()
    assert not first[150:].any()
    assert second[195:205, 200:240].any()
    assert not second[:150].any()


def test_it_goes_on_without_the_page(site: Site, customer: Page, folder: Files) -> None:
    page = opened(customer, folder(2))
    mark_all(page)
    wait(site, on=True)
    press(page, "Clean all")
    expect(page.locator("#doing")).to_contain_text("You may close the page")
    assert states(page) == ["waiting"] * 2

    page.goto("/batches")  # and nothing asks
    wait(site, on=False)
    page.locator("a[href^='/batches/']").first.click()
    expect(page.locator(".items .badge.good")).to_have_count(2)


def test_cancelled_it_costs_nothing_and_keeps_the_marks(site: Site, customer: Page, folder: Files) -> None:
    page = opened(customer, folder(2))
    mark_all(page)
    wait(site, on=True)
    left = page.locator("#left").inner_text()
    press(page, "Clean all")
    expect(page.locator("#doing")).to_contain_text("2 to go")
    expect(page.locator("#left")).not_to_have_text(left)
    press(page, "Cancel")
    expect(said(page)).to_contain_text("0 pictures cleaned; 2 as before.")

    wait(site, on=False)
    assert states(page) == ["marked"] * 2
    press(page, "Clean all")
    expect(said(page)).to_contain_text("2 pictures cleaned.")
    assert int(left.replace(",", "")) - int(page.locator("#left").inner_text().replace(",", "")) == 2


def test_deleted_elsewhere_the_marks_stay(site: Site, customer: Page, folder: Files) -> None:
    page = opened(customer, folder(2))
    mark_all(page)
    wait(site, on=True)
    press(page, "Clean all")
    expect(page.locator("#doing")).to_contain_text("2 to go")
    other = page.context.new_page()
    other.goto("/batches")
    other.locator("a[href^='/batches/']").first.click()
    other.get_by_role("link", name="Cancel and delete").click()
    other.get_by_role("button").filter(has_text="elete").click()
    expect(said(page)).to_contain_text("0 pictures cleaned; 2 as before.")
    other.close()
    wait(site, on=False)
    assert states(page) == ["marked"] * 2


def test_an_answer_that_was_lost_is_the_same_batch(customer: Page, folder: Files) -> None:
    page = opened(customer, folder(2))
    mark_all(page)
    sent: list[str] = []

    def lose(route: Route) -> None:
        sent.append(route.fetch().json()["id"])
        route.abort() if len(sent) == 1 else route.continue_()

    page.route("**/editor/batch?account", lose)
    press(page, "Clean all")
    expect(said(page)).to_contain_text("the same again costs nothing more")
    press(page, "Clean all")
    expect(said(page)).to_contain_text("2 pictures cleaned.")
    page.unroute("**/editor/batch?account")
    assert len(set(sent)) == 1


def test_one_that_is_refused_does_not_stop_the_others(customer: Page, folder: Files) -> None:
    page = opened(customer, folder(3))
    mark_all(page)
    asked: list[str] = []

    def refuse_the_second(route: Route) -> None:
        asked.append(route.request.url)
        body = '{"detail": "picture 1.png: Image too large.", "code": "image_too_large", "index": 1}'
        if len(asked) == 1:
            route.fulfill(status=400, content_type="application/json", body=body)
        else:
            route.continue_()

    page.route("**/editor/batch?account", refuse_the_second)
    press(page, "Clean all")
    expect(said(page)).to_contain_text("2 pictures cleaned; 1 failed")
    assert states(page) == ["cleaned", "failed", "cleaned"]
    press(page, "Clean all")
    expect(said(page)).to_contain_text("1 picture cleaned.")
    page.unroute("**/editor/batch?account")


def test_a_plan_s_batches_and_units(site: Site, browser: Browser, folder: Files) -> None:
    """Free: batches of five, ten units a day."""
    page = site.new_page(browser)
    site.sign_up(page, "free@example.org")
    page = opened(page, folder(12))
    mark_all(page)
    press(page, "Clean all")
    expect(said(page)).to_contain_text("10 pictures cleaned; 2 as before. Not enough of your quota is left.")

    assert states(page) == ["cleaned"] * 10 + ["marked"] * 2
    assert len(zipped(page)) == 10


def test_results_that_are_kept_for_one_download_are_not_stored(site: Site, customer: Page, folder: Files) -> None:
    change(site, "user.result_lifetime = 0; user.save()")
    page = opened(customer, folder(2))
    expect(page.locator(".kept")).to_have_count(0)
    mark_all(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    press(page, "Clean all")
    expect(said(page)).to_contain_text("2 pictures cleaned.")
    change(site, "user.result_lifetime = None; user.save()")

    assert not any("editor/batch" in url for url in asked)


def test_saved_marks_go_on_all(customer: Page, folder: Files, tmp_path: Path) -> None:
    page = opened(customer, folder(3))
    page.keyboard.press("x")
    drag(page, (295, 235), (385, 285))
    save_marks(page, "Our corner")
    page.get_by_role("button", name="Undo").click()
    assert states(page) == [""] * 3
    page.keyboard.press("s")
    page.get_by_role("button", name="Use Our corner on all").click()
    expect(said(page)).to_contain_text("is laid on 3 pictures")
    assert states(page) == ["marked"] * 3

    add_logo(page, tmp_path / "logo.png")
    truth = [logos.photo(300, 400, seed) for seed in range(3)]
    page = opened(page, folder(0, *[logos.laid(true, logos.logo(), 240, 270, 0.5) for true in truth]))
    page.keyboard.press("s")
    page.get_by_role("button", name="Take Our logo off all").click()
    expect(said(page)).to_contain_text("3 pictures cleaned.")
    for true, result in zip(truth, zipped(page).values(), strict=True):
        assert logos.decibels(result, true, 240, 270, logos.logo()) > 36
    page.keyboard.press("s")
    page.get_by_role("button", name="Take Our logo off all").click()
    expect(said(page)).to_contain_text("0 pictures cleaned.")


def test_a_picture_is_taken_out(site: Site, customer: Page, folder: Files) -> None:
    page = opened(customer, folder(3))
    page.get_by_role("button", name="Take picture 1 out of the strip").click()
    expect(page.locator(".frame")).to_have_count(2)
    expect(page.locator(".frame").nth(1)).to_have_attribute("aria-label", "picture 2, 2 of 2")
    page.keyboard.press("Delete")  # what is shown, the first
    expect(page.locator("#strip")).to_be_hidden()
    expect(said(page)).to_have_text("“picture 0” is taken out.")
    page.keyboard.press("Delete")
    expect(page.locator("#sheet")).to_be_visible()


def test_a_result_that_would_be_lost_asks(site: Site, browser: Browser, folder: Files) -> None:
    page = opened(site.new_page(browser), folder(2))  # a visitor's, which nothing keeps
    drag(page, (100, 100), (140, 100))
    press(page, "Clean")
    expect(said(page)).to_contain_text("Done in")
    page.keyboard.press("Delete")
    expect(page.get_by_role("dialog")).to_contain_text("Its result is not downloaded yet.")
    press(page, "Keep it")
    expect(page.locator(".frame")).to_have_count(2)
    page.keyboard.press("Delete")
    press(page, "Take it out")
    expect(page.locator("#strip")).to_be_hidden()
