"""Bytes to RGB arrays: what an acceptable picture is, and what of it is kept. `encoding.py` writes it again.

Kept: every pixel outside the hole, alpha, what colours mean, dots per inch, EXIF. Applied: orientation, as browsers
apply it. Converted: grey, palette and CMYK to RGB, 16 bits to 8. Refused: other formats, animations, what is truncated
or too large. Only pixels decide: metadata refuses nothing.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from django.conf import settings
from numpy.typing import NDArray
from PIL import ExifTags, Image
from pillow_heif import register_heif_opener

from inpainting import admission, colour, containers
from inpainting.colour import SRGB, Colour
from inpainting.containers import Container, Metadata, Unreadable, png
from inpainting.containers.parts import DAMAGED
from inpainting.options import FileFormat

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDEWAYS = (5, 6, 7, 8)
# What a picture is written as where its own format is asked for. HEIC, which few programs read, becomes JPEG.
WRITTEN_AS: dict[str, FileFormat] = {"PNG": "png", "WEBP": "webp", "AVIF": "avif"}
GREY = ("1", "L", "LA")
ROWS = 64  # of a decoded picture that are converted at a time


class Refused(ValueError):
    """A file that is not taken. `index`: of the picture in its batch, which it is or belongs to."""

    index: int | None = None


class InvalidImage(Refused):
    """Not a picture that can be read: `what` names the field."""

    def __init__(self, reason: str, what: str = "image") -> None:
        super().__init__(f"Invalid {what} format: {reason}")


class AnimatedImage(InvalidImage):
    """More than one frame: cleaning the first alone would silently lose the others."""


class ImageTooLarge(Refused):
    def __init__(self, limit: str, what: str = "image") -> None:
        super().__init__(f"{what[0].upper()}{what[1:]} too large. {limit}")


register_heif_opener()


@dataclass(frozen=True)
class Picture:
    """rgb: (H, W, 3) uint8; alpha: (H, W) uint8 or None; colour: what their numbers mean.

    orientation: 1 to 8, EXIF's number for how the stored pixels were turned to be upright, as `rgb` is. dpi: dots per
    inch, across and down; exif: a TIFF structure; both as far as they were given. format: of the file.
    """

    rgb: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None = None
    colour: Colour = SRGB
    orientation: int = 1
    dpi: tuple[float, float] | None = None
    exif: bytes | None = None
    format: FileFormat = "png"

    @property
    def width(self) -> int:
        return int(self.rgb.shape[1])

    @property
    def height(self) -> int:
        return int(self.rgb.shape[0])

    @property
    def is_grey(self) -> bool:
        """Whether the channels are equal everywhere."""
        # A few pixels tell of nearly every coloured picture that it is one.
        return all((pixels == pixels[..., :1]).all() for pixels in (self.rgb[::32, ::32], self.rgb))

    def greyed(self) -> Picture:
        """The same with equal channels: ITU-R BT.601's luma, which equal channels have already."""
        return replace(self, rgb=np.asarray(Image.fromarray(self.rgb).convert("L").convert("RGB")))


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
    `what`; NoRoom.
    """
    container, image = _opened(data, limit, what)
    with admission.decoders.take(_pixels(container, image)), _refusing(what):
        return _loaded(container, image)


def decode(data: bytes, limit: SizeLimit) -> Picture:
    """The picture in `data`. Raises InvalidImage, AnimatedImage, ImageTooLarge, NoRoom."""
    return _decoded(data, limit, None, admission.decoders)


def shrunk(data: bytes, limit: SizeLimit, side: int, room: admission.Room) -> Picture:
    """The picture in `data`, at most `side` pixels wide and high, decoded in that room. Raises as `decode` does."""
    return _decoded(data, limit, side, room)


def _decoded(data: bytes, limit: SizeLimit, side: int | None, room: admission.Room) -> Picture:
    container, image = _opened(data, limit, "image")
    said = container.metadata
    with room.take(_pixels(container, image)), _refusing("image"):
        image = _loaded(container, image)
        if side is not None:
            image.thumbnail((side, side))
        if said.icc_profile is None:  # of HEIF and AVIF only the decoder knows it
            said = replace(said, icc_profile=image.info.get("icc_profile"))
            if said.icc_profile:  # which goes before their code points
                said = replace(said, chunks={})
        rgb, alpha, meaning = _channels(image, said)
    orientation = image.info["orientation"]
    dpi = said.dpi if said.dpi is None or orientation not in SIDEWAYS else (said.dpi[1], said.dpi[0])
    return Picture(rgb, alpha, meaning, orientation, dpi, said.exif, WRITTEN_AS.get(container.format, "jpeg"))


def _channels(image: Image.Image, said: Metadata) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None, Colour]:
    """(H, W, 3), (H, W) or None, and what their numbers mean, of a picture of any mode."""
    if image.mode == "CMYK":
        return np.asarray(colour.from_cmyk(image, said.icc_profile)), None, SRGB
    opacity = alpha(image) if image.has_transparency_data else None
    if image.mode.startswith("I"):
        image = Image.fromarray(in_strips(image, (), lambda strip: np.asarray(strip) >> 8))
    meaning = Colour.of(said.icc_profile, said.chunks)
    if said.icc_profile and image.mode in GREY:
        image, meaning = colour.of_grey(image.convert("L"), said.icc_profile, said.chunks)
    return in_strips(image, (3,), lambda strip: strip.convert("RGB")), opacity, meaning


def alpha(image: Image.Image) -> NDArray[np.uint8]:
    """(H, W), of a picture of any mode that has transparent pixels."""
    if image.mode.startswith("I"):  # 16 bits of grey, of which one value is transparent
        one = image.info["transparency"]
        return in_strips(image, (), lambda strip: np.where(np.asarray(strip) == one, 0, 255))
    return in_strips(image, (), lambda strip: strip.convert("RGBA").getchannel("A"))


def in_strips(
    image: Image.Image, channels: tuple[int, ...], convert: Callable[[Image.Image], Image.Image | NDArray[Any]]
) -> NDArray[np.uint8]:
    """(H, W, *channels): what `convert` makes of some rows, for all of them. No second whole picture is made."""
    width, height = image.size
    made = np.empty((height, width, *channels), np.uint8)
    for top in range(0, height, ROWS):
        bottom = min(height, top + ROWS)
        made[top:bottom] = np.asarray(convert(image.crop((0, top, width, bottom))))
    return made


def check(data: bytes, limit: SizeLimit, what: str = "image") -> int:
    """How many pixels are decoded. Raises what the headers of `data` give away, as `read` does; no pixel is decoded."""
    return _pixels(*_opened(data, limit, what))


def size(data: bytes, limit: SizeLimit) -> tuple[int, int]:
    """Height and width of the upright picture, by its headers. Raises as `check` does."""
    container, image = _opened(data, limit, "image")
    sideways = _orientation(container, image) in SIDEWAYS
    return (image.width, image.height) if sideways else (image.height, image.width)


def _orientation(container: Container, image: Image.Image) -> int:
    """EXIF's number, 1 to 8, or what else a file says there."""
    if container.format == "AVIF":
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    return container.orientation


