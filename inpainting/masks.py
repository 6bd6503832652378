"""Any mask to a blend mask, (H, W) uint8: 0 is kept, 255 replaced, between them blended. The hole is > 0."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inpainting import containers, images
from inpainting.containers import png
from inpainting.engine.interface import BlendMask
from inpainting.images import Picture, Refused, SizeLimit

# What JPEG and lossy WebP leave around a white stroke on black stays below this at quality 50 and above.
COMPRESSION_NOISE = 64
# Of 255. Several values, none above this, are numbers of classes or a scale of 0 to 1 rather than weights: as weights
# they would leave what is to go as good as untouched.
FAINT = 32
MAX_RECTANGLES = 1000
WHITE = np.uint8(255)

Values = NDArray[np.uint8 | np.uint16]


class InvalidMask(Refused):
    pass


class MaskTooLarge(Refused):
    pass


HOW_READ = (
    "In a mask with an alpha channel, alpha = 0 marks what to remove; in any other, all pixels that are not black; "
    "invert_mask=true inverts it."
)
HOW_BLENDED = "White is removed, black is kept, grey is blended."


class EmptyMask(Refused):
    def __init__(self, how: str) -> None:
        super().__init__(f"The mask marks nothing to remove. {how}")


class MaskCoversEverything(Refused):
    def __init__(self, how: str) -> None:
        super().__init__(f"The mask covers the whole picture: nothing is left to fill it from. {how}")


class FaintMask(Refused):
    """Several values, all very dark: a weight of so little would change nothing that can be seen."""

    def __init__(self, found: int, white: int) -> None:
        super().__init__(
            f"The mask has several values and the brightest is {found}, almost black: {white} is white. {HOW_BLENDED} "
            "Only in a mask of two values the brighter one removes, whatever it is."
        )


def hole(data: bytes, picture: Picture, limit: SizeLimit, *, invert: bool = False) -> BlendMask:
    """The object remover's mask: alpha 0 marks the hole where any pixel has it, else every pixel that is not black.

    Of two values the brighter one marks it. Raises InvalidMask, MaskTooLarge, EmptyMask, MaskCoversEverything.
    """
    mask = _read(data, limit)
    if mask.alpha is not None and not mask.alpha.all():
        marked = mask.alpha == 0
    elif (white := _brighter_of_two(mask.values, mask.noise)) is not None:
        marked = white
    else:
        marked = mask.values > mask.noise
    return checked(_fitted((marked != invert) * WHITE, picture), HOW_READ)


def blend(data: bytes, picture: Picture, limit: SizeLimit) -> BlendMask:
    """v1's mask: its brightness is the weight; transparent pixels are black. Compression noise is stretched away.

    Of two values the brighter one is white, the other black. Raises FaintMask and what `hole` raises.
    """
    mask = _read(data, limit)
    most, values = mask.most, mask.values if mask.alpha is None else _shown(mask.values, mask.alpha)
    if (white := _brighter_of_two(values, mask.noise)) is not None:
        return checked(_fitted(white * WHITE, picture), HOW_BLENDED)
    brightest = int(values.max())
    if values.min() < brightest <= max(FAINT * most / 255, mask.noise):
        raise FaintMask(brightest, most)
    return checked(_fitted(_weights(most, mask.noise)[values], picture), HOW_BLENDED)


def pixels(data: bytes, limit: SizeLimit) -> int:
    """How many it has. Raises InvalidMask or MaskTooLarge, as far as its headers tell."""
    with _refusing():
        return images.check(data, limit, "mask")


def check(data: bytes, limit: SizeLimit) -> None:
    """Raises InvalidMask or MaskTooLarge, unless there is a mask in the file."""
    _read(data, limit)


def from_rectangles(text: str, height: int, width: int) -> BlendMask:
    """A JSON list of {x, y, width, height} in pixels; parts outside the picture are cut off."""
    # By row: how many rectangles begin there less how many end. Each costs two rows, however high it is.
    edges: defaultdict[int, NDArray[np.int16]] = defaultdict(lambda: np.zeros(width, np.int16))
    try:
        rectangles = json.loads(text, parse_int=float)  # an int of 5,000 digits is refused with another error
        if not isinstance(rectangles, list) or len(rectangles) > MAX_RECTANGLES:
            raise InvalidMask(f"rectangles: a JSON list of at most {MAX_RECTANGLES} is expected.")
        for rectangle in rectangles:
            x, y, w, h = (_whole(rectangle[name]) for name in ("x", "y", "width", "height"))
            columns = slice(max(0, x), max(0, x + w))
            top, bottom = (min(max(0, row), height) for row in (y, y + max(0, h)))
            edges[top][columns] += 1
            edges[bottom][columns] -= 1
    except (json.JSONDecodeError, RecursionError, TypeError, KeyError) as error:
        raise InvalidMask(
            'rectangles: a JSON list is expected, such as [{"x": 8, "y": 8, "width": 120, "height": 40}].'
        ) from error
    mask, open_ones = np.zeros((height, width), np.uint8), np.zeros(width, np.int16)
    for top, bottom in pairwise(sorted(edges)):
        open_ones += edges[top]
        mask[top:bottom] = (open_ones > 0) * WHITE
    return checked(mask, "The rectangles are in pixels from the top left corner of the upright picture.")


def grow(mask: BlendMask, pixels: int) -> BlendMask:
    """A user's hole widened by `pixels` on every side. Raises MaskCoversEverything."""
    return checked(widened(mask, pixels), "Ask for a smaller `grow`.") if pixels else mask


