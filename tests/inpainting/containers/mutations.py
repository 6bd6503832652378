"""Healthy pictures with anything beside their pixels: seeded, so that each number is one file for ever."""

import random
import struct
from collections.abc import Callable

from tests.inpainting.containers.making import (
    HEADER,
    JPEG,
    Entry,
    chunk,
    jpeg,
    png,
    riff,
    segment,
    tiff,
    turn,
    webp,
)

TAGS = (0x0112, 0x0112, 0x0112, 0x8769, 0x8769, 0x8825, 0x010F, 0x011A, 0x9003, 0xA002)
TYPES = (1, 2, 3, 3, 3, 3, 4, 4, 5, 7, 9, 13, 0, 99)
COUNTS = (1, 1, 1, 1, 1, 0, 2, 1000, 0xFFFFFFFF)
XMP = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'


def mutated(seed: int) -> bytes:
    """JPEG, PNG and WebP in turn."""
    numbers = random.Random(seed)  # noqa: S311, repeatable is what is wanted
    return (_jpeg, _png, _webp)[seed % 3](numbers)


def _tiff(numbers: random.Random) -> bytes:
    """A TIFF structure that is right, or wrong in any of its types, counts, offsets, orders or lengths."""
    order = numbers.choice("<>")
    entries = [_entry(numbers, order) for _ in range(numbers.randrange(5))]
    entries.insert(numbers.randint(0, len(entries)), turn(numbers.randrange(1, 9), order))
    below = [[_entry(numbers, order) for _ in range(numbers.randrange(3))] for _ in range(2)]
    count = numbers.choice([None, None, None, 0, 1, 500])
    body = bytearray(tiff(entries, order, *below, count=count))
    for _ in range(numbers.choice([0, 0, 0, 0, 1, 3])):
        body[numbers.randrange(len(body))] = numbers.randrange(256)
    return bytes(body[: numbers.choice([None, None, None, None, -4, -5, 20, 7])])


def _entry(numbers: random.Random, order: str) -> Entry:
    value = numbers.choice([numbers.randrange(10), numbers.randrange(8, 120), numbers.getrandbits(32)])
    packed = struct.pack(order + "HH", value & 0xFFFF, 0) if numbers.random() < 0.5 else struct.pack(order + "I", value)
    return numbers.choice(TAGS), numbers.choice(TYPES), numbers.choice(COUNTS), packed


def _some(numbers: random.Random, makers: list[Callable[[], bytes]]) -> list[bytes]:
    """Up to five, in any order, the first of them at least once."""
    made = [makers[0](), *(numbers.choice(makers)() for _ in range(numbers.randrange(5)))]
    numbers.shuffle(made)
    return made


def _jpeg(numbers: random.Random) -> bytes:
    headers = [HEADER] * 6 + [HEADER * 2, b"Exif\0\xff", b"Exif\0", b"exif\0\0", b""]
    makers: list[Callable[[], bytes]] = [
        lambda: segment(numbers.choice(headers) + _tiff(numbers)),
        lambda: segment(numbers.choice([b"http://ns.adobe.com/xap/1.0/\0", b""]) + XMP),
        lambda: segment(HEADER[: numbers.randrange(7)]),
        lambda: segment(b"ICC_PROFILE\0" + numbers.randbytes(numbers.randrange(40)), 0xE2),
        lambda: segment(b"MPF\0" + _tiff(numbers), 0xE2),
        lambda: segment(b"JFIF\0\1\2" + numbers.randbytes(numbers.randrange(8)), 0xE0),
        lambda: segment(b"Photoshop 3.0\0" + numbers.randbytes(20), 0xED),
        lambda: segment(numbers.randbytes(numbers.randrange(300)), 0xFE),
        lambda: b"\xff" * numbers.randrange(9) + segment(b"", numbers.randrange(0xE3, 0xED)),
        lambda: b"\xff\xe5" + bytes([0, numbers.randrange(2)]),
    ]
    place = numbers.choice([2, 20, JPEG.index(b"\xff\xda")])
    parts = _some(numbers, makers)
    return jpeg(*parts) if place == 2 else JPEG[:place] + b"".join(parts) + JPEG[place:]


def _png(numbers: random.Random) -> bytes:
    def made(kind: bytes, body: bytes) -> bytes:
        return chunk(kind, body, numbers.choice([None, None, None, numbers.getrandbits(32)]))

    def junk(most: int) -> bytes:
        return numbers.randbytes(numbers.randrange(most))

    makers: list[Callable[[], bytes]] = [
        lambda: made(b"eXIf", numbers.choice([b"", b"", b"", HEADER]) + _tiff(numbers)),
        lambda: made(numbers.choice([b"tEXt", b"zTXt", b"iTXt"]), numbers.choice([b"a\0b", b"", b"a\0\0x"]) + junk(50)),
        lambda: made(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP),
        lambda: made(b"pHYs", junk(12)),
        lambda: made(b"gAMA", numbers.choice([struct.pack(">I", 45455), b"", bytes(4), bytes(9)])),
        lambda: made(b"sRGB", numbers.choice([b"\0", b"\3", b"\x99", b""])),
        lambda: made(b"iCCP", numbers.choice([b"", b"name\0\0", b"x"]) + junk(50)),
        lambda: made(numbers.choice([b"sBIT", b"bKGD", b"hIST", b"tIME", b"sPLT", b"prVt", b"abCD"]), junk(20)),
    ]
    return png(*_some(numbers, makers), behind=numbers.random() < 0.2)


def _webp(numbers: random.Random) -> bytes:
    makers: list[Callable[[], bytes]] = [
        lambda: riff(b"EXIF", numbers.choice([b"", HEADER]) + _tiff(numbers)),
        lambda: riff(b"XMP ", XMP),
        lambda: riff(b"ICCP", numbers.randbytes(numbers.randrange(99))),
        lambda: riff(b"abcd", numbers.randbytes(numbers.randrange(9))),
    ]
    return webp(*_some(numbers, makers), flags=numbers.choice([0, 4, 8, 12, 32, 44]))
