"""The editor as a stranger meets it: with mouse, fingers and keys, until the clean picture is on the disk."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests import pictures
from tests.browser.conftest import NARROW, PASSWORD, WIDE, Site, assert_accessible
from tests.browser.test_accessibility import LOOKS
from tests.browser.test_editor import HEIGHT, PHOTO, WIDTH, choose, clean, download, drag, marked, said

BOX = np.zeros((HEIGHT, WIDTH), bool)
BOX[50:100, 50:150] = True


@pytest.fixture
def page(site: Site, browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """A stranger's, with a photograph in it."""
    page = site.new_page(browser)
    page.goto("/")
    choose(page, tmp_path, "holiday.png", pictures.file(PHOTO).read())
    expect(said(page)).to_contain_text("Brush over")
    yield page
    page.context.close()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_it_works(site: Site, browser: Browser) -> None:
    """An example: try, clean, download."""
    page = site.new_page(browser)
    page.goto("/")
    press(page, "Try it: A mark all over")
    expect(said(page)).to_contain_text("Found")
    clean(page)
    name, result = download(page)

    assert name == "tiled-clean.png"
    before = page.request.get(page.locator(".before").nth(1).get_attribute("src") or "").body()
    changed = (result != pictures.pixels(before)).any(axis=2)
    assert 0.02 < changed.mean() < 0.5
    page.context.close()


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_picture_comes_in_anywhere(site: Site, browser: Browser, way: str) -> None:
    page = site.new_page(browser)
    page.goto("/")
    page.wait_for_selector(".ready")
    page.evaluate(
        """async ([way, data]) => {
            const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
            const file = new File([bytes], "a.png", { type: "image/png" });
            const transfer = new DataTransfer();
            transfer.items.add(file);
            const options = { bubbles: true, cancelable: true, dataTransfer: transfer, clipboardData: transfer };
            const event = way === "drop" ? new DragEvent("drop", options) : new ClipboardEvent("paste", options);
            document.querySelector("footer").dispatchEvent(event);
        }""",
        [way, base64.b64encode(pictures.file(PHOTO).read()).decode()],
    )

    expect(said(page)).to_contain_text("Brush over")
    page.context.close()


def test_a_large_picture_is_made_smaller_for_a_stranger(site: Site, browser: Browser, tmp_path: Path) -> None:
    page = site.new_page(browser)
    page.goto("/")
    choose(page, tmp_path, "large.png", pictures.file(np.zeros((10, 4096, 3), np.uint8)).read())

    expect(said(page)).to_contain_text("Made smaller, to 2048")
    page.context.close()


def test_undo_gives_marks_back_and_they_can_be_used_again(page: Page) -> None:
    drag(page, (100, 100), (140, 100))
    drawn = marked(page)
    clean(page)
    assert not marked(page).any()
    page.keyboard.press("m")
    assert (marked(page) == drawn).all()

    press(page, "Undo")
    press(page, "Undo")
    assert (marked(page) == drawn).all()
    expect(page.get_by_role("button", name="Download", exact=True)).to_be_disabled()


def test_a_lasso_marks_what_it_surrounds(page: Page) -> None:
    page.get_by_label("Lasso").check()
    drag(page, (50, 50), (150, 50), (150, 100), (50, 100))

    assert (marked(page) == BOX).mean() > 0.98


def test_a_box_is_drawn_by_keys_alone(page: Page) -> None:
    page.keyboard.press("x")
    expect(page.locator("#stage")).to_be_focused()
    page.keyboard.press("Enter")
    for key in ["ArrowRight"] * 4 + ["ArrowDown"] * 2:
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    hole = marked(page)
    rows, columns = np.flatnonzero(hole.any(axis=1)), np.flatnonzero(hole.any(axis=0))
    assert hole[rows[0] : rows[-1], columns[0] : columns[-1]].all()
    assert len(columns) == pytest.approx(2 * len(rows), abs=4)

    page.keyboard.press("Shift+R")
    expect(said(page)).to_contain_text("Done in")
    with page.expect_download():
        page.keyboard.press("Control+s")


