"""Bytes to RGB arrays and back: what an acceptable picture is, and what of it is kept.

Kept: every pixel outside the hole, alpha, an RGB colour profile. Applied: orientation, as browsers apply it (other
EXIF, which may hold a place or a name, is not passed on). Converted: grey, palette and CMYK to RGB, 16 bits to 8.
Refused: other formats, animations, what is truncated or too large. Only pixels decide: metadata refuses nothing.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from django.conf import settings
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms
from pillow_heif import register_heif_opener

from inpainting import containers, decoding, png
from inpainting.containers import Container, Unreadable
from inpainting.containers.parts import DAMAGED
from inpainting.options import Format

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
CONTENT_TYPES: dict[Format, str] = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}
JPEG_QUALITY = 95
WEBP_QUALITY = 92
WEBP_METHOD = 1  # half the time of the default, 4, for files 5% larger


class InvalidImage(ValueError):
    """Not a picture that can be read: `what` names the field."""

    def __init__(self, reason: str, what: str = "image") -> None:
        super().__init__(f"Invalid {what} format: {reason}")


class AnimatedImage(InvalidImage):
    """More than one frame: cleaning the first alone would silently lose the others."""


class ImageTooLarge(ValueError):
    def __init__(self, limit: str, what: str = "image") -> None:
        super().__init__(f"{what.capitalize()} too large. {limit}")


register_heif_opener()


@dataclass(frozen=True)
class Picture:
    """rgb: (H, W, 3) uint8; alpha: (H, W) uint8 or None; icc_profile: of an RGB picture, or None.

    orientation: 1 to 8, EXIF's number for how the stored pixels were turned to be upright, as `rgb` is.
    """

    rgb: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None = None
    icc_profile: bytes | None = None
    orientation: int = 1

    @property
    def width(self) -> int:
        return int(self.rgb.shape[1])

    @property
    def height(self) -> int:
        return int(self.rgb.shape[0])


@dataclass(frozen=True)
class SizeLimit:
    """The largest file (bytes) and side (pixels) that a caller may send."""

    max_bytes: int
    max_side: int

    @classmethod
    def of(cls, max_bytes: int | None, max_side: int | None) -> SizeLimit:
        """A plan's limits; they can only lower the service's own."""
        return cls(
            max_bytes=min(max_bytes or settings.MAX_FILE_BYTES, settings.MAX_FILE_BYTES),
            max_side=min(max_side or settings.MAX_SIDE, settings.MAX_SIDE),
        )


def read(data: bytes, limit: SizeLimit, what: str = "image") -> Image.Image:
    """Decode `data` upright, in whatever mode it has, palettes apart: they become RGB or RGBA.

    Its size is judged from the header, before any pixel is decoded. `info["orientation"]` of what is returned says how
    it was turned: EXIF's number, 1 to 8. Raises InvalidImage, AnimatedImage, ImageTooLarge, whose texts name the field
    `what`; DecodersBusy.
    """
    return _read(data, limit, what)[1]


def decode(data: bytes, limit: SizeLimit) -> Picture:
    """The picture in `data`. Raises InvalidImage, AnimatedImage, ImageTooLarge, DecodersBusy."""
    container, image = _read(data, limit, "image")
    profile = container.metadata.icc_profile or image.info.get("icc_profile")  # the second: of HEIF and AVIF
    orientation = image.info["orientation"]
    with _refusing("image"):
        if image.mode == "CMYK":
            return Picture(np.asarray(_from_cmyk(image, profile)), orientation=orientation)
        if image.mode.startswith("I"):
            image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
        alpha = None
        if image.has_transparency_data:
            rgba = np.asarray(image.convert("RGBA"))
            rgb, alpha = rgba[..., :3], rgba[..., 3]
        else:
            rgb = np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
    return Picture(rgb, alpha, profile if _is_rgb_profile(profile) else None, orientation)


def _read(data: bytes, limit: SizeLimit, what: str) -> tuple[Container, Image.Image]:
    if len(data) > limit.max_bytes:
        raise ImageTooLarge(f"Max size: {_megabytes(limit.max_bytes)}", what)
    try:
        container = containers.split(data)
    except Unreadable as error:
        raise InvalidImage(str(error), what) from error
    if container.animated:
        raise AnimatedImage("animated pictures are not supported", what)
    with _refusing(what):
        try:
            image: Image.Image = Image.open(io.BytesIO(container.pixels), formats=[container.format])
        except Image.DecompressionBombError as error:
            raise ImageTooLarge(f"Max dimension: {limit.max_side}px", what) from error
    if max(image.size) > limit.max_side:
        raise ImageTooLarge(f"Max dimension: {limit.max_side}px", what)
    with decoding.room.take(image.width * image.height), _refusing(what):
        image.load()
        if image.mode == "P":
            image = image.convert("RGBA" if image.has_transparency_data else "RGB")
        if container.format == "AVIF":
            orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
        else:
            orientation = container.orientation
        if orientation in TURNS:
            image = image.transpose(TURNS[orientation])
    image.format, image.info["orientation"] = container.format, orientation
    return container, image


@contextmanager
def _refusing(what: str) -> Iterator[None]:
    """Whatever a decoder raises about a file is the file's fault."""
    try:
        yield
    except (InvalidImage, ImageTooLarge):
        raise
    except Exception as error:
        raise InvalidImage(DAMAGED, what) from error


def encode(picture: Picture, format: Format = "png") -> bytes:
    """The file: PNG and WebP keep alpha, JPEG lays the picture on white. All keep the colour profile."""
    icc = picture.icc_profile
    if format == "png":
        return png.encode(picture.rgb, picture.alpha, icc)
    buffer = io.BytesIO()
    if picture.alpha is None:
        image = Image.fromarray(picture.rgb)
    else:
        image = Image.fromarray(np.dstack([picture.rgb, picture.alpha]))
    if format == "webp":
        image.save(buffer, "WEBP", quality=WEBP_QUALITY, method=WEBP_METHOD, icc_profile=icc)
    else:
        if picture.alpha is not None:
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
        image.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0, icc_profile=icc)
    return buffer.getvalue()


def encode_mask(mask: NDArray[np.bool_]) -> bytes:
    """(H, W) to a PNG that is white where the mask is True."""
    buffer = io.BytesIO()
    Image.fromarray(mask).save(buffer, "PNG")
    return buffer.getvalue()


def _megabytes(size: int) -> str:
    return f"{size / (1 << 20):g}MB"


def _is_rgb_profile(profile: bytes | None) -> bool:
    # Bytes 16-20 of an ICC header name the colour space; a grey profile would be wrong on our RGB (ICC.1:2022, 7.2.6).
    return bool(profile) and profile[16:20] == b"RGB "  # type: ignore[index]


def _from_cmyk(image: Image.Image, profile: bytes | None) -> Image.Image:
    """To sRGB by the picture's own profile, where it has a usable one."""
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            converted = None
        if converted is not None:
            return converted
    return image.convert("RGB")
