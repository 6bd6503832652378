"""*Find text* in the editor: outlines that are accepted one by one, or all at once."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from inpainting.engine.text import detector
from tests import pictures
from tests.browser.conftest import NARROW, WIDE, Site, assert_accessible
from tests.browser.test_editor import HEIGHT, WIDTH, choose, clean, download, marked, said

pytestmark = pytest.mark.skipif(not detector.installed(), reason="pip install -r requirements-text.txt")

ABOVE, UPPER = pictures.lettered("Open daily", WIDTH, HEIGHT // 2, 36)
BELOW, LOWER = pictures.lettered("9 to 5", WIDTH, HEIGHT // 2, 36, turn=15)
SIGN = np.concatenate([ABOVE, BELOW])
NOTHING = np.zeros((HEIGHT // 2, WIDTH), bool)
LETTERS = [np.concatenate([UPPER, NOTHING]), np.concatenate([NOTHING, LOWER])]


@pytest.fixture(params=[WIDE, NARROW], ids=["wide", "narrow"])
def page(request: pytest.FixtureRequest, site: Site, browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """A stranger's, with a sign in it."""
    page = site.new_page(browser, width=request.param)
    page.goto("/")
    choose(page, tmp_path, "sign.png", pictures.file(SIGN).read())
    expect(said(page)).to_contain_text("Brush over")
    yield page
    page.context.close()


def test_it_works(page: Page) -> None:
    """One is accepted, left out, accepted again; only that goes."""
    page.get_by_role("button", name="Find text", exact=True).click()
    expect(said(page)).to_contain_text("Outlined 2 pieces of lettering")
    assert not marked(page).any()
    assert_accessible(page)

    found = page.get_by_role("button", name="Remove lettering")
    expect(found).to_have_count(2)
    found.first.click()
    one = marked(page)
    chosen = 0 if one[LETTERS[0]].any() else 1
    assert one[LETTERS[chosen]].mean() > 0.98
    assert not one[LETTERS[1 - chosen]].any()
    found.first.click()
    assert not marked(page).any()
    found.first.click()

    clean(page)
    result = download(page)[1]
    changed = (result != SIGN).any(axis=2)
    assert changed[LETTERS[chosen]].mean() > 0.9
    assert not changed[~one].any()


def test_all_of_it_by_keys(page: Page) -> None:
    page.keyboard.press("t")
    expect(said(page)).to_contain_text("Outlined 2 pieces of lettering")
    page.keyboard.press("a")
    expect(page.get_by_role("button", name="Accept all")).to_be_hidden()
    hole = marked(page)
    assert all(hole[letters].mean() > 0.98 for letters in LETTERS)

    page.keyboard.press("Control+z")
    assert not marked(page).any()
    page.get_by_role("button", name="Accept all").click()
    assert (marked(page) == hole).all()
    page.keyboard.press("?")
    expect(page.get_by_text("find text: lettering of any kind")).to_be_visible()


def test_where_nothing_is_written(page: Page, tmp_path: Path) -> None:
    page.reload()
    choose(page, tmp_path, "holiday.png", pictures.file(pictures.sky(WIDTH, HEIGHT)).read())
    expect(said(page)).to_contain_text("Brush over")
    page.keyboard.press("t")

    expect(said(page)).to_contain_text("No lettering was found")
    expect(page.get_by_role("button", name="Accept all")).to_be_hidden()
