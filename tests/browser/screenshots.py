"""Screenshots of every page and state, to be looked at: `.venv/bin/python -m tests.browser.screenshots FOLDER [NAME…]`.

FOLDER gets NAME-SIZE-THEME.png for each page or state, three sizes and both themes, and sheet-SIZE-THEME-N.png, on
which they stand side by side. With NAMEs only states whose name begins with one of them are taken. Nothing is judged
here: what can be is in the tests beside this file.
"""

from __future__ import annotations

import base64
import hmac
import io
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from tests.accounts.billing import stripe_stub
from tests.browser.conftest import ARGUMENTS, PASSWORD, Site, chromium
from tests.browser.full_account import BOSS, FULL, PACKS, USED

EXAMPLES = Path(__file__).resolve().parents[2] / "static/examples"
SIZES = {"1280": (1280, 720), "1366": (1366, 768), "390": (390, 844)}
THEMES = ("light", "dark")
TALLEST = 2600  # pixels of a page that are taken
COLUMNS, ROWS, THUMBNAIL = 4, 2, (440, 620)  # of a sheet

PUBLIC = {
    "home": "/",
    "pricing": "/pricing",
    "status": "/status",
    "support": "/support",
    "terms": "/terms",
    "privacy": "/privacy",
    "acceptable-use": "/acceptable-use",
    "docs": "/docs",
    "docs-errors": "/docs/errors",
    "docs-masks": "/docs/masks",
    "docs-search": "/docs/search?q=mask",
    "docs-search-nothing": "/docs/search?q=zebra",
    "signup": "/signup",
    "login": "/login",
    "password-reset": "/account/password/reset/",
    "error-404": "/nothing",
    "error-inactive": "/account/inactive/",
}
ADMIN = {
    "index": "/admin/",
    "users": "/admin/accounts/user/",
    "requests": "/admin/accounts/usage/",
    "plans": "/admin/accounts/plan/",
    "plan-requests": "/admin/accounts/planrequest/",
    "batches": "/admin/inpainting/batch/",
    "webhooks": "/admin/accounts/webhookendpoint/",
    "plan": "/admin/accounts/plan/1/change/",
}
OWN = {
    "dashboard": "/dashboard",
    "editor-own": "/editor",
    "batches": "/batches",
    "keys": "/dashboard/keys",
    "webhooks": "/dashboard/webhooks",
    "webhook-default": "/dashboard/webhooks/default",
    "marks": "/dashboard/marks",
    "billing": "/billing",
    "email": "/account/email/",
    "two-factor": "/account/two-factor/",
}
ONCE = {
    "dashboard-90": "/dashboard?days=90",
    "dashboard-7": "/dashboard?days=7",
    "key-new": "/dashboard/keys/new",
    "webhook-new": "/dashboard/webhooks/new",
    "lifetimes": "/dashboard/lifetimes",
    "mark-new": "/dashboard/marks/new",
    "export": "/account/export",
    "delete": "/account/delete",
    "password-change": "/account/password/change/",
    "sessions": "/account/sessions/",
    "totp-activate": "/account/two-factor/totp/activate/",
    "logout": "/logout",
}


class Camera:
    def __init__(self, folder: Path, names: list[str]) -> None:
        self.folder, self.names = folder, names
        folder.mkdir(parents=True, exist_ok=True)

    def wants(self, *names: str) -> bool:
        return not self.names or any(name.startswith(wanted) for name in names for wanted in self.names)

    def shoot(self, page: Page, name: str) -> None:
        """The page as it is, in each size and theme; the editor's window only, of others what is below it, too."""
        if not self.wants(name):
            return
        for size, (width, height) in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            for theme in THEMES:
                page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
                page.wait_for_timeout(150)  # the editor draws anew
                whole = int(page.evaluate("document.documentElement.scrollHeight"))
                page.screenshot(
                    path=self.folder / f"{name}-{size}-{theme}.png",
                    full_page=True,
                    clip={"x": 0, "y": 0, "width": width, "height": min(whole, TALLEST)},
                )
        page.set_viewport_size({"width": 1280, "height": 720})

    def visit(self, page: Page, paths: dict[str, str], prefix: str = "") -> None:
        for name, path in paths.items():
            if self.wants(prefix + name):
                page.goto(path)
                self.shoot(page, prefix + name)

    def sheets(self) -> None:
        """All that is in the folder, by size and theme, a few on each."""
        font = ImageFont.load_default(16)
        for size in SIZES:
            for theme in THEMES:
                files = [path for path in sorted(self.folder.glob(f"*-{size}-{theme}.png")) if self.wants(path.name)]
                for start in range(0, len(files), COLUMNS * ROWS):
                    sheet = Image.new("RGB", (COLUMNS * (THUMBNAIL[0] + 12), ROWS * (THUMBNAIL[1] + 36)), "#888")
                    draw = ImageDraw.Draw(sheet)
                    for place, file in enumerate(files[start : start + COLUMNS * ROWS]):
                        x = place % COLUMNS * (THUMBNAIL[0] + 12) + 6
                        y = place // COLUMNS * (THUMBNAIL[1] + 36) + 28
                        draw.text((x, y - 24), file.name, "#fff", font)
                        picture = Image.open(file).convert("RGB")
                        scale = THUMBNAIL[0] / picture.width
                        shrunk = picture.resize((THUMBNAIL[0], round(picture.height * scale)), Image.Resampling.LANCZOS)
                        sheet.paste(shrunk.crop((0, 0, THUMBNAIL[0], min(shrunk.height, THUMBNAIL[1]))), (x, y))
                    sheet.save(self.folder / f"sheet-{size}-{theme}-{start // (COLUMNS * ROWS) + 1}.png")


