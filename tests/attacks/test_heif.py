"""HEIC and AVIF of kilobytes whose parts would be decoded, turned and laid over each other for minutes: refused."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from typing import NamedTuple

import pytest
from PIL import Image

from inpainting import containers, images
from inpainting.containers.parts import Unreadable
from inpainting.images import SizeLimit

LIMIT = SizeLimit(1 << 24, 4096)
SIDE = 256


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def full(kind: bytes, content: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags) + content)


def size(width: int, height: int) -> bytes:
    return full(b"ispe", struct.pack(">II", width, height))


def turn(quarters: int) -> bytes:
    return box(b"irot", bytes([quarters]))


class Item(NamedTuple):
    kind: bytes
    data: bytes
    properties: list[bytes]
    made_of: Sequence[int] = ()  # numbers of items, from 1


def heic(*items: Item) -> bytes:
    """The last one is the picture."""
    properties = list(dict.fromkeys(each for item in items for each in item.properties))
    listed, owned, made, places, stored = b"", b"", b"", b"", b""
    for number, item in enumerate(items, 1):
        listed += full(b"infe", struct.pack(">HH4s", number, 0, item.kind) + b"\0", 2)
        indices = b"".join(struct.pack(">H", properties.index(each) + 1) for each in item.properties)
        owned += struct.pack(">HB", number, len(item.properties)) + indices
        places += struct.pack(">HHHHII", number, 1, 0, 1, len(stored), len(item.data))
        stored += item.data
        if item.made_of:
            sources = struct.pack(f">HH{len(item.made_of)}H", number, len(item.made_of), *item.made_of)
            made += box(b"dimg", sources)
    count = struct.pack(">H", len(items))
    kept = full(b"ipma", struct.pack(">I", len(items)) + owned, flags=1)
    parts = [
        full(b"hdlr", struct.pack(">I4s12x", 0, b"pict") + b"\0"),
        full(b"pitm", count),
        full(b"iinf", count + listed),
        full(b"iref", made) if made else b"",
        box(b"iprp", box(b"ipco", b"".join(properties)) + kept),
        full(b"iloc", b"\x44\x00" + count + places, 1),
        box(b"idat", stored),
    ]
    return box(b"ftyp", b"heic\0\0\0\0mif1heic") + full(b"meta", b"".join(parts))


def coded(side: int = SIDE) -> Item:
    """A flat picture."""
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), (90, 120, 60)).save(buffer, "HEIF", quality=10)
    data = buffer.getvalue()
    at = data.index(b"hvcC") - 4
    configuration = data[at : at + struct.unpack_from(">I", data, at)[0]]
    at = data.index(b"mdat") - 4
    return Item(b"hvc1", data[at + 8 : at + struct.unpack_from(">I", data, at)[0]], [configuration, size(side, side)])


def grid(rows: int, columns: int, side: int, tiles: Sequence[int]) -> Item:
    data = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, side, side)
    return Item(b"grid", data, [size(side, side)], tiles)


def overlay(side: int, under: Sequence[int]) -> Item:
    data = b"\0\1" + struct.pack(">4H2I", 0, 0, 0, 65535, side, side) + bytes(8 * len(under))
    return Item(b"iovl", data, [size(128, 128)], under)


ONE = coded()
TURNED = ONE._replace(properties=ONE.properties + [turn(1), turn(2), turn(3)] * 50)
HOSTILE = {
    "laid over a canvas of 32,768 pixels a side": heic(coded(64), overlay(32768, [1])),
    "a grid of one tile": heic(ONE, grid(16, 16, SIDE, [1] * 256)),
    "a grid of grids": heic(ONE, grid(1, 1, SIDE, [1]), grid(1, 1, SIDE, [2])),
    "tiles of more pixels than are shown": heic(*[coded(2048)] * 4, grid(2, 2, 64, [1, 2, 3, 4])),
    "turned again and again": heic(TURNED),
    "the same as another": heic(ONE, Item(b"iden", b"", [size(SIDE, SIDE)], [1])),
}


@pytest.mark.parametrize("file", HOSTILE.values(), ids=list(HOSTILE))
def test_hostile(file: bytes) -> None:
    with pytest.raises(images.InvalidImage):
        images.check(file, LIMIT)


def test_a_second_list_of_properties_hides_nothing() -> None:
    """Decoders read the first."""
    file = HOSTILE["turned again and again"]
    meta = file.index(b"meta") - 4
    size_, at = struct.unpack_from(">I", file, meta)[0], file.index(b"iloc") - 4
    harmless = box(b"iprp", box(b"ipco", b"") + full(b"ipma", bytes(4)))
    doubled = file[:meta] + struct.pack(">I", size_ + len(harmless)) + file[meta + 4 : at] + harmless + file[at:]

    with pytest.raises(images.InvalidImage):
        images.check(doubled, LIMIT)


def test_what_is_larger_than_it_shows() -> None:
    hidden = coded(64)._replace(properties=[size(8192, 8192)])
    with pytest.raises(images.ImageTooLarge):
        images.check(heic(hidden, coded(64)), LIMIT)


def test_cameras_grids() -> None:
    """Of tiles of their own."""
    file = heic(*[coded()] * 4, grid(2, 2, 2 * SIDE, [1, 2, 3, 4]))
    picture = images.decode(file, LIMIT)

    assert (picture.width, picture.height) == (2 * SIDE, 2 * SIDE)
    assert abs(picture.rgb.reshape(-1, 3).mean(0) - (90, 120, 60)).max() < 3


def test_turned_once() -> None:
    upright = images.decode(heic(ONE._replace(properties=[*ONE.properties, turn(1)])), LIMIT)
    assert (upright.width, upright.height) == (SIDE, SIDE)


def test_an_avif_of_many_frames() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), (90, 120, 60)).save(buffer, "AVIF")
    data = buffer.getvalue()
    at = data.index(b"mdat") - 4
    frames = b"\x32\x00" * 33  # OBUs of frames, with a size of 0
    longer = data[at + 8 :] + frames
    place = data.index(struct.pack(">II", at + 8, len(data) - at - 8))
    file = data[: place + 4] + struct.pack(">I", len(longer)) + data[place + 8 : at]
    file += struct.pack(">I", 8 + len(longer)) + b"mdat" + longer

    with pytest.raises(Unreadable):
        containers.split(file)
