"""Metadata of every kind and in every state: the picture is read, and turned as Chromium 156 turns it.

tests/browser/test_turning.py asks the installed Chromium about these and about seeded mutations of them.
"""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from inpainting import images
from inpainting.images import SizeLimit
from tests import pictures
from tests.inpainting.containers.making import (
    HEADER,
    JPEG,
    PNG,
    WEBP,
    WIDTH,
    chunk,
    how_turned,
    jpeg,
    png,
    riff,
    segment,
    tiff,
    turn,
    webp,
)

LIMIT = SizeLimit.of(None, None)
SIX, THREE = tiff([turn(6)]), tiff([turn(3)])
EXIF = segment(HEADER + SIX)
XMP = b'http://ns.adobe.com/xap/1.0/\0<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'

JPEGS = {
    "nothing": (JPEG, 1),
    "exif": (jpeg(EXIF), 6),
    "exif before the scan": (JPEG[: JPEG.index(b"\xff\xda")] + EXIF + JPEG[JPEG.index(b"\xff\xda") :], 6),
    "two exif": (jpeg(EXIF, segment(HEADER + THREE)), 6),
    "the first of two is broken": (jpeg(segment(HEADER + b"x"), EXIF), 1),
    "the first of two is empty": (jpeg(segment(HEADER), EXIF), 6),
    "a doubled header": (jpeg(segment(HEADER + HEADER + SIX)), 1),
    "another filler in the header": (jpeg(segment(b"Exif\0\xff" + SIX)), 6),
    "no filler": (jpeg(segment(b"Exif\0" + SIX)), 1),
    "lower case": (jpeg(segment(b"exif\0\0" + SIX)), 1),
    "xmp": (jpeg(segment(XMP)), 1),
    "bytes of filling": (jpeg(b"\xff" * 9 + EXIF), 6),
    "a stuffed byte": (jpeg(EXIF, b"\xff\0ab"), 6),
    "a length of 0": (jpeg(b"\xff\xe2\0\0", EXIF), 6),
    "3,000 segments": (jpeg(b"\xff\xe2\0\2" * 3000, EXIF), 6),
    "a broken profile": (jpeg(segment(b"ICC_PROFILE\0\1\2nonsense", 0xE2)), 1),
    "a short JFIF": (jpeg(segment(b"JFIF\0", 0xE0)), 1),
    "no JFIF": (JPEG[:2] + JPEG[20:], 1),
    "something behind": (JPEG + EXIF, 1),
    "something before the end": (JPEG[:-2] + EXIF + JPEG[-2:], 1),
}
PNGS = {
    "nothing": (PNG, 1),
    "exif": (png(chunk(b"eXIf", SIX)), 6),
    "exif behind the pixels": (png(chunk(b"eXIf", SIX), behind=True), 1),
    "exif with JPEG's header": (png(chunk(b"eXIf", HEADER + SIX)), 1),
    "exif with a wrong checksum": (png(chunk(b"eXIf", SIX, 5), chunk(b"eXIf", THREE)), 3),
    "two exif": (png(chunk(b"eXIf", SIX), chunk(b"eXIf", THREE)), 6),
    "the first of two is empty": (png(chunk(b"eXIf", b""), chunk(b"eXIf", SIX)), 1),
    "exif as text": (png(chunk(b"tEXt", b"Raw profile type exif\0\nexif\n 32\n" + (HEADER + SIX).hex().encode())), 1),
    "a text with a wrong checksum": (png(chunk(b"tEXt", b"a\0b", 3)), 1),
    "a text bomb": (png(chunk(b"zTXt", b"a\0\0" + b"x" * 100)), 1),
    "an empty text": (png(chunk(b"tEXt", b"")), 1),
    "gamma of 9 bytes": (png(chunk(b"gAMA", bytes(9))), 1),
    "sizes of 0": (png(chunk(b"pHYs", bytes(9)), chunk(b"pHYs", bytes(9))), 1),
    "a broken profile": (png(chunk(b"iCCP", b"x\0\0zz")), 1),
    "an animation's header with a wrong checksum": (png(chunk(b"acTL", b"\0\0\0\2\0\0\0\0", 3)), 1),
    "a chunk that is longer than the file": (PNG[:-12] + b"\0\0\xff\xfftEXtabc", 1),
    "another end": (PNG[:-12] + chunk(b"IEND", b"abc"), 1),
    "3,000 private chunks": (png(chunk(b"prVt", b"") * 3000), 1),
    "empty pixels first": (PNG[:33] + chunk(b"IDAT", b"") * 3 + PNG[33:], 1),
}
WEBPS = {
    "nothing": (WEBP, 1),
    "exif": (webp(riff(b"EXIF", SIX), flags=8), 1),
    "exif with JPEG's header": (webp(riff(b"EXIF", HEADER + SIX), flags=8), 1),
    "a broken profile": (webp(riff(b"ICCP", b"xyz"), flags=32), 1),
    "a profile that is not there": (webp(flags=32), 1),
    "something unknown": (webp(riff(b"abcd", b"xyz")), 1),
    "something behind": (WEBP + b"abc", 1),
}
ALL = {
    f"{kind}: {name}": case
    for kind, cases in (("jpeg", JPEGS), ("png", PNGS), ("webp", WEBPS))
    for name, case in cases.items()
}


