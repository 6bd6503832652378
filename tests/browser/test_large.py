"""A picture of 24 megapixels, cleaned as a smaller one: the result has its size, and every other pixel as it was."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from inpainting import icc
from inpainting.colour import BT709
from tests import pictures
from tests.browser.conftest import NARROW, Site, assert_accessible
from tests.browser.test_accessibility import LOOKS
from tests.browser.test_editor import choose, download, said

WIDTH, HEIGHT = 6000, 4000
TRUE = np.tile(pictures.photo(1000, 1000), (4, 6, 1))
LEFT, TOP, RIGHT, BOTTOM = 3000, 2000, 3120, 2060  # of the mark
AROUND = 12  # pixels that the drawn box is wider
EDGE = 6  # pixels: two of the smaller picture
PROFILE = icc.matrix_profile(BT709, icc.power(1.2))


def marked() -> np.ndarray:
    picture = TRUE.copy()
    picture[TOP:BOTTOM, LEFT:RIGHT] = 255
    picture[TOP + 20 : BOTTOM - 20, LEFT + 20 : RIGHT - 20] = 0
    return picture


def open_and_clean(page: Page, folder: Path, name: str, data: bytes) -> None:
    page.goto("/")
    choose(page, folder, name, data)
    expect(said(page)).to_contain_text("What is cleaned is laid back at 6000 \u00d7 4000")
    page.get_by_label("Box").check()
    sheet = page.locator("#sheet").bounding_box()
    assert sheet is not None
    scale = sheet["width"] / WIDTH
    page.mouse.move(sheet["x"] + (LEFT - AROUND) * scale, sheet["y"] + (TOP - AROUND) * scale)
    page.mouse.down()
    page.mouse.move(sheet["x"] + (RIGHT + AROUND) * scale, sheet["y"] + (BOTTOM + AROUND) * scale)
    page.mouse.up()
    page.get_by_role("button", name="Clean", exact=True).click()
    expect(said(page)).to_contain_text("cleaned at 2048 \u00d7 1365, laid back at 6000 \u00d7 4000")


def assert_clean(rgba: np.ndarray, picture: np.ndarray) -> None:
    """The mark is gone, and outside of the drawn box and its edge every byte is the picture's."""
    assert (rgba[..., 3] == 255).all()
    result = rgba[..., :3]
    wide = AROUND + EDGE
    box = (slice(TOP - wide, BOTTOM + wide), slice(LEFT - wide, RIGHT + wide))
    outside = np.ones((HEIGHT, WIDTH), bool)
    outside[box] = False
    assert np.array_equal(result[outside], picture[outside])
    inside = (slice(TOP, BOTTOM), slice(LEFT, RIGHT))
    before, after = (np.abs(each[inside].astype(int) - TRUE[inside]).mean() for each in (picture, result))
    assert after < before / 3


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_it_is_accessible(site: Site, browser: Browser, tmp_path: Path, scheme: str, width: int) -> None:
    page = site.new_page(browser, scheme, width)
    page.goto("/")
    choose(page, tmp_path, "large.jpg", pictures.file(TRUE, "JPEG").getvalue())
    expect(said(page)).to_contain_text("What is cleaned is laid back at 6000 \u00d7 4000")
    assert_accessible(page)
    if width == NARROW:
        foot, stage = page.locator(".foot").bounding_box(), page.locator("#stage").bounding_box()
        assert foot is not None
        assert stage is not None
        assert stage["height"] > 300  # the picture has room, whatever is said of it
        assert foot["y"] + foot["height"] <= 900
    page.context.close()


def test_it_works(site: Site, browser: Browser, tmp_path: Path) -> None:
    """With a profile, which the numbers are not converted from."""
    page, picture = site.new_page(browser), marked()
    data = pictures.file(picture, icc_profile=PROFILE, compress_level=1).getvalue()
    open_and_clean(page, tmp_path, "large.png", data)
    with page.expect_download() as started:
        page.get_by_role("button", name="Download", exact=True).click()
    file = Path(started.value.path()).read_bytes()

    assert_clean(pictures.pixels(file), picture)
    assert Image.open(io.BytesIO(file)).info["icc_profile"] == PROFILE
    page.get_by_role("button", name="Compare", exact=True).click()
    for layer in ("#picture", "#original"):
        expect(page.locator(layer)).to_have_js_property("width", WIDTH)
    page.context.close()


def test_a_turned_jpeg_with_a_profile(site: Site, browser: Browser, tmp_path: Path) -> None:
    page = site.new_page(browser)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned right
    turned = np.rot90(marked())
    data = pictures.file(turned, "JPEG", quality=95, subsampling=0, icc_profile=PROFILE, exif=exif).getvalue()
    open_and_clean(page, tmp_path, "large.jpg", data)
    _, result = download(page)

    assert_clean(result, np.rot90(pictures.pixels(data), -1))
    page.get_by_text("More", exact=True).click()
    assert download(page, "Download JPEG")[1].shape == (HEIGHT, WIDTH, 3)
    page.context.close()


def test_what_is_see_through_is_not_laid_back(site: Site, browser: Browser, tmp_path: Path) -> None:
    page = site.new_page(browser)
    page.goto("/")
    choose(page, tmp_path, "a.png", pictures.file(np.full((20, 3000, 4), 128, np.uint8)).read())

    expect(said(page)).to_contain_text("Made smaller, to 2048 \u00d7 14")
    expect(said(page)).to_contain_text("for good: parts of it are see-through")
    page.context.close()


def test_more_than_sixty_megapixels_are_refused(site: Site, browser: Browser, tmp_path: Path) -> None:
    page = site.new_page(browser)
    page.goto("/")
    choose(page, tmp_path, "huge.png", pictures.file(Image.new("1", (8000, 7600))).read())

    expect(said(page)).to_contain_text("more than 60 megapixels")
    page.context.close()
