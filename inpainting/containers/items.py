"""What a HEIF or AVIF file says its pictures are made of (ISO/IEC 23008-12, 6.6; ISO/IEC 14496-12, 8.11).

Pictures that are derived from others can cost hours, and gigabytes, in a file of kilobytes: decoders follow whatever is
said. Cameras write one kind, a grid of tiles, each coded on its own.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from inpainting.containers.parts import MAX_PARTS, TOO_MANY_PARTS, Unreadable

TURNS, MOST_TURNS = (b"irot", b"imir", b"clap"), 3  # of one picture: one of each
OVERSIZE, LEAST = 4, 1 << 22  # times the grid's own size, and pixels: what its tiles may have together
NOT_READ = "pictures that are put together in this way are not supported"


class Size(NamedTuple):
    width: int
    height: int


def largest(meta: bytes) -> Size:
    """The greatest width and height that any picture of the box has. struct.error, IndexError: it is damaged.

    Unreadable: pictures laid over or derived from each other, grids of grids, of more pixels than they show, of tiles
    that come twice, and pictures that are turned again and again.
    """
    parts = dict(_boxes(meta, 12))
    properties = [kind for kind, _ in _boxes(_in(parts, b"iprp", b"ipco"))]
    contents = [content for _, content in _boxes(_in(parts, b"iprp", b"ipco"))]
    kinds, own = _kinds(parts.get(b"iinf", b"")), _properties(_in(parts, b"iprp", b"ipma"))
    sizes = {
        number: Size(*struct.unpack_from(">II", contents[at - 1], 4))
        for number, indices in own.items()
        for at in indices
        if 0 < at <= len(contents) and properties[at - 1] == b"ispe"
    }
    for indices in own.values():
        if sum(0 < at <= len(properties) and properties[at - 1] in TURNS for at in indices) > MOST_TURNS:
            raise Unreadable(NOT_READ)
    if {b"iovl", b"iden"} & set(kinds.values()):
        raise Unreadable(NOT_READ)
    for grid, tiles in _derived(parts.get(b"iref", b"")).items():
        if kinds.get(grid) == b"grid" and not _is_plain(tiles, kinds, sizes, sizes.get(grid, Size(0, 0))):
            raise Unreadable(NOT_READ)
    widths, heights = zip(*sizes.values(), strict=True) if sizes else ((0,), (0,))
    return Size(max(widths), max(heights))


def _is_plain(tiles: list[int], kinds: dict[int, bytes], sizes: dict[int, Size], whole: Size) -> bool:
    """Each tile is coded, comes once, and hardly more is coded than is shown."""
    if len(set(tiles)) < len(tiles) or any(kinds.get(tile) == b"grid" or tile not in sizes for tile in tiles):
        return False
    pixels = sum(sizes[tile].width * sizes[tile].height for tile in tiles)
    return pixels <= max(LEAST, OVERSIZE * whole.width * whole.height)


def _boxes(data: bytes, place: int = 0) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of the boxes from there on."""
    for _ in range(MAX_PARTS):
        if place + 8 > len(data):
            return
        size, kind = struct.unpack_from(">I4s", data, place)
        size = size or len(data) - place
        if size < 8:
            return
        yield kind, data[place + 8 : place + size]
        place += size
    raise Unreadable(TOO_MANY_PARTS)


def _in(parts: dict[bytes, bytes], kind: bytes, inner: bytes) -> bytes:
    return dict(_boxes(parts.get(kind, b""))).get(inner, b"")


def _kinds(iinf: bytes) -> dict[int, bytes]:
    """By item, as entries of version 2 and 3 have it."""
    made = {}
    for kind, entry in _boxes(iinf, 6 if iinf[:1] == b"\0" else 8):
        if kind == b"infe" and entry[0] in (2, 3):
            number, _, name = struct.unpack_from(">HH4s" if entry[0] == 2 else ">IH4s", entry, 4)
            made[number] = name
    return made


def _properties(ipma: bytes) -> dict[int, list[int]]:
    """By item, the places of its properties, from 1."""
    made: defaultdict[int, list[int]] = defaultdict(list)
    if not ipma:
        return made
    number, wide, place = (">I" if ipma[0] else ">H"), ipma[3] & 1, 8
    for _ in range(struct.unpack_from(">I", ipma, 4)[0]):
        (item,) = struct.unpack_from(number, ipma, place)
        place += struct.calcsize(number)
        count, place = ipma[place], place + 1
        for _ in range(count):
            made[item].append(struct.unpack_from(">H", ipma, place)[0] & 0x7FFF if wide else ipma[place] & 127)
            place += 2 if wide else 1
    return made


def _derived(iref: bytes) -> dict[int, list[int]]:
    """By item, what it is made of."""
    made: defaultdict[int, list[int]] = defaultdict(list)
    number = "I" if iref[:1] > b"\0" else "H"
    for kind, entry in _boxes(iref, 4):
        if kind == b"dimg":
            start, count = struct.unpack_from(f">{number}H", entry)
            made[start] += struct.unpack_from(f">{count}{number}", entry, struct.calcsize(f">{number}H"))
    return made