@pytest.mark.parametrize("name", ALL)
def test_it_works(name: str) -> None:
    data, turned = ALL[name]
    picture = images.decode(data, LIMIT)

    assert how_turned(picture.rgb) == picture.orientation == turned
    assert (picture.width == WIDTH) == (turned < 5)


@pytest.mark.parametrize("data", [JPEG, PNG, WEBP])
def test_truncated_pixels_are_refused(data: bytes) -> None:
    for kept in (0.3, 0.6, 0.9):
        with pytest.raises(images.InvalidImage, match="damaged or truncated"):
            images.decode(data[: int(len(data) * kept)], LIMIT)


PHOTO = Image.fromarray(pictures.photo(320, 240))
WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "as most cameras do": ("RGB", {}),
    "fine colours": ("RGB", {"subsampling": 0, "quality": 100}),
    "codes of its own": ("RGB", {"optimize": True, "quality": 30}),
    "restarts": ("RGB", {"restart_marker_rows": 1}),
    "many restarts": ("RGB", {"restart_marker_blocks": 3}),
    "grey": ("L", {}),
    "CMYK": ("CMYK", {}),
}


def photo(way: str) -> bytes:
    mode, how = WAYS[way]
    return pictures.file(PHOTO.convert(mode), "JPEG", **how).getvalue()


@pytest.mark.parametrize("way", WAYS)
def test_an_end_does_not_make_truncated_pixels_whole(way: str) -> None:
    """A decoder would paint what is missing grey, and say nothing."""
    data = photo(way)
    for kept in (0.3, 0.5, 0.7, 0.9):
        with pytest.raises(images.InvalidImage, match="damaged or truncated"):
            images.decode(data[: int(len(data) * kept)] + b"\xff\xd9", LIMIT)


@pytest.mark.parametrize("way", [*WAYS, "progressive"])
@pytest.mark.parametrize(
    "end", ["\xff\xd9", "\xff\xd9\xff\xd9", "abc\xff\xd9", "\xff\xff\xff\xd9", "\0" * 99 + "\xff\xd9abc"]
)
def test_whole_pixels_may_end_as_they_like(way: str, end: str) -> None:
    data = photo(way) if way in WAYS else pictures.file(PHOTO, "JPEG", progressive=True).getvalue()
    whole = images.decode(data, LIMIT).rgb

    with Image.open(io.BytesIO(data)) as image:
        assert image.mode == "CMYK" or (np.asarray(image.convert("RGB")) == whole).all()
    assert (images.decode(data[:-2] + end.encode("latin-1"), LIMIT).rgb == whole).all()


def test_pixels_with_a_wrong_checksum_are_refused() -> None:
    with pytest.raises(images.InvalidImage):
        images.decode(PNG[:-16] + b"abcd" + PNG[-12:], LIMIT)


def test_what_the_colours_of_a_jpeg_mean_is_told_to_its_decoder() -> None:
    """Without JFIF, Adobe's segment says that the three channels are RGB and not YCbCr."""
    adobe = segment(b"Adobe\0\x64\0\0\0\0\0", 0xEE)
    ycc = images.decode(JPEG, LIMIT).rgb
    rgb = images.decode(JPEG[:2] + adobe + JPEG[20:], LIMIT).rgb

    assert np.abs(ycc.astype(int) - rgb).mean() > 50
