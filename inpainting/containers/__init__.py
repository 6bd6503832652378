"""What a picture's file is made of: the parts that carry pixels, and what is said beside them.

Only pixels decide whether a picture is healthy. Each module walks one container tolerantly and in bounded work, leaves
out what carries no pixels, and builds a plain file of the rest, which is all that a decoder sees. Metadata that cannot
be read is as if it were not there.
"""

from __future__ import annotations

from collections.abc import Callable

from inpainting.containers import heif, jpeg, png, webp
from inpainting.containers.parts import Container, Metadata, Unreadable

__all__ = ["ACCEPTED", "Container", "Metadata", "Unreadable", "split"]

ACCEPTED = "JPEG, PNG, WebP, HEIC and AVIF"
FORMATS: list[tuple[Callable[[bytes], bool], Callable[[bytes], Container]]] = [
    (jpeg.recognises, jpeg.split),
    (png.recognises, png.split),
    (webp.recognises, webp.split),
    (heif.recognises, heif.split),
]
# What people send that is a picture, but none that is accepted: how it starts.
OTHERS = {b"GIF8": "GIF", b"BM": "BMP", b"II*\0": "TIFF", b"MM\0*": "TIFF", b"\0\0\1\0": "ICO"}


def split(data: bytes) -> Container:
    """The file's parts, by its content. Raises Unreadable, in a sentence for whoever sent it."""
    for recognises, take_apart in FORMATS:
        if recognises(data):
            return take_apart(data)
    for start, name in OTHERS.items():
        if data.startswith(start):
            raise Unreadable(f"this is a {name} file; {ACCEPTED} are accepted")
    raise Unreadable("cannot identify image file")
