"""How large the pictures really are that an AVIF file holds: its boxes may say less than its AV1 streams hold.

Items' places: ISO/IEC 14496-12, 8.11.3; streams: AV1 Bitstream & Decoding Process, 5.3 to 5.5.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from inpainting.containers.parts import MAX_PARTS

SEQUENCE_HEADER, FRAMES = 1, (3, 6)  # kinds of OBU
MOST_FRAMES = 32  # of one item: a picture has one, of layers some
# An entry of the list of items that says that it is AV1: its version and its number.
_ITEM = re.compile(rb"(?=infe(?:\x02...(..)..|\x03...(....)..)av01)", re.DOTALL)


def largest(data: bytes, meta: bytes) -> tuple[int, int]:
    """The greatest width and the greatest height of frames, by what the streams say; (0, 0) without any.

    `meta`: the box in the file `data`. struct.error, IndexError: it is damaged.
    """
    numbers = {int.from_bytes(short or long) for short, long in _ITEM.findall(meta)}
    if not numbers:
        return 0, 0
    # A decoder believes each of them.
    sides = [side for item in _items(data, meta, numbers) for side in _sequence_headers(item)]
    return max((width for width, _ in sides), default=0), max((height for _, height in sides), default=0)


class _Bits:
    """Big-endian numbers of any width."""

    def __init__(self, data: bytes) -> None:
        self._data, self._place = data, 0

    def read(self, width: int) -> int:
        start, self._place = self._place, self._place + width
        if self._place > 8 * len(self._data):
            raise IndexError(width)
        piece = self._data[start // 8 : (self._place + 7) // 8]
        return int.from_bytes(piece) >> (-self._place % 8) & ((1 << width) - 1)


def _child(meta: bytes, kind: bytes) -> bytes:
    """What is in a box of a box; b"" without it."""
    place = 12
    while place + 8 <= len(meta):
        size, found = struct.unpack_from(">I4s", meta, place)
        if found == kind:
            return meta[place + 8 : place + size]
        if size < 8:
            break
        place += size
    return b""


def _items(data: bytes, meta: bytes, numbers: set[int]) -> Iterator[bytes]:
    """The bytes of these items. In sum they are no more than the file, as items do not share bytes."""
    places, stored = _Bits(_child(meta, b"iloc")), _child(meta, b"idat")
    version, _ = places.read(8), places.read(24)
    offset, length, base, index = (8 * places.read(4) for _ in range(4))
    wide, left, parts = 32 if version == 2 else 16, len(data), MAX_PARTS
    for _ in range(places.read(wide)):
        number = places.read(wide)
        source = stored if version and places.read(16) & 15 == 1 else data
        places.read(16)
        start, item = places.read(base), []
        for _ in range(places.read(16)):
            places.read(index if version else 0)
            begin, size = start + places.read(offset), places.read(length)
            item.append(source[begin : begin + size if size else None] if number in numbers else b"")
            left, parts = left - len(item[-1]), parts - 1
            if left < 0 or parts < 0:
                raise IndexError(number)
        yield b"".join(item)


def _sequence_headers(stream: bytes) -> Iterator[tuple[int, int]]:
    place, frames = 0, 0
    for _ in range(MAX_PARTS):
        if place >= len(stream):
            return
        head = stream[place]
        place += 2 if head & 4 else 1  # with an extension or without
        size = len(stream) - place
        if head & 2:
            size, shift = 0, 0
            while True:  # LEB128, of at most eight bytes
                byte = stream[place]
                size, shift, place = size | (byte & 127) << shift, shift + 7, place + 1
                if byte < 128:
                    break
                if shift > 49:
                    raise IndexError(shift)
        frames += head >> 3 & 15 in FRAMES
        if frames > MOST_FRAMES:
            raise IndexError(frames)
        if head >> 3 & 15 == SEQUENCE_HEADER:
            yield _frame(_Bits(stream[place : place + size]))
        place += size
    raise IndexError(place)


def _frame(header: _Bits) -> tuple[int, int]:
    """The greatest width and height of a sequence's frames."""
    header.read(4)  # the profile, and whether this is a still picture
    if header.read(1):  # a short header
        header.read(5)
    else:
        _skip_operating_points(header)
    across, down = header.read(4) + 1, header.read(4) + 1
    return header.read(across) + 1, header.read(down) + 1


def _skip_operating_points(header: _Bits) -> None:
    delay = 0
    if header.read(1):  # timing
        header.read(64)
        if header.read(1):  # a number in exponential Golomb code
            zeros = 0
            while not header.read(1) and zeros < 32:
                zeros += 1
            header.read(zeros)
        if header.read(1):  # a decoder's model
            delay = header.read(5) + 1
            header.read(42)
    has_display_delay = header.read(1)
    for _ in range(header.read(5) + 1):
        header.read(12)
        if header.read(5) > 7:
            header.read(1)
        if delay and header.read(1):
            header.read(2 * delay + 1)
        if has_display_delay and header.read(1):
            header.read(4)
