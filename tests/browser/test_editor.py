"""The editor, used: a picture chosen, brushed over, cleaned, compared, undone, downloaded."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import requests
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from inpainting import masks
from tests import pictures
from tests.browser.conftest import NARROW, PASSWORD, Site, assert_accessible

WIDTH, HEIGHT = 400, 300
PHOTO = pictures.photo(WIDTH, HEIGHT)


@pytest.fixture(scope="module")
def customer(site: Site, browser: Browser) -> Page:
    page = site.new_page(browser)
    site.sign_up(page, "editor@example.org")
    site.manage("create_api_key", "--email", "editor@example.org", "--plan", "pro")
    return page


@pytest.fixture
def page(customer: Page, tmp_path: Path) -> Page:
    """The editor with a photograph in it."""
    customer.goto("/editor")
    choose(customer, tmp_path, "holiday.png", pictures.file(PHOTO).read())
    expect(said(customer)).to_contain_text("Brush over what you want to remove")
    return customer


def choose(page: Page, folder: Path, name: str, data: bytes) -> None:
    (folder / name).write_bytes(data)
    page.locator("#file").set_input_files(folder / name)


def animated(format: str) -> bytes:
    frames = [Image.fromarray(frame) for frame in (PHOTO, 255 - PHOTO)]
    return pictures.file(frames[0], format, save_all=True, append_images=frames[1:], duration=100).read()


def said(page: Page) -> Locator:
    return page.locator(".said:visible")


def drag(page: Page, *points: tuple[int, int]) -> None:
    """With the mouse, over these pixels of the picture."""
    sheet = page.locator("#sheet").element_handle()
    sheet.wait_for_element_state("stable")  # the strip beside it may just have come
    box = sheet.bounding_box()
    assert box is not None
    for number, (x, y) in enumerate(points):
        page.mouse.move(box["x"] + x * box["width"] / WIDTH, box["y"] + y * box["height"] / HEIGHT)
        if number == 0:
            page.mouse.down()
    page.mouse.up()


def marked(page: Page) -> np.ndarray:
    """Of the mask's pixels, those that are marked: (H, W) bool."""
    if page.locator("#save-mask").is_disabled():
        return np.zeros((HEIGHT, WIDTH), bool)
    page.locator(".menu").evaluate("menu => (menu.open = true)")
    mask = download(page, "Save the mask")[1]
    page.locator(".menu").evaluate("menu => (menu.open = false)")
    return mask[..., 0] > 0


def clean(page: Page) -> None:
    page.get_by_role("button", name="Clean", exact=True).click()
    expect(said(page)).to_contain_text("Done in")


def download(page: Page, button: str = "Download") -> tuple[str, np.ndarray]:
    with page.expect_download() as started:
        page.get_by_role("button", name=button, exact=True).click()
    return started.value.suggested_filename, pictures.pixels(Path(started.value.path()).read_bytes())


def download_jpeg(page: Page) -> tuple[str, np.ndarray]:
    page.get_by_text("More", exact=True).click()
    return download(page, "Download JPEG")


def test_it_works(page: Page) -> None:
    assert_accessible(page)
    drag(page, (100, 100), (140, 100))
    hole = marked(page)
    assert hole[100, 96:144].all()
    assert not hole[:, :80].any()
    assert not hole[:, 160:].any()

    clean(page)
    expect(page.locator("#left")).to_have_text(re.compile(r"19,99\d"))
    assert_accessible(page)
    name, result = download(page)
    assert name == "holiday-clean.png"
    assert (result[~hole] == PHOTO[~hole]).all()
    assert (result[hole] != PHOTO[hole]).any()
    assert not marked(page).any()

    name, smaller = download_jpeg(page)
    assert name == "holiday-clean.jpg"
    assert np.abs(smaller.astype(int) - result).mean() < 4


def test_another_plan_meanwhile(page: Page) -> None:
    page.evaluate("document.getElementById('limit-now').textContent = 10")  # that the page was made for
    drag(page, (100, 100), (140, 100))
    clean(page)

    expect(page.locator(".left")).to_have_text(re.compile(r"^19,9\d\d of 20,000 left this month"))


def test_box_eraser_and_undo(page: Page) -> None:
    page.get_by_label("Box").check()
    drag(page, (50, 50), (350, 250))
    assert marked(page)[50:250, 50:350].mean() > 0.98
    page.get_by_label("Eraser").check()
    drag(page, (100, 100), (300, 100))
    assert not marked(page)[100, 110:290].any()
    assert marked(page)[200, 60:340].all()

    page.get_by_role("button", name="Undo").click()
    assert marked(page)[100, 110:290].all()
    page.keyboard.press("Control+z")
    assert not marked(page).any()
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()