def widened(mask: BlendMask, pixels: int) -> BlendMask:
    """Greyscale dilation by a square that reaches `pixels` on every side."""
    return np.asarray(cv2.dilate(mask, np.ones((2 * pixels + 1, 2 * pixels + 1), np.uint8)), np.uint8)


def checked(mask: BlendMask, how: str) -> BlendMask:
    """The mask itself. Raises EmptyMask, MaskCoversEverything, whose texts end with `how`."""
    marked = np.count_nonzero(mask)
    if marked == 0:
        raise EmptyMask(how)
    if marked == mask.size:
        raise MaskCoversEverything(how)
    return mask


@dataclass(frozen=True)
class _Mask:
    """values: (H, W), the brightest channel, so that a red or blue stroke counts as fully as a white one; alpha: (H, W)
    or None. Both are uint8 or uint16, as deep as the file. noise: values up to it count as black."""

    values: Values
    alpha: Values | None
    noise: int

    @property
    def most(self) -> int:
        return int(np.iinfo(self.values.dtype).max)


@contextmanager
def _refusing() -> Iterator[None]:
    """What is wrong with a picture is wrong with the mask."""
    try:
        yield
    except images.InvalidImage as error:
        raise InvalidMask(str(error)) from error
    except images.ImageTooLarge as error:
        raise MaskTooLarge(str(error)) from error


def _read(data: bytes, limit: SizeLimit) -> _Mask:
    with _refusing():
        image = images.read(data, limit, "mask")
    lossless = image.format == "PNG" or data[12:16] == b"VP8L"  # RFC 9649, 2.6: a lossless WebP
    noise = 0 if lossless else COMPRESSION_NOISE
    if image.mode in ("1", "L") or image.mode.startswith("I"):
        grey = np.asarray(image.convert("L") if image.mode == "1" else image)
        grey = grey if grey.dtype == np.uint8 else grey.astype(np.uint16)
        return _Mask(grey, _grey_alpha(grey, image.info.get("transparency"), data), noise)
    if image.format == "PNG" and data[png.DEPTH] == 16:  # of which Pillow keeps the upper 8 bits only
        deep = cv2.imdecode(np.frombuffer(containers.split(data).pixels, np.uint8), cv2.IMREAD_UNCHANGED)
        if deep is not None:
            colours: Values = _upright(deep, image.info["orientation"])
            return _Mask(colours[..., :3].max(axis=2), colours[..., 3].copy() if colours.shape[2] == 4 else None, noise)
    brightest = images.in_strips(image, (), lambda strip: np.asarray(strip.convert("RGB")).max(axis=2))
    return _Mask(brightest, images.alpha(image) if image.has_transparency_data else None, noise)


