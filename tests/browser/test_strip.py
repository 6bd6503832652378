"""Many pictures in the editor: marked once, cleaned one after another, downloaded as one ZIP."""

from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests import pictures
from tests.browser.conftest import NARROW, Site, assert_accessible
from tests.browser.test_accessibility import LOOKS
from tests.browser.test_editor import HEIGHT, WIDTH, clean, drag, marked, said


@pytest.fixture
def page(site: Site, browser: Browser) -> Iterator[Page]:
    page = site.new_page(browser)
    page.goto("/")
    page.wait_for_selector(".ready")
    yield page
    page.context.close()


def choose(page: Page, folder: Path, **files: bytes) -> None:
    for name, data in files.items():
        (folder / f"{name}.png").write_bytes(data)
    page.locator("#file").set_input_files([folder / f"{name}.png" for name in files])
    expect(page.locator("#sheet")).to_be_visible()


def photo(width: int = WIDTH, height: int = HEIGHT) -> bytes:
    return pictures.file(pictures.photo(width, height)).read()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def states(page: Page) -> list[str]:
    return page.locator("#pictures small").all_inner_texts()


def downloaded(page: Page) -> dict[str, np.ndarray]:
    with page.expect_download() as started:
        press(page, "Download all")
    with ZipFile(started.value.path()) as archive:
        assert archive.testzip() is None
        return {name: pictures.pixels(archive.read(name)) for name in archive.namelist()}


def test_twenty_pictures_with_one_logo_take_six_clicks(page: Page, tmp_path: Path) -> None:
    """From home: choose, box, draw, for all, clean all, download all."""
    clicks = "addEventListener('click', () => (window.clicks = (window.clicks ?? 0) + 1), true)"
    page.evaluate(clicks)
    with page.expect_file_chooser() as chooser:
        page.locator("#file").click()
    paths = [tmp_path / f"{number:02}.png" for number in range(20)]
    for path in paths:
        path.write_bytes(photo())
    chooser.value.set_files(paths)
    expect(page.locator("#pictures button")).to_have_count(20)
    page.get_by_label("Box").check()
    drag(page, (300, 230), (380, 280))
    press(page, "Use these marks for all")
    press(page, "Clean all")
    expect(said(page)).to_contain_text("20 of 20 are clean", timeout=300_000)
    results = downloaded(page)

    assert page.evaluate("clicks") <= 6
    assert sorted(results) == [f"{number:02}-clean.png" for number in range(20)]
    hole = np.zeros((HEIGHT, WIDTH), bool)
    hole[228:282, 298:382] = True
    for result in results.values():
        changed = (result != pictures.photo(WIDTH, HEIGHT)).any(axis=2)
        assert changed.any()
        assert not changed[~hole].any()


@pytest.mark.parametrize(("fit", "corner"), [("scaled", (600, 460)), ("pixels", (700, 530))])
def test_marks_fit_pictures_of_other_sizes(page: Page, tmp_path: Path, fit: str, corner: tuple[int, int]) -> None:
    choose(page, tmp_path, small=photo(), large=photo(2 * WIDTH, 2 * HEIGHT))
    page.get_by_label("Box").check()
    drag(page, (300, 230), (380, 280))
    page.get_by_label("Marks on pictures of other sizes").select_option(fit)
    press(page, "Use these marks for all")
    page.keyboard.press("n")
    expect(page.locator("#pictures button").nth(1)).to_have_attribute("aria-current", "true")

    rows, columns = np.nonzero(marked(page))
    assert (columns.min(), rows.min()) == pytest.approx(corner, abs=2)


def test_each_picture_keeps_its_marks_and_result(page: Page, tmp_path: Path) -> None:
    choose(page, tmp_path, first=photo(), second=photo())
    drag(page, (100, 100), (140, 100))
    clean(page)
    drag(page, (200, 200), (240, 200))
    hole = marked(page)
    page.keyboard.press("n")
    expect(page.locator("#pictures button").nth(1)).to_have_attribute("aria-current", "true")
    assert not marked(page).any()
    page.keyboard.press("p")
    expect(page.locator("#pictures button").nth(0)).to_have_attribute("aria-current", "true")

    assert (marked(page) == hole).all()
    press(page, "Undo")
    press(page, "Undo")
    assert marked(page)[100, 100:140].all()


def test_one_failure_stops_no_other(page: Page, tmp_path: Path) -> None:
    choose(page, tmp_path, first=photo(), damaged=photo()[:200], last=photo())
    drag(page, (100, 100), (140, 100))
    press(page, "Use these marks for all")
    press(page, "Clean all")
    expect(said(page)).to_contain_text("2 of 3 are clean, 1 failed")

    assert states(page) == ["Done", "Failed", "Done"]
    assert page.get_by_role("button", name="damaged.png: Failed. The file is damaged").is_visible()
    assert sorted(downloaded(page)) == ["first-clean.png", "last-clean.png"]


def test_unsaved_pictures_of_the_strip_ask(page: Page, tmp_path: Path) -> None:
    choose(page, tmp_path, first=photo(), second=photo())
    drag(page, (100, 100), (140, 100))
    page.keyboard.press("n")
    expect(page.locator("#pictures button").nth(1)).to_have_attribute("aria-current", "true")
    choose(page, tmp_path, other=photo())

    press(page, "Stay here")
    expect(page.locator("#pictures button")).to_have_count(2)


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_looks(site: Site, page: Page, tmp_path: Path, scheme: str, width: int) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 844})
    choose(page, tmp_path, **{f"picture{number}": photo() for number in range(12)}, damaged=b"no picture")
    drag(page, (100, 100), (140, 100))
    page.get_by_role("button", name="damaged.png").click()
    expect(page.locator("#pictures .failed")).to_have_count(1)
    assert_accessible(page)
    for target in page.locator("#strip button, #strip select").all() if width == NARROW else []:
        box = target.bounding_box()
        assert box is not None
        assert box["height"] >= 44