def _pixels(container: Container, image: Image.Image) -> int:
    """That a decoder makes: of AVIF possibly more than are shown."""
    return max(image.width * image.height, math.prod(container.coded))


def _opened(data: bytes, limit: SizeLimit, what: str) -> tuple[Container, Image.Image]:
    """Judged by the headers; no pixel is decoded yet."""
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
    if max(*image.size, *container.coded) > limit.max_side:
        raise ImageTooLarge(f"Max dimension: {limit.max_side}px", what)
    return container, image


def _loaded(container: Container, image: Image.Image) -> Image.Image:
    """Decoded and upright, as `read` says."""
    image.load()
    if image.mode == "P":
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif container.format == "PNG" and container.pixels[png.DEPTH] == 16:
        image = _as_deep(image, container.pixels)
    orientation = _orientation(container, image)
    if orientation in TURNS:
        image = image.transpose(TURNS[orientation])
    image.format, image.info["orientation"] = container.format, orientation
    return image


def _as_deep(image: Image.Image, data: bytes) -> Image.Image:
    """Of a PNG of 16 bits a channel, what Pillow loses by keeping 8: that it is grey, and which pixels it says are
    transparent."""
    if image.mode == "RGBA" and data[png.DEPTH + 1] == png.GREY_ALPHA:
        return image.convert("LA")
    if image.mode == "RGB" and "transparency" in image.info:
        del image.info["transparency"]
        deep = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED), np.uint16)
        image.putalpha(Image.fromarray((deep[..., 3] >> 8).astype(np.uint8)))
    return image


@contextmanager
def _refusing(what: str) -> Iterator[None]:
    """Whatever a decoder raises about a file is the file's fault."""
    try:
        yield
    except (InvalidImage, ImageTooLarge):
        raise
    except Exception as error:
        raise InvalidImage(DAMAGED, what) from error


def _megabytes(size: int) -> str:
    return f"{size / (1 << 20):g}MB"
