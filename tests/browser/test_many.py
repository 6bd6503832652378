"""Many pictures of a visitor in the editor: a strip of them, one mark for all, cleaned one after another, one ZIP."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests import pictures
from tests.browser.conftest import NARROW, Site, assert_accessible
from tests.browser.test_editor import drag, said

WIDTH, HEIGHT = 400, 300
LOGO = slice(240, 280), slice(300, 380)  # rows, columns


def photo(number: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """No two alike; each with the logo in its lower right corner, as far from it."""
    picture = np.roll(pictures.photo(width, height), 7 * number, axis=1)
    picture[height - 60 : height - 20, width - 100 : width - 20] = 250
    return picture


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., list[Path]]:
    def files(number: int, *others: np.ndarray) -> list[Path]:
        made = [photo(each) for each in range(number)] + list(others)
        paths = [tmp_path / f"picture {each}.png" for each in range(len(made))]
        for path, picture in zip(paths, made, strict=True):
            path.write_bytes(pictures.file(picture).read())
        return paths

    return files


@pytest.fixture(scope="module")
def visitor(site: Site, browser: Browser) -> Page:
    return site.new_page(browser)


def opened(page: Page, files: list[Path]) -> Page:
    page.goto("/")
    page.locator("#file").set_input_files(files)
    expect(page.locator(".frame")).to_have_count(len(files))
    expect(said(page)).to_contain_text("Same marks for all")
    return page


def states(page: Page) -> list[str]:
    return page.locator(".frame span").all_inner_texts()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def zipped(page: Page) -> dict[str, np.ndarray]:
    """What Download all gives, by name."""
    with page.expect_download() as started:
        press(page, "Download all")
    with zipfile.ZipFile(started.value.path()) as archive:
        assert archive.testzip() is None
        return {name: pictures.pixels(archive.read(name)) for name in archive.namelist()}


def test_it_says_what_all_of_them_cost(visitor: Page, folder: Callable[..., list[Path]]) -> None:
    page, cost = opened(visitor, folder(3)), visitor.locator("#cost")
    left = int(page.locator("#left").inner_text().replace(",", ""))
    expect(cost).to_have_text(f"Costs up to 3 of {left:,} left")
    drag(page, (100, 100), (140, 100))
    page.get_by_role("button", name="Clean", exact=True).click()
    expect(cost).to_have_text(f"Costs up to 2 of {left - 1:,} left")
    page.evaluate("document.getElementById('left').dataset.left = 1")
    page.get_by_role("button", name="Undo").click()
    expect(cost).to_have_class("wrong")  # all three are due again


def test_pictures_of_another_size(visitor: Page, folder: Callable[..., list[Path]]) -> None:
    page = opened(visitor, folder(1, photo(1, 480, 330)))
    page.keyboard.press("x")
    drag(page, (295, 235), (385, 285))
    page.get_by_label("Where pictures differ").select_option("pixels")
    press(page, "Same marks for all")
    press(page, "Clean all")
    expect(said(page)).to_contain_text("2 pictures cleaned.")

    larger = zipped(page)["picture 1-clean.png"]
    assert larger.shape == (330, 480, 3)
    assert larger[270:310, 380:460].mean() < 200
    assert (larger[:260] == photo(1, 480, 330)[:260]).all()


def test_each_keeps_its_own_marks(visitor: Page, folder: Callable[..., list[Path]]) -> None:
    page = opened(visitor, folder(3))
    drag(page, (100, 100), (140, 100))
    page.keyboard.press("n")
    expect(page.locator(".frame").nth(1)).to_have_attribute("aria-current", "true")
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="Undo")).to_be_enabled()
    assert states(page) == ["marked", "", ""]
    page.get_by_role("button", name="Undo").click()
    assert states(page) == ["", "", ""]


def test_where_nothing_is_found_it_says_so(visitor: Page, folder: Callable[..., list[Path]]) -> None:
    page = opened(visitor, folder(0, *[pictures.photo(200, 150), np.full((150, 200, 3), 90, np.uint8)]))
    drag(page, (40, 40), (60, 60))
    press(page, "Clean all")
    expect(said(page)).to_contain_text("1 picture cleaned; nothing found in 1: mark it there")
    assert states(page) == ["cleaned", "nothing found"]
    assert len(zipped(page)) == 1

    page.keyboard.press("n")
    press(page, "Same marks as in “picture 0”")
    assert states(page) == ["cleaned", "marked"]
    press(page, "Clean all")
    expect(said(page)).to_contain_text("1 picture cleaned.")


def test_clean_alone_says_where_it_found_nothing(visitor: Page, folder: Callable[..., list[Path]]) -> None:
    page = opened(visitor, folder(0, *[np.full((150, 200, 3), 90, np.uint8)] * 2))
    press(page, "Clean")
    expect(said(page)).to_contain_text("No watermark was found")
    assert states(page) == ["nothing found", ""]
    expect(page.locator("#offer")).to_be_hidden()  # no picture has marks
    expect(page.get_by_role("button", name="Same marks for all")).to_be_disabled()


def test_what_cannot_be_read_does_not_stop_the_others(visitor: Page, folder: Callable[..., list[Path]]) -> None:
    files = folder(3)
    files[1].write_bytes(b"no picture")
    visitor.goto("/")
    visitor.locator("#file").set_input_files(files)
    expect(said(visitor)).to_contain_text("picture 1.png is no picture we can open")
    expect(visitor.locator(".frame")).to_have_count(2)


def test_a_failure_does_not_stop_the_others(visitor: Page, folder: Callable[..., list[Path]]) -> None:
    page = opened(visitor, folder(3))
    drag(page, (100, 100), (140, 100))
    press(page, "Same marks for all")
    asked: list[str] = []

    def fail_the_second(route: Route) -> None:
        asked.append(route.request.headers["idempotency-key"])
        if len(asked) == 2:
            body = '{"detail": "It does not work.", "code": "internal_error"}'
            route.fulfill(status=500, content_type="application/json", body=body)
        else:
            route.continue_()

    page.route("**/editor/remove-watermark", fail_the_second)
    press(page, "Clean all")
    expect(said(page)).to_contain_text("2 pictures cleaned; 1 failed")
    assert states(page) == ["cleaned", "failed", "cleaned"]
    expect(page.locator(".frame").nth(1)).to_have_attribute("title", "picture 1, 2 of 3: failed: It does not work.")

    press(page, "Clean all")
    expect(said(page)).to_contain_text("1 picture cleaned.")
    assert asked[3] == asked[1]  # had the first been done after all, it would not be charged again
    page.unroute("**/editor/remove-watermark")


def test_what_the_rate_refuses_is_asked_again(visitor: Page, folder: Callable[..., list[Path]]) -> None:
    page = opened(visitor, folder(2))
    drag(page, (100, 100), (140, 100))
    press(page, "Same marks for all")
    asked: list[str] = []

    def refuse_the_second(route: Route) -> None:
        asked.append(route.request.headers["idempotency-key"])
        if len(asked) == 2:
            body = '{"detail": "Too fast.", "code": "rate_limited"}'
            route.fulfill(status=429, content_type="application/json", headers={"Retry-After": "1"}, body=body)
        else:
            route.continue_()

    page.route("**/editor/remove-watermark", refuse_the_second)
    press(page, "Clean all")
    expect(said(page)).to_contain_text("2 pictures cleaned.")
    assert asked[2] == asked[1]
    page.unroute("**/editor/remove-watermark")


def test_more_are_added_and_unsaved_work_asks(visitor: Page, folder: Callable[..., list[Path]]) -> None:
    files = folder(4)
    page = opened(visitor, files[:2])
    drag(page, (100, 100), (140, 100))
    page.locator("#more-files").set_input_files(files[2:])
    expect(page.locator(".frame")).to_have_count(4)
    assert states(page) == ["marked", "", "", ""]

    page.keyboard.press("n")
    page.get_by_text("More", exact=True).click()
    press(page, "Another picture…")
    expect(page.get_by_role("dialog")).to_contain_text("Marks or results are not downloaded yet.")
    press(page, "Discard them")
    expect(page.locator("#strip")).to_be_hidden()


def test_all_of_them_are_there_after_a_sign_up(site: Site, browser: Browser, folder: Callable[..., list[Path]]) -> None:
    page = opened(site.new_page(browser), folder(3))
    drag(page, (100, 100), (140, 100))
    press(page, "Same marks for all")
    page.get_by_role("link", name="Sign up").first.click()
    page.wait_for_url("**/signup*")
    page.goto("/editor")
    expect(said(page)).to_contain_text("Your pictures and your marks are back.")
    assert states(page) == ["marked"] * 3


def test_twenty_leave_the_picture_its_room(site: Site, browser: Browser, folder: Callable[..., list[Path]]) -> None:
    page = opened(site.new_page(browser), folder(19, photo(19, 300, 400)))
    for width, height, most, least in ((1366, 768, 10, 0.6), (1280, 720, 10, 0.55), (NARROW, 844, 3, 0.55)):
        page.set_viewport_size({"width": width, "height": height})
        stage = page.locator("#stage").bounding_box()
        assert stage is not None
        assert stage["height"] >= least * height
        frames = [frame.bounding_box() for frame in page.locator(".frame").all()]
        assert sum(frame is not None and 0 <= frame["x"] < width - frame["width"] for frame in frames) >= most
    for _ in range(19):
        page.keyboard.press("n")
    expect(page.locator(".frame").last).to_have_attribute("aria-current", "true")
    last = page.locator(".frame").last.bounding_box()
    assert last is not None
    assert last["x"] + last["width"] <= NARROW


@pytest.mark.parametrize(("scheme", "width"), [("light", 1366), ("dark", NARROW)])
def test_it_is_accessible(
    site: Site, browser: Browser, folder: Callable[..., list[Path]], scheme: str, width: int
) -> None:
    page = opened(site.new_page(browser, scheme, width), folder(3))
    page.set_viewport_size({"width": width, "height": 768})
    assert_accessible(page)
    for button in page.locator(".all button").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= (43 if width == NARROW else 39)
        assert box["y"] + box["height"] <= 768