def _grey_alpha(grey: Values, transparent: int | None, data: bytes) -> Values | None:
    """The alpha of a grey PNG, in which one value may be transparent: it is written at the file's own depth."""
    if transparent is None:
        return None
    stretched = transparent * {2: 85, 4: 17}.get(data[png.DEPTH], 1)
    return np.where(grey == stretched, 0, np.iinfo(grey.dtype).max).astype(grey.dtype)


def _shown(values: Values, alpha: Values) -> Values:
    """(H, W): as they show on black, rounded up: what is marked stays marked."""
    most, shown = int(np.iinfo(values.dtype).max), np.empty_like(values)
    for row, value, opacity in zip(shown, values, alpha, strict=True):
        row[:] = (value * opacity.astype(np.uint32) + (most - 1)) // most
    return shown


def _weights(most: int, noise: int) -> NDArray[np.uint8]:
    """By value, 0 to `most`: the weight, rounded up. Up to the noise it is black, and as near to white, white."""
    return np.clip(-((noise - np.arange(most + 1)) * 255 // (most - 2 * noise)), 0, 255).astype(np.uint8)


def _brighter_of_two(values: NDArray[np.generic], noise: int) -> NDArray[np.bool_] | None:
    """(H, W): where the brighter of exactly two values is, if that is more than noise."""
    dark, bright = values.min(), values.max()
    white: NDArray[np.bool_] = values == bright
    return white if bright > max(dark, noise) and (white | (values == dark)).all() else None


def _fitted(mask: BlendMask, picture: Picture) -> BlendMask:
    """Of the picture's size. Turned with it where only the stored, unturned pixels have the mask's proportions."""
    height, width = picture.height, picture.width
    if picture.orientation >= 5 and _misfit(mask, width, height) < _misfit(mask, height, width):
        mask = _upright(mask, picture.orientation)
    return scaled(scaled(mask, height, 0), width, 1)


def _upright(stored: NDArray[Any], orientation: int) -> NDArray[Any]:
    """(H, W, ...) turned as EXIF's `orientation`, 1 to 8, asks for (Exif 3.0, 4.6.5.1)."""
    if orientation >= 5:
        stored = stored.swapaxes(0, 1)
    down, across = -1 if orientation in (3, 4, 7, 8) else 1, -1 if orientation in (2, 3, 6, 7) else 1
    return np.ascontiguousarray(stored[::down, ::across])


def _misfit(mask: BlendMask, height: int, width: int) -> float:
    """How far it is from these proportions. More than rounding its sides to whole pixels explains: infinite."""
    difference = abs(mask.shape[0] * width - mask.shape[1] * height)
    return difference if difference <= max(height, width) else math.inf


def scaled(mask: BlendMask, size: int, axis: int) -> BlendMask:
    """Of `size` along `axis`: enlarged to the nearest; shrunk to the maximum of all pixels that lie in one even partly.

    Any smoothing would make a soft rim through which the mark shines; leaving pixels out would lose thin lines.
    """
    before = mask.shape[axis]
    if size == before:
        return mask
    if size > before:
        nearest: BlendMask = np.take(mask, (2 * np.arange(size) + 1) * before // (2 * size), axis)
        return nearest
    edges = np.arange(size + 1) * before
    first, last = edges[:-1] // size, -(-edges[1:] // size) - 1
    shrunk: BlendMask = np.take(mask, first, axis)
    for step in range(1, int((last - first).max()) + 1):  # ten times as fast as np.maximum.reduceat
        np.maximum(shrunk, np.take(mask, np.minimum(first + step, last), axis), out=shrunk)
    return shrunk


def _whole(value: object) -> int:
    """JSON numbers only: true is no number here, and 1e9999 no pixel."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e9:
        raise TypeError(value)
    return round(value)
