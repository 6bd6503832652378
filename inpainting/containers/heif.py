"""HEIF and AVIF: boxes (ISO/IEC 14496-12, 23008-12; AV1 Image File Format)."""

from __future__ import annotations

import re
import struct

from inpainting.containers import av1, items
from inpainting.containers.parts import DAMAGED, MAX_PARTS, TOO_MANY_PARTS, Container, Metadata, Unreadable

AVIF = (b"avif", b"avis")
HEIF = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
SEQUENCES = (b"avis", b"hevc", b"hevx", b"msf1")
# Code points of ITU-T H.273: primaries, transfers.
BT709, UNSPECIFIED, SRGB = 1, 2, 13
VIDEO = (1, 6, 14, 15)
# An entry of the list of items, whose kind says that it is EXIF or XMP.
_METADATA_ITEM = re.compile(rb"(infe(?:\x02.{7}|\x03.{9}))(?:Exif|mime)", re.DOTALL)


def recognises(data: bytes) -> bool:
    return data[4:8] == b"ftyp" and any(brand in AVIF + HEIF for brand in _brands(data))


def split(data: bytes) -> Container:
    """All offsets stay, so nothing is cut out: items of metadata become items of an unknown kind, which nobody reads.

    Orientation is a property of the picture here, which its decoder knows; EXIF's has no say.
    """
    place, meta, film = 0, None, False
    for _ in range(MAX_PARTS):
        if place + 8 > len(data):
            break
        size, kind = struct.unpack_from(">I4s", data, place)
        if size == 1 and place + 16 <= len(data):
            (size,) = struct.unpack_from(">Q", data, place + 8)
        end = len(data) if size == 0 else place + size
        if end < place + 8:
            raise Unreadable(DAMAGED)
        if kind == b"meta" and meta is None:
            meta = slice(place, min(end, len(data)))
        film |= kind == b"moov"
        place = end
    else:
        raise Unreadable(TOO_MANY_PARTS)
    if meta is None:
        raise Unreadable(DAMAGED)
    brands = _brands(data)
    try:
        streams, said = av1.largest(data, data[meta]), items.largest(data[meta])
    except (struct.error, IndexError) as error:
        raise Unreadable(DAMAGED) from error
    pixels = data[: meta.start] + _METADATA_ITEM.sub(rb"\1skip", data[meta]) + data[meta.stop :]
    format = "AVIF" if any(brand in AVIF for brand in brands) else "HEIF"
    coded = max(streams[0], said.width), max(streams[1], said.height)
    metadata = Metadata(chunks=_code_points(data[meta]))
    return Container(format, pixels, animated=film or brands[0] in SEQUENCES, metadata=metadata, coded=coded)


def _code_points(meta: bytes) -> dict[bytes, bytes]:
    """As PNG says them. Browsers show the curves of video as sRGB's here."""
    at = meta.find(b"colrnclx") + 8
    if at < 8 or len(meta) < at + 4:
        return {}
    primaries, transfer = struct.unpack_from(">HH", meta, at)
    transfer = SRGB if transfer in VIDEO else transfer
    if UNSPECIFIED in (primaries, transfer) or max(primaries, transfer) > 255 or (primaries, transfer) == (BT709, SRGB):
        return {}
    return {b"cICP": bytes([primaries, transfer, 0, 1])}


def _brands(data: bytes) -> list[bytes]:
    """The major one first."""
    size = min(struct.unpack_from(">I", data)[0], 1024)
    return [data[8:12], *(data[at : at + 4] for at in range(16, min(size, len(data)), 4))]
