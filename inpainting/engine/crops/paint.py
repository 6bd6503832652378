"""A picture filled crop by crop as planned, and blended into what it was."""

from collections.abc import Callable, Iterator

import numpy as np

from inpainting.engine.crops.plan import Limits, Region, plan
from inpainting.engine.crops.resize import enlarge, shrink
from inpainting.engine.interface import BlendMask, Hole, Picture

STRIP = 1 << 20  # pixels blended at a time, so that a big picture is never held as floats

# (picture, hole) -> picture, of one size; only what it returns inside the hole is used. The contract is
# `Inpainter.fill`'s.
Fill = Callable[[Picture, Hole], Picture]


def paint(
    picture: Picture,
    blend_mask: BlendMask,
    fill: Fill,
    limits: Limits,
    between: Callable[[], None] = lambda: None,
) -> Picture:
    """original + blend mask / 255 * (filled - original), rounded: (H, W, 3), (H, W), both uint8 -> a new array.

    Pixels of 0, of which there is one at least, come back exactly. `between` is called before each crop.
    """
    filled, hole = picture.copy(), blend_mask > 0
    for region in plan(hole, limits):
        between()
        _fill_region(filled, hole, region, fill)
    blend(filled, picture, blend_mask)
    return filled


def _fill_region(filled: Picture, hole: Hole, region: Region, fill: Fill) -> None:
    """Fill one region of `filled` in place, and take what was filled out of `hole`."""
    picture, inside = filled[region.crop.slices], hole[region.crop.slices]
    if not any(hole[box.slices].any() for box in region.holes):
        return
    if region.scale == 1:
        made = fill(np.ascontiguousarray(picture), np.ascontiguousarray(inside))
    else:
        made = enlarge(fill(*shrink(picture, inside, region.scale)), region.scale, inside.shape)
    for box in region.holes:
        top, left = box.top - region.crop.top, box.left - region.crop.left
        part = made[top : top + box.height, left : left + box.width]
        np.copyto(filled[box.slices], part, where=hole[box.slices][..., None])
        hole[box.slices] = False


def strips(shape: tuple[int, ...], pixels: int) -> Iterator[slice]:
    """Rows of a picture (H, W) that are worked on at a time: of so many pixels, one at least."""
    height, width = shape
    rows = max(1, pixels // width)
    return (slice(top, top + rows) for top in range(0, height, rows))


def blend(filled: Picture, original: Picture, blend_mask: BlendMask) -> None:
    """filled = original + blend mask / 255 * (filled - original), in place, by strips. 0 and 255 need nothing."""
    for strip in strips(blend_mask.shape, STRIP):
        chosen = (blend_mask[strip] > 0) & (blend_mask[strip] < 255)
        if chosen.any():
            before, after = original[strip][chosen].astype(np.float32), filled[strip][chosen]
            weights = blend_mask[strip][chosen][:, None] / np.float32(255)
            filled[strip][chosen] = np.rint(before + weights * (after - before))
