"""Chromium is the referee: what its createImageBitmap opens is accepted, and turned as it turns it."""

import base64
from collections.abc import Sequence

import pytest
from PIL import Image
from playwright.sync_api import Browser

from inpainting import images
from inpainting.images import SizeLimit
from tests import pictures
from tests.inpainting.containers import making
from tests.inpainting.containers.mutations import mutated
from tests.inpainting.containers.test_split import ALL

MUTATIONS = 300
LIMIT = SizeLimit.of(None, None)
# Width, height and the colours of the four quarters of each file; null where it cannot be opened.
OPEN = """async (files) => {
  const seen = [];
  for (const file of files) {
    const bytes = Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes])).catch(() => null);
    if (bitmap === null) { seen.push(null); continue; }
    const { width, height } = bitmap, context = new OffscreenCanvas(width, height).getContext("2d");
    context.drawImage(bitmap, 0, 0);
    const colour = (x, y) => [...context.getImageData(width * x / 4, height * y / 4, 1, 1).data];
    seen.push([width, height, [colour(1, 1), colour(3, 1), colour(1, 3), colour(3, 3)]]);
  }
  return seen;
}"""


def avif(number: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = number
    return pictures.file(making.picture(), "AVIF", quality=95, exif=exif.tobytes()).getvalue()


def shown(browser: Browser, files: Sequence[bytes]) -> list[tuple[int, int, int] | None]:
    """Width, height and turn of each file, as the browser shows it."""
    page = browser.new_page()
    page.goto("about:blank")
    seen = [
        answer
        for start in range(0, len(files), 50)
        for answer in page.evaluate(OPEN, [base64.b64encode(file).decode() for file in files[start : start + 50]])
    ]
    page.close()
    return [answer and (answer[0], answer[1], making.turn_of(answer[2])) for answer in seen]


def ours(data: bytes) -> tuple[int, int, int]:
    picture = images.decode(data, LIMIT)
    return picture.width, picture.height, making.how_turned(picture.rgb)


@pytest.mark.parametrize(
    "files",
    [
        {name: data for name, (data, _) in ALL.items()},
        {f"avif {number}": avif(number) for number in range(1, 9)},
        {f"mutation {seed}": mutated(seed) for seed in range(MUTATIONS)},
    ],
    ids=["cases", "avif", "mutations"],
)
def test_what_chromium_opens_is_read_as_it_shows_it(browser: Browser, files: dict[str, bytes]) -> None:
    opened = {name: seen for name, seen in zip(files, shown(browser, list(files.values())), strict=True) if seen}

    assert {name: ours(files[name]) for name in opened} == opened
    assert len(opened) > 0.9 * len(files)
    assert len({turned for *_, turned in opened.values()}) >= 3