def opened(page: Page, *files: Path) -> None:
    page.goto("/")
    page.locator("#file").set_input_files(files)
    page.locator("body.editing").wait_for()
    expect(page.locator(".foot .said")).not_to_be_empty()


def box(page: Page, left: float, top: float, right: float, bottom: float) -> None:
    """Drawn on the picture; in shares of its sides."""
    page.get_by_label("Box").check()
    sheet = page.locator("#sheet").bounding_box()
    assert sheet is not None
    page.mouse.move(sheet["x"] + left * sheet["width"], sheet["y"] + top * sheet["height"])
    page.mouse.down()
    page.mouse.move(sheet["x"] + right * sheet["width"], sheet["y"] + bottom * sheet["height"])
    page.mouse.up()


def unanswered(route: Route) -> None:
    """The server seems to work for ever."""


def done(page: Page, words: str) -> None:
    expect(page.locator(".foot .said")).to_contain_text(words, timeout=300_000)


def editor(camera: Camera, page: Page, folder: Path) -> None:
    text, hikers = EXAMPLES / "text-before.webp", EXAMPLES / "object-before.webp"
    opened(page, text)
    camera.shoot(page, "editor-loaded")
    page.get_by_role("button", name="Find", exact=True).click()
    done(page, "Found")
    camera.shoot(page, "editor-marked")
    page.get_by_text("More", exact=True).click()
    camera.shoot(page, "editor-more")
    page.get_by_role("button", name="Keys").click()
    camera.shoot(page, "editor-keys")
    page.get_by_role("button", name="Close").click()
    page.locator("#stage").click(position={"x": 5, "y": 5})
    page.route("**/editor/remove-watermark*", unanswered)
    page.get_by_role("button", name="Clean", exact=True).click()
    page.wait_for_timeout(1500)
    camera.shoot(page, "editor-working")
    page.get_by_role("button", name="Cancel").click()
    page.unroute("**/editor/remove-watermark*")
    page.route("**/editor/remove-watermark*", lambda route: route.abort())
    page.get_by_role("button", name="Clean", exact=True).click()
    expect(page.locator(".foot .wrong")).to_be_visible()
    camera.shoot(page, "editor-error")
    page.unroute("**/editor/remove-watermark*")
    page.get_by_role("button", name="Clean", exact=True).click()
    done(page, "Done in")
    camera.shoot(page, "editor-result")
    page.get_by_role("button", name="Compare", exact=True).click()
    camera.shoot(page, "editor-compare")

    opened(page, text, hikers, EXAMPLES / "tiled-before.webp")
    box(page, 0.2, 0.5, 0.8, 0.8)
    camera.shoot(page, "editor-strip")
    page.get_by_role("button", name="Clean all").click()
    done(page, "3 pictures cleaned")
    camera.shoot(page, "editor-strip-result")

    large = folder / "large.jpg"
    Image.open(hikers).convert("RGB").resize((6000, 4000), Image.Resampling.BICUBIC).save(large, quality=90)
    opened(page, large)
    camera.shoot(page, "editor-large")


def visitor(camera: Camera, site: Site, browser: Browser, folder: Path) -> None:
    page = site.new_page(browser)
    camera.visit(page, PUBLIC)
    if camera.wants("menu"):
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto("/pricing")
        page.get_by_role("button", name="Menu").click()
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            page.screenshot(path=camera.folder / f"menu-390-{theme}.png")
        page.set_viewport_size({"width": 1280, "height": 720})
    if camera.wants("login-wrong"):
        page.goto("/login")
        page.get_by_label("Email").fill("nobody@example.org")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.locator(".errorlist")).to_be_visible()
        camera.shoot(page, "login-wrong")
    if camera.wants("error-403"):
        page.goto("/login")
        page.locator("main [name=csrfmiddlewaretoken]").evaluate("each => each.remove()")
        page.get_by_label("Email").fill("nobody@example.org")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.get_by_text("Status 403").wait_for()
        camera.shoot(page, "error-403")
    if camera.wants("editor"):
        editor(camera, page, folder)
    page.context.close()


def newcomer(camera: Camera, site: Site, browser: Browser) -> None:
    """Signs up, and has nothing yet."""
    page = site.new_page(browser)
    page.goto("/signup")
    page.get_by_label("Email").fill("empty@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign up", exact=True).click()
    page.get_by_label("Code").wait_for()
    camera.shoot(page, "signup-code")
    page.get_by_label("Code").fill(site.code("empty@example.org"))
    page.get_by_role("button", name="Confirm").click()
    page.wait_for_url("**/dashboard")
    camera.visit(page, OWN, "empty-")
    page.context.close()


