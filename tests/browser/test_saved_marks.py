"""Saved marks in the editor: painted and kept on one picture, used on another of another size; a logo taken off."""

from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests import pictures
from tests.browser.conftest import NARROW, Site, assert_accessible
from tests.browser.test_accessibility import LOOKS
from tests.browser.test_editor import choose, clean, download, drag, said
from tests.inpainting.saved_marks.logos import decibels, laid, logo, photo

SMALL = pictures.photo(400, 300)
LARGE = pictures.photo(800, 600)
EMAIL = "saved@example.org"


@pytest.fixture(scope="module")
def customer(site: Site, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Who has saved a logo."""
    page = site.new_page(browser)
    site.sign_up(page, EMAIL)
    site.manage("create_api_key", "--email", EMAIL, "--plan", "pro")
    add_logo(page, tmp_path_factory.mktemp("logo") / "logo.png")
    yield page
    page.context.close()


def add_logo(page: Page, file: Path) -> None:
    file.write_bytes(pictures.file(Image.fromarray(logo())).read())
    page.goto("/dashboard/marks/new")
    page.get_by_label("Name").fill("Our logo")
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Save the mark").click()
    expect(page.get_by_text("The mark is saved.")).to_be_visible()


def open_picture(page: Page, folder: Path, picture: np.ndarray) -> None:
    page.goto("/editor")
    choose(page, folder, "picture.png", pictures.file(picture).read())
    expect(said(page)).to_contain_text("Brush over")


def save_marks(page: Page, name: str) -> None:
    page.get_by_text("More", exact=True).click()
    page.get_by_role("button", name="Save marks…").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(said(page)).to_contain_text(f"“{name}” is saved")


def test_marks_of_a_small_picture_go_from_a_larger_one(customer: Page, tmp_path: Path) -> None:
    page = customer
    open_picture(page, tmp_path, SMALL)
    page.get_by_label("Box").check()
    drag(page, (300, 230), (380, 280))
    page.get_by_text("More", exact=True).click()
    page.get_by_role("button", name="Save marks…").click()
    expect(page.get_by_label("Where pictures have them")).to_have_value("bottom-right")
    assert_accessible(page)
    page.get_by_role("button", name="Cancel").click()
    save_marks(page, "Our corner")

    open_picture(page, tmp_path, LARGE)
    page.get_by_role("button", name="Saved", exact=True).click()
    assert_accessible(page)
    page.get_by_role("button", name="Use Our corner").click()
    expect(said(page)).to_contain_text("is laid on")
    clean(page)
    _, result = download(page)

    rows, columns = np.nonzero((result != LARGE).any(axis=2))
    assert (columns.min(), rows.min(), columns.max(), rows.max()) == pytest.approx((600, 460, 760, 560), abs=4)


def test_a_logo_is_taken_off_and_the_marks_stay(customer: Page, tmp_path: Path) -> None:
    page, true = customer, photo(300, 400)
    open_picture(page, tmp_path, laid(true, logo(), 240, 270, 0.5))
    drag(page, (50, 50), (90, 50))

    page.get_by_role("button", name="Saved", exact=True).click()
    page.get_by_role("button", name="Take off Our logo").click()
    expect(said(page)).to_contain_text("“Our logo” is taken off")
    _, result = download(page)

    assert decibels(result, true, 240, 270, logo()) > 36
    expect(page.get_by_role("button", name="Clean", exact=True)).to_be_enabled()


def test_by_keys_alone(customer: Page, tmp_path: Path) -> None:
    page = customer
    open_picture(page, tmp_path, SMALL)
    drag(page, (50, 50), (90, 50))
    save_marks(page, "By keys")
    open_picture(page, tmp_path, SMALL)

    page.keyboard.press("s")
    expect(page.get_by_role("button", name="Use By keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#saved-marks")).to_be_hidden()
    page.keyboard.press("s")
    expect(page.get_by_role("button", name="Use By keys")).to_be_focused()
    page.keyboard.press("Enter")
    expect(said(page)).to_contain_text("“By keys” is laid on")
    expect(page.get_by_role("button", name="Clean", exact=True)).to_be_enabled()


def test_a_name_is_needed(customer: Page, tmp_path: Path) -> None:
    page = customer
    open_picture(page, tmp_path, SMALL)
    drag(page, (50, 50), (90, 50))
    page.get_by_text("More", exact=True).click()
    page.get_by_role("button", name="Save marks…").click()
    page.get_by_label("Name").fill("  ")
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.locator("#save-marks")).to_be_visible()


def test_many_pictures_from_the_dashboard(customer: Page, tmp_path: Path) -> None:
    """From the dashboard to the ZIP on the disk: saved marks, many pictures, choose, clean, download."""
    page, names = customer, [f"{number:02}.png" for number in range(8)]
    truth = [photo(300, 400, seed) for seed in range(8)]
    for name, true in zip(names, truth, strict=True):
        (tmp_path / name).write_bytes(pictures.file(laid(true, logo(), 240, 270, 0.5)).read())
    page.goto("/dashboard")

    page.get_by_role("link", name="Saved marks").click()
    page.get_by_role("link", name="Take Our logo off many pictures").click()
    assert_accessible(page)
    with page.expect_file_chooser() as chooser:
        page.get_by_label("Pictures").click()
    chooser.value.set_files([tmp_path / name for name in names])
    page.get_by_role("button", name="Clean them").click()
    expect(page.get_by_role("heading", name="and 7 more")).to_be_visible()
    expect(page.locator(".items .badge.good")).to_have_count(8)
    with page.expect_download() as started:
        page.get_by_role("link", name="Download ZIP").click()

    with ZipFile(started.value.path()) as results:
        assert sorted(results.namelist()) == names
        for name, true in zip(names, truth, strict=True):
            assert decibels(pictures.pixels(results.read(name)), true, 240, 270, logo()) > 36


def test_what_no_batch_takes_is_said(customer: Page, tmp_path: Path) -> None:
    page = customer
    (tmp_path / "odd.png").write_bytes(b"no picture")
    page.goto("/dashboard/marks")
    page.get_by_role("link", name="Take Our logo off many pictures").click()
    page.get_by_label("Pictures").set_input_files(tmp_path / "odd.png")
    page.get_by_role("button", name="Clean them").click()

    expect(page.locator("#sent")).to_have_text("odd.png is no picture we can open.")
    expect(page.get_by_role("button", name="Clean them")).to_be_enabled()


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_looks(site: Site, customer: Page, tmp_path: Path, scheme: str, width: int) -> None:
    """Nothing is cut off, and fingers find their targets."""
    page, before = customer, customer.viewport_size
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 844})
    open_picture(page, tmp_path, SMALL)
    assert_accessible(page)
    page.get_by_role("button", name="Saved", exact=True).click()
    expect(page.locator("#saved-marks")).to_be_visible()
    assert_accessible(page)
    for target in page.locator("#saved-marks :is(button, a)").filter(visible=True).all() if width == NARROW else []:
        box = target.bounding_box()
        assert box is not None
        assert box["height"] >= 44
    for address in ("/dashboard/marks", "/dashboard/marks/new"):
        page.goto(address)
        assert_accessible(page)
    page.set_viewport_size(before)  # type: ignore[arg-type]
