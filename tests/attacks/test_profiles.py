"""Colour profiles that cost far more than they weigh: ignored, or read without the part that costs."""

import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from inpainting import admission, colour, icc, images
from inpainting.colour import BT709, SRGB
from inpainting.images import SizeLimit
from tests import pictures
from tests.inpainting import profiles

LIMIT = SizeLimit.of(None, None)
CMYK = Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 8, 4), np.uint8), "CMYK")
SIZE = 15_000_000
ROOM_OF_ONE = 1_000_000  # bytes that reading a table of tags may take


def elements(channels: int, count: int) -> bytes:
    """multiProcessElementsType: as many matrices, all of the same bytes."""
    size = channels * (channels + 1)
    matrix = b"matf\0\0\0\0" + struct.pack(f">HH{size}f", channels, channels, *[0.1] * size)
    places = struct.pack(">II", 16 + 8 * count, len(matrix)) * count
    return b"mpet\0\0\0\0" + struct.pack(">HHI", channels, channels, count) + places + matrix


def mab(channels: int, side: int) -> bytes:
    """lutAToBType: its table alone, which lies outside."""
    sides = bytes([side] * channels).ljust(16, b"\0")
    return b"mAB \0\0\0\0" + struct.pack(">BBH5I", channels, 3, 0, 0, 0, 0, 32, 0) + sides + b"\2\0\0\0" + bytes(100)


def mft(kind: bytes, channels: int, side: int) -> bytes:
    """lut8Type and lut16Type, cut off before their table."""
    return kind + bytes(4) + struct.pack(">4B", channels, 3, side, 0) + bytes(100)


def overlapping(count: int) -> bytes:
    """Nearly all of a large profile as often: 60 KB in a PNG."""
    table = b"".join(struct.pack(">4sII", b"t%03d" % tag, 1 + tag, SIZE - 1 - tag) for tag in range(count))
    start = struct.pack(">I", SIZE) + profiles.grey(1.8)[4:128] + struct.pack(">I", count) + table
    return start.ljust(SIZE, b"\0")


def test_it_works() -> None:
    """Elements by the thousand, each of which LittleCMS would take a millisecond for."""
    profile = profiles.assembled(b"CMYK", {b"D2B0": elements(4, 30_000)}, b"Lab ", b"prtr")
    file = pictures.file(CMYK, "JPEG", icc_profile=profile).getvalue()

    assert len(icc.for_conversion(profile)) < 200
    plain = images.decode(pictures.file(CMYK, "JPEG").getvalue(), LIMIT)
    np.testing.assert_array_equal(images.decode(file, LIMIT).rgb, plain.rgb)


def test_elements_beside_a_table() -> None:
    """The table counts, as in browsers."""
    table = icc._tags(profiles.table(9))
    both = profiles.assembled(b"RGB ", {**table, b"D2B0": elements(3, 30_000)}, b"Lab ")
    photo = pictures.photo()

    np.testing.assert_array_equal(colour.to_srgb(photo, both), colour.to_srgb(photo, profiles.table(9)))
    assert not np.array_equal(colour.to_srgb(photo, both), photo)


@pytest.mark.parametrize(
    "table",
    [
        mab(4, 90),
        mab(15, 255),
        mft(b"mft1", 4, 120),
        mft(b"mft2", 4, 95),
        mft(b"mft2", 255, 255),
        mab(4, 90)[:40],
        b"mAB ",
        b"mft2",
        b"",
    ],
)
def test_a_table_that_is_not_there(table: bytes) -> None:
    """Its memory, half of a gigabyte, would be taken before it is read."""
    profile = profiles.assembled(b"CMYK", {b"A2B0": table}, b"Lab ", b"prtr")

    assert len(icc.for_conversion(profile)) < 200
    assert colour.from_cmyk(CMYK, profile).tobytes() == CMYK.convert("RGB").tobytes()


@pytest.mark.parametrize("count", [90, 250])
def test_tags_that_overlap(count: int) -> None:
    profile = overlapping(count)

    tracemalloc.start()
    try:
        assert not icc.is_usable(profile)
        assert icc.rgb_of_grey(profile, BT709) is None
        assert len(icc.for_conversion(profile)) < 200
        assert tracemalloc.get_traced_memory()[1] < ROOM_OF_ONE
    finally:
        tracemalloc.stop()


def test_more_tags_than_any_profile_has() -> None:
    tags = icc._tags(icc.matrix_profile(BT709, icc.power(1.8)))
    more = {b"p%03d" % number: b"text\0\0\0\0" for number in range(icc.MOST_TAGS - len(tags))}

    assert icc.is_usable(profiles.assembled(b"RGB ", {**tags, **more}))
    assert not icc.is_usable(profiles.assembled(b"RGB ", {**tags, **more, b"last": b"text\0\0\0\0"}))


def test_a_profile_that_unpacks_to_megabytes() -> None:
    """It is unpacked as far as one may be large, and not used."""
    tags = icc._tags(icc.matrix_profile(BT709, icc.power(1.8)))
    packed = zlib.compress(profiles.assembled(b"RGB ", {**tags, b"prvt": b"text\0\0\0\0" + bytes(SIZE)}), 9)
    file = profiles.png(pictures.photo(), {b"iCCP": b"name\0\0" + packed})

    tracemalloc.start()
    try:
        assert images.decode(file, LIMIT).colour == SRGB
        assert tracemalloc.get_traced_memory()[1] < SIZE
    finally:
        tracemalloc.stop()


def test_conversion_has_room_among_the_decoders(monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs outside of Python's lock as they do."""
    room, taken = admission.Room(1 << 30, 0, 0), []
    monkeypatch.setattr(admission, "decoders", room)

    def from_cmyk(image: Image.Image, _: bytes | None) -> Image.Image:
        taken.append(room._taken)
        return image.convert("RGB")

    monkeypatch.setattr(colour, "from_cmyk", from_cmyk)
    images.decode(pictures.file(CMYK, "JPEG").getvalue(), LIMIT)
    assert taken == [64]
