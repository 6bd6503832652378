"""A page of another site loads the JavaScript SDK as it is, without a build, and cleans what is chosen there."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests import pictures
from tests.live.seaweed import free_ports
from tests.live.service import running

PACKAGE = Path(__file__).resolve().parents[2] / "clients" / "javascript"
BATCH = """async (options) => {
    const { IOPaintClient } = await import('./node_modules/iopaint-sdk/src/index.js');
    const client = new IOPaintClient(options);
    const { files } = document.querySelector('input');
    const done = await client.batchProcess([files[0], files[0]]);
    return done.map(({ ok, name, content }) => [ok, name, content.length > 0]);
}"""


@contextmanager
def serving(folder: Path, port: int) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", port), partial(SimpleHTTPRequestHandler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def write_site(folder: Path, service: str) -> None:
    """The README's page, with the package where npm would put it."""
    (page,) = re.findall(r"^```html\n(.*?)^```", (PACKAGE / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    (folder / "index.html").write_text(f"<!doctype html>\n{page.replace('https://api.iopaint.com', service)}")
    (folder / "node_modules").mkdir()
    (folder / "node_modules" / "iopaint-sdk").symlink_to(PACKAGE)


def test_it_works(browser: Browser, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    origin = f"http://127.0.0.1:{port}"
    with running(tmp_path, CORS_ALLOWED_ORIGINS=origin) as service, serving(tmp_path, port):
        key = service.key("enterprise")
        write_site(tmp_path, service.url)
        page = browser.new_page()
        page.on("dialog", lambda dialog: dialog.accept(key))
        page.goto(origin)
        photo = pictures.file(pictures.photo(), "JPEG").getvalue()
        page.locator("input").set_input_files({"name": "Größe.jpg", "mimeType": "image/jpeg", "buffer": photo})

        expect(page.locator("img")).to_have_js_property("naturalWidth", 96)
        done = page.evaluate(BATCH, {"apiKey": key, "baseUrl": service.url})
        page.close()

    assert done == [[True, "Größe.jpg", True]] * 2
