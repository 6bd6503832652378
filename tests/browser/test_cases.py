"""Files as healthy programs make them, in the editor: opened as Chromium shows them, cleaned."""

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests import cases
from tests.browser.conftest import Site
from tests.browser.test_editor import choose, clean, download, said
from tests.cases import ACCEPTED
from tests.inpainting.test_cases import upright

REACH = 30  # pixels from a dot's middle: more than its radius


@pytest.fixture(scope="module")
def customer(site: Site, browser: Browser) -> Page:
    page = site.new_page(browser)
    site.sign_up(page, "cases@example.org")
    site.manage("create_api_key", "--email", "cases@example.org", "--plan", "enterprise")
    return page


@pytest.mark.parametrize("name", ACCEPTED)
def test_it_works(customer: Page, tmp_path: Path, name: str) -> None:
    case = ACCEPTED[name]
    width, height = case.size
    customer.goto("/editor")
    choose(customer, tmp_path, "picture", case.image)
    expect(said(customer)).to_contain_text("Brush over what you want to remove")
    assert customer.evaluate(
        "[document.getElementById('picture').width, document.getElementById('picture').height]"
    ) == [width, height]

    box = customer.locator("#sheet").bounding_box()
    assert box is not None
    customer.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    clean(customer)

    result, before = download(customer)[1], upright(case)
    y, x = np.ogrid[:height, :width]
    kept = (np.hypot(y - height / 2, x - width / 2) > REACH) & (before[..., 3] > 0)
    np.testing.assert_array_equal(result[kept][:, :3], before[kept][:, :3])


def test_a_picture_without_its_palette(customer: Page, tmp_path: Path) -> None:
    customer.goto("/editor")
    choose(customer, tmp_path, "picture.png", cases.NO_PALETTE)

    expect(said(customer)).to_contain_text("picture.png is damaged and cannot be read.")