def test_a_click_or_tap_makes_a_dot(page: Page, browser: Browser, tmp_path: Path) -> None:
    touched = browser.new_context(base_url=page.url, has_touch=True, storage_state=page.context.storage_state())
    other = touched.new_page()
    other.goto("/editor")
    choose(other, tmp_path, "holiday.png", pictures.file(PHOTO).read())
    expect(said(other)).to_contain_text("Brush over")
    ways: list[tuple[Page, Callable[[float, float], None]]] = [(page, page.mouse.click), (other, other.touchscreen.tap)]
    for each, way in ways:
        box = each.locator("#sheet").bounding_box()
        assert box is not None
        way(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        dot = marked(each)
        assert dot[HEIGHT // 2 - 4 : HEIGHT // 2 + 4, WIDTH // 2 - 4 : WIDTH // 2 + 4].all()
        assert dot.sum() < 30**2
    touched.close()


def test_a_box_of_no_area_is_none(page: Page) -> None:
    page.get_by_label("Box").check()
    drag(page, (50, 50))

    expect(page.get_by_role("button", name="Undo")).to_be_disabled()


@pytest.mark.parametrize(
    ("undo", "redo"),
    [
        (("z", "KeyZ"), ("Z", "KeyZ")),
        (("Z", "KeyZ"), ("z", "KeyZ")),  # with Caps Lock
        (("я", "KeyZ"), ("Я", "KeyZ")),  # Russian
        (("z", "KeyY"), ("Z", "KeyY")),  # German
        (("z", "Slash"), ("Z", "Slash")),  # Dvorak
    ],
)
def test_undo_and_redo_on_any_keyboard(page: Page, undo: tuple[str, str], redo: tuple[str, str]) -> None:
    drag(page, (100, 100), (140, 100))
    drag(page, (100, 200), (140, 200))
    drawn = marked(page)

    press(page, *undo)
    assert marked(page)[100, 120]
    assert not marked(page)[200, 120]
    press(page, *redo, shift=True)
    assert (marked(page) == drawn).all()
    press(page, *undo)
    press(page, "y", "KeyY")
    assert (marked(page) == drawn).all()


def press(page: Page, key: str, code: str, *, shift: bool = False) -> None:
    """With Ctrl, as a keyboard of another layout does."""
    event = {"key": key, "code": code, "ctrlKey": True, "shiftKey": shift, "bubbles": True}
    page.evaluate("event => document.body.dispatchEvent(new KeyboardEvent('keydown', event))", event)


def test_a_new_stroke_ends_what_was_undone(page: Page) -> None:
    drag(page, (100, 100), (140, 100))
    page.get_by_role("button", name="Undo").click()
    drag(page, (100, 200), (140, 200))

    expect(page.get_by_role("button", name="Redo")).to_be_disabled()


def test_a_result_is_undone_and_redone(page: Page) -> None:
    drag(page, (100, 100), (140, 100))
    clean(page)
    _, result = download(page)
    page.get_by_role("button", name="Undo").click()

    expect(said(page)).to_contain_text("Brush over what you want to remove")
    expect(page.get_by_role("button", name="Download", exact=True)).to_be_disabled()
    page.get_by_role("button", name="Redo").click()
    expect(page.get_by_role("button", name="Download", exact=True)).to_be_enabled()
    assert (download(page)[1] == result).all()


def test_a_small_mark_keeps_its_result(customer: Page, tmp_path: Path) -> None:
    """Of so few pixels that their share rounds to nothing."""
    photo = pictures.photo(1000, 900)
    customer.goto("/editor")
    choose(customer, tmp_path, "large.png", pictures.file(photo).read())
    expect(said(customer)).to_contain_text("Brush over")
    customer.get_by_label("Size").fill("4")
    box = customer.locator("#sheet").bounding_box()
    assert box is not None
    customer.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    clean(customer)

    _, result = download(customer)
    assert 0 < (result != photo).any(axis=2).sum() < 0.00005 * 1000 * 900


def test_undo_takes_a_result_back(page: Page) -> None:
    drag(page, (100, 100), (140, 100))
    clean(page)
    drag(page, (200, 200), (240, 200))
    clean(page)
    page.get_by_role("button", name="Undo").click()

    _, once = download(page)
    assert (once[185:215, 185:255] == PHOTO[185:215, 185:255]).all()
    assert (once[90:110, 100:140] != PHOTO[90:110, 100:140]).any()


def test_before_is_the_picture_as_it_came(page: Page) -> None:
    drag(page, (100, 100), (140, 100))
    clean(page)
    page.get_by_role("button", name="Compare").click()
    page.get_by_role("slider", name="How much of the original").press("End")

    assert page.locator("#original").evaluate("layer => layer.style.clipPath") == "inset(0px 0% 0px 0px)"
    shown = page.locator("#original").evaluate(
        "layer => Array.from(layer.getContext('2d').getImageData(120, 100, 1, 1).data)"
    )
    assert shown[:3] == PHOTO[100, 120].tolist()


def test_without_a_mark_the_watermark_is_looked_for(page: Page) -> None:
    left = page.locator("#left").inner_text()
    page.keyboard.press("Shift+R")

    expect(said(page)).to_contain_text("No watermark was found, and nothing was charged.")
    expect(page.locator("#left")).to_have_text(left)
    expect(page.get_by_role("button", name="Download", exact=True)).to_be_disabled()


def test_what_is_clean_is_not_sent_again(page: Page) -> None:
    drag(page, (100, 100), (140, 100))
    clean(page)
    expect(page.get_by_role("button", name="Clean", exact=True)).to_be_disabled()
    page.keyboard.press("Shift+R")

    expect(said(page)).to_have_text("Mark what is left, or download it.")


def test_a_clean_picture_has_no_watermark(page: Page) -> None:
    page.get_by_role("button", name="Find", exact=True).click()

    expect(said(page)).to_contain_text("No watermark was found")
    assert not marked(page).any()


def test_a_watermark_is_found_and_shown(site: Site, customer: Page, tmp_path: Path) -> None:
    customer.goto("/editor")
    tiled = PHOTO.astype(float)
    stripe = np.zeros((HEIGHT, WIDTH), bool)
    for top in range(15, HEIGHT, 50):
        for left in range(10, WIDTH, 60):
            stripe[top : top + 14, left : left + 6] = stripe[top + 8 : top + 14, left : left + 30] = True
    tiled[stripe] = 0.5 * tiled[stripe] + 0.5 * 255
    choose(customer, tmp_path, "tiled.png", pictures.file(tiled.round().astype(np.uint8)).read())
    expect(said(customer)).to_contain_text("Brush over")
    customer.get_by_role("button", name="Find", exact=True).click()

    expect(said(customer)).to_contain_text("Found a watermark")
    near = masks.grow(stripe * masks.WHITE, 10) > 0
    assert marked(customer)[stripe].mean() > 0.9
    assert marked(customer)[~near].mean() < 0.1
    clean(customer)
    _, result = download(customer)
    before, after = (np.abs(each.astype(float) - PHOTO)[stripe].mean() for each in (tiled, result))
    assert after < before / 2
    assert (result == without_a_mask(site, (tmp_path / "tiled.png").read_bytes())).all()


def without_a_mask(site: Site, image: bytes) -> np.ndarray:
    """What v1 makes of it without a mask."""
    answer = requests.post(
        f"{site.url}/api/v1/remove-watermark",
        headers={"X-API-Key": site.manage("create_api_key", "--email", "editor@example.org", "--plan", "pro")},
        files={"image": image},
        timeout=120,
    )
    assert answer.headers["X-Mask-Source"] == "detected"
    return pictures.pixels(answer.content)


@pytest.mark.parametrize(
    ("name", "data", "answer"),
    [
        ("notes.txt", b"text", "notes.txt is no picture we can open. Choose a JPEG, PNG, WebP, AVIF or HEIC."),
        ("a.png", pictures.file(PHOTO, "GIF").read(), "a.png is no picture we can open"),
        ("a.png", pictures.file(PHOTO).read()[:300], "a.png is damaged"),
        ("a.jpg", pictures.file(PHOTO, "HEIF").read(), "which this browser cannot show"),
        ("a.png", animated("PNG"), "animated"),
        ("a.webp", animated("WEBP"), "animated"),
        ("a.avif", animated("AVIF"), "animated"),
        ("a.png", pictures.file(PHOTO).read() + bytes(10 << 20), "larger than 10 MB"),
    ],
)
def test_refused(customer: Page, tmp_path: Path, name: str, data: bytes, answer: str) -> None:
    customer.goto("/editor")
    choose(customer, tmp_path, name, data)

    expect(said(customer)).to_contain_text(answer)
    expect(customer.locator("#file")).to_be_visible()


def test_who_is_signed_out_meanwhile_loses_nothing(site: Site, browser: Browser, tmp_path: Path) -> None:
    page = site.new_page(browser, width=NARROW)
    site.sign_up(page, "forgetful@example.org")
    page.goto("/editor")
    choose(page, tmp_path, "a.png", pictures.file(PHOTO).read())
    drag(page, (100, 100), (140, 100))
    assert_accessible(page)
    page.context.clear_cookies()
    page.get_by_role("button", name="Clean", exact=True).click()

    expect(said(page)).to_contain_text("You are signed out")
    tab = page.context.new_page()
    tab.goto("/login")
    tab.get_by_label("Email").fill("forgetful@example.org")
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_role("button", name="Sign in", exact=True).click()
    tab.wait_for_url("**/dashboard")
    clean(page)
    expect(page.locator("#left")).to_have_text("9")


def test_another_method_after_nothing_was_found(page: Page) -> None:
    """It is another request, not a repeat of the one that changed nothing."""
    drag(page, (100, 100), (140, 100))
    page.locator("#mode").evaluate("mode => (mode.value = 'restore')")
    page.get_by_role("button", name="Clean", exact=True).click()
    expect(said(page)).to_contain_text("nothing was charged")

    page.locator("#mode").evaluate("mode => (mode.value = 'repaint')")
    clean(page)
