"""What every container is split into."""

from __future__ import annotations

from dataclasses import dataclass, field

# Parts of one file: JPEG segments, PNG or RIFF chunks, boxes. Real pictures have some thousands at most.
MAX_PARTS = 16_384
TOO_MANY_PARTS = f"it has more than {MAX_PARTS:,} parts"
DAMAGED = "the file is damaged or truncated"


class Unreadable(ValueError):
    """No picture that can be decoded, or none whose decoding has a reasonable price."""


@dataclass(frozen=True)
class Metadata:
    """What a file says beside its pixels, as far as it can be read; None or empty where it says nothing.

    `icc_profile`: ICC.1, of any colour space. `chunks`: PNG's cICP, sRGB, gAMA and cHRM by name, each of its right
    size. `dpi`: dots per inch, across and down, as stored. `exif`: a TIFF structure.
    """

    icc_profile: bytes | None = None
    chunks: dict[bytes, bytes] = field(default_factory=dict)
    dpi: tuple[float, float] | None = None
    exif: bytes | None = None


@dataclass(frozen=True)
class Container:
    """`pixels`: a file for the decoder of `format`, Pillow's name. `orientation`: 1 to 8, as in EXIF, to be applied.

    `coded`: width and height of what is really decoded, where the file's header may say less; else 0.
    """

    format: str
    pixels: bytes
    orientation: int = 1
    animated: bool = False
    metadata: Metadata = field(default_factory=Metadata)
    coded: tuple[int, int] = (0, 0)