def test_one_finger_marks_and_two_move_and_zoom(site: Site, browser: Browser, tmp_path: Path) -> None:
    context = browser.new_context(base_url=site.url, viewport={"width": NARROW, "height": 844}, has_touch=True)
    page = context.new_page()
    page.goto("/")
    choose(page, tmp_path, "holiday.png", pictures.file(PHOTO).read())
    expect(said(page)).to_contain_text("Brush over")
    before = page.locator("#sheet").bounding_box()
    assert before is not None
    x, y = before["x"] + 50, before["y"] + 50
    touch(page, [(x, y)], [(x + 60, y)])
    assert 20 < marked(page).sum() < 60 * 60
    drawn = marked(page)

    touch(page, [(x, y), (x + 50, y)], [(x, y), (x + 100, y)])
    after = page.locator("#sheet").bounding_box()
    assert after is not None
    assert after["width"] == pytest.approx(2 * before["width"], rel=0.05)
    assert (marked(page) == drawn).all()
    small = page.evaluate(
        """[...document.querySelectorAll(".bar button, .bar summary, .bar label:has(input[type=radio])")]
            .map((one) => [one.innerText, one.getBoundingClientRect()])
            .filter(([, box]) => box.width && (box.width < 43.9 || box.height < 43.9)).map(([text]) => text)"""
    )
    assert small == []
    context.close()


def touch(page: Page, start: list[tuple[float, float]], end: list[tuple[float, float]]) -> None:
    """Fingers that go from one place to another, in steps."""
    session = page.context.new_cdp_session(page)

    def send(kind: str, points: list[tuple[float, float]]) -> None:
        fingers = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    for count in range(1, len(start) + 1):
        send("touchStart", start[:count])
    for step in np.linspace(0.1, 1, 10):
        send("touchMove", [tuple(np.array(a) + (np.array(b) - a) * step) for a, b in zip(start, end, strict=True)])
    send("touchEnd", [])


def test_the_wheel_zooms_at_the_cursor_and_space_moves(page: Page) -> None:
    stage = page.locator("#stage").bounding_box()
    before = page.locator("#sheet").bounding_box()
    assert stage
    assert before
    x, y = before["x"] + before["width"] / 4, before["y"] + before["height"] / 4
    page.mouse.move(x, y)
    page.mouse.wheel(0, -400)
    after = page.locator("#sheet").bounding_box()
    assert after is not None
    assert after["width"] > 1.5 * before["width"]
    assert (x - after["x"]) / after["width"] == pytest.approx(0.25, abs=0.01)

    page.keyboard.down(" ")
    page.mouse.down()
    page.mouse.move(x + 40, y + 10)
    page.mouse.up()
    page.keyboard.up(" ")
    moved = page.locator("#sheet").bounding_box()
    assert moved is not None
    assert (moved["x"] - after["x"], moved["y"] - after["y"]) == pytest.approx((40, 10), abs=1)
    assert not marked(page).any()
    page.keyboard.press("Escape")
    assert page.locator("#sheet").bounding_box() == pytest.approx(before, abs=1)


def test_compare_and_the_original_while_tab_is_held(page: Page) -> None:
    drag(page, (100, 100), (140, 100))
    clean(page)
    original = page.locator("#original")
    expect(original).to_be_hidden()
    page.locator("#stage").focus()
    page.locator("#stage").hover()
    page.keyboard.down("Tab")
    expect(original).to_be_visible()
    page.keyboard.up("Tab")
    expect(original).to_be_hidden()

    page.keyboard.press("c")
    handle = page.get_by_role("slider", name="How much of the original")
    box = handle.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(0, box["y"] + 100)
    page.mouse.up()
    expect(handle).to_have_attribute("aria-valuenow", "0")


def test_proposals_are_taken_in_one_by_one(page: Page) -> None:
    levels = np.zeros((HEIGHT, WIDTH), np.uint8)
    levels[50:100, 50:150], levels[200:250, 200:300] = 255, 128

    def answer(route: Route) -> None:
        boxes = [
            [{"x": x, "y": x, "width": 100, "height": 50, "score": score}] for x, score in ((50, 0.9), (200, 0.25))
        ]
        mask = base64.b64encode(pictures.file(levels).read()).decode()
        route.fulfill(body=json.dumps({"boxes": boxes[0], "proposals": boxes[1], "mask": mask}))

    page.route("**/editor/detect*", answer)
    press(page, "Find")
    expect(said(page)).to_contain_text("Found a watermark")
    for width in (NARROW, WIDE):
        page.set_viewport_size({"width": width, "height": 844})
        page.wait_for_timeout(100)  # the stage has another size
        assert covered(page, [(100, 75), (250, 225)]) == []
    assert marked(page)[levels == 255].all()
    assert not marked(page)[levels == 128].any()
    assert_accessible(page)

    press(page, "Remove finding 2, 25% sure")
    assert marked(page)[levels > 0].all()
    press(page, "Remove finding 1, 90% sure")
    assert not marked(page)[levels == 255].any()


