"""What a picture's numbers mean is kept: Chromium shows the result in every format as it showed the picture."""

import base64
import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter
from playwright.sync_api import Browser, Page

from inpainting import encoding, icc, images
from inpainting.colour import BT709
from inpainting.images import SizeLimit
from inpainting.options import FileFormat
from tests import pictures
from tests.inpainting import profiles

# Smooth, so that little is lost by compression.
PHOTO = np.asarray(Image.fromarray(pictures.photo()).filter(ImageFilter.GaussianBlur(2)))
LIMIT = SizeLimit.of(None, None)
SHOWN = """async (file) => {
    const bitmap = await createImageBitmap(await (await fetch("data:;base64," + file)).blob());
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
    context.drawImage(bitmap, 0, 0);
    return Array.from(context.getImageData(0, 0, bitmap.width, bitmap.height).data);
}"""
ROUNDING = 1.0  # levels, in the mean, by which readers of the same lossy file or of the same profile differ
ADOBE = struct.pack(">8I", 31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)


def gamma(value: int) -> dict[bytes, bytes]:
    return {b"gAMA": struct.pack(">I", value)}


def codes(primaries: int, transfer: int, matrix: int = 0, full_range: int = 1) -> dict[bytes, bytes]:
    return {b"cICP": bytes([primaries, transfer, matrix, full_range])}


def packed(profile: bytes, name: bytes = b"name") -> bytes:
    return name.ljust(len(name.partition(b"\0")[0]) + 2, b"\0") + zlib.compress(profile)


GREY = PHOTO[..., 0]
PROFILE = icc.matrix_profile(BT709, icc.power(1.2))
ACES = struct.pack(">8I", 32168, 33767, 73470, 26530, 0, 100000, 10, 0)
BIG = {b"prvt": b"text\0\0\0\0" + bytes(2_000_000)}


def avif(primaries: int, transfer: int) -> bytes:
    """With these code points in its box colr."""
    data = pictures.file(PHOTO, "AVIF", quality=95).getvalue()
    at = data.index(b"colrnclx") + 8
    return data[:at] + struct.pack(">HH", primaries, transfer) + data[at + 4 :]


PICTURES = {
    "nothing said": profiles.png(PHOTO, {}),
    "linear": profiles.png(PHOTO, gamma(100_000)),
    "a gamma that is sRGB's": profiles.png(PHOTO, gamma(45_455)),
    "and one that is not quite": profiles.png(PHOTO, gamma(48_000)),
    "gamma and primaries": profiles.png(PHOTO, {**gamma(45_455), b"cHRM": ADOBE}),
    "primaries alone": profiles.png(PHOTO, {b"cHRM": ADOBE}),
    "primaries that are none": profiles.png(PHOTO, {**gamma(100_000), b"cHRM": bytes(32)}),
    "sRGB and a gamma": profiles.png(PHOTO, {b"sRGB": b"\0", **gamma(100_000)}),
    **{f"code points {p} {t}": profiles.png(PHOTO, codes(p, t)) for p in (1, 9, 12) for t in (1, 4, 8, 13, 16, 18)},
    "code points unknown": profiles.png(PHOTO, {**codes(2, 2), **gamma(100_000)}),
    "code points of video": profiles.png(PHOTO, {**codes(12, 13, 0, 0), **gamma(100_000)}),
    "a grey gamma": profiles.png(GREY, gamma(100_000)),
    "a grey profile": pictures.file(GREY, icc_profile=profiles.grey(1.2)).getvalue(),
    "a profile": pictures.file(PHOTO, icc_profile=PROFILE).getvalue(),
    "a damaged profile": profiles.png(PHOTO, {b"iCCP": packed(PROFILE[:-40]), **gamma(100_000)}),
    "a profile without a name": profiles.png(PHOTO, {b"iCCP": packed(PROFILE, b"")}),
    "a profile packed otherwise": profiles.png(PHOTO, {b"iCCP": packed(PROFILE, b"x\0\1")}),
    "an intent that is none": profiles.png(PHOTO, {b"sRGB": b"\x09", **gamma(100_000)}),
    "a damaged profile in a JPEG": pictures.file(PHOTO, "JPEG", quality=95, icc_profile=PROFILE[:-40]).getvalue(),
    "a colourant without luminance": profiles.png(PHOTO, {**gamma(45_455), b"cHRM": ACES}),
    **{f"code points {p} {t} of AVIF": avif(p, t) for p, t in ((1, 1), (2, 2), (1, 8), (9, 14), (9, 16), (12, 13))},
    "a large profile": pictures.file(
        PHOTO,
        "WEBP",
        lossless=True,
        icc_profile=profiles.assembled(b"RGB ", {**icc._tags(PROFILE), **BIG}),
    ).getvalue(),
    "a large table": pictures.file(PHOTO, "WEBP", lossless=True, icc_profile=profiles.table(60)).getvalue(),
}


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


def shown(page: Page, data: bytes) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.array(page.evaluate(SHOWN, base64.b64encode(data).decode())).reshape(-1, 4)[:, :3]


def test_it_works(page: Page) -> None:
    """It is seen that linear light is brighter than it would be without its gamma."""
    assert (shown(page, PICTURES["linear"]).mean() - shown(page, PICTURES["nothing said"]).mean()) > 30


@pytest.mark.parametrize("name", PICTURES)
def test_a_png_looks_as_the_picture(page: Page, name: str) -> None:
    data = encoding.encode(images.decode(PICTURES[name], LIMIT))

    difference = np.abs(shown(page, data) - shown(page, PICTURES[name])).mean()
    assert difference < (1 if name == "a large table" else 0.01)  # whose pixels had to be converted


@pytest.mark.parametrize("format", ["jpeg", "webp", "avif"])
@pytest.mark.parametrize("name", PICTURES)
def test_other_formats_mean_the_same(page: Page, name: str, format: FileFormat) -> None:
    """What their compression did to the pixels, a PNG with the same pixels shows as well."""
    picture = images.decode(PICTURES[name], LIMIT)
    data = encoding.encode(picture, format)
    same = replace(picture, rgb=np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))

    assert np.abs(shown(page, data) - shown(page, encoding.encode(same))).mean() < ROUNDING
