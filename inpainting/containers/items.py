"""What a HEIF or AVIF file says its pictures are made of (ISO/IEC 23008-12, 6.6; ISO/IEC 14496-12, 8.11).

Pictures that are derived from others can cost hours, and gigabytes, in a file of kilobytes: decoders follow whatever is
said. Cameras write one kind, a grid of tiles, each coded on its own.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator
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
    parts = list(_boxes(meta, 12))
    iprp = list(_boxes(_first(parts, b"iprp")))
    properties = list(_boxes(_first(iprp, b"ipco")))
    kinds, own = _kinds(_first(parts, b"iinf")), _properties(content for kind, content in iprp if kind == b"ipma")
    sizes: dict[int, Size] = {}
    for number, indices in own.items():
        for at in indices:
            if 0 < at <= len(properties) and properties[at - 1][0] == b"ispe":
                width, height = struct.unpack_from(">II", properties[at - 1][1], 4)
                known = sizes.get(number, Size(0, 0))
                sizes[number] = Size(max(width, known.width), max(height, known.height))
    for indices in own.values():
        if sum(0 < at <= len(properties) and properties[at - 1][0] in TURNS for at in indices) > MOST_TURNS:
            raise Unreadable(NOT_READ)
    if {b"iovl", b"iden"} & set().union(*kinds.values()):
        raise Unreadable(NOT_READ)
    for grid, tiles in _derived(_first(parts, b"iref")).items():
        if b"grid" in kinds[grid] and not _is_plain(tiles, kinds, sizes, sizes.get(grid, Size(0, 0))):
            raise Unreadable(NOT_READ)
    widths, heights = zip(*sizes.values(), strict=True) if sizes else ((0,), (0,))
    return Size(max(widths), max(heights))


def _is_plain(tiles: list[int], kinds: dict[int, set[bytes]], sizes: dict[int, Size], whole: Size) -> bool:
    """Each tile is coded, comes once, and hardly more is coded than is shown."""
    if len(set(tiles)) < len(tiles) or any(b"grid" in kinds[tile] or tile not in sizes for tile in tiles):
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


def _first(boxes: list[tuple[bytes, bytes]], kind: bytes) -> bytes:
    """The content of the first box of a kind, which is the one that decoders read; b"" without it."""
    return next((content for found, content in boxes if found == kind), b"")


def _kinds(iinf: bytes) -> defaultdict[int, set[bytes]]:
    """By item, as entries of version 2 and 3 have it: of an item with two entries decoders differ in which counts."""
    made: defaultdict[int, set[bytes]] = defaultdict(set)
    for kind, entry in _boxes(iinf, 6 if iinf[:1] == b"\0" else 8):
        if kind == b"infe" and entry[0] in (2, 3):
            number, _, name = struct.unpack_from(">HH4s" if entry[0] == 2 else ">IH4s", entry, 4)
            made[number].add(name)
    return made


def _properties(associations: Iterable[bytes]) -> dict[int, list[int]]:
    """By item, the places of its properties, from 1; of all boxes of associations together."""
    made: defaultdict[int, list[int]] = defaultdict(list)
    for ipma in associations:
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
