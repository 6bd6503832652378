"""PNG: chunks (W3C Recommendation, third edition, 2025)."""

from __future__ import annotations

import struct
import zlib

from isal import isal_zlib

from inpainting.containers import exif
from inpainting.containers.parts import DAMAGED, MAX_PARTS, TOO_MANY_PARTS, Container, Metadata, Unreadable

SIGNATURE = b"\x89PNG\r\n\x1a\n"
END = struct.pack(">I4sI", 0, b"IEND", zlib.crc32(b"IEND"))
CRITICAL = (b"IHDR", b"PLTE", b"IDAT")
FRAME = 12  # bytes around a chunk's body: length, kind, checksum
COLOURS = (b"cICP", b"sRGB", b"gAMA", b"cHRM")
# The chunks before the pixels that say something, and how many bytes they must have; None: any number.
BESIDE = {
    **{b"IHDR": 13, b"PLTE": None, b"tRNS": None, b"iCCP": None, b"eXIf": None},
    **{b"gAMA": 4, b"cHRM": 32, b"cICP": 4, b"sRGB": 1, b"pHYs": 9, b"acTL": 8},
}
# The least transparency chunk by colour type; types with an alpha channel have none.
TRANSPARENCY = {0: 2, 2: 6, 3: 1}
PALETTE, MAX_PALETTE, GREY_ALPHA = 3, 3 * 256, 4
DEPTH = 24  # where a file says how many bits a channel has; its colour type follows
MAX_PROFILE = 1 << 22  # bytes, unpacked: a thousandth of them in a file may hold as many zeros
MAX_NAME = 79  # letters of a profile's name
LAST_INTENT = 3  # the greatest number of a rendering intent
METRES = 0.0254  # in an inch


def recognises(data: bytes) -> bool:
    return data.startswith(SIGNATURE)


def split(data: bytes) -> Container:
    """What follows the pixels is not looked at, nor what says so of itself by a wrong checksum, as in browsers."""
    view, place = memoryview(data), len(SIGNATURE)
    pixels: list[memoryview] = []
    beside: dict[bytes, bytes] = {}
    for _ in range(MAX_PARTS):
        if place + FRAME > len(data):
            break
        size, kind = struct.unpack_from(">I4s", data, place)
        body, chunk = view[place + 8 : place + 8 + size], view[place : place + FRAME + size]
        if kind == b"IEND":
            break
        if kind in CRITICAL and not _is_whole(chunk, size):
            raise Unreadable(DAMAGED)
        if kind == b"IDAT":
            if size or not pixels:
                pixels.append(chunk)
        elif not pixels and _counts(kind, size, beside) and _is_whole(chunk, size):
            beside[kind] = bytes(body)
        place += FRAME + size
    else:
        raise Unreadable(TOO_MANY_PARTS)
    if not pixels or b"IHDR" not in beside:
        raise Unreadable(DAMAGED)
    parts: list[bytes | memoryview] = [SIGNATURE, _chunk(b"IHDR", beside[b"IHDR"]), *_colours(beside), *pixels, END]
    animated = b"acTL" in beside and struct.unpack_from(">I", beside[b"acTL"])[0] > 1
    upright = exif.orientation(beside.get(b"eXIf", b""))
    return Container("PNG", b"".join(parts), upright, animated, _metadata(beside))


def _is_whole(chunk: memoryview, size: int) -> bool:
    if len(chunk) < FRAME + size:
        return False
    return isal_zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:])


def _counts(kind: bytes, size: int, beside: dict[bytes, bytes]) -> bool:
    """The first of its kind does, where it may stand: a palette's transparency behind it, code points before it."""
    if kind not in BESIDE or kind in beside or BESIDE[kind] not in (None, size):
        return False
    if kind == b"cICP":
        return b"PLTE" not in beside
    colour_type = beside.get(b"IHDR", bytes(13))[9]
    return not (kind == b"tRNS" and colour_type == PALETTE and b"PLTE" not in beside)


def _colours(beside: dict[bytes, bytes]) -> list[bytes]:
    """Palette and transparency, where they belong to the pixels."""
    depth, colour_type = beside[b"IHDR"][8:10]
    palette, transparency = beside.get(b"PLTE", b""), beside.get(b"tRNS", b"")
    parts = []
    if colour_type == PALETTE:
        if not 3 <= len(palette) <= MAX_PALETTE:
            raise Unreadable("it has colours of a palette, and no palette")
        colours = len(palette) // 3
        # In browsers pixels past a palette's end have its last colour; here there are pixels past none.
        beyond = max(0, (1 << min(depth, 8)) - colours)
        palette = palette[: 3 * colours]
        parts.append(_chunk(b"PLTE", palette + palette[-3:] * beyond))
        if len(transparency) >= colours:
            transparency = transparency[:colours] + transparency[colours - 1 : colours] * beyond
    if TRANSPARENCY.get(colour_type, MAX_PALETTE) <= len(transparency) <= MAX_PALETTE // 3:
        parts.append(_chunk(b"tRNS", transparency))
    return parts


def _metadata(beside: dict[bytes, bytes]) -> Metadata:
    if beside.get(b"sRGB", b"\0")[0] > LAST_INTENT:
        del beside[b"sRGB"]
    across, down, unit = struct.unpack(">IIB", beside.get(b"pHYs", bytes(9)))
    return Metadata(
        icc_profile=_profile(beside.get(b"iCCP", b"")),
        chunks={kind: beside[kind] for kind in COLOURS if kind in beside},
        dpi=(across * METRES, down * METRES) if unit == 1 and across and down else None,
        exif=beside.get(b"eXIf"),
    )


def _profile(body: bytes) -> bytes | None:
    """A name, a zero, the method (0: zlib), the packed profile."""
    name, _, packed = body.partition(b"\0")
    if not 1 <= len(name) <= MAX_NAME or packed[:1] != b"\0":
        return None
    unpacker = zlib.decompressobj()
    try:
        profile = unpacker.decompress(packed[1:], MAX_PROFILE)
    except zlib.error:
        return None
    return profile if unpacker.eof else None


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", isal_zlib.crc32(kind + body))