def customer(camera: Camera, site: Site, browser: Browser) -> None:
    page = site.new_page(browser)
    site.sign_up(page, FULL)
    site.manage("create_api_key", "--email", FULL, "--plan", "pro")
    site.manage("shell", "-c", USED)
    page.goto("/dashboard/marks/new")
    page.get_by_label("Name").fill("Our logo")
    page.get_by_label("File").set_input_files({"name": "logo.png", "mimeType": "image/png", "buffer": logo()})
    page.get_by_role("button", name="Save the mark").click()
    page.goto("/account/delete")
    camera.shoot(page, "reauthenticate")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    camera.visit(page, OWN | ONCE, "full-")
    for name, path, link in (
        ("full-batch", "/batches", "main li a"),
        ("full-webhook", "/dashboard/webhooks", "main li a"),
        ("full-key-edit", "/dashboard/keys", "main a:text('Edit')"),
        ("full-key-rotate", "/dashboard/keys", "main a:text('Rotate')"),
        ("full-key-revoke", "/dashboard/keys", "main a:text('Revoke')"),
        ("full-mark-many", "/dashboard/marks", "main a:text('Use on many')"),
    ):
        if camera.wants(name):
            page.goto(path)
            page.locator(link).last.click()
            page.wait_for_load_state()
            camera.shoot(page, name)
    if camera.wants("full-key-made"):
        page.goto("/dashboard/keys/new")
        page.get_by_label("Name").fill("Web shop")
        page.get_by_role("button", name="Create the key").click()
        page.locator("#secret").wait_for()
        camera.shoot(page, "full-key-made")
    if camera.wants("full-recovery", "full-two-factor-on", "login-code"):
        second_factor(camera, page, site, browser)
    page.context.close()


def staff(camera: Camera, site: Site, browser: Browser) -> None:
    page = site.new_page(browser)
    site.sign_up(page, "boss@example.org")
    site.manage("shell", "-c", BOSS)
    camera.visit(page, ADMIN, "admin-")
    if camera.wants("admin-user"):
        page.goto(f"/admin/accounts/user/?q={FULL}")
        page.locator("#result_list tbody th a").click()
        camera.shoot(page, "admin-user")
    page.context.close()


def second_factor(camera: Camera, page: Page, site: Site, browser: Browser) -> None:
    page.goto("/account/two-factor/totp/activate/")
    secret = page.locator("#authenticator_secret").input_value()
    page.locator("[name=code]").fill(totp(secret))
    page.get_by_role("button", name="Activate").or_(page.get_by_role("button", name="Turn on")).click()
    page.wait_for_url("**/recovery-codes/**")
    camera.shoot(page, "full-recovery-codes")
    camera.visit(page, {"two-factor-on": "/account/two-factor/"}, "full-")
    other = site.new_page(browser)
    other.goto("/login")
    other.get_by_label("Email").fill(FULL)
    other.get_by_label("Password").fill(PASSWORD)
    other.get_by_role("button", name="Sign in", exact=True).click()
    other.locator("[name=code]").wait_for()
    camera.shoot(other, "login-code")
    other.context.close()


def totp(secret: str) -> str:
    """The code of this half minute (RFC 6238)."""
    digest = hmac.digest(base64.b32decode(secret), (int(time.time()) // 30).to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 15
    return f"{(int.from_bytes(digest[offset : offset + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


def logo() -> bytes:
    picture = Image.new("RGBA", (240, 80))
    ImageDraw.Draw(picture).text((8, 12), "© Berg", (255, 255, 255, 150), ImageFont.load_default(56))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def main(folder: Path, names: list[str]) -> None:
    camera = Camera(folder, names)
    parts: list[tuple[tuple[str, ...], Callable[[Site, Browser, Path], None]]] = [
        (
            (*PUBLIC, "menu", "login-wrong", "error-403", "editor"),
            lambda site, browser, scratch: visitor(camera, site, browser, scratch),
        ),
        (("signup-code", "empty-"), lambda site, browser, _: newcomer(camera, site, browser)),
        (("reauthenticate", "full-", "login-code"), lambda site, browser, _: customer(camera, site, browser)),
        (("admin-",), lambda site, browser, _: staff(camera, site, browser)),
    ]
    with (
        tempfile.TemporaryDirectory() as scratch,
        stripe_stub.running() as (_, address),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        site = Site(
            Path(scratch),
            STRIPE_SECRET_KEY=stripe_stub.SECRET_KEY,
            STRIPE_WEBHOOK_SECRET=stripe_stub.WEBHOOK_SECRET,
            STRIPE_API_BASE=address,
        )
        site.manage("shell", "-c", PACKS)
        site.start()
        try:
            for states, take in parts:
                if camera.wants(*states) or any(name.startswith(state) for name in names for state in states):
                    take(site, browser, Path(scratch))
        finally:
            site.stop()
            browser.close()
            camera.sheets()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
