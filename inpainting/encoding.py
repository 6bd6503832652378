"""Pictures to files: what of a picture each format can hold, and how.

All hold the pixels and what their numbers mean as colours. PNG, WebP and AVIF hold alpha; JPEG lays the picture on
white. PNG and JPEG hold the dots per inch; WebP and AVIF have no place for them. EXIF goes along where it is asked for.
"""

from __future__ import annotations

import io
import struct

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray
from PIL import ExifTags, Image

from inpainting import colour, png
from inpainting.images import Picture
from inpainting.options import FileFormat, Metadata

CONTENT_TYPES: dict[FileFormat, str] = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "avif": "image/avif",
}
JPEG_QUALITY = 95
WEBP_QUALITY = 92
WEBP_METHOD = 1  # half the time of the default, 4, for files 5% larger
AVIF_QUALITY = 90
AVIF_SPEED = 9  # an eighth of the time of the default, 6, for files 10% larger
MAX_DENSITY = 0xFFFF  # dots per inch that a JPEG can state
MAX_JPEG_EXIF = 0xFFFF - 8  # bytes: a segment without its length and its name
METRE = 1 / 0.0254  # inches
# Where other data lies in the file: thumbnails, which show what was removed, and strips that are not there.
OFFSETS = (0x0111, 0x0117, 0x014A, 0x0201, 0x0202)


def encode(picture: Picture, format: FileFormat = "png", metadata: Metadata = "strip") -> bytes:
    """The file. Every reader can read it again: what would hinder one is left out or said otherwise."""
    exif = _exif(picture) if metadata == "keep" and picture.exif else None
    if format == "png":
        return _png(picture, exif)
    buffer = io.BytesIO()
    image, profile = _image(picture), picture.colour.profile()
    if format == "webp":
        _save_webp(image, buffer, profile, exif or b"")
    elif format == "avif":
        return _avif(image, picture.colour, exif)
    else:
        if picture.alpha is not None:
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
        _save_jpeg(image, buffer, profile, picture.dpi, exif)
    return buffer.getvalue()


def _save_webp(image: Image.Image, buffer: io.BytesIO, profile: bytes | None, exif: bytes) -> None:
    """What lossy WebP has no room for (512 KB of its first partition: large pictures full of grain) goes lossless."""
    try:
        image.save(buffer, "WEBP", quality=WEBP_QUALITY, method=WEBP_METHOD, icc_profile=profile, exif=exif)
    except ValueError:
        buffer.seek(0)
        image.save(buffer, "WEBP", lossless=True, quality=0, method=0, icc_profile=profile, exif=exif)


def encode_mask(mask: NDArray[np.bool_ | np.uint8]) -> bytes:
    """(H, W) to a PNG that is white where the mask is True, or of its levels of grey."""
    buffer = io.BytesIO()
    Image.fromarray(mask).save(buffer, "PNG")
    return buffer.getvalue()


def _image(picture: Picture) -> Image.Image:
    if picture.alpha is None:
        return Image.fromarray(picture.rgb)
    return Image.fromarray(np.dstack([picture.rgb, picture.alpha]))


def _png(picture: Picture, exif: bytes | None) -> bytes:
    rgb, meaning = colour.for_png(picture.rgb, picture.colour)
    beside = dict(meaning.chunks)
    if meaning.icc_profile:
        beside.pop(b"sRGB", None)  # a profile goes before it, and both together are an error
        beside[b"iCCP"] = b"ICC Profile\0\0" + isal_zlib.compress(meaning.icc_profile)
    density = _density(picture.dpi, METRE, (1 << 31) - 1)
    if density:
        beside[b"pHYs"] = struct.pack(">IIB", *density, 1)
    if exif:
        beside[b"eXIf"] = exif
    return png.encode(rgb, picture.alpha, beside)


def _save_jpeg(
    image: Image.Image, file: io.BytesIO, profile: bytes | None, dpi: tuple[float, float] | None, exif: bytes | None
) -> None:
    image.save(
        file,
        "JPEG",
        quality=JPEG_QUALITY,
        subsampling=0,
        icc_profile=profile,
        dpi=_density(dpi, 1, MAX_DENSITY) or (0, 0),
        exif=b"Exif\0\0" + exif if exif and len(exif) <= MAX_JPEG_EXIF else b"",
    )


def _avif(image: Image.Image, meaning: colour.Colour, exif: bytes | None) -> bytes:
    """Code points are stated as such, in the box of the header where Pillow writes sRGB's.

    Those of video are not: browsers show them in PNG as screens do, and in AVIF as if they were sRGB's.
    """
    buffer = io.BytesIO()
    cicp = None if meaning.cicp is None or meaning.cicp[1] in colour.VIDEO else meaning.cicp
    image.save(
        buffer,
        "AVIF",
        quality=AVIF_QUALITY,
        speed=AVIF_SPEED,
        subsampling="4:4:4",
        icc_profile=None if cicp else meaning.profile(),
        exif=exif or b"",
    )
    data = buffer.getvalue()
    if cicp is None:
        return data
    at = data.index(b"colrnclx") + 8  # ISO/IEC 14496-12, 12.1.5: primaries and transfer follow, two bytes each
    return data[:at] + struct.pack(">HH", cicp[0], cicp[1]) + data[at + 4 :]


def _density(dpi: tuple[float, float] | None, unit: float, most: int) -> tuple[int, int] | None:
    """Dots per unit, which is so many inches, across and down; None where they are no number from 1 to `most`."""
    if dpi is None or not all(1 <= round(dots * unit) <= most for dots in dpi):
        return None
    return round(dpi[0] * unit), round(dpi[1] * unit)


def _exif(picture: Picture) -> bytes | None:
    """Without its thumbnail, and upright as the pixels are; None where it is damaged and cannot be written again."""
    sides = {ExifTags.Base.ExifImageWidth: picture.width, ExifTags.Base.ExifImageHeight: picture.height}
    tags = Image.Exif()
    try:
        tags.load(picture.exif or b"")
        for offset in OFFSETS:
            tags.pop(offset, None)
        tags[ExifTags.Base.Orientation] = 1
        details = tags.get_ifd(ExifTags.IFD.Exif)
        details.update({tag: side for tag, side in sides.items() if tag in details})
        return tags.tobytes().removeprefix(b"Exif\0\0")
    except Exception:  # noqa: BLE001, Pillow has no error of its own for this, and the picture is sound
        return None
