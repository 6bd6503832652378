"""Files as healthy programs make them, of a kind that other tools got wrong, and what is to become of each.

The photographs are ours. `size` and `orientation` are how Chromium shows a file: tests/browser/test_cases.py asks it.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from PIL import ImageCms

from inpainting import icc
from tests import pictures
from tests.inpainting import profiles
from tests.inpainting.containers.making import HEADER, chunk, png, segment, tiff, turn

FOLDER = Path(__file__).parent


def read(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


JPEG, PNG, WEBP = read("photo.jpg"), read("photo.png"), read("A28.webp")
SIX = tiff([turn(6, "<")], "<")
BOX = pictures.file(pictures.box_mask(320, 240, (120, 90, 160, 110))).getvalue()
TURNED_BOX = pictures.file(pictures.box_mask(240, 320, (120, 90, 160, 110))).getvalue()


@dataclass(frozen=True)
class Case:
    """`pixels`: how many the mask marks. `chunks`: what the result, a PNG, has beside its pixels.

    `plain`: the same picture without what is odd, where Pillow does not open it.
    """

    image: bytes
    size: tuple[int, int] = (320, 240)
    orientation: int = 1
    mask: bytes = BOX
    pixels: int = 800
    chunks: dict[bytes, bytes] = field(default_factory=dict)
    plain: bytes | None = None


def said(exif: bytes) -> bytes:
    """The photograph with this EXIF before all else."""
    return JPEG[:2] + segment(HEADER + exif) + JPEG[2:]


def beside(kind: bytes, body: bytes, checksum: int | None = None) -> bytes:
    return png(chunk(kind, body, checksum), file=PNG)


def with_profile(profile: bytes) -> bytes:
    """In parts, as a JPEG holds a profile of more than 64 kB (ICC.1:2022, B.4)."""
    parts = [profile[place : place + 65_000] for place in range(0, len(profile), 65_000)]
    name = b"ICC_PROFILE\0"
    body = [segment(name + bytes([number, len(parts)]) + part, 0xE2) for number, part in enumerate(parts, 1)]
    return JPEG[:2] + b"".join(body) + JPEG[2:]


def big_profile() -> bytes:
    """sRGB's, and 1.2 MB that only its maker understands."""
    tags = icc._tags(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    return profiles.assembled(b"RGB ", {**tags, b"prvt": b"text\0\0\0\0" + bytes(1_200_000)})


def deep() -> bytes:
    """The photograph at 16 bits, one colour of its sky being transparent."""
    pixels = pictures.pixels(PNG)[..., ::-1].astype(np.uint16) * 257
    return png(chunk(b"tRNS", bytes.fromhex("bcbcc4c4cbcb")), file=cv2.imencode(".png", pixels)[1].tobytes())


def entry(tag: int, type: int, count: int, value: bytes) -> tuple[int, int, int, bytes]:
    return tag, type, count, value.ljust(4, b"\0")


DPI_300 = {b"pHYs": struct.pack(">IIB", 11811, 11811, 1)}
TALL, WIDE = (240, 320), (320, 240)
ACCEPTED = {
    "A1 doubled EXIF header": Case(said(HEADER + SIX)),
    "A10 orientation of two values": Case(said(tiff([entry(0x0112, 3, 2, b"\6\0\6")], "<"))),
    "A17 a width of text": Case(said(tiff([entry(0x0100, 2, 4, b"320\0"), turn(6, "<")], "<")), TALL, 6, TURNED_BOX),
    "A19 a resolution of text": Case(
        said(tiff([turn(6, "<"), entry(0x011A, 2, 2, b"72"), entry(0x0128, 2, 2, b"2")], "<")), TALL, 6, TURNED_BOX
    ),
    "A24 PNG with EXIF that is none": Case(beside(b"eXIf", b"b'Exif\\x00'")),
    "A28 WebP with an orientation": Case(WEBP),
    "A29 WebP with EXIF that is none": Case(WEBP.replace(SIX, b"garbage".ljust(len(SIX)))),
    "B10 a fraction of minus ones": Case(
        said(tiff([turn(6, "<"), entry(0x011A, 10, 1, b"\x26")], "<") + b"\xff\xff\xff\xff\0\0\0\0"),
        TALL,
        6,
        TURNED_BOX,
    ),
    "C1 thin lines in a large mask": Case(PNG, mask=read("C1_thin_line_mask_4x.png"), pixels=101),
    "C2 a mask of 0 and 1": Case(PNG, mask=read("C2_mask_values_0_1.png"), pixels=1600),
    "C3 a mask of 0 and 255 of 65,535": Case(PNG, mask=read("C3_mask16_value255.png"), pixels=1600),
    "C5b 16 bits with a transparent colour": Case(deep()),
    "D1 gAMA": Case(beside(b"gAMA", bytes.fromhex("000186a0")), chunks={b"gAMA": bytes.fromhex("000186a0")}),
    "D3 cICP": Case(beside(b"cICP", bytes([9, 16, 0, 1])), chunks={b"cICP": bytes([9, 16, 0, 1])}),
    "D4 PNG of 300 dpi": Case(beside(b"pHYs", struct.pack(">IIB", 11811, 11811, 1)), chunks=DPI_300),
    "D5 JPEG of 300 dpi": Case(read("D5_jpgdpi.jpg"), chunks=DPI_300),
    "D8 a profile of more than 1 MB": Case(with_profile(big_profile())),
    "D9c a long text": Case(
        beside(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(2_000_000))), plain=PNG
    ),
    "D19 a time with a wrong CRC": Case(beside(b"tIME", bytes.fromhex("07e80101000000"), 0), plain=PNG),
    "H0 a box over nothing": Case(read("H0_rect_on_nothing.png"), (200, 100), 1, read("H0_mask.png"), 8721),
    "H1 a mark over a cut-out": Case(read("H1_cutout_with_mark.png"), (400, 400), 1, read("H1_mask.png"), 6240),
    "H2 the rim of a cut-out": Case(read("H2_cutout.png"), (400, 400), 1, read("H2_mask.png"), 3638),
    "K1 a phone's JPEG, masked as it is stored": Case(
        read("K1_phone_or6.jpg"), (480, 720), 6, read("K1_mask_raw_orientation.png"), 4181
    ),
    "K1 the same as WebP": Case(read("K1_phone_or6.webp"), (720, 480), 1, read("K1_mask_raw_orientation.png"), 4181),
    "P1 a fine screen": Case(read("P1_screentone.png"), (600, 400), 1, read("P1_mask.png"), 17_901),
    "P2 a grey photograph": Case(read("P2_grey_photo.jpg"), (480, 360), 1, read("P2_mask.png"), 13_370),
}
NO_PALETTE = read("nopalette.png")
LATIN_1 = b'name="image"; filename="caf\xe9.png"'
