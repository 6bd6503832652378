"""JPEG: segments and scans (ITU-T T.81, annex B), as libjpeg and with it browsers find them."""

from __future__ import annotations

import re
import struct

from inpainting.containers import exif
from inpainting.containers.parts import DAMAGED, MAX_PARTS, TOO_MANY_PARTS, Container, Metadata, Unreadable

START, END, SCAN = 0xD8, 0xD9, 0xDA
# TEM and the restarts stand alone: no length follows.
ALONE = {0x01, *range(0xD0, 0xD8)}
# Frames, Huffman and quantisation tables, arithmetic conditioning, restart interval.
PIXELS = {*range(0xC0, 0xD0), 0xDB, 0xDD} - {0xC8}
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
# Of those the ones with Huffman codes whose pixels come once, in order, as most files have them.
SEQUENTIAL = {0xC0, 0xC1}
COMPONENTS_OF_FRAME, COMPONENTS_OF_SCAN = slice(9, 10), slice(4, 5)  # how many, in the segment
READ_AHEAD = 16  # bytes, twice what libjpeg reads. They hold 64 flat blocks of 8x8 at the very most
JFIF, EXIF, ICC, ADOBE = 0xE0, 0xE1, 0xE2, 0xEE
# A decoder visits every block once a scan, however short the scan is. Encoders write 3 to 20.
MAX_SCANS = 50
CENTIMETRES = 2.54  # in an inch

_MARKER = re.compile(rb"\xff[^\x00\xff]", re.DOTALL)
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)


def recognises(data: bytes) -> bool:
    return data.startswith(b"\xff\xd8\xff")


def split(data: bytes) -> Container:
    """Ends at the first picture's end: phones put a preview, a depth map or a film behind it."""
    head: dict[int, list[bytes]] = {JFIF: [], EXIF: [], ICC: [], ADOBE: []}
    parts, scans, frames, place, ended = [data[:2]], 0, 0, 2, False
    for _ in range(MAX_PARTS):
        found = _MARKER.search(data, place)
        if found is None:
            break
        start, marker, place = found.start(), data[found.end() - 1], found.end()
        if marker == END:
            ended = True
            break
        if marker in ALONE or marker == START:
            continue
        if len(data) < place + 2:
            break
        # A length below 2 is no length; libjpeg goes on behind it all the same.
        place += max(2, int.from_bytes(data[place : place + 2]))
        body = data[start + 4 : place]
        if marker == SCAN:
            scans += 1
            if scans > MAX_SCANS:
                raise Unreadable(f"it has more than {MAX_SCANS} scans")
            found = _AFTER_SCAN.search(data, place)
            place = found.start() if found else len(data)
            parts.append(data[start:place])
        elif marker in PIXELS:
            frames += marker in FRAMES
            parts.append(data[start:place])
        elif marker in head and not scans:
            head[marker].append(body)
    else:
        raise Unreadable(TOO_MANY_PARTS)
    if frames != 1 or not scans:
        raise Unreadable(DAMAGED)
    parts[1:1] = _colour_model(head)
    if ended:
        parts.append(_end(parts))
    tiff = _exif(head[EXIF])
    metadata = Metadata(icc_profile=_profile(head[ICC]), dpi=_dpi(head[JFIF]), exif=tiff)
    return Container("JPEG", b"".join(parts), exif.orientation(tiff or b""), metadata=metadata)


def _end(parts: list[bytes]) -> bytes:
    """What a decoder sees behind the pixels.

    At an end that comes too early it makes up what is missing, in grey, and tells nobody. Where the bytes just stop it
    waits for more, and the file is refused as truncated. So a scan that has all of the picture is followed by no end,
    but by what is read ahead of the last pixel. Several scans need their end: only there they are put together.
    """
    frame = next(part for part in parts if part[1] in FRAMES)
    scans = [part for part in parts if part[1] == SCAN]
    is_all = len(scans) == 1 and scans[0][COMPONENTS_OF_SCAN] == frame[COMPONENTS_OF_FRAME]
    return bytes(READ_AHEAD) if frame[1] in SEQUENTIAL and is_all else b"\xff\xd9"


def _colour_model(head: dict[int, list[bytes]]) -> list[bytes]:
    """The two segments by which libjpeg tells RGB from YCbCr and CMYK from YCCK."""
    jfif = [body[:14] for body in head[JFIF] if _is_jfif(body)][:1]
    adobe = [body[:12] for body in head[ADOBE] if body.startswith(b"Adobe") and len(body) >= 12][-1:]
    return [
        b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body
        for marker, bodies in ((JFIF, jfif), (ADOBE, adobe))
        for body in bodies
    ]


def _is_jfif(body: bytes) -> bool:
    return body.startswith(b"JFIF\0") and len(body) >= 14


def _exif(bodies: list[bytes]) -> bytes | None:
    """The first segment that says it is EXIF; what stands in others is not looked at."""
    return next((body[6:] for body in bodies if body.startswith(b"Exif\0") and len(body) > 6), None)


def _profile(bodies: list[bytes]) -> bytes | None:
    """ICC.1:2022, B.4: the profile comes in numbered pieces of 64 KB; all or nothing."""
    pieces = {body[12]: body for body in bodies if body.startswith(b"ICC_PROFILE\0") and len(body) > 14}
    if not pieces or sorted(pieces) != list(range(1, 1 + next(iter(pieces.values()))[13])):
        return None
    return b"".join(pieces[number][14:] for number in sorted(pieces))


def _dpi(bodies: list[bytes]) -> tuple[float, float] | None:
    for body in filter(_is_jfif, bodies):
        unit, across, down = struct.unpack_from(">BHH", body, 7)
        if unit in (1, 2) and across and down:
            scale = 1 if unit == 1 else CENTIMETRES
            return across * scale, down * scale
    return None
