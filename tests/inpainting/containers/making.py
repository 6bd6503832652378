"""Files of one small picture with anything said beside its pixels, in any order and with any mistake."""

import struct
import zlib
from collections.abc import Sequence

import numpy as np
from PIL import Image

from tests import pictures

WIDTH, HEIGHT = 48, 32
CORNERS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255))  # top left, top right, bottom left, bottom right
# The same corners as they are seen in a picture that was turned by that number.
TURNED = {
    1: (0, 1, 2, 3),
    2: (1, 0, 3, 2),
    3: (3, 2, 1, 0),
    4: (2, 3, 0, 1),
    5: (0, 2, 1, 3),
    6: (2, 0, 3, 1),
    7: (3, 1, 2, 0),
    8: (1, 3, 0, 2),
}
HEADER = b"Exif\0\0"
Entry = tuple[int, int, int, bytes]  # tag, type, count, value


def picture() -> Image.Image:
    quarters = np.array(CORNERS, np.uint8).reshape(2, 2, 3)
    return Image.fromarray(quarters.repeat(HEIGHT // 2, axis=0).repeat(WIDTH // 2, axis=1))


JPEG = pictures.file(picture(), "JPEG", quality=95).getvalue()
PNG = pictures.file(picture()).getvalue()
WEBP = pictures.file(picture(), "WEBP", lossless=True).getvalue()


def how_turned(rgb: np.ndarray) -> int:
    """By which of 1 to 8 the picture was turned."""
    height, width = rgb.shape[:2]
    seen = [rgb[height * y // 4, width * x // 4, :3].astype(int) for y in (1, 3) for x in (1, 3)]
    return turn_of([tuple(colour) for colour in seen])


def turn_of(seen: Sequence[Sequence[int]]) -> int:
    """The same from the colours of its four quarters."""
    distances = np.abs(np.array(seen)[:, None, :3] - np.array(CORNERS)[None]).sum(axis=2)
    nearest = tuple(int(corner) for corner in distances.argmin(axis=1))
    return next(number for number, corners in TURNED.items() if corners == nearest)


def short(value: int, order: str = ">") -> bytes:
    return struct.pack(order + "HH", value, 0)


def long(value: int, order: str = ">") -> bytes:
    return struct.pack(order + "I", value)


def turn(number: int, order: str = ">") -> Entry:
    return 0x0112, 3, 1, short(number, order)


def directory(entries: Sequence[Entry], order: str = ">", count: int | None = None) -> bytes:
    body = b"".join(struct.pack(order + "HHI", *entry[:3]) + entry[3] for entry in entries)
    return struct.pack(order + "H", len(entries) if count is None else count) + body + bytes(4)


def tiff(entries: Sequence[Entry], order: str = ">", *below: Sequence[Entry], count: int | None = None) -> bytes:
    """The first directory begins at 8, each directory `below` behind the one before."""
    start = b"MM\0*" if order == ">" else b"II*\0"
    first = directory(entries, order, count)
    return start + long(8, order) + first + b"".join(directory(entries, order) for entries in below)


def segment(body: bytes, marker: int = 0xE1) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body


def jpeg(*parts: bytes) -> bytes:
    """The parts stand before all others."""
    return JPEG[:2] + b"".join(parts) + JPEG[2:]


def chunk(kind: bytes, body: bytes, checksum: int | None = None) -> bytes:
    checksum = zlib.crc32(kind + body) if checksum is None else checksum
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def png(*chunks: bytes, behind: bool = False, file: bytes = PNG) -> bytes:
    """The chunks stand before the pixels, or behind them."""
    place = len(file) - 12 if behind else 33
    return file[:place] + b"".join(chunks) + file[place:]


def webp(*chunks: bytes, flags: int = 0, file: bytes = WEBP) -> bytes:
    """An extended file: a header, the chunks, the pixels."""
    sides = (WIDTH - 1).to_bytes(3, "little") + (HEIGHT - 1).to_bytes(3, "little")
    body = b"WEBP" + riff(b"VP8X", bytes([flags, 0, 0, 0]) + sides) + b"".join(chunks) + file[12:]
    return b"RIFF" + struct.pack("<I", len(body)) + body


def riff(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)
