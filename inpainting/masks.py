"""Any mask to a blend mask, (H, W) float32 in 0..1: 0 is kept, 1 replaced, between them blended. The hole is > 0."""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inpainting import images
from inpainting.engine.interface import BlendMask
from inpainting.images import SizeLimit

# What JPEG and lossy WebP leave around a white stroke on black stays below this at quality 50 and above.
COMPRESSION_NOISE = 64
MAX_RECTANGLES = 1000


class InvalidMask(ValueError):
    pass


HOW_READ = (
    "In a mask with an alpha channel, alpha = 0 marks what to remove; in any other, all pixels that are not black; "
    "invert_mask=true inverts it."
)
HOW_BLENDED = "White is removed, black is kept, grey is blended."


class EmptyMask(ValueError):
    def __init__(self, how: str) -> None:
        super().__init__(f"The mask marks nothing to remove. {how}")


class MaskCoversEverything(ValueError):
    def __init__(self, how: str) -> None:
        super().__init__(f"The mask covers the whole picture: nothing is left to fill it from. {how}")


def hole(data: bytes, height: int, width: int, limit: SizeLimit, *, invert: bool = False) -> BlendMask:
    """The object remover's mask: alpha 0 marks the hole where any pixel has it, else every pixel that is not black."""
    image = images.read(data, limit, "mask")
    threshold = 0 if image.format == "PNG" else COMPRESSION_NOISE
    marked = _brightness(image) > threshold
    if image.has_transparency_data:
        transparent = np.asarray(image.convert("RGBA").getchannel("A")) == 0
        if transparent.any():
            marked = transparent
    return _checked(_resized((marked != invert).astype(np.float32), height, width), HOW_READ)


def blend(data: bytes, height: int, width: int, limit: SizeLimit) -> BlendMask:
    """v1's mask: its brightness is the weight; transparent pixels are black. Compression noise is stretched away."""
    image = images.read(data, limit, "mask")
    mask: BlendMask = np.divide(_brightness(image), 255, dtype=np.float32)
    if image.has_transparency_data:
        mask *= np.asarray(image.convert("RGBA").getchannel("A"), np.float32) / 255
    if image.format != "PNG":
        noise = COMPRESSION_NOISE / 255
        mask = np.clip((mask - noise) / (1 - 2 * noise), 0, 1).astype(np.float32, copy=False)
    return _checked(_resized(mask, height, width), HOW_BLENDED)


def from_rectangles(text: str, height: int, width: int) -> BlendMask:
    """A JSON list of {x, y, width, height} in pixels; parts outside the picture are cut off."""
    mask = np.zeros((height, width), np.float32)
    try:
        rectangles = json.loads(text)
        if not isinstance(rectangles, list) or len(rectangles) > MAX_RECTANGLES:
            raise InvalidMask(f"rectangles: a JSON list of at most {MAX_RECTANGLES} is expected.")
        for rectangle in rectangles:
            x, y, w, h = (_whole(rectangle[name]) for name in ("x", "y", "width", "height"))
            mask[max(0, y) : max(0, y + h), max(0, x) : max(0, x + w)] = 1
    except (json.JSONDecodeError, RecursionError, TypeError, KeyError) as error:
        raise InvalidMask(
            'rectangles: a JSON list is expected, such as [{"x": 8, "y": 8, "width": 120, "height": 40}].'
        ) from error
    return _checked(mask, "The rectangles are in pixels from the top left corner of the upright picture.")


def grow(mask: BlendMask, pixels: int) -> BlendMask:
    """A user's hole widened by `pixels` on every side. Raises MaskCoversEverything."""
    return _checked(widened(mask, pixels), "Ask for a smaller `grow`.") if pixels else mask


def widened(mask: BlendMask, pixels: int) -> BlendMask:
    """Greyscale dilation by a square that reaches `pixels` on every side."""
    grown = mask
    for axis in (0, 1):
        reach = 0
        while reach < pixels:  # the running maximum doubles its reach each time: 7 steps for 64 pixels
            step = min(max(reach, 1), pixels - reach)
            grown = np.maximum(grown, np.maximum(_shifted(grown, step, axis), _shifted(grown, -step, axis)))
            reach += step
    return grown


def _checked(mask: BlendMask, how: str) -> BlendMask:
    marked = np.count_nonzero(mask)
    if marked == 0:
        raise EmptyMask(how)
    if marked == mask.size:
        raise MaskCoversEverything(how)
    return mask


def _brightness(image: Image.Image) -> NDArray[np.uint8]:
    """(H, W): the brightest channel, so that a red or blue stroke counts as fully as a white one."""
    if image.mode.startswith("I"):
        return (np.asarray(image) >> 8).astype(np.uint8)
    if image.mode in ("1", "L"):
        return np.asarray(image if image.mode == "L" else image.convert("L"))
    brightest: NDArray[np.uint8] = np.asarray(image.convert("RGB")).max(axis=2)
    return brightest


def _resized(mask: BlendMask, height: int, width: int) -> BlendMask:
    if mask.shape == (height, width):
        return mask
    # Nearest: any smoothing would make a soft rim through which the mark shines.
    return np.asarray(Image.fromarray(mask).resize((width, height), Image.Resampling.NEAREST))


def _shifted(array: BlendMask, by: int, axis: int) -> BlendMask:
    """`array` moved by `by` pixels along `axis`, zeros moving in."""
    moved = np.zeros_like(array)
    to, source = (slice(by, None), slice(None, -by)) if by > 0 else (slice(None, by), slice(-by, None))
    index = [slice(None), slice(None)]
    target = list(index)
    target[axis], index[axis] = to, source
    moved[tuple(target)] = array[tuple(index)]
    return moved


def _whole(value: object) -> int:
    """JSON numbers only: true is no number here, and 1e9999 no pixel."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e9:
        raise TypeError(value)
    return round(value)