def covered(page: Page, middles: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Of these pixels of the picture, those that lie below a finding's button."""
    sheet = page.locator("#sheet").bounding_box()
    assert sheet is not None
    at = [
        (x, y, sheet["x"] + x * sheet["width"] / WIDTH, sheet["y"] + y * sheet["height"] / HEIGHT) for x, y in middles
    ]
    buttons = [button.bounding_box() for button in page.locator(".finding").all()]
    return [
        (x, y)
        for x, y, left, top in at
        for box in buttons
        if box and 0 <= left - box["x"] <= box["width"] and 0 <= top - box["y"] <= box["height"]
    ]


def test_a_mask_is_loaded_grown_and_shrunk(page: Page, tmp_path: Path) -> None:
    (tmp_path / "mask.png").write_bytes(pictures.file((BOX * 255).astype(np.uint8)).read())
    page.locator("#load-mask").set_input_files(tmp_path / "mask.png")
    expect(said(page)).to_contain_text("The mask is loaded")
    assert (marked(page) == BOX).all()

    for by, sides in (("10", (120, 70)), ("-20", (80, 30))):
        page.locator("#grow").evaluate(
            """(range, by) => {
                range.value = by;
                for (const kind of ["input", "change"]) range.dispatchEvent(new Event(kind));
            }""",
            by,
        )
        hole = marked(page)
        assert (hole.any(axis=0).sum(), hole.any(axis=1).sum()) == sides


def test_cancel_keeps_the_marks(page: Page) -> None:
    page.route("**/editor/remove-watermark*", lambda route: None)  # no answer comes
    drag(page, (100, 100), (140, 100))
    drawn = marked(page)
    press(page, "Clean")
    expect(page.locator("#doing")).to_have_text("Cleaning…")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        bar = pictures.pixels(page.locator("#progress").screenshot())[4:8, 8:-8]
        assert bar.astype(int).std(axis=1).max() > 30  # it shows, on its ground
    press(page, "Cancel")

    expect(said(page)).to_contain_text("Cancelled. Your marks are as they were. The server may have done it")
    expect(page.get_by_role("button", name="Clean", exact=True)).to_be_focused()
    assert (marked(page) == drawn).all()


def test_a_lost_answer_may_count_for_a_stranger(page: Page) -> None:
    page.route("**/editor/remove-watermark*", lambda route: route.abort())
    drag(page, (100, 100), (140, 100))
    press(page, "Clean")

    expect(said(page)).to_contain_text("could not be reached")
    expect(said(page)).to_contain_text("the same again counts again")


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_picture_stays_where_it_is_through_a_cleaning(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    drag(page, (100, 100), (140, 100))
    before = page.locator("#sheet").bounding_box()
    clean(page)

    assert page.locator("#sheet").bounding_box() == before
    expect(page.get_by_role("link", name="Sign up free")).to_be_visible()


def test_a_find_that_marks_nothing_leaves_nothing_to_undo(page: Page) -> None:
    box = {"x": 50, "y": 50, "width": 100, "height": 50, "score": 0.25}
    mask = base64.b64encode(pictures.file((BOX * 128).astype(np.uint8)).read()).decode()
    answer = json.dumps({"boxes": [], "proposals": [box], "mask": mask})
    page.route("**/editor/detect*", lambda route: route.fulfill(body=answer))
    press(page, "Find")
    expect(said(page)).to_contain_text("Not sure")
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()

    press(page, "Remove finding 1, 25% sure")
    press(page, "Undo")
    assert not marked(page).any()
    expect(page.get_by_role("button", name="Remove finding 1")).to_be_visible()


def test_unsaved_work_asks_before_it_is_lost(page: Page, tmp_path: Path) -> None:
    drag(page, (100, 100), (140, 100))
    choose(page, tmp_path, "other.png", pictures.file(PHOTO).read())
    press(page, "Stay here")
    assert marked(page).any()
    choose(page, tmp_path, "another.png", pictures.file(PHOTO).read())
    press(page, "Discard them")

    expect(page.get_by_role("button", name="Undo")).to_be_disabled()


def test_signing_in_keeps_picture_and_marks(site: Site, browser: Browser, page: Page) -> None:
    other = site.new_page(browser)
    site.sign_up(other, "returning@example.org")
    other.context.close()
    drag(page, (100, 100), (140, 100))
    drawn = marked(page)
    page.get_by_role("link", name="Sign in", exact=True).click()
    page.get_by_label("Email").fill("returning@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Sign in")
    page.wait_for_url("**/editor")

    expect(said(page)).to_contain_text("Your picture and your marks are back")
    assert (marked(page) == drawn).all()
    expect(page.locator(".left")).to_contain_text("10 of 10 left today")


def test_what_is_left_is_what_the_server_says(site: Site, page: Page) -> None:
    left = int(page.locator("#left").inner_text().replace(",", ""))
    drag(page, (100, 100), (140, 100))
    clean(page)
    expect(page.locator("#left")).to_have_text(f"{left - 1:,}")
    other = page.context.new_page()
    other.goto("/editor")
    expect(other.locator("#left")).to_have_text(f"{left - 1:,}")
    use(site, 10000)
    try:
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # back from another tab
        expect(page.locator("#left")).to_have_text("0")
    finally:
        use(site, 0)


def use(site: Site, pictures: int) -> None:
    """So many of today's are used."""
    key = "f'public-pictures:{date.today()}:127.0.0.1'"
    use = f"from datetime import date; from django.core.cache import cache; cache.set({key}, {pictures})"
    site.manage("shell", "-c", use)


def test_after_the_limit_signing_up_keeps_picture_and_marks(site: Site, page: Page) -> None:
    drag(page, (100, 100), (140, 100))
    clean(page)
    _, result = download(page)
    drag(page, (200, 200), (240, 200))
    drawn = marked(page)
    use(site, 10000)
    try:
        press(page, "Clean")
        expect(page.get_by_role("heading", name="Your free pictures of today are used")).to_be_visible()
        assert_accessible(page)
        page.get_by_role("dialog").get_by_role("link", name="Sign up free").click()
        page.get_by_label("Email").fill("convinced@example.org")
        page.get_by_label("Password").fill(PASSWORD)
        press(page, "Sign up")
        page.get_by_label("Code").fill(site.code("convinced@example.org"))
        press(page, "Confirm")
        page.wait_for_url("**/editor")
        expect(said(page)).to_contain_text("Your picture and your marks are back")
        assert (marked(page) == drawn).all()
        assert (download(page)[1] == result).all()
        clean(page)
    finally:
        use(site, 0)


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_every_state_is_accessible(page: Page, scheme: str, width: int) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 800})
    assert_accessible(page)
    drag(page, (100, 100), (140, 100))
    page.get_by_text("More", exact=True).click()
    assert_accessible(page)
    clean(page)
    press(page, "Compare")
    assert_accessible(page)
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keys")).to_be_visible()
    assert_accessible(page)
    for height in (800, 720):
        page.set_viewport_size({"width": width, "height": height})
        end = page.get_by_role("button", name="Close").bounding_box()
        assert end is not None
        assert end["y"] + end["height"] <= height
    dialog = page.locator("#keys").evaluate("each => each.scrollHeight - each.clientHeight")
    assert dialog <= 0 or width == NARROW  # where it scrolls


def test_home_is_light_and_needs_no_javascript(site: Site, browser: Browser) -> None:
    context = browser.new_context(base_url=site.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    expect(page.get_by_role("heading", name="Taken off, not painted over")).to_be_visible()
    context.close()

    page, sizes = site.new_page(browser, width=WIDE), []
    page.on(
        "response", lambda answer: sizes.append(0 if answer.url.endswith((".webp", ".svg")) else len(answer.body()))
    )
    page.goto("/", wait_until="networkidle")
    assert 30_000 < sum(sizes) < 150_000
    page.context.close()
