"""WebP: the chunks of a RIFF file (RFC 9649)."""

from __future__ import annotations

import struct

from inpainting.containers.parts import DAMAGED, MAX_PARTS, TOO_MANY_PARTS, Container, Metadata, Unreadable

PIXELS = (b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF")
FRAME = b"ANMF"
ANIMATION, ALPHA = 0x02, 0x10  # flags of VP8X


def recognises(data: bytes) -> bool:
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def split(data: bytes) -> Container:
    """Browsers do not turn WebP by its EXIF, so nothing is turned here."""
    end = min(len(data), 8 + struct.unpack_from("<I", data, 4)[0])
    parts: list[tuple[bytes, bytes]] = []
    beside: dict[bytes, bytes] = {}
    place = 12
    for _ in range(MAX_PARTS):
        if place + 8 > end:
            break
        kind, size = struct.unpack_from("<4sI", data, place)
        body = data[place + 8 : place + 8 + size]
        if kind in PIXELS and place + 8 + size > end:
            raise Unreadable(DAMAGED)
        place += 8 + size + size % 2
        if kind == b"VP8X" and not parts and len(body) >= 10:
            parts.append((kind, bytes([body[0] & (ANIMATION | ALPHA), 0, 0, 0]) + body[4:10]))
        elif kind in PIXELS:
            parts.append((kind, body))
        else:
            beside.setdefault(kind, body)
    else:
        raise Unreadable(TOO_MANY_PARTS)
    if not parts:
        raise Unreadable(DAMAGED)
    chunks = b"".join(kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2) for kind, body in parts)
    return Container(
        "WEBP",
        b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks,
        animated=sum(kind == FRAME for kind, _ in parts) > 1,
        metadata=Metadata(icc_profile=beside.get(b"ICCP"), exif=beside.get(b"EXIF")),
    )
