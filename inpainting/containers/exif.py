"""EXIF's orientation, read exactly as Chromium reads it (Skia's SkExif): tolerantly, and nowhere else than it looks."""

from __future__ import annotations

import struct
from collections.abc import Iterator

ORIENTATION, EXIF_DIRECTORY = 0x0112, 0x8769
SHORT, LONG = 3, 4
UPRIGHT = 1
ENTRY = 12  # bytes: tag, type, count, value

Entries = Iterator[tuple[int, int, int, bytes]]


def orientation(tiff: bytes) -> int:
    """1 to 8; 1 where nothing valid is said.

    The first valid entry counts: of the first directory, or, where its pointer comes earlier, of EXIF's own below it.
    Valid is one SHORT of 1 to 8.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return UPRIGHT
    below_is_read = False
    for entry in _entries(tiff, order, struct.unpack_from(order + "I", tiff, 4)[0]):
        tag, kind, count, value = entry
        found = _orientation(order, *entry)
        if (tag, kind, count) == (EXIF_DIRECTORY, LONG, 1) and not below_is_read:
            below_is_read = True
            below = _entries(tiff, order, struct.unpack(order + "I", value)[0])
            found = next(filter(None, (_orientation(order, *entry) for entry in below)), None)
        if found:
            return found
    return UPRIGHT


def _entries(tiff: bytes, order: str, offset: int) -> Entries:
    """The entries of a directory; where it says that there are more than fit, those that fit."""
    if offset + 2 > len(tiff):
        return
    (count,) = struct.unpack_from(order + "H", tiff, offset)
    end = offset + 2 + ENTRY * min(count, (len(tiff) - offset - 2) // ENTRY)
    yield from struct.iter_unpack(order + "HHI4s", tiff[offset + 2 : end])


def _orientation(order: str, tag: int, kind: int, count: int, value: bytes) -> int | None:
    if (tag, kind, count) != (ORIENTATION, SHORT, 1):
        return None
    (found,) = struct.unpack(order + "H", value[:2])
    return found if 1 <= found <= 8 else None
